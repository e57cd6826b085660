// Hosts as scripts see them: names, addresses, routes, neighbours, counters.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <string.h>

#include "lua/internal.h"

static struct host *check_host(lua_State *L)
{
    return object_check(L, 1, HOST_TYPE);
}

static int host_name(lua_State *L)
{
    lua_pushstring(L, check_host(L)->node.name);
    return 1;
}

// true, or nil and the error's name
static int push_result(lua_State *L, int error)
{
    if (error < 0)
        return push_errno(L, error);
    lua_pushboolean(L, 1);
    return 1;
}

// --- Interfaces

// The interface named at index; none: the first one besides loopback.
static struct iface *check_iface(lua_State *L, struct host *host, int index)
{
    struct iface *iface;
    if (!lua_isnoneornil(L, index)) {
        const char *name = luaL_checkstring(L, index);
        iface = iface_find(host->stack, name);
        if (iface == NULL)
            luaL_error(L, "%s has no interface '%s'", host->node.name, name);
        return iface;
    }
    iface = iface_next(host->stack, NULL);
    while (iface != NULL && (iface_flags(iface) & IFACE_IS_LOOPBACK) != 0)
        iface = iface_next(host->stack, iface);
    if (iface == NULL)
        luaL_error(L, "%s has no interface yet", host->node.name);
    return iface;
}

static int host_interfaces(lua_State *L)
{
    struct host *host = check_host(L);
    lua_Integer n = 0;
    lua_newtable(L);
    for (struct iface *i = NULL; (i = iface_next(host->stack, i)) != NULL;) {
        lua_pushstring(L, iface_name(i));
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int host_mac(lua_State *L)
{
    char text[MAC_ADDR_TEXT_SIZE];
    struct mac_addr mac = iface_mac(check_iface(L, check_host(L), 2));
    lua_pushstring(L, mac_addr_format(&mac, text));
    return 1;
}

static int host_mtu(lua_State *L)
{
    lua_pushinteger(L, iface_mtu(check_iface(L, check_host(L), 2)));
    return 1;
}

static int host_set_mtu(lua_State *L)
{
    struct iface *iface = check_iface(L, check_host(L), 3);
    lua_Integer mtu = luaL_checkinteger(L, 2);
    luaL_argcheck(L, mtu >= 68 && mtu <= 65535, 2, "an MTU is 68 to 65535");
    return push_result(L, iface_set_mtu(iface, (uint32_t)mtu));
}

static int host_set_up(lua_State *L)
{
    struct iface *iface = check_iface(L, check_host(L), 3);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    iface_set_up(iface, lua_toboolean(L, 2));
    return 0;
}

// --- Addresses

// address([family]): the first; nil when there is none
static int host_address(lua_State *L)
{
    struct host *host = check_host(L);
    uint8_t family = (uint8_t)luaL_optinteger(L, 2, IP_NONE);
    struct ip_addr address;
    if (sim_resolve(script_of(L)->sim, host->node.name, family, &address) < 0)
        lua_pushnil(L);
    else
        push_address(L, &address);
    return 1;
}

static const char *address_state_name(enum address_state state)
{
    switch (state) {
    case ADDRESS_TENTATIVE:
        return "tentative";
    case ADDRESS_PREFERRED:
        return "preferred";
    default:
        return "duplicated";
    }
}

static void push_iface_address(lua_State *L, struct iface *iface,
                               const struct iface_address *address)
{
    char text[IP_PREFIX_TEXT_SIZE];
    lua_createtable(L, 0, 3);
    lua_pushstring(L, iface_name(iface));
    lua_setfield(L, -2, "interface");
    lua_pushstring(L, ip_prefix_format(&address->prefix, text));
    lua_setfield(L, -2, "prefix");
    push_address(L, &address->prefix.addr);
    lua_setfield(L, -2, "address");
    lua_pushstring(L, address_state_name(address->state));
    lua_setfield(L, -2, "state");
}

static int host_addresses(lua_State *L)
{
    struct host *host = check_host(L);
    lua_Integer count = 0;
    lua_newtable(L);
    for (struct iface *i = NULL; (i = iface_next(host->stack, i)) != NULL;) {
        struct iface_address address;
        for (size_t n = 0; iface_get_address(i, n, &address); n++) {
            push_iface_address(L, i, &address);
            lua_rawseti(L, -2, ++count);
        }
    }
    return 1;
}

static struct ip_prefix check_prefix(lua_State *L, int index)
{
    struct ip_prefix prefix;
    const char *text = luaL_checkstring(L, index);
    if (ip_prefix_parse(text, &prefix) < 0)
        luaL_error(L,
                   "'%s' is no address with a prefix length, such as "
                   "\"10.0.0.1/24\"",
                   text);
    return prefix;
}

static int host_add_address(lua_State *L)
{
    struct iface *iface = check_iface(L, check_host(L), 3);
    struct ip_prefix prefix = check_prefix(L, 2);
    return push_result(L, iface_add_address(iface, &prefix));
}

static int host_remove_address(lua_State *L)
{
    struct iface *iface = check_iface(L, check_host(L), 3);
    struct ip_addr address;
    const char *text = luaL_checkstring(L, 2);
    if (ip_addr_parse(text, &address) < 0)
        return luaL_error(L, "'%s' is no address", text);
    return push_result(L, iface_remove_address(iface, &address));
}

// --- Routes and neighbours

static int host_routes(lua_State *L)
{
    struct host *host = check_host(L);
    struct route route;
    lua_newtable(L);
    for (size_t n = 0; stack_get_route(host->stack, n, &route); n++) {
        char text[IP_PREFIX_TEXT_SIZE];
        lua_createtable(L, 0, 4);
        lua_pushstring(L, ip_prefix_format(&route.destination, text));
        lua_setfield(L, -2, "to");
        push_address(L, &route.gateway);
        lua_setfield(L, -2, "via");
        lua_pushstring(L, iface_name(route.iface));
        lua_setfield(L, -2, "interface");
        lua_pushinteger(L, route.metric);
        lua_setfield(L, -2, "metric");
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    return 1;
}

static struct ip_prefix check_destination(lua_State *L, int index)
{
    const char *text = luaL_checkstring(L, index);
    if (strcmp(text, "default") == 0)
        return (struct ip_prefix){.addr = ip_addr_any(IP_V4)};
    return check_prefix(L, index);
}

// add_route(to, via, {interface=, metric=})
static int host_add_route(lua_State *L)
{
    static const char *const known[] = {"interface", "metric", NULL};
    struct host *host = check_host(L);
    struct route route = {.destination = check_destination(L, 2)};
    int options = check_options(L, lua_istable(L, 3) ? 3 : 4, known);
    if (lua_type(L, 3) == LUA_TSTRING || lua_type(L, 3) == LUA_TUSERDATA) {
        bool is_default = route.destination.length == 0;
        route.gateway = check_address(
            L, 3, is_default ? IP_NONE : route.destination.addr.family);
        if (is_default)
            route.destination.addr = ip_addr_any(route.gateway.family);
    }
    if (options != 0 && lua_getfield(L, options, "interface") != LUA_TNIL)
        route.iface = check_iface(L, host, -1);
    if (options != 0 && lua_getfield(L, options, "metric") != LUA_TNIL)
        route.metric = (uint32_t)luaL_checkinteger(L, -1);
    route.destination.addr = ip_prefix_network(&route.destination);
    return push_result(L, stack_add_route(host->stack, &route));
}

static int host_remove_route(lua_State *L)
{
    struct host *host = check_host(L);
    struct ip_prefix destination = check_destination(L, 2);
    return push_result(L, stack_remove_route(host->stack, &destination));
}

static int host_neighbours(lua_State *L)
{
    struct host *host = check_host(L);
    struct neighbour_info info;
    lua_newtable(L);
    for (size_t n = 0; stack_get_neighbour(host->stack, n, &info); n++) {
        char text[MAC_ADDR_TEXT_SIZE];
        lua_createtable(L, 0, 5);
        push_address(L, &info.address);
        lua_setfield(L, -2, "address");
        lua_pushstring(L, mac_addr_format(&info.mac, text));
        lua_setfield(L, -2, "mac");
        lua_pushstring(L, iface_name(info.iface));
        lua_setfield(L, -2, "interface");
        lua_pushstring(L, neighbour_state_name(info.state));
        lua_setfield(L, -2, "state");
        lua_pushboolean(L, info.is_router);
        lua_setfield(L, -2, "is_router");
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    return 1;
}

// set_neighbour(address, mac, [interface])
static int host_set_neighbour(lua_State *L)
{
    struct iface *iface = check_iface(L, check_host(L), 4);
    struct ip_addr address = check_address(L, 2, IP_NONE);
    struct mac_addr mac;
    if (mac_addr_parse(luaL_checkstring(L, 3), &mac) < 0)
        return luaL_error(L, "'%s' is no hardware address", lua_tostring(L, 3));
    return push_result(L, stack_set_neighbour(iface, &address, &mac));
}

// --- Counters

static int host_counter(lua_State *L)
{
    struct host *host = check_host(L);
    const char *name = luaL_checkstring(L, 2);
    for (int i = 0; i < STACK_COUNTER_COUNT; i++)
        if (strcmp(stack_counter_name((enum stack_counter)i), name) == 0) {
            uint64_t value = stack_counter(host->stack, (enum stack_counter)i);
            lua_pushinteger(L, (lua_Integer)value);
            return 1;
        }
    return luaL_error(L, "there is no counter '%s'", name);
}

static int host_drops(lua_State *L)
{
    struct host *host = check_host(L);
    const char *name = luaL_checkstring(L, 2);
    for (int i = 0; i < DROP_REASON_COUNT; i++)
        if (strcmp(drop_reason_name((enum drop_reason)i), name) == 0) {
            uint64_t value = stack_drops(host->stack, (enum drop_reason)i);
            lua_pushinteger(L, (lua_Integer)value);
            return 1;
        }
    return luaL_error(L, "there is no reason for drops '%s'", name);
}

// All that are not zero, drops as "drop.REASON".
static int host_counters(lua_State *L)
{
    struct host *host = check_host(L);
    lua_newtable(L);
    for (int i = 0; i < STACK_COUNTER_COUNT; i++) {
        uint64_t value = stack_counter(host->stack, (enum stack_counter)i);
        if (value == 0)
            continue;
        lua_pushinteger(L, (lua_Integer)value);
        lua_setfield(L, -2, stack_counter_name((enum stack_counter)i));
    }
    for (int i = 0; i < DROP_REASON_COUNT; i++) {
        uint64_t value = stack_drops(host->stack, (enum drop_reason)i);
        if (value == 0)
            continue;
        lua_pushfstring(L, "drop.%s", drop_reason_name((enum drop_reason)i));
        lua_pushinteger(L, (lua_Integer)value);
        lua_rawset(L, -3);
    }
    return 1;
}

void bind_host_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add_address", host_add_address},
        {"add_route", host_add_route},
        {"address", host_address},
        {"addresses", host_addresses},
        {"counter", host_counter},
        {"counters", host_counters},
        {"drops", host_drops},
        {"interfaces", host_interfaces},
        {"mac", host_mac},
        {"mtu", host_mtu},
        {"name", host_name},
        {"neighbours", host_neighbours},
        {"remove_address", host_remove_address},
        {"remove_route", host_remove_route},
        {"routes", host_routes},
        {"set_mtu", host_set_mtu},
        {"set_neighbour", host_set_neighbour},
        {"set_up", host_set_up},
        {NULL, NULL},
    };
    object_type(L, HOST_TYPE, methods, NULL);
}
