// What of Lua's standard libraries a script may reach.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// Two runs of a scenario must not differ, so nothing here may read a clock, the
// environment, a file, an address, hash order or the collector's timing:
//
//   os, io, debug, package   not there (require finds embedded modules and
//                            files beside the script)
//   dofile, loadfile, warn   not there; load takes text only
//   pairs, next              in a repeatable order (order.c)
//   tostring, print, %s      numbers in place of addresses (names.c); no %p
//   table.sort               stable merge sort: Lua's own picks pivots by the
//                            clock
//   math.random              the run's stream "script"
//   setmetatable             refuses finalisers and weak tables
//   collectgarbage           does nothing
//   pcall, xpcall, coroutine do not catch a limit's error
//
// The registry's table of loaded libraries is emptied: Lua searches it, in hash
// order, for names in its messages.

#include "lua/internal.h"

void sandbox_set(lua_State *L, const char *library, const luaL_Reg *functions)
{
    lua_getglobal(L, library);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}

static void remove_globals(lua_State *L)
{
    static const char *const removed[] = {"dofile", "loadfile", "warn"};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++) {
        lua_pushnil(L);
        lua_setglobal(L, removed[i]);
    }
}

static void open_standard(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},
        {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_TABLIBNAME, luaopen_table},
        {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},
        {NULL, NULL},
    };
    for (const luaL_Reg *library = libraries; library->name; library++) {
        luaL_requiref(L, library->name, library->func, 1);
        lua_pop(L, 1);
    }
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

void sandbox_open(lua_State *L)
{
    open_standard(L);
    remove_globals(L);
    lib_base_open(L);
    lib_string_open(L);
    lib_table_open(L);
    lib_math_open(L);
    lib_coroutine_open(L);
}
