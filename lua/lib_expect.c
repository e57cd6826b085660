// Expectations of scripts: what a scenario asserts about its own run.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "lua/internal.h"

enum { SHOWN = 200, DEEPEST = 32, REPORT_SIZE = 8192 };

// --- Showing values

static void show_string(const char *text, size_t length, luaL_Buffer *out)
{
    luaL_addchar(out, '"');
    for (size_t i = 0; i < length && i < SHOWN; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\')
            snprintf(escape, sizeof(escape), "\\%c", c);
        else if (c == '\n')
            snprintf(escape, sizeof(escape), "\\n");
        else if (c < 32 || c > 126)
            snprintf(escape, sizeof(escape), "\\x%02x", c);
        else
            snprintf(escape, sizeof(escape), "%c", c);
        luaL_addstring(out, escape);
    }
    luaL_addchar(out, '"');
    if (length > SHOWN) {
        char rest[48];
        snprintf(rest, sizeof(rest), "... (%zu bytes)", length);
        luaL_addstring(out, rest);
    }
}

// Pushes the value as a message shows it.
static const char *push_shown(lua_State *L, int index)
{
    size_t length;
    if (lua_type(L, index) != LUA_TSTRING)
        return name_tostring(L, index, NULL);
    const char *text = lua_tolstring(L, index, &length);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    show_string(text, length, &out);
    luaL_pushresult(&out);
    return lua_tostring(L, -1);
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
