// Names for objects that do not tell their addresses.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// Lua writes tables, functions, threads and userdata with their addresses, and
// orders table keys by them. Here each such object has a number of its type's
// own count instead, given when somebody first asks: when it is written, when
// it gets a metatable, when it is one of ours. Which objects are asked about,
// and in which order, is the script's doing and the same in every run. A table
// with weak keys keeps the numbers.

#include "lua/internal.h"

#define NUMBERS "wirebed.numbers"

static void push_numbers(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, NUMBERS) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, NUMBERS);
}

bool name_has_number(lua_State *L, int index, uint64_t *out)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    push_numbers(L);
    lua_pushvalue(L, index);
    bool has = lua_rawget(L, -2) == LUA_TNUMBER;
    if (has)
        *out = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return has;
}

uint64_t name_number(lua_State *L, int index)
{
    uint64_t number;
    if (name_has_number(L, index, &number))
        return number;
    index = lua_absindex(L, index);
    number = ++script_of(L)->name_counts[lua_type(L, index)];
    push_numbers(L);
    lua_pushvalue(L, index);
    lua_pushinteger(L, (lua_Integer)number);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return number;
}

// "__name" of the metatable, or the type's.
static void push_kind(lua_State *L, int index)
{
    int type = luaL_getmetafield(L, index, "__name");
    if (type == LUA_TSTRING)
        return;
    if (type != LUA_TNIL)
        lua_pop(L, 1);
    lua_pushstring(L, luaL_typename(L, index));
}

const char *name_tostring(lua_State *L, int index, size_t *length)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    if (luaL_callmeta(L, index, "__tostring")) {
        if (!lua_isstring(L, -1))
            luaL_error(L, "'__tostring' must return a string");
        return lua_tolstring(L, -1, length);
    }
    switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        return luaL_tolstring(L, index, length);
    default:
        push_kind(L, index);
        lua_pushfstring(L, "%s: %I", lua_tostring(L, -1),
                        (lua_Integer)name_number(L, index));
        lua_remove(L, -2);
        return lua_tolstring(L, -1, length);
    }
}
