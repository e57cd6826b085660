// What scripts call for time, tasks, signals between them.
// SPDX-License-Identifier: MIT

#include <errno.h>

#include "lua/task.h"

static const char *const timeout_only[] = {"timeout", NULL};

// --- The clock

static int lib_now(lua_State *L)
{
    push_time(L, sim_now(script_of(L)->sim));
    return 1;
}

static int lib_now_ns(lua_State *L)
{
    lua_pushinteger(L, sim_now(script_of(L)->sim));
    return 1;
}

// A time as a number of seconds, however it is written.
static int lib_seconds(lua_State *L)
{
    push_time(L, check_time(L, 1));
    return 1;
}

static ns_t time_from_now(lua_State *L, int index)
{
    ns_t now = sim_now(script_of(L)->sim), delay = check_time(L, index);
    return delay >= NS_NEVER - now ? NS_NEVER : now + delay;
}

static int sleep_over(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_pushboolean(L, 1);
    return 1;
}

static int lib_sleep(lua_State *L)
{
    return task_yield(L, "sleep", NULL, 0, time_from_now(L, 1), 0, sleep_over);
}

static int lib_sleep_until(lua_State *L)
{
    ns_t now = sim_now(script_of(L)->sim), time = check_time(L, 1);
    return task_yield(L, "wait_until", NULL, 0, max_i64(now, time), 0,
                      sleep_over);
}

// --- Spawning

static struct host *current_host(lua_State *L)
{
    struct task *task = script_of(L)->current;
    return task != NULL ? task->host : NULL;
}

static int lib_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    task_spawn(L, lua_gettop(L) - 1, current_host(L),
               sim_now(script_of(L)->sim));
    return 1;
}

static int host_spawn(lua_State *L)
{
    struct host *host = object_check(L, 1, HOST_TYPE);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    task_spawn(L, lua_gettop(L) - 2, host, sim_now(script_of(L)->sim));
    return 1;
}

static int spawn_at(lua_State *L, ns_t time)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_argcheck(L, time >= sim_now(script_of(L)->sim), 1, "is in the past");
    task_spawn(L, lua_gettop(L) - 2, current_host(L), time);
    return 1;
}

static int lib_at(lua_State *L) { return spawn_at(L, check_time(L, 1)); }

static int lib_after(lua_State *L) { return spawn_at(L, time_from_now(L, 1)); }

// --- Task objects

static struct task_handle *check_task(lua_State *L)
{
    return luaL_checkudata(L, 1, TASK_TYPE);
}

// true and what the function returned; false: it has not ended
static int push_results(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushboolean(L, 1);
    if (lua_getiuservalue(L, 1, 2) != LUA_TTABLE) {
        lua_pop(L, 1);
        return 1;
    }
    lua_getfield(L, 3, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, count, NULL);
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, 3, i);
    lua_remove(L, 3);
    return count + 1;
}

static int join_again(lua_State *L, int status, lua_KContext context)
{
    struct task_handle *handle = check_task(L);
    (void)status, (void)context;
    if (handle->task == NULL)
        return push_results(L);
    return task_wait(L, "join", &handle->joined, UINT32_MAX, 0, join_again);
}

static int task_join(lua_State *L)
{
    check_task(L);
    task_set_timeout(L, check_options(L, 2, timeout_only));
    return join_again(L, 0, 0);
}

static int task_is_done(lua_State *L)
{
    lua_pushboolean(L, check_task(L)->task == NULL);
    return 1;
}

static int task_set_background(lua_State *L)
{
    struct task_handle *handle = check_task(L);
    if (handle->task != NULL)
        handle->task->is_background = true;
    lua_settop(L, 1);
    return 1;
}

static int task_stop(lua_State *L)
{
    struct task *task = check_task(L)->task;
    lua_pushboolean(L, task != NULL);
    if (task != NULL && task == script_of(L)->current)
        task->is_cancelled = true;
    else if (task != NULL)
        task_cancel(task);
    return 1;
}

// --- Signals: tasks wait until somebody says so

#define SIGNAL_TYPE "signal"

struct signal {
    struct list waiters;
    lua_Integer count; // how often it was given
};

static int lib_signal(lua_State *L)
{
    struct signal *signal = lua_newuserdatauv(L, sizeof(*signal), 0);
    list_init(&signal->waiters);
    signal->count = 0;
    luaL_setmetatable(L, SIGNAL_TYPE);
    name_number(L, -1);
    return 1;
}

static int signal_notify(lua_State *L)
{
    struct signal *signal = luaL_checkudata(L, 1, SIGNAL_TYPE);
    signal->count++;
    task_wake_all(&signal->waiters, UINT32_MAX);
    return 0;
}

static int signal_wait_again(lua_State *L, int status, lua_KContext seen)
{
    struct signal *signal = luaL_checkudata(L, 1, SIGNAL_TYPE);
    (void)status;
    if (signal->count != seen) {
        lua_pushboolean(L, 1);
        return 1;
    }
    return task_wait(L, "wait", &signal->waiters, UINT32_MAX, seen,
                     signal_wait_again);
}

static int signal_wait(lua_State *L)
{
    struct signal *signal = luaL_checkudata(L, 1, SIGNAL_TYPE);
    task_set_timeout(L, check_options(L, 2, timeout_only));
    return signal_wait_again(L, 0, signal->count);
}

// --- The run

static int lib_stop(lua_State *L)
{
    struct script *script = script_of(L);
    script->has_asked = true;
    if (script->sim->engine.events_run > 0)
        sim_stop(script->sim);
    else // the run has not begun: it ends with its first event
        engine_schedule(&script->sim->engine, &script->stop_event,
                        sim_now(script->sim));
    return 0;
}

static int lib_stop_at(lua_State *L)
{
    struct script *script = script_of(L);
    ns_t time = check_time(L, 1);
    luaL_argcheck(L, time >= sim_now(script->sim), 1, "is in the past");
    engine_schedule(&script->sim->engine, &script->stop_event, time);
    return 0;
}

static int lib_this_host(lua_State *L)
{
    struct host *host = current_host(L);
    if (host == NULL)
        lua_pushnil(L);
    else
        object_push(L, HOST_TYPE, host);
    return 1;
}

static int lib_log(lua_State *L)
{
    struct script *script = script_of(L);
    struct host *host = current_host(L);
    ns_t now = sim_now(script->sim);
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&line, ' ');
        name_tostring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    if (script->log != NULL)
        fprintf(script->log, "%lld.%09lld %s: %s\n",
                (long long)(now / NS_PER_S), (long long)(now % NS_PER_S),
                host != NULL ? host->node.name : "script", lua_tostring(L, -1));
    return 0;
}

void lib_task_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"after", lib_after},
        {"at", lib_at},
        {"log", lib_log},
        {"now", lib_now},
        {"now_ns", lib_now_ns},
        {"seconds", lib_seconds},
        {"signal", lib_signal},
        {"sleep", lib_sleep},
        {"sleep_until", lib_sleep_until},
        {"spawn", lib_spawn},
        {"stop", lib_stop},
        {"stop_at", lib_stop_at},
        {"this_host", lib_this_host},
        {NULL, NULL},
    };
    static const luaL_Reg task_methods[] = {
        {"background", task_set_background},
        {"cancel", task_stop},
        {"is_done", task_is_done},
        {"join", task_join},
        {NULL, NULL},
    };
    static const luaL_Reg signal_methods[] = {
        {"notify", signal_notify},
        {"wait", signal_wait},
        {NULL, NULL},
    };
    static const luaL_Reg host_methods[] = {
        {"spawn", host_spawn},
        {NULL, NULL},
    };
    sandbox_set(L, LUA_GNAME, functions);
    object_type(L, TASK_TYPE, task_methods, NULL);
    object_type(L, SIGNAL_TYPE, signal_methods, NULL);
    object_type(L, HOST_TYPE, host_methods, NULL);
}
