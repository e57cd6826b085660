// Ends scripts that loop for ever or want too much memory.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// Memory: the state's allocator counts and refuses beyond the limit. Lua then
// collects, asks again, and raises "not enough memory".
//
// Time: a hook every HOOK_INTERVAL instructions counts; beyond the limit it
// raises an error. The count starts anew when simulated time moves on, not with
// each resumption, so that tasks that wake each other for ever within one
// instant are caught too.
//
// Both mark the script as killed. A killed script's errors pass through pcall,
// xpcall and coroutine.resume (limits_pass_on), for otherwise a loop around a
// pcall would go on. The hook does not run inside C functions: those that can
// be made to run long without allocating are replaced or guarded
// (lib_string.c, lib_table.c); what remains is pattern matching, whose cost is
// bounded by a polynomial of the subject's length.

#include <stdlib.h>
#include <string.h>

#include "lua/internal.h"

enum { HOOK_INTERVAL = 10000, CHARGE_PER_PIECE = 100 };

void *limits_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    struct script *script = context;
    if (block == NULL)
        old_size = 0; // then it is the kind of the new object
    if (new_size == 0) {
        free(block);
        script->memory_used -= old_size;
        return NULL;
    }
    if (new_size > old_size &&
        new_size - old_size > script->memory_limit - script->memory_used)
        return NULL;
    void *moved = realloc(block, new_size);
    if (moved != NULL)
        script->memory_used += new_size - old_size;
    return moved;
}

bool limits_is_interrupted(const struct script *script)
{
    const volatile int *flag = script->sim->engine.interrupted;
    return flag != NULL && *flag != 0;
}

// Raises an error that nothing catches. It is recorded here and now, because
// handlers that run while the stack is unwound may raise others.
static void stop(lua_State *L, lua_Debug *debug, const char *why)
{
    struct script *script = script_of(L);
    char text[4096] = "";
    script->is_killed = true;
    lua_getinfo(L, "Sl", debug);
    if (debug->currentline > 0)
        snprintf(text, sizeof(text), "%s:%d: ", debug->short_src,
                 debug->currentline);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", why);
    script_append_moment(script, text, sizeof(text));
    traceback_append(L, 0, text, sizeof(text));
    script_fail(script, text);
    luaL_error(L, "%s", why);
}

static const char *describe(const struct script *script, char *out, size_t size)
{
    snprintf(out, size,
             "more than %llu Lua instructions while simulated time stood "
             "still: is this an endless loop?",
             (unsigned long long)script->instruction_limit);
    return out;
}

static void on_count(lua_State *L, lua_Debug *debug)
{
    struct script *script = script_of(L);
    char why[160];
    script->instructions += HOOK_INTERVAL;
    if (limits_is_interrupted(script))
        stop(L, debug, "interrupted");
    if (script->instructions > script->instruction_limit)
        stop(L, debug, describe(script, why, sizeof(why)));
}

void limits_start(struct script *script)
{
    lua_sethook(script->L, on_count, LUA_MASKCOUNT, HOOK_INTERVAL);
}

bool limits_charge(struct script *script)
{
    ns_t now = sim_now(script->sim);
    char why[160], text[512];
    if (now != script->counted_at) {
        script->counted_at = now;
        script->instructions = 0;
    }
    script->instructions += CHARGE_PER_PIECE;
    if (script->instructions <= script->instruction_limit)
        return true;
    snprintf(text, sizeof(text), "%s: %s", script->path,
             describe(script, why, sizeof(why)));
    script_fail(script, text);
    return false;
}

void limits_pass_on(lua_State *L, int status)
{
    struct script *script = script_of(L);
    if (status == LUA_ERRMEM)
        script->is_killed = true;
    if (script->is_killed)
        lua_error(L);
}
