// math.random from the run's seed.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "lua/internal.h"

static int random_integer(lua_State *L, lua_Integer low, lua_Integer high)
{
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    lua_pushinteger(L, random_between(&script_of(L)->random, low, high));
    return 1;
}

static int math_random(lua_State *L)
{
    struct random *random = &script_of(L)->random;
    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, (lua_Number)(random_next(random) >> 11) * 0x1p-53);
        return 1;
    case 1:
        if (luaL_checkinteger(L, 1) == 0) {
            lua_pushinteger(L, (lua_Integer)random_next(random));
            return 1;
        }
        return random_integer(L, 1, luaL_checkinteger(L, 1));
    case 2:
        return random_integer(L, luaL_checkinteger(L, 1),
                              luaL_checkinteger(L, 2));
    default:
        return luaL_error(L, "wrong number of arguments");
    }
}

// The stream begins anew, named after the number; without one, as in a new run.
static int math_randomseed(lua_State *L)
{
    struct script *script = script_of(L);
    char name[64] = "script";
    if (!lua_isnoneornil(L, 1))
        snprintf(name, sizeof(name), "script %.17g", luaL_checknumber(L, 1));
    random_init(&script->random, script->sim->seed, name);
    return 0;
}

void lib_math_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"random", math_random},
        {"randomseed", math_randomseed},
        {NULL, NULL},
    };
    struct script *script = script_of(L);
    random_init(&script->random, script->sim->seed, "script");
    sandbox_set(L, LUA_MATHLIBNAME, functions);
}
