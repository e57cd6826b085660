// A repeatable order of table keys.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// Lua's own order is that of its hash table, which depends on a seed made of
// addresses and the time. Ours: booleans (false first), numbers by value,
// strings by their bytes, then objects by their numbers (names.c). Tables and
// functions that have no number yet have nothing by which two of them could be
// told apart in every run; more than one of those is an error rather than a
// coin toss.

#include <stdlib.h>
#include <string.h>

#include "lua/internal.h"

struct sort_key {
    int rank; // by type
    bool is_integer;
    lua_Integer integer; // also booleans, numbers of objects, place in the list
    lua_Number number;
    const char *text;
    size_t length;
    lua_Integer index;
};

static int rank_of(int type)
{
    switch (type) {
    case LUA_TBOOLEAN:
        return 0;
    case LUA_TNUMBER:
        return 1;
    case LUA_TSTRING:
        return 2;
    default:
        return 3 + type;
    }
}

// The key at index; unnumbered counts objects that have just got their number.
static struct sort_key read_key(lua_State *L, int index, unsigned *unnumbered)
{
    struct sort_key key = {.rank = rank_of(lua_type(L, index))};
    uint64_t number;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        key.integer = lua_toboolean(L, index);
        break;
    case LUA_TNUMBER:
        key.is_integer = lua_isinteger(L, index);
        key.integer = lua_tointeger(L, index);
        key.number = lua_tonumber(L, index);
        break;
    case LUA_TSTRING:
        key.text = lua_tolstring(L, index, &key.length);
        break;
    default:
        if (!name_has_number(L, index, &number)) {
            ++*unnumbered;
            number = name_number(L, index);
        }
        key.integer = (lua_Integer)number;
        break;
    }
    return key;
}

static int compare_integers(lua_Integer a, lua_Integer b)
{
    return (a > b) - (a < b);
}

// An integer and a float: a long double holds both exactly.
static int compare_numbers(const struct sort_key *a, const struct sort_key *b)
{
    if (a->is_integer && b->is_integer)
        return compare_integers(a->integer, b->integer);
    long double x = a->is_integer ? (long double)a->integer : a->number;
    long double y = b->is_integer ? (long double)b->integer : b->number;
    return (x > y) - (x < y);
}

static int compare_texts(const struct sort_key *a, const struct sort_key *b)
{
    size_t common = a->length < b->length ? a->length : b->length;
    int difference = memcmp(a->text, b->text, common);
    return difference != 0 ? difference
                           : (a->length > b->length) - (a->length < b->length);
}

static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == rank_of(LUA_TNUMBER))
        return compare_numbers(a, b);
    if (a->rank == rank_of(LUA_TSTRING))
        return compare_texts(a, b);
    return compare_integers(a->integer, b->integer);
}

int order_compare(lua_State *L, int a, int b)
{
    unsigned unnumbered = 0;
    struct sort_key x = read_key(L, lua_absindex(L, a), &unnumbered);
    struct sort_key y = read_key(L, lua_absindex(L, b), &unnumbered);
    return compare_keys(&x, &y);
}

// Pushes the keys as they come.
static lua_Integer push_raw_keys(lua_State *L, int table)
{
    lua_Integer count = 0;
    lua_newtable(L);
    int list = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, ++count);
    }
    return count;
}

static bool is_sorted(const struct sort_key *keys, lua_Integer count)
{
    for (lua_Integer i = 1; i < count; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) > 0)
            return false;
    return true;
}

static void read_keys(lua_State *L, int list, struct sort_key *keys,
                      lua_Integer count)
{
    unsigned unnumbered = 0;
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, list, i + 1);
        keys[i] = read_key(L, -1, &unnumbered);
        keys[i].index = i + 1;
        lua_pop(L, 1);
    }
    if (unnumbered > 1)
        luaL_error(L, "the keys of this table are tables or functions whose "
                      "order would differ from run to run; give them "
                      "metatables or use other keys");
}

lua_Integer order_push_keys(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, NULL);
    lua_Integer count = push_raw_keys(L, index);
    int raw = lua_gettop(L);
    struct sort_key *keys =
        lua_newuserdatauv(L, (size_t)count * sizeof(*keys) + 1, 0);
    read_keys(L, raw, keys, count);
    if (is_sorted(keys, count)) {
        lua_pop(L, 1);
        return count;
    }
    qsort(keys, (size_t)count, sizeof(*keys), compare_keys);
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, raw, keys[i].index);
        lua_rawseti(L, -2, i + 1);
    }
    lua_replace(L, raw);
    lua_pop(L, 1);
    return count;
}
