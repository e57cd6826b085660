// Network and hardware addresses as values, with their text forms.
// SPDX-License-Identifier: MIT
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

// One type for both families. Invariant: bytes beyond the family's length are
// zero, so that two addresses are equal exactly when all words and the family
// are.
struct ip_addr {
    union {
        uint8_t bytes[16]; // network order; IPv4 uses the first 4
        uint32_t words[4];
    };
    uint8_t family; // enum ip_family; IP_NONE: no address
};

struct ip_prefix {
    struct ip_addr
        addr;       // as written: host bits may be set (an interface address)
    uint8_t length; // 0..32 or 0..128
};

struct mac_addr {
    uint8_t bytes[6];
};

// An address with a port, and the interface index that a link-local address
// needs (0: any).
struct endpoint {
    struct ip_addr addr;
    uint16_t port;
    uint16_t scope;
};

#define IP_ADDR_TEXT_SIZE   46
#define MAC_ADDR_TEXT_SIZE  18
#define IP_PREFIX_TEXT_SIZE 50
#define ENDPOINT_TEXT_SIZE  56 // "[v6]:port"

static inline bool ip_addr_equal(const struct ip_addr *a,
                                 const struct ip_addr *b)
{
    return a->family == b->family && a->words[0] == b->words[0] &&
           a->words[1] == b->words[1] && a->words[2] == b->words[2] &&
           a->words[3] == b->words[3];
}
static inline bool mac_addr_equal(const struct mac_addr *a,
                                  const struct mac_addr *b)
{
    return memcmp(a->bytes, b->bytes, 6) == 0;
}
static inline unsigned ip_addr_length(uint8_t family)
{
    return family == IP_V4 ? 4 : 16;
}

struct ip_addr ip_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
struct ip_addr ip_addr_v4_u32(uint32_t host_order);
uint32_t ip_addr_to_u32(const struct ip_addr *v4); // host order
// Reads 4 or 16 bytes in network order; every packet does so twice or more.
static inline struct ip_addr ip_addr_from_bytes(uint8_t family,
                                                const uint8_t *bytes)
{
    typedef uint32_t quad __attribute__((vector_size(16)));
    struct ip_addr a = {.family = family};
    if (family == IP_V4) {
        // Stored in one piece: a copy of the address, which often comes next,
        // would wait for pieces to meet in the cache.
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        quad words = {word};
        memcpy(a.words, &words, sizeof words);
    } else {
        memcpy(a.bytes, bytes, 16);
    }
    return a;
}
struct ip_addr ip_addr_any(uint8_t family);

bool ip_addr_is_any(const struct ip_addr *a);        // 0.0.0.0 or ::
bool ip_addr_is_loopback(const struct ip_addr *a);   // 127/8 or ::1
bool ip_addr_is_multicast(const struct ip_addr *a);  // 224/4 or ff00::/8
bool ip_addr_is_link_local(const struct ip_addr *a); // 169.254/16, fe80::/10
bool ip_addr_is_broadcast(const struct ip_addr *a);  // 255.255.255.255 only
int ip_addr_compare(const struct ip_addr *a,
                    const struct ip_addr *b); // total order, for sorting

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);
struct ip_addr
ip_prefix_network(const struct ip_prefix *p); // host bits cleared
struct ip_addr
ip_prefix_broadcast(const struct ip_prefix *p); // IPv4: host bits set
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);

// ff02::1:ffXX:XXXX for the last 24 bits of a unicast address (RFC 4291 2.7.1).
struct ip_addr ip_addr_solicited_node(const struct ip_addr *v6);
// fe80::/64 with the modified EUI-64 of the hardware address (RFC 4291 app. A).
struct ip_addr ip_addr_link_local_of(const struct mac_addr *mac);
// 33:33:xx:xx:xx:xx (RFC 2464 7) or 01:00:5e:xx:xx:xx (RFC 1112 6.4).
struct mac_addr mac_addr_of_multicast(const struct ip_addr *group);
bool mac_addr_is_broadcast(const struct mac_addr *m);
bool mac_addr_is_multicast(
    const struct mac_addr *m); // group bit, so also broadcast

// Text. Parsers want the whole string, refuse leading zeros in IPv4 octets,
// return 0 or -EINVAL and leave *out untouched on failure. Formatters return
// the text they wrote (RFC 5952 for IPv6) in a buffer of at least the
// *_TEXT_SIZE above.
int ip_addr_parse(const char *text, struct ip_addr *out);
int ip_prefix_parse(
    const char *text,
    struct ip_prefix *out); // "10.0.0.1/24"; the length must be there
int mac_addr_parse(const char *text,
                   struct mac_addr *out); // "02:00:00:00:00:01"
int endpoint_parse(const char *text,
                   struct endpoint *out); // "10.0.0.1:80", "[2001:db8::1]:80"
char *ip_addr_format(const struct ip_addr *a, char *out);
char *ip_prefix_format(const struct ip_prefix *p, char *out);
char *mac_addr_format(const struct mac_addr *m, char *out);
char *endpoint_format(const struct endpoint *e, char *out);

#endif
