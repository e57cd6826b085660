// Frames with offload cut and joined at a tap.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/tap/offload.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/tcp.h"
#include "tests/unit/unit.h"

enum { MSS = 1448, LIMIT = 70000 };

// A frame of one TCP segment, made by hand.
struct made {
    uint8_t bytes[LIMIT];
    size_t length, network, transport, payload;
    struct ip_addr source, destination;
};

static void make_network(struct made *m, uint8_t family, size_t segment,
                         uint16_t id)
{
    const uint8_t a[16] = {0xfd, [15] = 1}, b[16] = {0xfd, [15] = 2};
    struct ethernet_header ethernet = {
        .destination = {{2, 0, 0, 0, 0, 2}},
        .source = {{2, 0, 0, 0, 0, 1}},
        .type = family == IP_V4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6};
    m->network = ethernet_emit(&ethernet, m->bytes);
    if (family == IP_V4) {
        m->source = ip_addr_v4(10, 0, 0, 1);
        m->destination = ip_addr_v4(10, 0, 0, 2);
        struct ipv4_header ip = {.header_length = IPV4_HEADER_SIZE,
                                 .total_length =
                                     (uint16_t)(IPV4_HEADER_SIZE + segment),
                                 .id = id,
                                 .dont_fragment = true,
                                 .ttl = 64,
                                 .protocol = IP_PROTOCOL_TCP,
                                 .source = m->source,
                                 .destination = m->destination};
        m->transport = m->network + ipv4_emit(&ip, m->bytes + m->network);
    } else {
        m->source = ip_addr_from_bytes(IP_V6, a);
        m->destination = ip_addr_from_bytes(IP_V6, b);
        struct ipv6_header ip = {.payload_length = (uint16_t)segment,
                                 .next_header = IP_PROTOCOL_TCP,
                                 .hop_limit = 64,
                                 .source = m->source,
                                 .destination = m->destination};
        m->transport = m->network + ipv6_emit(&ip, m->bytes + m->network);
    }
}

static void make(struct made *m, uint8_t family, uint32_t seq, size_t size,
                 uint8_t flags, uint16_t id)
{
    const uint8_t options[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    struct tcp_header tcp = {.source_port = 1000,
                             .destination_port = 2000,
                             .seq = seq,
                             .ack = 77,
                             .header_length = 32,
                             .flags = flags,
                             .window = 500};
    make_network(m, family, 32 + size, id);
    tcp_emit(&tcp, m->bytes + m->transport);
    memcpy(m->bytes + m->transport + TCP_HEADER_SIZE, options, 12);
    m->payload = m->transport + 32;
    m->length = m->payload + size;
    for (size_t i = 0; i < size; i++)
        m->bytes[m->payload + i] = (uint8_t)((seq + i) * 7 >> 3);
    tcp_fill_checksum(m->bytes + m->transport, 32 + size, &m->source,
                      &m->destination);
}

static struct virtio_net_hdr offload(const struct made *m, uint8_t type)
{
    return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                   .gso_type = type,
                                   .gso_size = MSS,
                                   .csum_start = (uint16_t)m->transport,
                                   .csum_offset = 16};
}

static void split_leaves_a_plain_frame_as_it_is(void)
{
    static struct made m;
    static uint8_t out[LIMIT];
    struct virtio_net_hdr none = {0};
    struct splitter s;

    make(&m, IP_V4, 1, 100, TCP_ACK, 0);
    CHECK_EQUAL(splitter_init(&s, &none, m.bytes, m.length, true), 0);
    CHECK_EQUAL(splitter_next(&s), m.length);
    splitter_write(&s, out);
    CHECK_BYTES(out, m.bytes, m.length);
    CHECK_EQUAL(splitter_next(&s), 0);
}

static void split_fills_in_a_checksum_that_is_not_there_yet(void)
{
    static struct made m;
    static uint8_t out[LIMIT], wanted[LIMIT];
    struct splitter s;

    make(&m, IP_V6, 1, 100, TCP_ACK, 0);
    memcpy(wanted, m.bytes, m.length);
    struct virtio_net_hdr header = offload(&m, VIRTIO_NET_HDR_GSO_NONE);
    uint32_t pseudo =
        checksum_pseudo(&m.source, &m.destination, IP_PROTOCOL_TCP, 32 + 100);
    put_be16(m.bytes + m.transport + 16, (uint16_t)~checksum_finish(pseudo));
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), 0);
    splitter_write(&s, out);
    CHECK_BYTES(out, wanted, m.length);
}

// What a wire would have carried, segment by segment.
static void check_split(uint8_t family, uint8_t gso)
{
    static struct made whole, part;
    static uint8_t out[LIMIT];
    struct splitter s;
    uint32_t seq = 0xfffffe00; // wraps

    make(&whole, family, seq, 3 * MSS + 9, TCP_ACK | TCP_PSH | TCP_FIN, 40);
    struct virtio_net_hdr header = offload(&whole, gso);
    CHECK_EQUAL(splitter_init(&s, &header, whole.bytes, whole.length, true), 0);
    for (uint16_t i = 0; i < 4; i++) {
        uint8_t flags = i == 3 ? TCP_ACK | TCP_PSH | TCP_FIN : TCP_ACK;
        make(&part, family, seq + i * MSS, i == 3 ? 9 : MSS, flags,
             (uint16_t)(40 + i));
        CHECK_EQUAL(splitter_next(&s), part.length);
        splitter_write(&s, out);
        CHECK_BYTES(out, part.bytes, part.length);
    }
    CHECK_EQUAL(splitter_next(&s), 0);
}

static void split_cuts_a_stream_into_segments_over_ipv4(void)
{
    check_split(IP_V4, VIRTIO_NET_HDR_GSO_TCPV4);
}

static void split_cuts_a_stream_into_segments_over_ipv6(void)
{
    check_split(IP_V6, VIRTIO_NET_HDR_GSO_TCPV6);
}

static void split_keeps_cwr_on_the_first_segment_alone(void)
{
    static struct made m;
    static uint8_t out[LIMIT];
    struct splitter s;

    make(&m, IP_V4, 1, 2 * MSS, TCP_ACK | TCP_CWR, 0);
    struct virtio_net_hdr header =
        offload(&m, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), 0);
    splitter_write(&s, out);
    CHECK_EQUAL(out[m.transport + 13], TCP_ACK | TCP_CWR);
    splitter_write(&s, out);
    CHECK_EQUAL(out[m.transport + 13], TCP_ACK);
}

static void split_refuses_a_header_that_contradicts_the_frame(void)
{
    static struct made m;
    struct splitter s;

    make(&m, IP_V4, 1, 100, TCP_ACK, 0);
    struct virtio_net_hdr header = offload(&m, VIRTIO_NET_HDR_GSO_TCPV4);
    header.csum_start = 10;
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), -EINVAL);
    header = offload(&m, VIRTIO_NET_HDR_GSO_TCPV4);
    header.csum_start = (uint16_t)m.length;
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), -EINVAL);
    header = offload(&m, VIRTIO_NET_HDR_GSO_TCPV4);
    header.gso_size = 0;
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), -EINVAL);
    header = offload(&m, 77);
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), -EINVAL);
    header = offload(&m, VIRTIO_NET_HDR_GSO_NONE);
    header.csum_offset = UINT16_MAX;
    CHECK_EQUAL(splitter_init(&s, &header, m.bytes, m.length, true), -EINVAL);
}

// --- Joining

static struct packet *packet_of(struct packet_pool *pool, const struct made *m)
{
    struct packet *packet = packet_alloc(pool, 0, m->length);

    must(packet != NULL);
    memcpy(packet_put(packet, m->length), m->bytes, m->length);
    return packet;
}

static size_t gather(const struct joiner *joiner, struct virtio_net_hdr *header,
                     uint8_t *out)
{
    uint8_t headers[JOINER_HEADERS];
    struct iovec parts[JOINER_SEGMENTS + 2];
    size_t length = 0;
    int count = joiner_take(joiner, header, headers, parts);

    for (int i = 1; i < count; i++) {
        memcpy(out + length, parts[i].iov_base, parts[i].iov_len);
        length += parts[i].iov_len;
    }
    return length;
}

// The kernel that cuts the joined frame again gets what we had.
static void check_round_trip(uint8_t family)
{
    static struct made parts[5];
    static uint8_t whole[LIMIT], out[LIMIT];
    struct packet_pool *pool = packet_pool_create(0);
    struct joiner joiner = {.is_ethernet = true};
    struct virtio_net_hdr header;
    struct splitter s;

    for (uint16_t i = 0; i < 5; i++) {
        make(&parts[i], family, 1000 + i * MSS, i == 4 ? 10 : MSS,
             i == 4 ? TCP_ACK | TCP_PSH : TCP_ACK, (uint16_t)(7 + i));
        CHECK(joiner_offer(&joiner, packet_of(pool, &parts[i])));
    }
    size_t length = gather(&joiner, &header, whole);
    CHECK_EQUAL(header.gso_size, MSS);
    CHECK_EQUAL(splitter_init(&s, &header, whole, length, true), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQUAL(splitter_next(&s), parts[i].length);
        splitter_write(&s, out);
        CHECK_BYTES(out, parts[i].bytes, parts[i].length);
    }
    CHECK_EQUAL(splitter_next(&s), 0);
    joiner_clear(&joiner);
    CHECK_EQUAL(packet_pool_get_stats(pool).live, 0);
    packet_pool_destroy(pool);
}

static void join_and_split_give_the_same_frames_over_ipv4(void)
{
    check_round_trip(IP_V4);
}

static void join_and_split_give_the_same_frames_over_ipv6(void)
{
    check_round_trip(IP_V6);
}

static void a_single_segment_leaves_as_it_came(void)
{
    static struct made m;
    static uint8_t out[LIMIT];
    struct packet_pool *pool = packet_pool_create(0);
    struct joiner joiner = {.is_ethernet = true};
    struct virtio_net_hdr header;

    make(&m, IP_V4, 1, 700, TCP_ACK, 3);
    CHECK(joiner_offer(&joiner, packet_of(pool, &m)));
    CHECK_EQUAL(gather(&joiner, &header, out), m.length);
    CHECK_BYTES(out, m.bytes, m.length);
    CHECK_EQUAL(header.flags, 0);
    CHECK_EQUAL(header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    joiner_clear(&joiner);
    packet_pool_destroy(pool);
}

// After a first whole segment of 1000 + MSS, is this one taken?
static bool follows(const struct made *next)
{
    static struct made first;
    struct packet_pool *pool = packet_pool_create(0);
    struct joiner joiner = {.is_ethernet = true};

    make(&first, IP_V4, 1000, MSS, TCP_ACK, 1);
    CHECK(joiner_offer(&joiner, packet_of(pool, &first)));
    struct packet *packet = packet_of(pool, next);
    bool is_taken = joiner_offer(&joiner, packet);
    if (!is_taken)
        packet_free(packet);
    joiner_clear(&joiner);
    packet_pool_destroy(pool);
    return is_taken;
}

static void only_what_continues_the_stream_is_joined(void)
{
    static struct made m;

    make(&m, IP_V4, 1000 + MSS, MSS, TCP_ACK, 2);
    CHECK(follows(&m));
    make(&m, IP_V4, 1000 + MSS, 5, TCP_ACK | TCP_PSH, 2);
    CHECK(follows(&m));
    make(&m, IP_V4, 1001 + MSS, MSS, TCP_ACK, 2); // a gap
    CHECK(!follows(&m));
    make(&m, IP_V4, 1000, MSS, TCP_ACK, 2); // a retransmission
    CHECK(!follows(&m));
    make(&m, IP_V4, 1000 + MSS, MSS + 1, TCP_ACK, 2); // larger than the first
    CHECK(!follows(&m));
    make(&m, IP_V4, 1000 + MSS, MSS, TCP_ACK | TCP_FIN, 2);
    CHECK(!follows(&m));
    make(&m, IP_V6, 1000 + MSS, MSS, TCP_ACK, 2);
    CHECK(!follows(&m));
    make(&m, IP_V4, 1000 + MSS, 0, TCP_ACK, 2); // a bare acknowledgement
    CHECK(!follows(&m));
}

static void a_corrupted_segment_is_not_joined(void)
{
    static struct made m;

    for (size_t at = 0; at < 200; at++) {
        make(&m, IP_V4, 1000 + MSS, MSS, TCP_ACK, 2);
        if (at >= 18 && at < 20)
            continue; // the identifier does not matter
        m.bytes[at] ^= 4;
        CHECK(!follows(&m));
    }
}

static void nothing_follows_a_push_or_a_short_segment(void)
{
    static struct made m;
    struct packet_pool *pool = packet_pool_create(0);
    struct joiner joiner = {.is_ethernet = true};

    make(&m, IP_V4, 1000, MSS, TCP_ACK | TCP_PSH, 1);
    CHECK(joiner_offer(&joiner, packet_of(pool, &m)));
    make(&m, IP_V4, 1000 + MSS, MSS, TCP_ACK, 2);
    struct packet *packet = packet_of(pool, &m);
    CHECK(!joiner_offer(&joiner, packet));
    packet_free(packet);
    joiner_clear(&joiner);
    packet_pool_destroy(pool);
}

const struct unit_test suite_offload[] = {
    UNIT(split_leaves_a_plain_frame_as_it_is),
    UNIT(split_fills_in_a_checksum_that_is_not_there_yet),
    UNIT(split_cuts_a_stream_into_segments_over_ipv4),
    UNIT(split_cuts_a_stream_into_segments_over_ipv6),
    UNIT(split_keeps_cwr_on_the_first_segment_alone),
    UNIT(split_refuses_a_header_that_contradicts_the_frame),
    UNIT(join_and_split_give_the_same_frames_over_ipv4),
    UNIT(join_and_split_give_the_same_frames_over_ipv6),
    UNIT(a_single_segment_leaves_as_it_came),
    UNIT(only_what_continues_the_stream_is_joined),
    UNIT(a_corrupted_segment_is_not_joined),
    UNIT(nothing_follows_a_push_or_a_short_segment),
    {0}};
