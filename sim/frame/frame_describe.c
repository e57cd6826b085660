// Says in one line what a frame is, in tcpdump's words.
// SPDX-License-Identifier: MIT

#include "sim/frame/frame.h"

#include "stack/wire/bytes.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
    char *out;
    size_t size, used; // used < size once size is not 0
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t,
                                                      const char *format, ...)
{
    if (t->used + 1 >= t->size)
        return;
    va_list list;
    va_start(list, format);
    int n = vsnprintf(t->out + t->used, t->size - t->used, format, list);
    va_end(list);
    if (n < 0)
        return;
    t->used += (size_t)n;
    if (t->used >= t->size)
        t->used = t->size - 1;
}

static void say_address(struct text *t, const struct ip_addr *address, int port)
{
    char name[IP_ADDR_TEXT_SIZE];
    say(t, "%s", ip_addr_format(address, name));
    if (port >= 0)
        say(t, ".%d", port);
}

static void say_arp(struct text *t, const struct arp_header *arp)
{
    char mac[MAC_ADDR_TEXT_SIZE];
    if (arp->operation == ARP_REQUEST) {
        say(t, "ARP, Request who-has ");
        say_address(t, &arp->target_ip, -1);
        say(t, " tell ");
        say_address(t, &arp->sender_ip, -1);
    } else if (arp->operation == ARP_REPLY) {
        say(t, "ARP, Reply ");
        say_address(t, &arp->sender_ip, -1);
        say(t, " is-at %s", mac_addr_format(&arp->sender_mac, mac));
    } else {
        say(t, "ARP, operation %u", arp->operation);
    }
    say(t, ", length %d", ARP_SIZE);
}

static void say_separator(struct text *t, bool *is_first)
{
    if (!*is_first)
        say(t, ",");
    *is_first = false;
}

static void say_tcp_options(struct text *t, const struct tcp_options *o)
{
    bool is_first = true;
    size_t start = t->used;
    say(t, ", options [");
    if (o->has_mss) {
        say_separator(t, &is_first);
        say(t, "mss %u", o->mss);
    }
    if (o->has_sack_permitted) {
        say_separator(t, &is_first);
        say(t, "sackOK");
    }
    if (o->has_timestamps) {
        say_separator(t, &is_first);
        say(t, "TS val %u ecr %u", o->ts_value, o->ts_echo);
    }
    if (o->has_window_scale) {
        say_separator(t, &is_first);
        say(t, "wscale %u", o->window_scale);
    }
    if (o->has_fast_open) {
        say_separator(t, &is_first);
        say(t, "tfo %u bytes", o->cookie_length);
    }
    if (o->sack_count > 0) {
        say_separator(t, &is_first);
        say(t, "sack %u ", o->sack_count);
    }
    for (unsigned i = 0; i < o->sack_count; i++)
        say(t, "{%u:%u}", o->sack[i].start, o->sack[i].end);
    if (is_first && t->size > 0)
        t->out[t->used = start] = '\0';
    else
        say(t, "]");
}

static void say_tcp(struct text *t, const struct frame_fields *f)
{
    char flags[16];
    const struct tcp_header *tcp = &f->tcp;
    uint32_t length = (uint32_t)f->payload_length;
    say(t, "Flags [%s]", tcp_flags_format(tcp->flags, flags));
    if (!f->transport_checksum_good)
        say(t, ", bad cksum 0x%04x", tcp->checksum);
    if (length > 0)
        say(t, ", seq %u:%u", tcp->seq, tcp->seq + length);
    else if ((tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0 ||
             (tcp->flags & TCP_ACK) == 0)
        say(t, ", seq %u", tcp->seq);
    if ((tcp->flags & TCP_ACK) != 0)
        say(t, ", ack %u", tcp->ack);
    say(t, ", win %u", tcp->window);
    if ((tcp->flags & TCP_URG) != 0)
        say(t, ", urg %u", tcp->urgent);
    say_tcp_options(t, &f->tcp_options);
    say(t, ", length %u", length);
}

static const char *protocol_name(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_ICMP:
        return "ICMP";
    case IP_PROTOCOL_TCP:
        return "TCP";
    case IP_PROTOCOL_UDP:
        return "UDP";
    case IP_PROTOCOL_ICMPV6:
        return "ICMP6";
    default:
        return NULL;
    }
}

static bool is_neighbour_message(const struct frame_fields *f)
{
    return f->has_icmpv6 && (f->icmp.type == ICMP6_NEIGHBOUR_SOLICITATION ||
                             f->icmp.type == ICMP6_NEIGHBOUR_ADVERTISEMENT);
}

// What the message is about: the target of a neighbour message, identifier and
// sequence of an echo, the MTU of "too big".
static void say_icmp_details(struct text *t, const struct frame_fields *f,
                             const uint8_t *message, size_t length)
{
    uint8_t type = f->icmp.type;
    struct nd_neighbour nd;
    bool is_echo = f->has_icmp ? type == ICMP4_ECHO || type == ICMP4_ECHO_REPLY
                               : type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
    bool has_mtu = f->has_icmp ? type == ICMP4_UNREACHABLE &&
                                     f->icmp.code == ICMP4_FRAGMENTATION_NEEDED
                               : type == ICMP6_PACKET_TOO_BIG;
    if (is_echo) {
        say(t, ", id %u, seq %u", f->icmp.rest >> 16, f->icmp.rest & 0xffff);
    } else if (has_mtu) {
        say(t, ", mtu %u", f->has_icmp ? f->icmp.rest & 0xffff : f->icmp.rest);
    } else if (is_neighbour_message(f) &&
               nd_neighbour_parse(message, length, &nd) >= 0) {
        say(t, "%s",
            type == ICMP6_NEIGHBOUR_SOLICITATION ? ", who has " : ", tgt ");
        say_address(t, &nd.target, -1);
    }
}

static void say_icmp(struct text *t, const struct frame_fields *f,
                     const uint8_t *bytes)
{
    uint8_t family = f->has_icmp ? IP_V4 : IP_V6;
    size_t length = f->payload_length + ICMP_HEADER_SIZE;
    const char *name = icmp_type_name(family, f->icmp.type, f->icmp.code);
    say(t, "%s", f->has_icmp ? "ICMP " : "ICMP6, ");
    if (name != NULL)
        say(t, "%s", name);
    else
        say(t, "type %u code %u", f->icmp.type, f->icmp.code);
    say_icmp_details(t, f, bytes + f->transport_offset, length);
    if (!f->transport_checksum_good)
        say(t, ", bad cksum 0x%04x", f->icmp.checksum);
    say(t, ", length %zu", length);
}

static void say_other(struct text *t, const struct frame_fields *f)
{
    const char *name = protocol_name(f->protocol);
    if (name != NULL)
        say(t, "%s", name);
    else
        say(t, "ip-proto-%u", f->protocol);
    say(t, ", length %zu", f->payload_length);
}

static void say_ip(struct text *t, const struct frame_fields *f,
                   const uint8_t *bytes)
{
    int from = -1, to = -1;
    if (f->has_tcp) {
        from = f->tcp.source_port;
        to = f->tcp.destination_port;
    } else if (f->has_udp) {
        from = f->udp.source_port;
        to = f->udp.destination_port;
    }
    say(t, "%s", f->has_ipv4 ? "IP " : "IP6 ");
    say_address(t, &f->source, from);
    say(t, " > ");
    say_address(t, &f->destination, to);
    say(t, ": ");
    if (f->has_tcp)
        say_tcp(t, f);
    else if (f->has_udp)
        say(t, "UDP%s, length %zu",
            f->transport_checksum_good ? "" : ", bad cksum", f->payload_length);
    else if (f->has_icmp || f->has_icmpv6)
        say_icmp(t, f, bytes);
    else
        say_other(t, f);
    if (f->has_fragment)
        say(t, ", frag (id %u, offset %u%s)", f->fragment.id,
            f->fragment.offset, f->fragment.more ? ", more follow" : "");
    if (!f->ip_checksum_good)
        say(t, ", bad IP cksum 0x%04x", f->ipv4.checksum);
    if (f->is_truncated)
        say(t, ", truncated");
}

static void say_unknown(struct text *t, const struct frame_fields *f,
                        size_t length)
{
    char from[MAC_ADDR_TEXT_SIZE], to[MAC_ADDR_TEXT_SIZE];
    if (f->has_ethernet)
        say(t, "%s > %s, ethertype 0x%04x, length %zu",
            mac_addr_format(&f->ethernet.source, from),
            mac_addr_format(&f->ethernet.destination, to), f->ethernet.type,
            length);
    else
        say(t, "%zu bytes that are no frame", length);
}

char *frame_describe(const uint8_t *bytes, size_t length, bool starts_with_ip,
                     char *out, size_t size)
{
    struct text t = {.out = out, .size = size};
    struct frame_fields f;
    if (size > 0)
        out[0] = '\0';
    frame_decode(bytes, length, starts_with_ip, &f);
    if (f.has_ethernet && f.ethernet.is_tagged)
        say(&t, "vlan %u, ", f.ethernet.vlan & 0xfff);
    if (f.has_arp)
        say_arp(&t, &f.arp);
    else if (f.has_ipv4 || f.has_ipv6)
        say_ip(&t, &f, bytes);
    else
        say_unknown(&t, &f, length);
    return out;
}
