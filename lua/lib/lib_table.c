// The table functions that read the clock or run long, as the sandbox has them.
// SPDX-License-Identifier: MIT

// Lua's table.sort picks pivots by clock() and time() when a partition is
// uneven, so that equal elements land differently from run to run. This one is
// a bottom-up merge sort: stable, and an inconsistent comparison function gives
// some order, the same one each time.

#include "lua/internal.h"

enum { MOST_ELEMENTS = 100000000 };

// --- sort: the table is 1, the comparison function 2 (or nil); lists a and b
// stand at 3 and 4

static bool is_less(lua_State *L, int a, int b)
{
    if (lua_isnil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    a = lua_absindex(L, a);
    b = lua_absindex(L, b);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool is_true = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_true;
}

// [low, middle) and [middle, high) of `from`, each sorted, become one run of
// `to`.
static void merge(lua_State *L, int from, int to, lua_Integer low,
                  lua_Integer middle, lua_Integer high)
{
    lua_Integer left = low, right = middle;
    for (lua_Integer out = low; out < high; out++) {
        bool take_right = left >= middle;
        if (!take_right && right < high) {
            lua_rawgeti(L, from, right);
            lua_rawgeti(L, from, left);
            take_right = is_less(L, -2, -1);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, from, take_right ? right++ : left++);
        lua_rawseti(L, to, out);
    }
}

static lua_Integer min_integer(lua_Integer a, lua_Integer b)
{
    return a < b ? a : b;
}

static lua_Integer check_length(lua_State *L)
{
    lua_Integer count = luaL_len(L, 1);
    if (count > MOST_ELEMENTS)
        luaL_error(L, "more than %d elements", MOST_ELEMENTS);
    return count;
}

static int table_sort(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TTABLE && !luaL_getmetafield(L, 1, "__index"))
        luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_Integer count = check_length(L);
    lua_newtable(L);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 1, i);
        lua_rawseti(L, 3, i);
    }
    int from = 3, to = 4;
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer low = 1; low <= count; low += 2 * width)
            merge(L, from, to, low, min_integer(low + width, count + 1),
                  min_integer(low + 2 * width, count + 1));
        from = 7 - from;
        to = 7 - to;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        lua_seti(L, 1, i);
    }
    return 0;
}

// --- Guards: upvalue is Lua's own

static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

// insert, remove: a __len may claim any length, and elements are moved one by
// one.
static int guard_length(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TTABLE)
        check_length(L);
    return call_original(L);
}

static int guard_move(lua_State *L)
{
    lua_Integer first = luaL_checkinteger(L, 2);
    lua_Integer last = luaL_checkinteger(L, 3);
    if (last >= first &&
        (lua_Unsigned)last - (lua_Unsigned)first >= (lua_Unsigned)MOST_ELEMENTS)
        return luaL_error(L, "more than %d elements to move", MOST_ELEMENTS);
    return call_original(L);
}

static void wrap(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void lib_table_open(lua_State *L)
{
    lua_getglobal(L, LUA_TABLIBNAME);
    wrap(L, "insert", guard_length);
    wrap(L, "remove", guard_length);
    wrap(L, "move", guard_move);
    lua_pushcfunction(L, table_sort);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
}
