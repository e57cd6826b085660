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

struct conversion {
    struct document *document;
    struct place place;
};

static struct value *convert(lua_State *L, const struct conversion *c,
                             int index, int depth);

static struct value *convert_list(lua_State *L, const struct conversion *c,
                                  int index, lua_Integer count, int depth)
{
    struct value *list = value_create(c->document, VALUE_LIST, c->place);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        value_append(list, convert(L, c, lua_gettop(L), depth + 1));
        lua_pop(L, 1);
    }
    return list;
}

// The list of sorted keys is on top.
static struct value *convert_map(lua_State *L, const struct conversion *c,
                                 int index, lua_Integer count, int depth)
{
    struct value *map = value_create(c->document, VALUE_MAP, c->place);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, keys, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "a table here is either a list or a map with texts "
                          "as keys");
        char *key = (char *)document_string(c->document, lua_tostring(L, -1));
        to_hyphens(key);
        lua_rawget(L, index);
        struct value *child = convert(L, c, lua_gettop(L), depth + 1);
        child->key = key;
        child->key_place = c->place;
        value_append(map, child);
        lua_pop(L, 1);
    }
    return map;
}

static struct value *convert_table(lua_State *L, const struct conversion *c,
                                   int index, int depth)
{
    if (depth == DEEPEST)
        luaL_error(L, "tables nested deeper than %d", DEEPEST);
    lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    lua_Integer count = order_push_keys(L, index);
    struct value *value = length > 0 && count == length
                              ? convert_list(L, c, index, count, depth)
                              : convert_map(L, c, index, count, depth);
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

static struct value *convert(lua_State *L, const struct conversion *c,
                             int index, int depth)
{
    char number[48];
    const char *text = NULL;
    luaL_checkstack(L, 8, NULL);
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
        return convert_table(L, c, index, depth);
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
    return value_scalar(c->document, text, c->place);
}

struct value *table_to_value(lua_State *L, struct document *document, int index,
                             struct place place)
{
    struct conversion c = {document, place};
    return convert(L, &c, lua_absindex(L, index), 0);
}

// Places of files other than the script are modules'; their names are kept.
struct place caller_place(lua_State *L)
{
    struct caller caller;
    struct script *script = script_of(L);
    struct place place = {.file = script->path};
    if (!traceback_caller(L, &caller))
        return place;
    place.line = caller.line;
    if (strcmp(caller.file, script->path) == 0)
        return place;
    if (script->last_file == NULL ||
        strcmp(caller.file, script->last_file) != 0)
        script->last_file = document_string(script->document, caller.file);
    place.file = script->last_file;
    return place;
}

struct document *scratch_document(lua_State *L)
{
    struct script *script = script_of(L);
    document_destroy(script->scratch);
    script->scratch = document_create();
    if (script->scratch == NULL)
        luaL_error(L, "out of memory");
    return script->scratch;
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
