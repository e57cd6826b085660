// The life of a script: creation, main chunk, first mistake, end.
// SPDX-License-Identifier: MIT

#include "lua/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lua/task.h"

enum { MESSAGE_SIZE = 8192, MOST_SCRIPT_BYTES = 64 << 20 };

// --- Mistakes

void script_fail(struct script *script, const char *text)
{
    static const char out_of_memory[] = "not enough memory";
    size_t n = strlen(out_of_memory);
    char *sentence = NULL;
    script->is_over = true;
    if (limits_is_interrupted(script)) // nobody's mistake; the engine sees it
        return;
    sim_stop(script->sim);
    if (script->error == NULL && strncmp(text, out_of_memory, n) == 0 &&
        asprintf(&sentence, "%s: the script needs more than %zu MiB%s",
                 script->path, script->memory_limit >> 20, text + n) > 0)
        script->error = sentence;
    if (script->error == NULL)
        script->error = strdup(text);
}

// The error object 1 as text.
static int error_text(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING ||
        luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
        name_tostring(L, 1, NULL);
        return 1;
    }
    lua_pushfstring(L, "the script raised %s as its error",
                    name_tostring(L, 1, NULL));
    return 1;
}

void script_append_moment(const struct script *script, char *text, size_t size)
{
    char time[48];
    size_t n = strlen(text);
    snprintf(text + n, size - n, "\n    at %s",
             format_time(sim_now(script->sim), time, sizeof(time)));
    n = strlen(text);
    if (script->current != NULL && script->current->host != NULL)
        snprintf(text + n, size - n, " on %s",
                 script->current->host->node.name);
}

void script_fail_with(struct script *script, lua_State *L)
{
    char text[MESSAGE_SIZE];
    lua_State *main = script->L;
    const char *message = "an error that cannot be shown";
    int top = lua_gettop(main);
    lua_pushcfunction(main, error_text);
    if (L == main) {
        lua_insert(L, -2);
        top--;
    } else {
        lua_xmove(L, main, 1);
    }
    if (lua_pcall(main, 1, 1, 0) == LUA_OK || lua_isstring(main, -1))
        message = lua_tostring(main, -1);
    snprintf(text, sizeof(text) / 2, "%s", message);
    script_append_moment(script, text, sizeof(text));
    if (L != main)
        traceback_append(L, 0, text, sizeof(text));
    lua_settop(main, top);
    script_fail(script, text);
}

// Message handler of calls outside tasks: text and traceback while the stack is
// still there.
static int on_error(lua_State *L)
{
    struct script *script = script_of(L);
    char text[MESSAGE_SIZE] = "";
    error_text(L);
    snprintf(text, sizeof(text) / 2, "%s", lua_tostring(L, -1));
    script_append_moment(script, text, sizeof(text));
    traceback_append(L, 1, text, sizeof(text));
    lua_pushstring(L, text);
    return 1;
}

bool script_call(struct script *script, lua_State *L, int nargs, int results)
{
    struct task *current = script->current;
    bool was_blocking = script->is_blocking;
    int base = lua_gettop(L) - nargs;
    lua_pushcfunction(L, on_error);
    lua_insert(L, base);
    script->current = NULL;
    int status = lua_pcall(L, nargs, results, base);
    script->current = current;
    script->is_blocking = was_blocking;
    lua_remove(L, base);
    if (status == LUA_OK)
        return true;
    script_fail(script, lua_isstring(L, -1) ? lua_tostring(L, -1)
                                            : "an error that cannot be shown");
    lua_pop(L, 1);
    return false;
}

const char *script_error(const struct script *script) { return script->error; }

// --- Creation

static int open_all(lua_State *L)
{
    sandbox_open(L);
    lib_task_open(L);
    lib_expect_open(L);
    bind_network_open(L);
    bind_host_open(L);
    bind_link_open(L);
    bind_hook_open(L);
    bind_impair_open(L);
    bind_socket_open(L);
    bind_socket_option_open(L);
    bind_transfer_open(L);
    bind_frame_open(L);
    modules_open(L);
    return 0;
}

static void on_stop(struct event *event)
{
    sim_stop(CONTAINER_OF(event, struct script, stop_event)->sim);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strndup(path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
}

static void set_options(struct script *script,
                        const struct script_options *options)
{
    if (options != NULL) {
        script->log = options->log;
        script->memory_limit = options->memory_limit;
        script->instruction_limit = options->instruction_limit;
    }
    if (script->memory_limit == 0)
        script->memory_limit = SCRIPT_MEMORY_LIMIT;
    if (script->instruction_limit == 0)
        script->instruction_limit = SCRIPT_INSTRUCTION_LIMIT;
}

static int start_state(struct script *script)
{
    script->L = lua_newstate(limits_alloc, script);
    if (script->L == NULL)
        return -ENOMEM;
    *(struct script **)lua_getextraspace(script->L) = script;
    limits_start(script);
    lua_pushcfunction(script->L, open_all);
    return script_call(script, script->L, 0, 0) ? 0 : -ENOMEM;
}

int script_create(struct sim *sim, struct scenario *scenario, const char *path,
                  const struct script_options *options, struct script **out)
{
    struct script *script = calloc(1, sizeof(*script));
    if (script == NULL)
        return -ENOMEM;
    script->sim = sim;
    script->scenario = scenario;
    list_init(&script->tasks);
    list_init(&script->sockets);
    list_init(&script->hooks);
    list_init(&script->choosers);
    event_init(&script->stop_event, sim_new_order(sim), on_stop);
    set_options(script, options);
    script->path = strdup(path);
    script->folder = folder_of(path);
    script->document = document_create();
    if (script->path == NULL || script->folder == NULL ||
        script->document == NULL || engine_reserve(&sim->engine, 1) < 0 ||
        start_state(script) < 0) {
        script_destroy(script);
        return -ENOMEM;
    }
    *out = script;
    return 0;
}

// --- Loading

static int load_chunk(lua_State *L)
{
    struct script *script = script_of(L);
    size_t length = (size_t)lua_tointeger(L, 2);
    lua_pushfstring(L, "@%s", script->path);
    if (luaL_loadbufferx(L, lua_touserdata(L, 1), length, lua_tostring(L, -1),
                         "t") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

int script_load_text(struct script *script, const char *text, size_t length)
{
    // A first line for the shell is none for Lua; the newline stays, so that
    // lines keep their numbers.
    while (length > 0 && *text == '#' && text[1] != '\n')
        text++, length--;
    lua_pushcfunction(script->L, load_chunk);
    lua_pushlightuserdata(script->L, (void *)text);
    lua_pushinteger(script->L, (lua_Integer)length);
    limits_charge(script);
    return script_call(script, script->L, 2, 0) ? 0 : -EINVAL;
}

// The whole file in memory from malloc; NULL with errno.
static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    if (file == NULL)
        return NULL;
    size_t capacity = 1 << 16;
    *length = 0;
    for (;;) {
        char *more = realloc(text, capacity);
        if (more == NULL)
            break;
        text = more;
        *length += fread(text + *length, 1, capacity - *length, file);
        if (*length < capacity) {
            if (ferror(file))
                break;
            fclose(file);
            return text;
        }
        if (capacity > MOST_SCRIPT_BYTES) {
            errno = EFBIG;
            break;
        }
        capacity *= 2;
    }
    int error = errno;
    free(text);
    fclose(file);
    errno = error;
    return NULL;
}

int script_load(struct script *script)
{
    size_t length;
    char *text = read_file(script->path, &length);
    if (text == NULL) {
        int error = errno;
        char message[512];
        snprintf(message, sizeof(message), "cannot read script %s: %s",
                 script->path, strerror(error));
        script_fail(script, message);
        return -error;
    }
    int result = script_load_text(script, text, length);
    free(text);
    return result;
}

// --- The end

// A server waits for clients for ever; that is no sign of trouble.
static bool may_wait_for_ever(const struct task *task)
{
    return task->is_background || task->waits_for == NULL ||
           strcmp(task->waits_for, "accept") == 0 ||
           strcmp(task->waits_for, "recv_from") == 0;
}

static void report_stuck(struct script *script, struct task *task)
{
    char text[MESSAGE_SIZE];
    snprintf(text, sizeof(text),
             "%s:%u: the task spawned here%s%s has not ended: it waits in %s",
             task->place.file, task->place.line,
             task->host != NULL ? " on " : "",
             task->host != NULL ? task->host->node.name : "", task->waits_for);
    traceback_append(task->L, 0, text, sizeof(text));
    sim_fail(script->sim, "%s", text);
}

int script_finish(struct script *script, enum engine_result result)
{
    bool is_whole = (result == ENGINE_IDLE || result == ENGINE_UNTIL ||
                     result == ENGINE_STOPPED) &&
                    script->error == NULL && !script->has_asked;
    for (struct list *l = script->tasks.next; is_whole && l != &script->tasks;
         l = l->next) {
        struct task *task = CONTAINER_OF(l, struct task, all);
        if (!may_wait_for_ever(task))
            report_stuck(script, task);
    }
    script->is_over = true;
    engine_cancel(&script->sim->engine, &script->stop_event);
    hooks_fini(script);
    choosers_fini(script);
    sockets_fini(script);
    tasks_fini(script);
    return script->error != NULL ? -EINVAL : 0;
}

void script_destroy(struct script *script)
{
    if (script == NULL)
        return;
    script->is_over = true;
    engine_cancel(&script->sim->engine, &script->stop_event);
    hooks_fini(script);
    choosers_fini(script);
    sockets_fini(script);
    tasks_fini(script);
    if (script->L != NULL)
        lua_close(script->L);
    document_destroy(script->scratch);
    document_destroy(script->document);
    free(script->path);
    free(script->folder);
    free(script->error);
    free(script);
}
