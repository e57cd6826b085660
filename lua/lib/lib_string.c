// The string functions that tell addresses or run long, tamed.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "lua/internal.h"

// The conversion character of the directive after '%' at *p; moves *p behind
// it. 0: the format ends.
static char read_directive(const char **p, const char *end)
{
    while (*p < end && strchr("-+ #0123456789.", **p) != NULL && **p != '\0')
        ++*p;
    return *p < end ? *(*p)++ : '\0';
}

// upvalue: Lua's own. Objects among the arguments of %s become their names
// before it sees them.
static int string_format(lua_State *L)
{
    size_t length;
    const char *p = luaL_checklstring(L, 1, &length), *end = p + length;
    int count = lua_gettop(L), argument = 1;
    while (p < end) {
        if (*p++ != '%')
            continue;
        if (p < end && *p == '%') {
            p++;
            continue;
        }
        char c = read_directive(&p, end);
        if (++argument > count)
            break;
        if (c == 'p')
            return luaL_error(L, "'%%p' is not available: addresses differ "
                                 "from run to run");
        if (c == 's') {
            name_tostring(L, argument, NULL);
            lua_replace(L, argument);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

// upvalue: Lua's own, which counts to n even when there is nothing to repeat.
static int string_rep(lua_State *L)
{
    size_t length, separator;
    luaL_checklstring(L, 1, &length);
    luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (length + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static void wrap(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void lib_string_open(lua_State *L)
{
    lua_getglobal(L, LUA_STRLIBNAME);
    wrap(L, "format", string_format);
    wrap(L, "rep", string_rep);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
}
