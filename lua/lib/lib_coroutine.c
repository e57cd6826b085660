// Coroutines of the script's own, in which blocking calls work too.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// A task is a coroutine, and a blocking call is a yield of it. When the call is
// made inside a coroutine that the script has made, the yield reaches
// coroutine.resume first, which is why resume and wrap are written anew here:
// they see that the yield is a blocking call (script->is_blocking), yield
// themselves, up to the task's scheduler, and go on with the inner coroutine
// when they are resumed. Only an ordinary coroutine.yield returns to whoever
// resumed.

#include "lua/internal.h"

static lua_State *check_thread(lua_State *L, int index)
{
    lua_State *co = lua_tothread(L, index);
    luaL_argexpected(L, co != NULL, index, "coroutine");
    return co;
}

static int coroutine_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    name_number(L, -1);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static bool is_resumable(lua_State *co)
{
    lua_Debug ar;
    if (lua_status(co) == LUA_YIELD)
        return true;
    return lua_status(co) == LUA_OK && !lua_getstack(co, 0, &ar) &&
           lua_gettop(co) > 0;
}

static int resume_again(lua_State *L, int status, lua_KContext is_wrapped);

// Runs the coroutine until it yields to the script, ends or fails. The count
// arguments on L are its own. Pushes the results of coroutine.resume or of a
// wrapped call.
static int resume(lua_State *L, lua_State *co, int count, bool is_wrapped)
{
    struct script *script = script_of(L);
    int results = 0;
    if (!lua_checkstack(co, count + 1))
        return luaL_error(L, "too many arguments to resume");
    lua_xmove(L, co, count);
    int status = lua_resume(co, L, count, &results);
    if (status == LUA_YIELD && script->is_blocking) {
        if (lua_isyieldable(L))
            return lua_yieldk(L, 0, is_wrapped, resume_again);
        script->is_blocking = false;
        return luaL_error(L, "a blocking call inside a coroutine that is not "
                             "resumed from a task");
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        limits_pass_on(L, status);
        if (is_wrapped)
            return lua_error(L);
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    luaL_checkstack(L, results + 1, "too many results to resume");
    if (!is_wrapped)
        lua_pushboolean(L, 1);
    lua_xmove(co, L, results);
    return results + !is_wrapped;
}

static lua_State *wrapped(lua_State *L)
{
    return lua_tothread(L, lua_upvalueindex(1));
}

static int resume_again(lua_State *L, int status, lua_KContext is_wrapped)
{
    lua_State *co = is_wrapped ? wrapped(L) : check_thread(L, 1);
    (void)status;
    return resume(L, co, 0, is_wrapped);
}

static int coroutine_resume(lua_State *L)
{
    lua_State *co = check_thread(L, 1);
    if (!is_resumable(co)) {
        lua_pushboolean(L, 0);
        lua_pushfstring(L, "cannot resume %s coroutine",
                        lua_status(co) == LUA_OK && lua_gettop(co) > 0
                            ? "non-suspended"
                            : "dead");
        return 2;
    }
    return resume(L, co, lua_gettop(L) - 1, false);
}

static int call_wrapped(lua_State *L)
{
    lua_State *co = wrapped(L);
    if (!is_resumable(co))
        return luaL_error(L, "cannot resume a coroutine that is dead or runs");
    return resume(L, co, lua_gettop(L), true);
}

static int coroutine_wrap(lua_State *L)
{
    coroutine_create(L);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

// upvalue: Lua's own. A coroutine that a limit has ended runs no hooks any
// more; its __close handlers must not run either.
static int coroutine_close(lua_State *L)
{
    if (script_of(L)->is_killed)
        return luaL_error(L, "the script is at its end");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

void lib_coroutine_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"create", coroutine_create},
        {"resume", coroutine_resume},
        {"wrap", coroutine_wrap},
        {NULL, NULL},
    };
    sandbox_set(L, LUA_COLIBNAME, functions);
    lua_getglobal(L, LUA_COLIBNAME);
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, coroutine_close, 1);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
}
