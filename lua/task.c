// Tasks: coroutines that simulated time resumes.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// Scripts should read like blocking code, while nothing in a simulation blocks.
// A task is a coroutine with one event. A blocking call tries what it wants;
// when that cannot proceed (-EAGAIN) it puts its task into the list of waiters
// of whatever it waits for, schedules the task's event for the deadline, and
// yields with itself as the continuation. Something happens: the waiters'
// events are scheduled for now. The event runs from the engine's loop, never
// from within a stack, resumes the coroutine, and the continuation tries again.
// So the only thing that is kept while a task waits is what the C function left
// on its Lua stack, and a wake-up too many does no harm.
//
// Tasks are sources of node 0: at one instant they run before the network does,
// in the order of their events' numbers, the order of creation (a structure is
// used again, with its event, when a task has ended).
//
// Invariants: T1. A task that has not ended is in script->tasks, and the
// registry keeps its handle, which keeps its coroutine. T2. A task is in at
// most one list of waiters, and only while it is suspended. T3. script->current
// is the running task; it is NULL while a hook runs, which cannot block.

#include <errno.h>
#include <stdlib.h>

#include "lua/task.h"

// --- Beginning and end

static void on_event(struct event *event);

// Out of the free list, or a new one; NULL: out of memory.
static struct task *take_task(struct script *script)
{
    struct task *task = script->free_tasks;
    if (task != NULL) {
        script->free_tasks = task->next_free;
    } else {
        if (engine_reserve(&script->sim->engine, 1) < 0)
            return NULL;
        task = calloc(1, sizeof(*task));
        if (task == NULL)
            return NULL;
        event_init(&task->event, sim_new_order(script->sim), on_event);
        task->script = script;
        list_init(&task->all);
        list_init(&task->wait);
    }
    task->wait_mask = 0;
    task->waits_for = NULL;
    task->is_background = task->is_cancelled = false;
    task->deadline = NS_NEVER;
    return task;
}

struct task *task_spawn(lua_State *L, int nargs, struct host *host, ns_t time)
{
    struct script *script = script_of(L);
    struct place place = caller_place(L);
    struct task_handle *handle =
        lua_newuserdatauv(L, sizeof(*handle), 2); // coroutine, results
    handle->task = NULL;
    list_init(&handle->joined);
    luaL_setmetatable(L, TASK_TYPE);
    name_number(L, -1);
    lua_insert(L, -nargs - 2);
    lua_State *co = lua_newthread(L);
    lua_setiuservalue(L, -nargs - 3, 1);
    if (!lua_checkstack(co, nargs + 1))
        luaL_error(L, "too many arguments");
    lua_xmove(L, co, nargs + 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, handle);
    struct task *task = take_task(script);
    if (task == NULL) {
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, handle);
        luaL_error(L, "out of memory for tasks");
    }
    task->L = co;
    task->handle = handle;
    task->host = host;
    task->place = place;
    handle->task = task;
    list_push_back(&script->tasks, &task->all);
    engine_schedule(&script->sim->engine, &task->event, time);
    return task;
}

static void release(struct task *task)
{
    struct script *script = task->script;
    struct task_handle *handle = task->handle;
    engine_cancel(&script->sim->engine, &task->event);
    list_remove(&task->wait);
    list_remove(&task->all);
    task_wake_all(&handle->joined, UINT32_MAX);
    handle->task = NULL;
    lua_pushnil(script->L);
    lua_rawsetp(script->L, LUA_REGISTRYINDEX, handle);
    task->next_free = script->free_tasks;
    script->free_tasks = task;
}

// Puts the results, a table in place of the coroutine's stack, into the handle.
// Called protected: it allocates. Arguments: the task as a light userdata.
static int keep_results(lua_State *L)
{
    struct task *task = lua_touserdata(L, 1);
    int count = lua_gettop(task->L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, task->handle);
    lua_createtable(L, count, 0);
    luaL_checkstack(L, 2, NULL);
    for (int i = count; i >= 1; i--) {
        lua_xmove(task->L, L, 1);
        lua_rawseti(L, -2, i);
    }
    lua_pushinteger(L, count);
    lua_setfield(L, -2, "n");
    lua_setiuservalue(L, -2, 2);
    return 0;
}

static void on_end(struct task *task)
{
    struct script *script = task->script;
    if (lua_gettop(task->L) > 0) {
        lua_pushcfunction(script->L, keep_results);
        lua_pushlightuserdata(script->L, task);
        script_call(script, script->L, 1, 0);
    }
    release(task);
}

static void on_event(struct event *event)
{
    struct task *task = CONTAINER_OF(event, struct task, event);
    struct script *script = task->script;
    int results = 0;
    if (script->is_over || !limits_charge(script))
        return;
    list_remove(&task->wait);
    task->wait_mask = 0;
    task->waits_for = NULL;
    int count = lua_status(task->L) == LUA_YIELD ? 0 : lua_gettop(task->L) - 1;
    script->current = task;
    script->is_blocking = false;
    int status = lua_resume(task->L, script->L, count, &results);
    script->current = NULL;
    if (status == LUA_YIELD && task->is_cancelled) {
        script->is_blocking = false;
        task_cancel(task);
    } else if (status == LUA_YIELD) {
        lua_pop(task->L, results);
        if (!script->is_blocking) // a plain coroutine.yield lets others run
            engine_schedule(&script->sim->engine, &task->event,
                            sim_now(script->sim));
        script->is_blocking = false;
    } else if (status == LUA_OK) {
        on_end(task);
    } else {
        script->current = task; // its host belongs into the message
        script_fail_with(script, task->L);
        script->current = NULL;
        release(task);
    }
    if (script->must_settle && !script->is_over) {
        lua_pushcfunction(script->L, network_settle);
        script_call(script, script->L, 0, 0);
    }
}

void task_cancel(struct task *task)
{
    lua_State *co = task->L;
    release(task);
    lua_resetthread(co);
}

void tasks_fini(struct script *script)
{
    while (!list_is_empty(&script->tasks)) {
        struct task *task = CONTAINER_OF(script->tasks.next, struct task, all);
        engine_cancel(&script->sim->engine, &task->event);
        list_remove(&task->wait);
        list_remove(&task->all);
        task->next_free = script->free_tasks;
        script->free_tasks = task;
    }
    while (script->free_tasks != NULL) {
        struct task *task = script->free_tasks;
        script->free_tasks = task->next_free;
        free(task);
    }
}

// --- Waiting

void task_wake_all(struct list *waiters, uint32_t events)
{
    struct list *next;
    for (struct list *l = waiters->next; l != waiters; l = next) {
        struct task *task = CONTAINER_OF(l, struct task, wait);
        struct engine *engine = &task->script->sim->engine;
        next = l->next;
        if ((task->wait_mask & events) == 0)
            continue;
        list_remove(l);
        engine_schedule(engine, &task->event, engine->now);
    }
}

void task_set_deadline(lua_State *L, ns_t deadline)
{
    struct task *task = script_of(L)->current;
    if (task != NULL)
        task->deadline = deadline;
}

void task_set_timeout(lua_State *L, int options)
{
    ns_t now = sim_now(script_of(L)->sim), deadline = NS_NEVER;
    if (options != 0 && lua_getfield(L, options, "timeout") != LUA_TNIL) {
        ns_t timeout = to_time(L, -1, "timeout");
        deadline = timeout > NS_NEVER - now ? NS_NEVER : now + timeout;
    }
    if (options != 0)
        lua_pop(L, 1);
    task_set_deadline(L, deadline);
}

bool task_is_late(lua_State *L)
{
    struct script *script = script_of(L);
    return script->current != NULL &&
           script->current->deadline <= sim_now(script->sim);
}

int task_yield(lua_State *L, const char *what, struct list *waiters,
               uint32_t mask, ns_t until, lua_KContext context, lua_KFunction k)
{
    struct script *script = script_of(L);
    struct task *task = script->current;
    if (task == NULL || !lua_isyieldable(L))
        return luaL_error(L,
                          "%s would have to wait here, and only a task can: "
                          "call it in a function given to spawn",
                          what);
    list_remove(&task->wait);
    if (waiters != NULL)
        list_push_back(waiters, &task->wait);
    task->wait_mask = mask;
    task->waits_for = what;
    if (until == NS_NEVER)
        engine_cancel(&script->sim->engine, &task->event);
    else
        engine_schedule(&script->sim->engine, &task->event, until);
    script->is_blocking = true;
    return lua_yieldk(L, 0, context, k);
}

int task_wait(lua_State *L, const char *what, struct list *waiters,
              uint32_t mask, lua_KContext context, lua_KFunction k)
{
    struct task *task = script_of(L)->current;
    if (task_is_late(L))
        return push_errno(L, -ETIMEDOUT);
    return task_yield(L, what, waiters, mask,
                      task != NULL ? task->deadline : NS_NEVER, context, k);
}
