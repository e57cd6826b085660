// Addresses: what kind they are, and how they relate to each other.
// SPDX-License-Identifier: MIT
#include "stack/wire/address.h"

#include "stack/wire/bytes.h"

struct ip_addr ip_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct ip_addr){.bytes = {a, b, c, d}, .family = IP_V4};
}

struct ip_addr ip_addr_v4_u32(uint32_t host_order)
{
    struct ip_addr a = {.family = IP_V4};
    put_be32(a.bytes, host_order);
    return a;
}

uint32_t ip_addr_to_u32(const struct ip_addr *v4)
{
    return get_be32(v4->bytes);
}

struct ip_addr ip_addr_any(uint8_t family)
{
    return (struct ip_addr){.family = family};
}

// --- Kinds -----------------------------------------------------------------

bool ip_addr_is_any(const struct ip_addr *a)
{
    return a->family != IP_NONE &&
           (a->words[0] | a->words[1] | a->words[2] | a->words[3]) == 0;
}

bool ip_addr_is_loopback(const struct ip_addr *a)
{
    if (a->family == IP_V4)
        return a->bytes[0] == 127;
    return a->family == IP_V6 &&
           (a->words[0] | a->words[1] | a->words[2]) == 0 &&
           get_be32(a->bytes + 12) == 1;
}

bool ip_addr_is_multicast(const struct ip_addr *a)
{
    if (a->family == IP_V4)
        return a->bytes[0] >> 4 == 0xe;
    return a->family == IP_V6 && a->bytes[0] == 0xff;
}

bool ip_addr_is_link_local(const struct ip_addr *a)
{
    if (a->family == IP_V4)
        return a->bytes[0] == 169 && a->bytes[1] == 254;
    return a->family == IP_V6 && a->bytes[0] == 0xfe && a->bytes[1] >> 6 == 2;
}

bool ip_addr_is_broadcast(const struct ip_addr *a)
{
    return a->family == IP_V4 && a->words[0] == UINT32_MAX;
}

int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

// --- Prefixes --------------------------------------------------------------

// The bits of byte i that belong to a prefix of this length.
static uint8_t mask_byte(unsigned length, unsigned i)
{
    if (length >= 8 * (i + 1))
        return 0xff;
    return (uint8_t)(length <= 8 * i ? 0 : 0xff00 >> (length - 8 * i));
}

static bool share_bits(const struct ip_addr *a, const struct ip_addr *b,
                       unsigned length)
{
    unsigned whole = length / 8;
    if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    uint8_t mask = mask_byte(length, whole);
    return mask == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0;
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
    return share_bits(&p->addr, a, p->length);
}

struct ip_addr ip_prefix_network(const struct ip_prefix *p)
{
    struct ip_addr network = p->addr;
    for (unsigned i = 0; i < ip_addr_length(p->addr.family); i++)
        network.bytes[i] &= mask_byte(p->length, i);
    return network;
}

struct ip_addr ip_prefix_broadcast(const struct ip_prefix *p)
{
    struct ip_addr last = p->addr;
    for (unsigned i = 0; i < ip_addr_length(p->addr.family); i++)
        last.bytes[i] |= (uint8_t)~mask_byte(p->length, i);
    return last;
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return share_bits(&a->addr, &b->addr,
                      a->length < b->length ? a->length : b->length);
}

// --- Derived addresses -----------------------------------------------------

struct ip_addr ip_addr_solicited_node(const struct ip_addr *v6)
{
    struct ip_addr group = {.bytes = {0xff, 0x02}, .family = IP_V6};
    group.bytes[11] = 0x01;
    group.bytes[12] = 0xff;
    memcpy(group.bytes + 13, v6->bytes + 13, 3);
    return group;
}

struct ip_addr ip_addr_link_local_of(const struct mac_addr *mac)
{
    struct ip_addr a = {.bytes = {0xfe, 0x80}, .family = IP_V6};
    memcpy(a.bytes + 8, mac->bytes, 3);
    a.bytes[8] ^= 0x02; // the universal/local bit is turned round
    a.bytes[11] = 0xff;
    a.bytes[12] = 0xfe;
    memcpy(a.bytes + 13, mac->bytes + 3, 3);
    return a;
}

struct mac_addr mac_addr_of_multicast(const struct ip_addr *group)
{
    struct mac_addr m;
    if (group->family == IP_V6) {
        m.bytes[0] = m.bytes[1] = 0x33;
        memcpy(m.bytes + 2, group->bytes + 12, 4);
        return m;
    }
    m = (struct mac_addr){{0x01, 0x00, 0x5e}};
    memcpy(m.bytes + 3, group->bytes + 1, 3);
    m.bytes[3] &= 0x7f; // 23 bits
    return m;
}

bool mac_addr_is_broadcast(const struct mac_addr *m)
{
    static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return memcmp(m->bytes, ones, 6) == 0;
}

bool mac_addr_is_multicast(const struct mac_addr *m) { return m->bytes[0] & 1; }
