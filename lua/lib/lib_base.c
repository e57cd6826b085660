// The basic functions of Lua as the sandbox has them.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "lua/internal.h"

// --- Writing

static int base_print(lua_State *L)
{
    FILE *log = script_of(L)->log;
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        size_t length;
        const char *text = name_tostring(L, i, &length);
        if (log != NULL) {
            if (i > 1)
                fputc('\t', log);
            fwrite(text, 1, length, log);
        }
        lua_pop(L, 1);
    }
    if (log != NULL)
        fputc('\n', log);
    return 0;
}

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    name_tostring(L, 1, NULL);
    return 1;
}

// --- Walking tables

// upvalues: the list of keys, how many have been given out
static int pairs_step(lua_State *L)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(2));
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    for (;;) {
        if (lua_rawgeti(L, lua_upvalueindex(1), ++n) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL)
            break;
        lua_pop(L, 2);
    }
    lua_pushinteger(L, n);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int pairs_continue(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 3;
}

static int base_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, pairs_continue);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    order_push_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_step, 2);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

// The first key after the one given, which may have left the table meanwhile.
static int base_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    lua_Integer count = order_push_keys(L, 1);
    lua_Integer low = 1, high = count + 1;
    while (!lua_isnil(L, 2) && low < high) {
        lua_Integer middle = low + (high - low) / 2;
        lua_rawgeti(L, 3, middle);
        if (order_compare(L, -1, 2) <= 0)
            low = middle + 1;
        else
            high = middle;
        lua_pop(L, 1);
    }
    if (low > count) {
        lua_pushnil(L);
        return 1;
    }
    lua_rawgeti(L, 3, low);
    lua_pushvalue(L, -1);
    lua_rawget(L, 1);
    return 2;
}

// --- Metatables

static void refuse_metafield(lua_State *L, const char *field, const char *why)
{
    lua_pushstring(L, field);
    if (lua_rawget(L, 2) != LUA_TNIL)
        luaL_error(L, "'%s' is not available: %s", field, why);
    lua_pop(L, 1);
}

static int base_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2,
                     "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        refuse_metafield(L, "__gc",
                         "when garbage is collected differs from run to run");
        refuse_metafield(L, "__mode",
                         "when garbage is collected differs from run to run");
        name_number(L, 1);
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

// --- Calling

// Results stand above the first `skip` slots, with the status below them.
static int finish_call(lua_State *L, int status, lua_KContext skip)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        limits_pass_on(L, status);
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)skip;
}

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status =
        lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call);
    return finish_call(L, status, 0);
}

// upvalue: the script's message handler. A limit's error is raised in a hook,
// and until the stack is unwound no hook runs: a handler that loops would never
// end.
static int handle_message(lua_State *L)
{
    if (script_of(L)->is_killed)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int base_xpcall(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle_message, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); // function, handler, true, function, arguments
    int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, finish_call);
    return finish_call(L, status, 2);
}

// load with the mode fixed: compiled code can break the interpreter.
static int base_load(lua_State *L)
{
    const char *mode = luaL_optstring(L, 3, "t");
    int count = lua_gettop(L);
    if (strchr(mode, 't') == NULL)
        return luaL_error(L, "load takes text only, not compiled code");
    if (count < 3)
        lua_settop(L, 3);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

static int base_collectgarbage(lua_State *L)
{
    static const char *const options[] = {"collect", "step", NULL};
    luaL_checkoption(L, 1, "collect", options);
    lua_pushinteger(L, 0);
    return 1;
}

void lib_base_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"collectgarbage", base_collectgarbage},
        {"next", base_next},
        {"pairs", base_pairs},
        {"pcall", base_pcall},
        {"print", base_print},
        {"setmetatable", base_setmetatable},
        {"tostring", base_tostring},
        {"xpcall", base_xpcall},
        {NULL, NULL},
    };
    sandbox_set(L, LUA_GNAME, functions);
    lua_getglobal(L, "load");
    lua_pushcclosure(L, base_load, 1);
    lua_setglobal(L, "load");
}
