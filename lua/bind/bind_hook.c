// Hooks: Lua functions that see every frame at a point of a link.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// on_frame puts a function at a point: a direction of a link, where frames are
// sent (they enter the direction) or where they arrive (about to be delivered).
// The function gets a frame object with a copy of the bytes. What it returns is
// the verdict; what it wrote into the object goes back into the packet. It runs
// in the middle of the network's work, outside any task, on a coroutine of its
// own that cannot yield: it may call anything that does not block.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind/frame_object.h"

#define HOOK_TYPE "hook"

struct script_hook {
    struct script *script;
    struct link *link;
    int ids[2];         // 0: none in that direction
    struct list all;    // script->hooks; alone: removed
    lua_State *L;       // where the function runs
    struct place place; // where it was added
    bool is_arriving;
};

// --- Running

static struct hook_verdict read_verdict(lua_State *L,
                                        const struct script_hook *hook)
{
    struct hook_verdict verdict = {.action = VERDICT_PASS};
    const char *word = lua_tostring(L, -2);
    if (word == NULL || strcmp(word, "pass") == 0)
        return verdict;
    if (strcmp(word, "drop") == 0) {
        verdict.action = VERDICT_DROP;
    } else if (strcmp(word, "delay") == 0) {
        verdict.action = VERDICT_DELAY;
        verdict.delay = to_time(L, -1, "delay");
    } else {
        luaL_error(L,
                   "%s:%d: the hook added here returned '%s'; a hook returns "
                   "nothing, \"pass\", \"drop\", or \"delay\" with a time",
                   hook->place.file, (int)hook->place.line, word);
    }
    return verdict;
}

static int write_back(const struct frame_object *from, struct packet *packet)
{
    size_t more =
        from->length > packet->length ? from->length - packet->length : 0;
    int error = packet_make_writable(packet, more);
    if (error < 0)
        return error;
    if (more > 0)
        packet_push(packet, more);
    else
        packet_trim(packet, from->length);
    memcpy(packet->data, from->bytes, from->length);
    return 0;
}

// Arguments: hook, packet, where the verdict goes, direction (all but the last
// light userdata), function.
static int run_protected(lua_State *L)
{
    struct script_hook *hook = lua_touserdata(L, 1);
    struct packet *packet = lua_touserdata(L, 2);
    struct hook_verdict *out = lua_touserdata(L, 3);
    struct frame_object *frame = frame_push(L, packet->data, packet->length,
                                            hook->link->is_point_to_point);
    int object = lua_gettop(L);
    lua_pushvalue(L, 5);
    lua_pushvalue(L, object);
    object_push(L, LINK_TYPE, hook->link);
    lua_pushstring(L, hook->link->ends[lua_tointeger(L, 4)]->node->name);
    lua_call(L, 3, 2);
    *out = read_verdict(L, hook);
    if (out->action == VERDICT_DELAY && hook->is_arriving)
        luaL_error(L,
                   "%s:%d: the hook added here delays frames that arrive; "
                   "hook them where they are sent",
                   hook->place.file, (int)hook->place.line);
    if (frame->is_edited && out->action != VERDICT_DROP) {
        frame_settle(frame);
        if (write_back(frame, packet) < 0)
            luaL_error(L, "no memory for the edited frame");
        out->is_edited = true;
    }
    return 0;
}

static struct hook_verdict on_frame(void *context, struct link *link,
                                    unsigned direction, struct packet *packet)
{
    struct script_hook *hook = context;
    struct script *script = hook->script;
    struct hook_verdict verdict = {.action = VERDICT_PASS};
    lua_State *L = hook->L;
    (void)link;
    if (script->is_over || !lua_checkstack(L, 10) || !limits_charge(script))
        return verdict;
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, hook);
    lua_pushlightuserdata(L, packet);
    lua_pushlightuserdata(L, &verdict);
    lua_pushinteger(L, direction);
    lua_rawgetp(L, LUA_REGISTRYINDEX, hook);
    lua_getiuservalue(L, -1, 2);
    lua_remove(L, -2);
    if (!script_call(script, L, 5, 0))
        return (struct hook_verdict){.action = VERDICT_PASS};
    return verdict;
}

// --- Adding and removing

static void remove_hook(struct script_hook *hook)
{
    for (int i = 0; i < 2; i++)
        if (hook->ids[i] != 0)
            link_remove_hook(hook->link, hook->ids[i]);
    hook->ids[0] = hook->ids[1] = 0;
    list_remove(&hook->all);
}

static int hook_remove(lua_State *L)
{
    struct script_hook *hook = luaL_checkudata(L, 1, HOOK_TYPE);
    remove_hook(hook); // the object stays: it may be running
    return 0;
}

static bool option_is_arriving(lua_State *L, int options)
{
    static const char *const points[] = {"sent", "arriving", NULL};
    if (options == 0)
        return false;
    lua_getfield(L, options, "at");
    int point = luaL_checkoption(L, -1, "sent", points);
    lua_pop(L, 1);
    return point == 1;
}

// Pushes the hook object, which the registry keeps; its user values are its
// coroutine and the function.
static struct script_hook *push_hook(lua_State *L, int function)
{
    struct script_hook *hook = lua_newuserdatauv(L, sizeof(*hook), 2);
    memset(hook, 0, sizeof(*hook));
    hook->script = script_of(L);
    list_init(&hook->all);
    luaL_setmetatable(L, HOOK_TYPE);
    name_number(L, -1);
    hook->L = lua_newthread(L);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, function);
    lua_setiuservalue(L, -2, 2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, hook);
    return hook;
}

// on_frame(function(frame, link, from), {from=, at="sent"|"arriving"})
static int link_on_frame(lua_State *L)
{
    static const char *const known[] = {"at", "from", NULL};
    struct link *link = object_check(L, 1, LINK_TYPE);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int options = check_options(L, 3, known);
    int direction = option_direction(L, options, link);
    bool is_arriving = option_is_arriving(L, options);
    struct script_hook *hook = push_hook(L, 2);
    hook->place = caller_place(L);
    hook->link = link;
    hook->is_arriving = is_arriving;
    list_push_back(&hook->script->hooks, &hook->all);
    for (int i = 0; i < 2; i++) {
        if (direction >= 0 && direction != i)
            continue;
        int id = link_add_hook(link, (unsigned)i,
                               is_arriving ? HOOK_ARRIVING : HOOK_SENT,
                               on_frame, hook);
        if (id < 0)
            return luaL_error(L, "out of memory for hooks");
        hook->ids[i] = id;
    }
    return 1;
}

void hooks_fini(struct script *script)
{
    while (!list_is_empty(&script->hooks))
        remove_hook(CONTAINER_OF(script->hooks.next, struct script_hook, all));
}

void bind_hook_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"remove", hook_remove}, {NULL, NULL}};
    static const luaL_Reg link_methods[] = {{"on_frame", link_on_frame},
                                            {NULL, NULL}};
    object_type(L, HOOK_TYPE, methods, NULL);
    object_type(L, LINK_TYPE, link_methods, NULL);
}
