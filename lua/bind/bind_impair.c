// Impairments whose victims a Lua function picks.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// A hook may drop, delay or edit a frame. Whatever else can befall one
// (duplicates, reordering, flipped bits, being held) is an impairment of the
// link, and impair adds one to the end of the direction's list whose choice is
// a function's. The function sees a copy of the frame and answers whether it is
// the victim; like a hook it runs in the middle of the network's work and
// cannot wait. Changing a link's impairments by set replaces the list, these
// included.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind/frame_object.h"

#define CHOOSER_TYPE "impairment"

struct chooser {
    struct script *script;
    struct link *link;
    struct list all; // script->choosers; alone: removed
    lua_State *L;    // where the function runs
};

// --- Choosing

// Arguments: chooser, packet, where the answer goes (light userdata),
// direction, function.
static int ask(lua_State *L)
{
    struct chooser *chooser = lua_touserdata(L, 1);
    const struct packet *packet = lua_touserdata(L, 2);
    bool *answer = lua_touserdata(L, 3);
    struct link *link = chooser->link;
    frame_push(L, packet->data, packet->length, link->is_point_to_point);
    object_push(L, LINK_TYPE, link);
    lua_pushstring(L, link->ends[lua_tointeger(L, 4)]->node->name);
    lua_call(L, 3, 1);
    *answer = lua_toboolean(L, -1);
    return 0;
}

static bool choose(void *context, struct link *link, unsigned direction,
                   const struct packet *packet)
{
    struct chooser *chooser = context;
    struct script *script = chooser->script;
    lua_State *L = chooser->L;
    bool answer = false;
    (void)link;
    if (script->is_over || !lua_checkstack(L, 12) || !limits_charge(script))
        return false;
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, chooser);
    lua_pushlightuserdata(L, (void *)packet);
    lua_pushlightuserdata(L, &answer);
    lua_pushinteger(L, direction);
    lua_rawgetp(L, LUA_REGISTRYINDEX, chooser);
    lua_getiuservalue(L, -1, 2);
    lua_remove(L, -2);
    return script_call(script, L, 5, 0) && answer;
}

// --- The direction's list

// Sets the list without the chooser's entries, with `added` (may be NULL) at
// its end.
static int change_list(struct chooser *chooser, unsigned direction,
                       const struct impairment_config *added)
{
    struct link_direction_config config = *link_get(chooser->link, direction);
    size_t count = 0;
    struct impairment_config *list =
        calloc(config.impairment_count + 1, sizeof(*list));
    if (list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config.impairment_count; i++)
        if (config.impairments[i].select.choose_context != chooser)
            list[count++] = config.impairments[i];
    bool is_changed = added != NULL || count != config.impairment_count;
    if (added != NULL)
        list[count++] = *added;
    config.impairments = list;
    config.impairment_count = count;
    int error = is_changed ? link_set(chooser->link, direction, &config) : 0;
    free(list);
    return error;
}

static void remove_chooser(struct chooser *chooser)
{
    for (unsigned i = 0; i < 2; i++)
        (void)change_list(chooser, i, NULL);
    list_remove(&chooser->all);
}

static int chooser_remove(lua_State *L)
{
    struct chooser *chooser = luaL_checkudata(L, 1, CHOOSER_TYPE);
    if (!list_is_empty(&chooser->all))
        remove_chooser(chooser); // the object stays: it may be running
    return 0;
}

// --- Adding

static uint32_t option_count(lua_State *L, int options, const char *key,
                             lua_Integer most)
{
    if (lua_getfield(L, options, key) == LUA_TNIL) {
        lua_pop(L, 1);
        return 0;
    }
    lua_Integer count = luaL_checkinteger(L, -1);
    if (count < 1 || count > most)
        luaL_error(L, "%s is 1 to %I", key, most);
    lua_pop(L, 1);
    return (uint32_t)count;
}

static struct impairment_config read_config(lua_State *L, int options)
{
    static const char *const actions[] = {"drop",      "delay",   "reorder",
                                          "duplicate", "corrupt", "hold",
                                          "mark",      NULL};
    struct impairment_config config = impairment_default;
    lua_getfield(L, options, "action");
    config.action =
        (enum impairment_action)luaL_checkoption(L, -1, NULL, actions);
    if (lua_getfield(L, options, "by") != LUA_TNIL)
        config.delay = to_time(L, -1, "by");
    lua_pop(L, 2);
    config.copies = option_count(L, options, "copies", 1000);
    config.bytes = option_count(L, options, "bits", 65535);
    config.position = option_count(L, options, "after_frames", 1000000);
    return config;
}

// Pushes the object, which the registry keeps; its user values are its
// coroutine and the function.
static struct chooser *push_chooser(lua_State *L, struct link *link,
                                    int function)
{
    struct chooser *chooser = lua_newuserdatauv(L, sizeof(*chooser), 2);
    chooser->script = script_of(L);
    chooser->link = link;
    list_init(&chooser->all);
    luaL_setmetatable(L, CHOOSER_TYPE);
    name_number(L, -1);
    chooser->L = lua_newthread(L);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, function);
    lua_setiuservalue(L, -2, 2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, chooser);
    return chooser;
}

// impair(function(frame, link, from), {action=, from=, by=, copies=, bits=,
// after_frames=})
static int link_impair(lua_State *L)
{
    static const char *const known[] = {"action", "after_frames", "bits", "by",
                                        "copies", "from",         NULL};
    struct link *link = object_check(L, 1, LINK_TYPE);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int options = check_options(L, 3, known);
    luaL_argcheck(L, options != 0, 3, "expected {action=...}");
    struct impairment_config config = read_config(L, options);
    int direction = option_direction(L, options, link);
    struct chooser *chooser = push_chooser(L, link, 2);
    config.select.choose = choose;
    config.select.choose_context = chooser;
    list_push_back(&chooser->script->choosers, &chooser->all);
    for (int i = 0; i < 2; i++) {
        if (direction >= 0 && direction != i)
            continue;
        if (change_list(chooser, (unsigned)i, &config) < 0)
            return luaL_error(L, "%s", sim_error(chooser->script->sim));
    }
    return 1;
}

void choosers_fini(struct script *script)
{
    while (!list_is_empty(&script->choosers))
        remove_chooser(
            CONTAINER_OF(script->choosers.next, struct chooser, all));
}

void bind_impair_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"remove", chooser_remove},
                                       {NULL, NULL}};
    static const luaL_Reg link_methods[] = {{"impair", link_impair},
                                            {NULL, NULL}};
    object_type(L, CHOOSER_TYPE, methods, NULL);
    object_type(L, LINK_TYPE, link_methods, NULL);
}
