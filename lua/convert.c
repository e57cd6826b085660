// Between Lua's values and ours: times, addresses, errors, options, objects.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <string.h>

#include "lua/internal.h"

// --- Times

// 100 years; the clock ends after 292.
#define LONGEST (100 * INT64_C(31557600) * NS_PER_S)

ns_t to_time(lua_State *L, int index, const char *what)
{
    int64_t time = 0;
    if (lua_type(L, index) == LUA_TSTRING) {
        if (parse_time(lua_tostring(L, index), &time) == 0 && time >= 0 &&
            time <= LONGEST)
            return time;
    } else if (lua_isinteger(L, index)) {
        lua_Integer seconds = lua_tointeger(L, index);
        if (seconds >= 0 && seconds <= LONGEST / NS_PER_S)
            return seconds * NS_PER_S;
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        lua_Number seconds = lua_tonumber(L, index);
        if (seconds >= 0 && seconds <= (lua_Number)(LONGEST / NS_PER_S))
            return (ns_t)(seconds * (lua_Number)NS_PER_S + 0.5);
    }
    return luaL_error(
        L,
        "%s: expected a time of up to 100 years, a number of seconds or a text "
        "with a unit such as \"20ms\", not %s",
        what, name_tostring(L, index, NULL));
}

ns_t check_time(lua_State *L, int index)
{
    luaL_argcheck(L,
                  lua_type(L, index) == LUA_TSTRING ||
                      lua_type(L, index) == LUA_TNUMBER,
                  index,
                  "expected a time: a number of seconds or a text with a unit "
                  "such as \"20ms\"");
    return to_time(L, index, "time");
}

void push_time(lua_State *L, ns_t time)
{
    lua_pushnumber(L, (lua_Number)time / (lua_Number)NS_PER_S);
}

// --- Errors

int push_errno(lua_State *L, int error)
{
    const char *name = strerrorname_np(-error);
    lua_pushnil(L);
    lua_pushstring(L, name != NULL ? name : "EUNKNOWN");
    return 2;
}

// --- Options

void check_keys(lua_State *L, int table, const char *const *known)
{
    size_t count = 0;
    int top = lua_gettop(L);
    while (known[count] != NULL)
        count++;
    lua_Integer keys = order_push_keys(L, table);
    for (lua_Integer i = 1; i <= keys; i++) {
        lua_rawgeti(L, top + 1, i);
        const char *key = name_tostring(L, -1, NULL);
        size_t n = 0;
        while (n < count && strcmp(known[n], key) != 0)
            n++;
        if (n == count) {
            const char *near = suggest_word(key, known, count);
            luaL_error(L, "unknown option '%s'%s%s%s", key,
                       near != NULL ? "; did you mean '" : "",
                       near != NULL ? near : "", near != NULL ? "'?" : "");
        }
        lua_pop(L, 2);
    }
    lua_settop(L, top);
}

int check_options(lua_State *L, int index, const char *const *known)
{
    int top = lua_gettop(L);
    while (index < top && lua_isnil(L, index))
        index++;
    if (index > top || lua_isnil(L, index))
        return 0;
    luaL_argcheck(L, lua_istable(L, index), index,
                  "expected a table of options");
    luaL_argcheck(L, index == top, top, "options come last");
    check_keys(L, index, known);
    return index;
}

uint8_t option_family(lua_State *L, int options)
{
    if (options == 0)
        return IP_NONE;
    int type = lua_getfield(L, options, "family");
    lua_Integer family = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (type == LUA_TNIL)
        return IP_NONE;
    if (family != IP_V4 && family != IP_V6)
        luaL_error(L, "family is 4 or 6");
    return (uint8_t)family;
}

bool option_boolean(lua_State *L, int options, const char *key)
{
    if (options == 0)
        return false;
    lua_getfield(L, options, key);
    bool is_true = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_true;
}

// --- Addresses

struct ip_addr check_address(lua_State *L, int index, uint8_t family)
{
    struct sim *sim = script_of(L)->sim;
    struct ip_addr address;
    struct host *host = object_test(L, index, HOST_TYPE);
    const char *text =
        host != NULL ? host->node.name : luaL_checkstring(L, index);
    if (host == NULL && ip_addr_parse(text, &address) == 0) {
        if (family != IP_NONE && address.family != family)
            luaL_error(L, "'%s' is not an IPv%d address", text, family);
        return address;
    }
    if (sim_resolve(sim, text, family, &address) < 0)
        luaL_error(L, "'%s' is neither an address nor a host that has one%s",
                   text, family == IP_V6 ? " for IPv6" : "");
    return address;
}

struct endpoint check_endpoint(lua_State *L, struct host *host, int index,
                               uint8_t family)
{
    struct endpoint endpoint = {0};
    const char *text = lua_tostring(L, index);
    const char *percent = text != NULL ? strchr(text, '%') : NULL;
    if (percent == NULL) {
        endpoint.addr = check_address(L, index, family);
        return endpoint;
    }
    struct iface *iface = iface_find(host->stack, percent + 1);
    if (iface == NULL)
        luaL_error(L, "%s has no interface '%s'", host->node.name, percent + 1);
    endpoint.scope = (uint16_t)iface_index(iface);
    lua_pushlstring(L, text, (size_t)(percent - text));
    endpoint.addr = check_address(L, -1, family);
    lua_pop(L, 1);
    return endpoint;
}

void push_endpoint_address(lua_State *L, struct host *host,
                           const struct endpoint *endpoint)
{
    struct iface *iface = iface_find_index(host->stack, endpoint->scope);
    push_address(L, &endpoint->addr);
    if (endpoint->addr.family != IP_V6 || iface == NULL ||
        !ip_addr_is_link_local(&endpoint->addr))
        return;
    lua_pushfstring(L, "%s%%%s", lua_tostring(L, -1), iface_name(iface));
    lua_remove(L, -2);
}

uint16_t check_port(lua_State *L, int index)
{
    lua_Integer port = luaL_checkinteger(L, index);
    luaL_argcheck(L, port >= 0 && port <= 65535, index, "a port is 0 to 65535");
    return (uint16_t)port;
}

void push_address(lua_State *L, const struct ip_addr *address)
{
    char text[IP_ADDR_TEXT_SIZE];
    if (address->family == IP_NONE)
        lua_pushnil(L);
    else
        lua_pushstring(L, ip_addr_format(address, text));
}

// --- Objects

static int object_tostring(lua_State *L)
{
    struct node *const *object = lua_touserdata(L, 1);
    luaL_getmetafield(L, 1, "__name");
    lua_pushfstring(L, "%s %s", lua_tostring(L, -1), (*object)->name);
    return 1;
}

static int link_tostring(lua_State *L)
{
    struct link *const *object = lua_touserdata(L, 1);
    lua_pushfstring(L, "link %s", (*object)->name);
    return 1;
}

void object_type(lua_State *L, const char *type, const luaL_Reg *methods,
                 const luaL_Reg *metamethods)
{
    if (luaL_newmetatable(L, type)) {
        lua_newtable(L);
        lua_setfield(L, -2, "__index");
        lua_pushliteral(L, "locked");
        lua_setfield(L, -2, "__metatable");
        if (strcmp(type, HOST_TYPE) == 0 || strcmp(type, SWITCH_TYPE) == 0)
            lua_pushcfunction(L, object_tostring);
        else if (strcmp(type, LINK_TYPE) == 0)
            lua_pushcfunction(L, link_tostring);
        else
            lua_pushnil(L);
        lua_setfield(L, -2, "__tostring");
    }
    if (metamethods != NULL)
        luaL_setfuncs(L, metamethods, 0);
    if (methods != NULL && lua_getfield(L, -1, "__index") == LUA_TTABLE) {
        luaL_setfuncs(L, methods, 0);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void object_push(lua_State *L, const char *type, void *pointer)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, pointer) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    void **object = lua_newuserdatauv(L, sizeof(void *), 0);
    *object = pointer;
    luaL_setmetatable(L, type);
    name_number(L, -1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, pointer);
}

void *object_check(lua_State *L, int index, const char *type)
{
    return *(void **)luaL_checkudata(L, index, type);
}

void *object_test(lua_State *L, int index, const char *type)
{
    void **object = luaL_testudata(L, index, type);
    return object != NULL ? *object : NULL;
}
