// One IPv6 host on a wire, IPv6 frames made by hand, a look at its answers.
// SPDX-License-Identifier: MIT
#include "tests/unit/ipv6_fixture.h"

#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"
#include "tests/unit/unit.h"

void v6_init(struct v6 *v6)
{
    *v6 = (struct v6){.settings = stack_settings_default};
    v6->settings.ip_dad_transmits = 0;
}

static void know(struct v6 *v6, const char *address)
{
    struct ip_addr peer = net_addr(address);
    struct mac_addr mac = {{2, 0, 0, 0, 0, 0x99}};
    must(stack_set_neighbour(v6->host->eth, &peer, &mac) == 0);
}

void v6_open(struct v6 *v6)
{
    v6->net = net_create(1);
    v6->host = net_add_stack(v6->net, "host", &v6->settings);
    net_record(v6->net);
    net_add_iface(v6->host, 0, "eth0", 0, V6_HOST "/64");
    know(v6, V6_PEER);
    know(v6, "fe80::1");
    struct mac_addr mac = iface_mac(v6->host->eth);
    v6->link_local = ip_addr_link_local_of(&mac);
}

void v6_close(struct v6 *v6) { net_destroy(v6->net); }

struct v6_frame v6_begin(const struct v6 *v6, const char *source,
                         const char *destination, uint8_t next,
                         uint8_t hop_limit)
{
    struct v6_frame frame = {.source = net_addr(source),
                             .destination = net_addr(destination),
                             .length = V6_PAYLOAD};
    struct ethernet_header ethernet = {.destination = iface_mac(v6->host->eth),
                                       .source = {{2, 0, 0, 0, 0, 0x99}},
                                       .type = ETHERTYPE_IPV6};
    struct ipv6_header ip = {.next_header = next,
                             .hop_limit = hop_limit,
                             .source = frame.source,
                             .destination = frame.destination};
    if (ip_addr_is_multicast(&frame.destination))
        ethernet.destination = mac_addr_of_multicast(&frame.destination);
    ethernet_emit(&ethernet, frame.bytes);
    ipv6_emit(&ip, frame.bytes + V6_IP);
    return frame;
}

void v6_put(struct v6_frame *frame, const void *bytes, size_t length)
{
    must(frame->length + length <= sizeof frame->bytes);
    if (length > 0)
        memcpy(frame->bytes + frame->length, bytes, length);
    frame->length += length;
}

void v6_put_zeros(struct v6_frame *frame, size_t length)
{
    must(frame->length + length <= sizeof frame->bytes);
    memset(frame->bytes + frame->length, 0, length);
    frame->length += length;
}

void v6_put_icmp(struct v6_frame *frame, uint8_t type, uint8_t code,
                 uint32_t rest)
{
    struct icmp_header header = {.type = type, .code = code, .rest = rest};
    uint8_t bytes[ICMP_HEADER_SIZE];
    frame->icmp = frame->length;
    v6_put(frame, bytes, icmp_emit(&header, bytes));
}

void v6_put_udp(struct v6_frame *frame, uint16_t source, uint16_t destination,
                const void *bytes, size_t length)
{
    struct udp_header header = {.source_port = source,
                                .destination_port = destination,
                                .length = (uint16_t)(UDP_HEADER_SIZE + length)};
    uint8_t *datagram = frame->bytes + frame->length;
    uint8_t emitted[UDP_HEADER_SIZE];
    v6_put(frame, emitted, udp_emit(&header, emitted));
    v6_put(frame, bytes, length);
    udp_fill_checksum(datagram, header.length, &frame->source,
                      &frame->destination);
}

void v6_finish(struct v6_frame *frame)
{
    put_be16(frame->bytes + V6_IP + 4, (uint16_t)(frame->length - V6_PAYLOAD));
    if (frame->icmp)
        icmp_fill_checksum(frame->bytes + frame->icmp,
                           frame->length - frame->icmp, &frame->source,
                           &frame->destination);
}

void v6_inject(struct v6 *v6, const struct v6_frame *frame)
{
    net_inject(v6->host, v6->host->eth, frame->bytes, frame->length);
}

void v6_send(struct v6 *v6, struct v6_frame *frame)
{
    v6_finish(frame);
    v6_inject(v6, frame);
}

static void read_icmp(struct v6_answer *answer)
{
    CHECK_FATAL(icmp_parse(answer->payload, answer->length, &answer->icmp) > 0);
    CHECK(icmp_checksum_is_good(answer->payload, answer->length,
                                &answer->ip.source, &answer->ip.destination));
}

bool v6_next(struct v6 *v6, struct v6_answer *answer)
{
    while (v6->seen < v6->net->record_count) {
        const struct net_record *record = &v6->net->records[v6->seen++];
        const uint8_t *ip = record->bytes + V6_IP;
        if (get_be16(record->bytes + 12) != ETHERTYPE_IPV6)
            continue;
        CHECK_FATAL(ipv6_parse(ip, record->length - V6_IP, &answer->ip) > 0);
        CHECK_EQUAL(answer->ip.payload_length, record->length - V6_PAYLOAD);
        memcpy(answer->to.bytes, record->bytes, 6);
        answer->payload = ip + IPV6_HEADER_SIZE;
        answer->length = answer->ip.payload_length;
        if (answer->ip.next_header == IP_PROTOCOL_ICMPV6)
            read_icmp(answer);
        return true;
    }
    return false;
}
