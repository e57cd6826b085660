// Turns Lua tables into the value trees that scenarios are made of.
// SPDX-License-Identifier: MIT

// A key may be written as a Lua name: max_rto for max-rto. Keys that contain a
// '-' already are left as they are.

#include <string.h>

#include "lua/internal.h"

enum { DEEPEST = 16 };

static void to_hyphens(char *key)
{
    if (strchr(key, '-') != NULL)
        return;
    for (; *key != '\0'; key++)
        if (*key == '_')
            *key = '-';
}

static struct value *convert(lua_State *L, int index, struct place place,
                             int depth);

static struct value *convert_list(lua_State *L, int index, struct place place,
                                  lua_Integer count, int depth)
{
    struct value *list =
        value_create(script_of(L)->document, VALUE_LIST, place);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        value_append(list, convert(L, lua_gettop(L), place, depth + 1));
        lua_pop(L, 1);
    }
    return list;
}

// The list of sorted keys is on top.
static struct value *convert_map(lua_State *L, int index, struct place place,
                                 lua_Integer count, int depth)
{
    struct document *document = script_of(L)->document;
    struct value *map = value_create(document, VALUE_MAP, place);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, keys, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "a table here is either a list or a map with texts "
                          "as keys");
        char *key = (char *)document_string(document, lua_tostring(L, -1));
        to_hyphens(key);
        lua_rawget(L, index);
        struct value *child = convert(L, lua_gettop(L), place, depth + 1);
        child->key = key;
        child->key_place = place;
        value_append(map, child);
        lua_pop(L, 1);
    }
    return map;
}

static struct value *convert_table(lua_State *L, int index, struct place place,
                                   int depth)
{
    if (depth == DEEPEST)
        luaL_error(L, "tables nested deeper than %d", DEEPEST);
    lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    lua_Integer count = order_push_keys(L, index);
    struct value *value = length > 0 && count == length
                              ? convert_list(L, index, place, count, depth)
                              : convert_map(L, index, place, count, depth);
    lua_pop(L, 1);
    return value;
}

// Hosts and switches stand for their names.
static const char *name_of_node(lua_State *L, int index)
{
    struct node *node = object_test(L, index, HOST_TYPE);
    if (node == NULL)
        node = object_test(L, index, SWITCH_TYPE);
    return node != NULL ? node->name : NULL;
}

static struct value *convert(lua_State *L, int index, struct place place,
                             int depth)
{
    struct document *document = script_of(L)->document;
    char number[48];
    const char *text = NULL;
    luaL_checkstack(L, 8, NULL);
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
        return convert_table(L, index, place, depth);
    case LUA_TBOOLEAN:
        text = lua_toboolean(L, index) ? "true" : "false";
        break;
    case LUA_TNUMBER:
        text = number;
        if (lua_isinteger(L, index))
            snprintf(number, sizeof(number), "%lld",
                     (long long)lua_tointeger(L, index));
        else
            snprintf(number, sizeof(number), "%.14g", lua_tonumber(L, index));
        break;
    case LUA_TSTRING:
        text = lua_tostring(L, index);
        break;
    case LUA_TUSERDATA:
        text = name_of_node(L, index);
        break;
    default:
        break;
    }
    if (text == NULL)
        luaL_error(L, "%s cannot be part of a network's description",
                   name_tostring(L, index, NULL));
    return value_scalar(document, text, place);
}

struct value *table_to_value(lua_State *L, int index, struct place place)
{
    return convert(L, lua_absindex(L, index), place, 0);
}

struct place caller_place(lua_State *L)
{
    struct caller caller;
    struct script *script = script_of(L);
    struct place place = {.file = script->path};
    if (traceback_caller(L, &caller)) {
        place.file = document_string(script->document, caller.file);
        place.line = caller.line;
    }
    return place;
}

void raise_diagnostics(lua_State *L, struct diagnostics *diagnostics)
{
    size_t count = diagnostics_count(diagnostics);
    luaL_checkstack(L, 4, NULL);
    lua_pushliteral(L, "");
    for (size_t i = 0; i < count; i++) {
        lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), i > 0 ? "\n" : "",
                        diagnostics_text(diagnostics, i));
        lua_remove(L, -2);
    }
    diagnostics_destroy(diagnostics);
    if (count > 0)
        lua_error(L);
    lua_pop(L, 1);
}
