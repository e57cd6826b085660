// Tasks, and how a blocking call waits.
// SPDX-License-Identifier: MIT
#ifndef LUA_TASK_H
#define LUA_TASK_H

#include "lua/internal.h"

struct task {
    struct event event; // its next resumption
    lua_State *L;
    struct task_handle *handle; // what scripts hold
    struct host *host;          // NULL: none
    struct list all;            // script->tasks
    struct list wait;           // in a list of waiters, or alone
    uint32_t wait_mask;         // events that wake it
    const char *waits_for;      // the call that it is in; NULL: none
    ns_t deadline;              // of that call
    struct place place;         // where it was spawned
    bool is_background;         // need not end
    bool is_cancelled;          // by itself: ends when it waits next
    struct task *next_free;
    struct script *script;
};
struct task_handle {
    struct task *task;  // NULL: ended
    struct list joined; // tasks that wait for its end
};
#define TASK_TYPE "task"
// Takes the function and its nargs arguments from L and lets them run at
// `time`. Leaves the task object in their place. Raises errors.
struct task *task_spawn(lua_State *L, int nargs, struct host *host, ns_t time);
void task_cancel(struct task *task);
// Wakes those waiters whose mask has one of the events.
void task_wake_all(struct list *waiters, uint32_t events);

// For a blocking call: reads `timeout` of the options table at index (none: no
// limit) as the deadline of what follows.
void task_set_timeout(lua_State *L, int options);
void task_set_deadline(lua_State *L, ns_t deadline);
bool task_is_late(lua_State *L); // the deadline has come
// Gives up the processor until something wakes the task or the deadline comes;
// then k is called to try again. waiters NULL: only the deadline wakes.
// "return task_wait(...)" only.
int task_wait(lua_State *L, const char *what, struct list *waiters,
              uint32_t mask, lua_KContext context, lua_KFunction k);
// The same until a time of its own, without looking at the deadline.
int task_yield(lua_State *L, const char *what, struct list *waiters,
               uint32_t mask, ns_t until, lua_KContext context,
               lua_KFunction k);

#endif
