// What the files of the Lua layer share: the script, helpers for bindings.
// SPDX-License-Identifier: MIT
#ifndef LUA_INTERNAL_H
#define LUA_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lua/script.h"

struct task;
struct document;

struct script {
    struct sim *sim;
    struct scenario *scenario; // NULL: the network is given
    struct document *document; // holds the value trees of the network
    struct document *scratch;  // of the last change; see scratch_document
    const char *last_file;     // of a place, in document
    char *path, *folder;       // of the script; folder ends with '/' or is ""
    FILE *log;
    lua_State *L;

    size_t memory_used, memory_limit;
    uint64_t instructions, instruction_limit;
    ns_t counted_at; // the instant that `instructions` belongs to
    bool is_killed;  // a limit was hit: errors pass every pcall

    struct random random; // math.random
    uint64_t name_counts[LUA_NUMTYPES];

    struct task *current;    // that runs now; NULL: main chunk, hooks
    bool is_blocking;        // the yield under way is a blocking call
    struct list tasks;       // that have not ended, in order of creation
    struct task *free_tasks; // structures to be used again
    struct list sockets;     // open ones (bind_socket.c)
    struct list hooks;       // on links (bind_hook.c)
    struct list choosers;    // of impairments (bind_impair.c)

    bool must_settle; // the network has grown since the run began
    bool is_over;     // nothing of the script may run any more
    bool has_asked;   // the script itself ended the run with stop()
    char *error;      // first mistake
    struct event stop_event;
};

static inline struct script *script_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L);
}

// --- script.c
// Records the first mistake and ends the run. text is copied.
void script_fail(struct script *script, const char *text);
// Appends the simulated time and the running task's host to a message.
void script_append_moment(const struct script *script, char *text, size_t size);
// The same with the error object on top of L's stack, which it pops, and L's
// traceback.
void script_fail_with(struct script *script, lua_State *L);
// Runs the function below nargs arguments on L, outside any task, and drops its
// results beyond `results`. On an error records it and returns false.
bool script_call(struct script *script, lua_State *L, int nargs, int results);

// --- limits.c
void *limits_alloc(void *context, void *block, size_t old_size,
                   size_t new_size); // a lua_Alloc
void limits_start(struct script *script);
bool limits_is_interrupted(const struct script *script); // by Ctrl-C
// A new instant starts a new count; each piece of work costs a little besides
// its instructions, so that a loop over events ends too. False: the script has
// been ended.
bool limits_charge(struct script *script);
// Rethrows the error on top of the stack when nothing may catch it. status: of
// the call that failed.
void limits_pass_on(lua_State *L, int status);

// --- sandbox.c, lib_*.c
void sandbox_open(lua_State *L); // standard libraries without what may not be
void lib_base_open(lua_State *L);
void lib_string_open(lua_State *L);
void lib_table_open(lua_State *L);
void lib_math_open(lua_State *L);
void lib_coroutine_open(lua_State *L);
void lib_task_open(lua_State *L);
void lib_expect_open(lua_State *L);
void modules_open(lua_State *L); // require
// Puts functions into a library's table, in place of those of the same names.
void sandbox_set(lua_State *L, const char *library, const luaL_Reg *functions);

// --- names.c
// The number that stands for an object (table, function, thread, userdata) in
// place of its address: given in order of asking, counted per type.
uint64_t name_number(lua_State *L, int index);
bool name_has_number(lua_State *L, int index, uint64_t *out);
// As luaL_tolstring but with numbers for addresses; pushes and returns.
const char *name_tostring(lua_State *L, int index, size_t *length);

// --- order.c
// Pushes a list of the keys of the table at index in a repeatable order.
// Returns how many.
lua_Integer order_push_keys(lua_State *L, int index);
// <0, 0, >0: the order of two keys.
int order_compare(lua_State *L, int a, int b);

// --- traceback.c
// Appends "\n    file:line: in function 'f'" for each level of `of`.
void traceback_append(lua_State *of, int level, char *text, size_t size);
// "file:line" of the script's code that called the running C function; false:
// none.
struct caller {
    char file[256];
    unsigned line;
};
bool traceback_caller(lua_State *L, struct caller *out);

// --- convert.c
ns_t check_time(lua_State *L, int index); // seconds, or text with a unit
ns_t to_time(lua_State *L, int index, const char *what);
void push_time(lua_State *L, ns_t time); // seconds
// nil and the error's name; returns 2.
int push_errno(lua_State *L, int error);
// The index of the options table, the last argument, at `index` or, behind
// nils, later; 0: there is none. Anything else there is an error, and so are
// unknown keys. known ends with NULL.
int check_options(lua_State *L, int index, const char *const *known);
void check_keys(lua_State *L, int table, const char *const *known);
struct ip_addr check_address(lua_State *L, int index,
                             uint8_t family); // text, host's name or object
// The address at index as an endpoint of the host: "fe80::1%eth0" has a scope.
struct endpoint check_endpoint(lua_State *L, struct host *host, int index,
                               uint8_t family);
void push_endpoint_address(lua_State *L, struct host *host,
                           const struct endpoint *endpoint);
uint16_t check_port(lua_State *L, int index);
void push_address(lua_State *L, const struct ip_addr *address);
uint8_t option_family(lua_State *L, int options); // IP_NONE: not said
bool option_boolean(lua_State *L, int options, const char *key);

// --- value.c
// Makes a value tree of the Lua value at index. Raises errors.
struct value *table_to_value(lua_State *L, struct document *document, int index,
                             struct place place);
struct place caller_place(lua_State *L); // the script's line that runs
// A document for values that are not kept: it lives until the next call.
struct document *scratch_document(lua_State *L);
// Raises an error with all mistakes and destroys the diagnostics; or just
// destroys them when there are none.
void raise_diagnostics(lua_State *L, struct diagnostics *diagnostics);

// --- Objects: one userdata per C object, so that they compare equal.
void object_type(lua_State *L, const char *type, const luaL_Reg *methods,
                 const luaL_Reg *metamethods);
// Pushes the object of `pointer`; makes it the first time.
void object_push(lua_State *L, const char *type, void *pointer);
void *object_check(lua_State *L, int index, const char *type);
void *object_test(lua_State *L, int index, const char *type); // NULL: not one

#define HOST_TYPE   "host"
#define SWITCH_TYPE "switch"
#define LINK_TYPE   "link"
#define APP_TYPE    "app"
// settle(): a lua_CFunction.
int network_settle(lua_State *L);
// Node, link and application objects hold a pointer to theirs.
struct node *check_node(lua_State *L, int index); // object or name
// The direction of frames that the node of option `from` sends; -1: both.
int option_direction(lua_State *L, int options, struct link *link);

// --- bind_*.c, frame_*.c: what a script can call
void bind_network_open(lua_State *L);
void bind_host_open(lua_State *L);
void bind_link_open(lua_State *L);
void bind_hook_open(lua_State *L);
void bind_impair_open(lua_State *L);
void bind_socket_open(lua_State *L);
void bind_socket_option_open(lua_State *L);
void bind_transfer_open(lua_State *L);
void bind_frame_open(lua_State *L);
void sockets_fini(struct script *script);
void hooks_fini(struct script *script);
void choosers_fini(struct script *script);
void tasks_fini(struct script *script);

#endif
