// IPv4 on the way out: the header, fragmentation.
// SPDX-License-Identifier: MIT
#include "stack/net/ipv4/ipv4.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

// The path MTU cannot be lowered to what a router reported: no DF (path_mtu.c).
static bool has_df(const struct ip_path *path, const struct packet *packet)
{
    return packet->flags & PACKET_DONT_FRAGMENT && !path->is_locked;
}

static uint32_t sum_of(const struct ip_addr *address)
{
    return (uint32_t)get_be16(address->bytes) + get_be16(address->bytes + 2);
}

// Every packet of ours comes by here: the header goes straight into the packet
// as ipv4_emit would write it, and its checksum comes from the values, not from
// bytes that were written a moment ago.
static void push_header(struct stack *stack, const struct ip_path *path,
                        struct packet *packet)
{
    const struct packet_ip *ip = &packet->ip;
    uint8_t *header = packet_push(packet, IPV4_HEADER_SIZE);
    uint16_t first = (uint16_t)(0x4500 | ip->tos);
    uint16_t length = (uint16_t)packet->length;
    uint16_t id = stack->next_ip_id++;
    uint16_t fragment = has_df(path, packet) ? 0x4000 : 0;
    uint16_t ttl = (uint16_t)(ip->ttl << 8 | ip->protocol);
    uint32_t sum = (uint32_t)first + length + id + fragment + ttl +
                   sum_of(&ip->source) + sum_of(&ip->destination);
    put_be16(header, first);
    put_be16(header + 2, length);
    put_be16(header + 4, id);
    put_be16(header + 6, fragment);
    put_be16(header + 8, ttl);
    put_be16(header + 10, checksum_finish(sum));
    memcpy(header + 12, ip->source.bytes, 4);
    memcpy(header + 16, ip->destination.bytes, 4);
    packet_set_network_header(packet);
}

int ipv4_output(struct stack *stack, struct ip_path *path,
                struct packet *packet)
{
    uint32_t total = packet->length + IPV4_HEADER_SIZE;
    bool is_too_big = total > path->mtu && has_df(path, packet);
    if (total > UINT16_MAX || is_too_big) {
        stack_drop(stack, packet, DROP_IP_TOO_BIG);
        return -EMSGSIZE;
    }
    push_header(stack, path, packet);
    if (__builtin_expect(total > path->mtu, 0))
        return ipv4_fragment(stack, path, packet);
    ip_link_output(stack, path, packet);
    return 0;
}

// --- Fragmentation (RFC 791 3.2)

// Which options a later fragment bears: those with the copied flag. Writes them
// padded to words and returns how many bytes.
static uint8_t copied_options(const struct ipv4_header *header, uint8_t *out)
{
    const uint8_t *options = header->options;
    unsigned size = header->header_length - IPV4_HEADER_SIZE, used = 0;
    for (unsigned i = 0; i < size && options[i] != 0;) {
        if (options[i] == 1) { // no operation
            i++;
            continue;
        }
        unsigned length = i + 1 < size ? options[i + 1] : 0;
        if (length < 2 || length > size - i)
            break;
        if (options[i] & 0x80) {
            memcpy(out + used, options + i, length);
            used += length;
        }
        i += length;
    }
    while (used % 4 != 0)
        out[used++] = 0;
    return (uint8_t)used;
}

struct cutting {
    struct ipv4_header whole;
    uint8_t options[IPV4_MAX_HEADER_SIZE - IPV4_HEADER_SIZE];
    uint8_t options_size; // of later fragments
    uint32_t payload;     // bytes to cut
    uint32_t piece;       // bytes in all fragments but the last
};

static struct packet *make_piece(struct stack *stack, const struct cutting *cut,
                                 const struct packet *packet, uint32_t offset,
                                 size_t head_room)
{
    uint32_t length = min_u32(cut->piece, cut->payload - offset);
    uint32_t header_length = IPV4_HEADER_SIZE + cut->options_size;
    struct packet *piece =
        stack_packet_alloc(stack, head_room, header_length + length);
    if (!piece)
        return NULL;
    struct ipv4_header header = cut->whole;
    header.header_length = (uint8_t)header_length;
    header.options = cut->options;
    header.total_length = (uint16_t)(header_length + length);
    header.fragment_offset = (uint16_t)(cut->whole.fragment_offset + offset);
    header.more_fragments =
        cut->whole.more_fragments || offset + length < cut->payload;
    ipv4_emit(&header, packet_put(piece, header_length));
    memcpy(packet_put(piece, length),
           packet->data + cut->whole.header_length + offset, length);
    packet_set_network_header(piece);
    piece->ip = packet->ip;
    piece->flags = packet->flags;
    return piece;
}

// The whole becomes its own first fragment, in place.
static void cut_first(const struct cutting *cut, struct packet *packet)
{
    uint32_t length = cut->whole.header_length + cut->piece;
    uint8_t options[IPV4_MAX_HEADER_SIZE - IPV4_HEADER_SIZE];
    struct ipv4_header header = cut->whole;
    memcpy(options, packet->data + IPV4_HEADER_SIZE,
           cut->whole.header_length - IPV4_HEADER_SIZE);
    header.options = options;
    header.total_length = (uint16_t)length;
    header.more_fragments = true;
    packet_trim(packet, length);
    ipv4_emit(&header, packet->data);
}

static void drop_all(struct stack *stack, struct packet_queue *queue)
{
    struct packet *packet;
    while ((packet = packet_queue_pop(queue)))
        stack_drop(stack, packet, DROP_NO_BUFFER);
}

static int plan(const struct ip_path *path, const struct packet *packet,
                struct cutting *cut)
{
    int length = ipv4_parse_quoted(packet->data, packet->length, &cut->whole);
    must(length > 0);
    cut->options_size = copied_options(&cut->whole, cut->options);
    cut->payload = packet->length - (uint32_t)length;
    cut->piece = (path->mtu - (uint32_t)length) & ~7u;
    return path->mtu < (uint32_t)length + 8 ? -EMSGSIZE : 0;
}

// All pieces are made before the first one leaves: half a packet is useless.
int ipv4_fragment(struct stack *stack, struct ip_path *path,
                  struct packet *packet)
{
    struct cutting cut;
    if (plan(path, packet, &cut) != 0) {
        stack_drop(stack, packet, DROP_IP_TOO_BIG);
        return -EMSGSIZE;
    }
    struct packet_queue pieces = {0};
    for (uint32_t at = cut.piece; at < cut.payload; at += cut.piece) {
        struct packet *piece =
            make_piece(stack, &cut, packet, at, path->iface->link->header_size);
        if (!piece) {
            drop_all(stack, &pieces);
            stack_drop(stack, packet, DROP_NO_BUFFER);
            return -ENOBUFS;
        }
        packet_queue_push(&pieces, piece);
    }
    cut_first(&cut, packet);
    stack->counters[COUNT_IP_FRAGMENTS_OUT] += pieces.count + 1;
    do
        ip_link_output(stack, path, packet);
    while ((packet = packet_queue_pop(&pieces)));
    return 0;
}
