// Fuzzes the wire parsers; the first byte chooses which.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "stack/base.h"
#include "stack/wire/arp.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/nd.h"
#include "stack/wire/tcp.h"
#include "stack/wire/udp.h"

// What is checked of every format: a parser answers an error or a length within
// the buffer; what it accepted, emitted and parsed again, gives the same bytes
// or (where the format has bits that a parser ignores) the same header.

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void fuzz_ethernet(const uint8_t *bytes, size_t length)
{
    struct ethernet_header h;
    uint8_t out[18];
    int size = ethernet_parse(bytes, length, &h);
    if (size < 0)
        return;
    must((size_t)size <= length);
    must(ethernet_emit(&h, out) == (size_t)size);
    must(memcmp(out, bytes, (size_t)size) == 0);
}

static void fuzz_arp(const uint8_t *bytes, size_t length)
{
    struct arp_header h;
    uint8_t out[ARP_SIZE];
    if (arp_parse(bytes, length, &h) < 0)
        return;
    must(arp_emit(&h, out) == ARP_SIZE);
    must(memcmp(out, bytes, ARP_SIZE) == 0);
}

static void fuzz_ipv4(const uint8_t *bytes, size_t length)
{
    struct ipv4_header h, again;
    uint8_t out[IPV4_MAX_HEADER_SIZE];
    int quoted = ipv4_parse_quoted(bytes, length, &h);
    int size = ipv4_parse(bytes, length, &h);
    must(size < 0 || size == quoted);
    if (quoted < 0)
        return;
    must((size_t)quoted <= length && quoted <= IPV4_MAX_HEADER_SIZE);
    must(ipv4_emit(&h, out) == (size_t)quoted);
    // The checksum alone may differ: zero has two forms, and a quoted header's
    // may be wrong.
    must(memcmp(out, bytes, 10) == 0);
    must(memcmp(out + 12, bytes + 12, (size_t)quoted - 12) == 0);
    must(ipv4_parse_quoted(out, (size_t)quoted, &again) == quoted);
    must(checksum_finish(checksum_add(0, out, (size_t)quoted)) == 0);
    must(size < 0 || h.total_length <= length);
}

static void fuzz_ipv6(const uint8_t *bytes, size_t length)
{
    struct ipv6_header h;
    uint8_t out[IPV6_HEADER_SIZE];
    int quoted = ipv6_parse_quoted(bytes, length, &h);
    int size = ipv6_parse(bytes, length, &h);
    must(size < 0 || (size_t)size + h.payload_length <= length);
    if (quoted < 0)
        return;
    must(ipv6_emit(&h, out) == IPV6_HEADER_SIZE);
    must(memcmp(out, bytes, IPV6_HEADER_SIZE) == 0);
}

static void fuzz_ipv6_extensions(const uint8_t *bytes, size_t length)
{
    struct ipv6_fragment f, again;
    uint8_t out[IPV6_FRAGMENT_SIZE];
    if (ipv6_fragment_parse(bytes, length, &f) > 0) {
        must(f.offset % 8 == 0);
        ipv6_fragment_emit(&f, out);
        must(ipv6_fragment_parse(out, sizeof out, &again) > 0);
        must(f.offset == again.offset && f.more == again.more &&
             f.id == again.id && f.next_header == again.next_header);
    }
    int size = ipv6_extension_length(bytes, length);
    must(size == -EINVAL || (size > 0 && (size_t)size <= length));
    while (length > 0) {
        struct ipv6_option option;
        size = ipv6_option_parse(bytes, length, &option);
        if (size < 0)
            return;
        must(size > 0 && (size_t)size <= length);
        must(option.data + option.length <= bytes + length);
        bytes += size;
        length -= (size_t)size;
    }
}

static void fuzz_icmp(const uint8_t *bytes, size_t length)
{
    struct icmp_header h;
    uint8_t out[ICMP_HEADER_SIZE];
    if (icmp_parse(bytes, length, &h) < 0)
        return;
    icmp_emit(&h, out);
    must(memcmp(out, bytes, sizeof out) == 0);
    must(icmp_type_name(IP_V4, h.type, h.code) != NULL);
    must(icmp_type_name(IP_V6, h.type, h.code) != NULL);
}

static void fuzz_nd(const uint8_t *bytes, size_t length)
{
    struct nd_neighbour m, again;
    uint8_t out[ND_NEIGHBOUR_SIZE + ND_LINK_OPTION_SIZE];
    if (nd_neighbour_parse(bytes, length, &m) < 0)
        return;
    size_t size = nd_neighbour_emit(&m, out);
    must(nd_neighbour_parse(out, size, &again) == 0);
    must(m.type == again.type && m.is_router == again.is_router &&
         m.is_solicited == again.is_solicited &&
         m.is_override == again.is_override &&
         m.has_link_addr == again.has_link_addr);
    must(ip_addr_equal(&m.target, &again.target));
    must(!m.has_link_addr || mac_addr_equal(&m.link_addr, &again.link_addr));
}

static void fuzz_udp(const uint8_t *bytes, size_t length)
{
    struct udp_header h;
    uint8_t out[UDP_HEADER_SIZE];
    struct ip_addr any = ip_addr_any(IP_V6);
    if (udp_parse(bytes, length, &h) < 0)
        return;
    must(h.length <= length);
    udp_emit(&h, out);
    must(memcmp(out, bytes, sizeof out) == 0);
    uint8_t *copy = malloc(h.length);
    must(copy);
    memcpy(copy, bytes, h.length);
    udp_fill_checksum(copy, h.length, &any, &any);
    must(udp_checksum_is_good(copy, h.length, &any, &any));
    free(copy);
}

static void check_tcp_options(const uint8_t *bytes, size_t length)
{
    struct tcp_options o, again;
    uint8_t out[TCP_MAX_OPTIONS_SIZE];
    tcp_options_parse(bytes, length, &o);
    must(o.sack_count <= TCP_MAX_SACK_BLOCKS);
    must(o.cookie_length <= TCP_MAX_COOKIE_SIZE);
    size_t size = tcp_options_emit(&o, out);
    must(size <= sizeof out && size % 4 == 0);
    must(tcp_options_parse(out, size, &again) == 0);
    must(again.has_mss == o.has_mss && again.mss == o.mss);
    must(again.has_timestamps == o.has_timestamps);
    must(again.has_sack_permitted == o.has_sack_permitted);
    must(again.has_window_scale == o.has_window_scale);
    must(again.sack_count <= o.sack_count);
    for (size_t i = 0; i < again.sack_count; i++)
        must(again.sack[i].start == o.sack[i].start &&
             again.sack[i].end == o.sack[i].end);
}

static void fuzz_tcp(const uint8_t *bytes, size_t length)
{
    struct tcp_header h;
    uint8_t out[TCP_HEADER_SIZE];
    char flags[9];
    int size = tcp_parse(bytes, length, &h);
    if (size < 0)
        return;
    must((size_t)size <= length && size <= TCP_MAX_HEADER_SIZE);
    tcp_emit(&h, out);
    must(memcmp(out, bytes, sizeof out) == 0);
    tcp_flags_format(h.flags, flags);
    check_tcp_options(bytes + TCP_HEADER_SIZE, (size_t)size - TCP_HEADER_SIZE);
}

static void fuzz_checksum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = checksum_add(0, bytes, length);
    must(sum == checksum_add_baseline(0, bytes, length));
    uint8_t *copy = malloc(length + 1);
    must(copy);
    must(checksum_copy(0, copy, bytes, length) == sum);
    must(memcmp(copy, bytes, length) == 0);
    free(copy);
}

// Text that is accepted comes back as an equal value from its canonical form.
static void fuzz_text(const uint8_t *bytes, size_t length)
{
    char text[128], out[ENDPOINT_TEXT_SIZE];
    if (length >= sizeof text)
        return;
    memcpy(text, bytes, length);
    text[length] = '\0';
    struct ip_addr a, a2;
    if (ip_addr_parse(text, &a) == 0)
        must(ip_addr_parse(ip_addr_format(&a, out), &a2) == 0 &&
             ip_addr_equal(&a, &a2));
    struct ip_prefix p, p2;
    if (ip_prefix_parse(text, &p) == 0)
        must(ip_prefix_parse(ip_prefix_format(&p, out), &p2) == 0 &&
             ip_addr_equal(&p.addr, &p2.addr) && p.length == p2.length);
    struct mac_addr m, m2;
    if (mac_addr_parse(text, &m) == 0)
        must(mac_addr_parse(mac_addr_format(&m, out), &m2) == 0 &&
             mac_addr_equal(&m, &m2));
    struct endpoint e, e2;
    if (endpoint_parse(text, &e) == 0)
        must(endpoint_parse(endpoint_format(&e, out), &e2) == 0 &&
             ip_addr_equal(&e.addr, &e2.addr) && e.port == e2.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static void (*const targets[])(const uint8_t *bytes, size_t length) = {
        fuzz_ethernet, fuzz_arp, fuzz_ipv4, fuzz_ipv6, fuzz_ipv6_extensions,
        fuzz_icmp,     fuzz_nd,  fuzz_udp,  fuzz_tcp,  fuzz_checksum,
        fuzz_text,
    };
    if (length > 0)
        targets[bytes[0] % ARRAY_LENGTH(targets)](bytes + 1, length - 1);
    return 0;
}
