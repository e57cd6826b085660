// Choosing the source address for an IPv6 destination (RFC 6724).
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"

unsigned ipv6_scope(const struct ip_addr *address)
{
    if (ip_addr_is_multicast(address))
        return address->bytes[1] & 0x0f;
    if (ip_addr_is_loopback(address) || ip_addr_is_link_local(address))
        return IPV6_SCOPE_LINK;
    return IPV6_SCOPE_GLOBAL;
}

// RFC 6724 2.2: bits in common, no more than the source's prefix has.
static unsigned common_prefix(const struct ip_prefix *source,
                              const struct ip_addr *destination)
{
    unsigned bits = 0;
    while (bits < source->length) {
        unsigned byte = bits / 8;
        uint8_t mask = (uint8_t)(0x80 >> bits % 8);
        if ((source->addr.bytes[byte] ^ destination->bytes[byte]) & mask)
            break;
        bits++;
    }
    return bits;
}

// Is `a` better than `b`, which came first, for a destination that leaves by
// `iface`? Rules 1, 2, 5 and 8 of RFC 6724 5.
static bool is_better(const struct iface_addr *a, const struct iface_addr *b,
                      const struct iface *iface,
                      const struct ip_addr *destination)
{
    const struct ip_addr *x = &a->prefix.addr, *y = &b->prefix.addr;
    unsigned wanted = ipv6_scope(destination);
    if (ip_addr_equal(x, destination) || ip_addr_equal(y, destination))
        return ip_addr_equal(x, destination);
    if (ipv6_scope(x) < ipv6_scope(y))
        return ipv6_scope(x) >= wanted;
    if (ipv6_scope(x) > ipv6_scope(y))
        return ipv6_scope(y) < wanted;
    if ((a->iface == iface) != (b->iface == iface))
        return a->iface == iface;
    return common_prefix(&a->prefix, destination) >
           common_prefix(&b->prefix, destination);
}

static bool may_be_source(const struct iface_addr *a)
{
    return a->prefix.addr.family == IP_V6 && a->state == ADDRESS_PREFERRED;
}

static struct iface_addr *best_of(struct iface *from, const struct iface *iface,
                                  const struct ip_addr *destination,
                                  struct iface_addr *best)
{
    for (struct iface_addr *a = from->addresses; a; a = a->next)
        if (may_be_source(a) &&
            (!best || is_better(a, best, iface, destination)))
            best = a;
    return best;
}

struct iface_addr *ipv6_select_source_on(struct iface *iface,
                                         const struct ip_addr *destination)
{
    return best_of(iface, iface, destination, NULL);
}

// RFC 6724 4: addresses of the outgoing interface are the candidates; for a
// destination beyond the link those of other interfaces are too, except that
// a loopback or link-local address of theirs would not bring an answer back.
struct iface_addr *ipv6_select_source(struct iface *iface,
                                      const struct ip_addr *destination)
{
    struct iface_addr *best = ipv6_select_source_on(iface, destination);
    if (ipv6_scope(destination) <= IPV6_SCOPE_LINK ||
        (best && ipv6_scope(&best->prefix.addr) > IPV6_SCOPE_LINK))
        return best;
    struct stack *stack = iface->stack;
    for (struct iface *i = iface_next(stack, NULL); i;
         i = iface_next(stack, i)) {
        struct iface_addr *other = best_of(i, iface, destination, NULL);
        if (other && ipv6_scope(&other->prefix.addr) > IPV6_SCOPE_LINK &&
            (!best || is_better(other, best, iface, destination)))
            best = other;
    }
    return best;
}
