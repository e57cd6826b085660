// Reads addresses of interfaces.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"

struct address_spec *iface_add_spec(struct scenario *s,
                                    struct address_spec **list,
                                    const struct ip_prefix *prefix,
                                    struct place place)
{
    struct address_spec *address = document_alloc(s->document, sizeof *address);
    address->prefix = *prefix;
    address->place = place;
    while (*list)
        list = &(*list)->next;
    return *list = address;
}

static const char *refuse_address(const struct ip_addr *a)
{
    bool is_v4 = a->family == IP_V4;
    if (ip_addr_is_any(a))
        return "the unspecified address belongs to nobody";
    if (ip_addr_is_multicast(a))
        return "a multicast address belongs to no interface";
    if (ip_addr_is_loopback(a))
        return "a loopback address belongs to no link";
    if (is_v4 && a->bytes[0] == 0)
        return "addresses that begin with 0 belong to nobody (RFC 1122 "
               "3.2.1.3)";
    if (is_v4 && a->bytes[0] >= 240)
        return "addresses from 240.0.0.0 on are reserved (RFC 1112 4)";
    return NULL;
}

const char *refuse_prefix(const struct ip_prefix *p)
{
    const struct ip_addr network = ip_prefix_network(p),
                         broadcast = ip_prefix_broadcast(p);
    bool is_v4 = p->addr.family == IP_V4;
    const char *refusal = refuse_address(&p->addr);
    if (refusal || p->length >= (is_v4 ? 31 : 127)) // RFC 3021, RFC 6164
        return refusal;
    if (ip_addr_equal(&p->addr, &network))
        return is_v4 ? "this is the address of the network itself"
                     : "this is the anycast address of the network's routers "
                       "(RFC 4291 2.6.1)";
    if (is_v4 && ip_addr_equal(&p->addr, &broadcast))
        return "this is the broadcast address of its network";
    return NULL;
}

void read_address(struct scenario *s, const struct value *value,
                  const char *name, struct address_spec **list)
{
    struct ip_prefix prefix;
    struct ip_addr bare;
    if (value->kind != VALUE_SCALAR) {
        schema_refuse(value, name, "an address such as 10.0.0.1/24",
                      s->diagnostics);
        return;
    }
    if (ip_prefix_parse(value->text, &prefix) != 0) {
        const char *problem =
            ip_addr_parse(value->text, &bare) == 0
                ? "needs the length of its prefix, such as"
                : "is not an address with the length of its prefix, such as";
        diagnostics_add(s->diagnostics, value->place, "%s: '%s' %s %s", name,
                        value->text, problem,
                        strchr(value->text, ':') ? "2001:db8::1/64"
                                                 : "10.0.0.1/24");
        return;
    }
    const char *refusal = refuse_prefix(&prefix);
    if (refusal)
        diagnostics_add(s->diagnostics, value->place, "%s: '%s': %s", name,
                        value->text, refusal);
    else
        iface_add_spec(s, list, &prefix, value->place);
}

void read_addresses(struct scenario *s, const struct value *map,
                    struct address_spec **list)
{
    static const char *const names[] = {"address", "addresses"};
    for (size_t i = 0; i < 2; i++) {
        const struct value *value = value_find(map, names[i]);
        if (!value)
            continue;
        if (value->kind != VALUE_LIST) {
            read_address(s, value, names[i], list);
            continue;
        }
        for (const struct value *v = value->items; v; v = v->next)
            read_address(s, v, names[i], list);
    }
}
