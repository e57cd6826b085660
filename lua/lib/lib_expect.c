// Expectations of scripts: what a scenario asserts about its own run.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "lua/task.h"

enum {
    SHOWN = 200, // bytes of a string
    SHOWN_ENTRIES = 20,
    SHOWN_DEPTH = 3,
    SHOWN_SIZE = 2000,
    DEEPEST = 32,
    REPORT_SIZE = 8192
};

// --- Showing values

struct shown {
    char text[SHOWN_SIZE];
    size_t used;
};

static void put(struct shown *out, const char *text, size_t length)
{
    size_t room = sizeof(out->text) - 1 - out->used;
    length = length < room ? length : room;
    memcpy(out->text + out->used, text, length);
    out->used += length;
    out->text[out->used] = '\0';
}

static void put_text(struct shown *out, const char *text)
{
    put(out, text, strlen(text));
}

static void show_string(const char *text, size_t length, struct shown *out)
{
    char piece[48];
    put_text(out, "\"");
    for (size_t i = 0; i < length && i < SHOWN; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            snprintf(piece, sizeof(piece), "\\%c", c);
        else if (c == '\n')
            snprintf(piece, sizeof(piece), "\\n");
        else if (c < 32 || c > 126)
            snprintf(piece, sizeof(piece), "\\x%02x", c);
        else
            snprintf(piece, sizeof(piece), "%c", c);
        put_text(out, piece);
    }
    put_text(out, "\"");
    if (length > SHOWN) {
        snprintf(piece, sizeof(piece), "... (%zu bytes)", length);
        put_text(out, piece);
    }
}

static void show(lua_State *L, int index, int depth, struct shown *out);

// The first of a table's entries; a list's without their keys.
static void show_table(lua_State *L, int index, int depth, struct shown *out)
{
    lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    put_text(out, "{");
    lua_Integer count = order_push_keys(L, index);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > 1)
            put_text(out, ", ");
        if (i > SHOWN_ENTRIES) {
            put_text(out, "...");
            break;
        }
        lua_rawgeti(L, keys, i);
        if (lua_type(L, -1) == LUA_TSTRING)
            put_text(out, lua_tostring(L, -1));
        else if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) > length)
            show(L, -1, SHOWN_DEPTH, out);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) > length)
            put_text(out, " = ");
        lua_rawget(L, index);
        show(L, -1, depth + 1, out);
        lua_settop(L, keys);
    }
    put_text(out, "}");
    lua_settop(L, keys - 1);
}

static void show(lua_State *L, int index, int depth, struct shown *out)
{
    size_t length;
    luaL_checkstack(L, 10, NULL);
    index = lua_absindex(L, index);
    int top = lua_gettop(L);
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &length);
        show_string(text, length, out);
    } else if (lua_istable(L, index) && depth < SHOWN_DEPTH &&
               !luaL_getmetafield(L, index, "__tostring")) {
        show_table(L, index, depth, out);
    } else {
        const char *text = name_tostring(L, index, &length);
        put(out, text, length);
    }
    lua_settop(L, top);
}

// Pushes the value as a message shows it.
static void push_shown(lua_State *L, int index)
{
    struct shown out = {.used = 0};
    show(L, index, 0, &out);
    lua_pushstring(L, out.text);
}

// --- Reporting

// Records a failure with place, message (or nothing), what was seen, time,
// host, traceback.
static void report(lua_State *L, int message, const char *what)
{
    struct script *script = script_of(L);
    struct caller caller;
    char text[REPORT_SIZE] = "", time[48];
    size_t n = 0;
    if (traceback_caller(L, &caller))
        n = (size_t)snprintf(text, sizeof(text), "%s:%u: ", caller.file,
                             caller.line);
    if (!lua_isnoneornil(L, message)) {
        snprintf(text + n, sizeof(text) - n, "%s%s",
                 name_tostring(L, message, NULL), *what != '\0' ? ": " : "");
        lua_pop(L, 1);
    }
    n = strlen(text);
    snprintf(text + n, sizeof(text) - n, "%s\n    at %s", what,
             format_time(sim_now(script->sim), time, sizeof(time)));
    n = strlen(text);
    if (script->current != NULL && script->current->host != NULL)
        snprintf(text + n, sizeof(text) - n, " on %s",
                 script->current->host->node.name);
    traceback_append(L, 1, text, sizeof(text));
    sim_fail(script->sim, "%s", text);
}

static int answer(lua_State *L, bool holds, int message, const char *what)
{
    if (holds)
        sim_expect_passed(script_of(L)->sim);
    else
        report(L, message, what);
    lua_pushboolean(L, holds);
    return 1;
}

// --- The functions

static int lib_expect(lua_State *L)
{
    luaL_checkany(L, 1);
    return answer(L, lua_toboolean(L, 1), 2,
                  lua_isnoneornil(L, 2) ? "the condition does not hold" : "");
}

static bool is_equal(lua_State *L, int a, int b, int depth);

// Every key of a is in b with an equal value.
static bool is_within(lua_State *L, int a, int b, int depth)
{
    luaL_checkstack(L, 8, NULL);
    lua_pushnil(L);
    while (lua_next(L, a)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        bool same =
            is_equal(L, lua_absindex(L, -2), lua_absindex(L, -1), depth);
        lua_pop(L, 2);
        if (!same) {
            lua_pop(L, 1);
            return false;
        }
    }
    return true;
}

// Tables are equal when they hold the same, all the way down.
static bool is_equal(lua_State *L, int a, int b, int depth)
{
    if (lua_compare(L, a, b, LUA_OPEQ))
        return true;
    if (!lua_istable(L, a) || !lua_istable(L, b))
        return false;
    if (depth == DEEPEST)
        luaL_error(L, "tables nested too deep to compare");
    return is_within(L, a, b, depth + 1) && is_within(L, b, a, depth + 1);
}

static int lib_expect_eq(lua_State *L)
{
    luaL_checkany(L, 2);
    lua_settop(L, 3);
    bool holds = is_equal(L, 1, 2, 0);
    if (!holds) {
        push_shown(L, 2);
        push_shown(L, 1);
        lua_pushfstring(L, "expected %s, got %s", lua_tostring(L, -2),
                        lua_tostring(L, -1));
    }
    return answer(L, holds, 3, holds ? "" : lua_tostring(L, -1));
}

// A number, or a time with its unit as a number of seconds.
static lua_Number check_quantity(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TSTRING)
        return (lua_Number)check_time(L, index) / (lua_Number)NS_PER_S;
    return luaL_checknumber(L, index);
}

static int lib_expect_within(lua_State *L)
{
    lua_settop(L, 4);
    lua_Number low = check_quantity(L, 2), high = check_quantity(L, 3);
    bool is_number = lua_type(L, 1) == LUA_TNUMBER;
    lua_Number value = is_number ? lua_tonumber(L, 1) : 0;
    bool holds = is_number && value >= low && value <= high;
    if (!holds) {
        push_shown(L, 2);
        push_shown(L, 3);
        push_shown(L, 1);
        lua_pushfstring(L, "expected from %s to %s, got %s",
                        lua_tostring(L, -3), lua_tostring(L, -2),
                        lua_tostring(L, -1));
    }
    return answer(L, holds, 4, holds ? "" : lua_tostring(L, -1));
}

static int lib_fail(lua_State *L)
{
    return answer(L, false, 1, lua_isnoneornil(L, 1) ? "failed" : "");
}

void lib_expect_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"expect", lib_expect},
        {"expect_eq", lib_expect_eq},
        {"expect_within", lib_expect_within},
        {"fail", lib_fail},
        {NULL, NULL},
    };
    sandbox_set(L, LUA_GNAME, functions);
}
