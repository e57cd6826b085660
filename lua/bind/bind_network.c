// Building a network from a script: nodes, links, applications.
// SPDX-License-Identifier: MIT

// Each of host, router, switch, link and app is a table that finds by index or
// call, and makes what is called with a description: host.a, host("a"),
// host("a", {...}). Descriptions have the keys of the YAML file and go the same
// way (sim/config): one schema, one set of sentences about mistakes.

#include <errno.h>
#include <string.h>

#include "lua/internal.h"

static struct scenario *need_scenario(lua_State *L)
{
    struct scenario *scenario = script_of(L)->scenario;
    if (scenario == NULL)
        luaL_error(L, "the network of this run cannot be changed");
    return scenario;
}

// --- Adding

// A failure that is no mistake of the description.
static void raise_failure(lua_State *L, int error)
{
    const char *why = sim_error(script_of(L)->sim);
    luaL_error(L, "%s", why != NULL && *why != '\0' ? why : strerror(-error));
}

int network_settle(lua_State *L)
{
    struct scenario *scenario = need_scenario(L);
    script_of(L)->must_settle = false;
    struct diagnostics *diagnostics = diagnostics_create();
    int error = scenario_settle(scenario, diagnostics);
    raise_diagnostics(L, diagnostics);
    if (error < 0)
        raise_failure(L, error);
    return 0;
}

// {name = description}, or [description] for sections that are lists.
static void apply(lua_State *L, const char *section, const char *name,
                  int description)
{
    struct script *script = script_of(L);
    struct scenario *scenario = need_scenario(L);
    struct place place = caller_place(L);
    struct value *entry =
        table_to_value(L, script->document, description, place);
    struct value *whole = value_create(
        script->document, name != NULL ? VALUE_MAP : VALUE_LIST, place);
    if (name != NULL) {
        entry->key = (char *)document_string(script->document, name);
        entry->key_place = place;
    }
    value_append(whole, entry);
    struct diagnostics *diagnostics = diagnostics_create();
    int error = scenario_apply(scenario, section, whole, diagnostics);
    raise_diagnostics(L, diagnostics);
    if (error < 0)
        raise_failure(L, error);
    if (script->sim->engine.events_run > 0)
        script->must_settle = true; // when the task waits or ends
}

// --- Finding

static struct node *find_node(lua_State *L, const char *name,
                              const char *section)
{
    struct node *node = sim_find_node(script_of(L)->sim, name);
    if (node == NULL)
        return NULL;
    bool is_wanted = strcmp(section, "switches") == 0
                         ? node->kind == NODE_SWITCH
                     : strcmp(section, "taps") == 0 ? node->kind == NODE_TAP
                                                    : node_is_host(node);
    return is_wanted ? node : NULL;
}

static bool push_found(lua_State *L, const char *section, const char *name)
{
    struct sim *sim = script_of(L)->sim;
    void *found;
    const char *type = HOST_TYPE;
    if (strcmp(section, "links") == 0) {
        found = sim_find_link(sim, name);
        type = LINK_TYPE;
    } else if (strcmp(section, "apps") == 0) {
        found = sim_find_app(sim, name);
        type = APP_TYPE;
    } else {
        struct node *node = find_node(L, name, section);
        found = node;
        // Neither switches nor taps have methods.
        type = node != NULL && !node_is_host(node) ? SWITCH_TYPE : HOST_TYPE;
    }
    if (found != NULL)
        object_push(L, type, found);
    return found != NULL;
}

// Every finder's upvalues: the section, and what its things are called.
static const char *section_of(lua_State *L)
{
    return lua_tostring(L, lua_upvalueindex(1));
}

static int raise_missing(lua_State *L, const char *name)
{
    return luaL_error(L, "there is no %s '%s'",
                      lua_tostring(L, lua_upvalueindex(2)), name);
}

static int finder_index(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    return push_found(L, section_of(L), name) ? 1 : raise_missing(L, name);
}

static int finder_call(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    if (!lua_isnoneornil(L, 3))
        apply(L, section_of(L), name, 3);
    return push_found(L, section_of(L), name) ? 1 : raise_missing(L, name);
}

static struct app *last_app(struct sim *sim)
{
    struct app *last = NULL;
    for (struct app *app = NULL; (app = sim_next_app(sim, app)) != NULL;)
        last = app;
    return last;
}

// app{...} makes one without a name of the script's choosing.
static int app_call(lua_State *L)
{
    if (!lua_istable(L, 2))
        return finder_call(L);
    struct app *before = last_app(script_of(L)->sim);
    apply(L, "apps", NULL, 2);
    struct app *made = last_app(script_of(L)->sim);
    if (made == before)
        return luaL_error(L, "no application was made");
    object_push(L, APP_TYPE, made);
    return 1;
}

static int finder_newindex(lua_State *L)
{
    return luaL_error(L, "%ss are made with %s(name, {...})",
                      lua_tostring(L, lua_upvalueindex(2)),
                      lua_tostring(L, lua_upvalueindex(2)));
}

static void add_finder(lua_State *L, const char *name, const char *section,
                       lua_CFunction call)
{
    const struct {
        const char *event;
        lua_CFunction function;
    } events[] = {{"__index", finder_index},
                  {"__newindex", finder_newindex},
                  {"__call", call}};
    lua_newtable(L);
    lua_newtable(L);
    for (size_t i = 0; i < ARRAY_LENGTH(events); i++) {
        lua_pushstring(L, section);
        lua_pushstring(L, name);
        lua_pushcclosure(L, events[i].function, 2);
        lua_setfield(L, -2, events[i].event);
    }
    lua_pushliteral(L, "locked");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setglobal(L, name);
}

struct node *check_node(lua_State *L, int index)
{
    struct node *node = object_test(L, index, HOST_TYPE);
    if (node == NULL)
        node = object_test(L, index, SWITCH_TYPE);
    if (node == NULL) {
        const char *name = luaL_checkstring(L, index);
        node = sim_find_node(script_of(L)->sim, name);
        if (node == NULL)
            luaL_error(L, "there is no host, router or switch '%s'", name);
    }
    return node;
}

// --- Applications

static int app_get_name(lua_State *L)
{
    lua_pushstring(L, app_name(object_check(L, 1, APP_TYPE)));
    return 1;
}

static int app_tostring(lua_State *L)
{
    lua_pushfstring(L, "app %s", app_name(object_check(L, 1, APP_TYPE)));
    return 1;
}

static int app_do_start(lua_State *L)
{
    app_start(object_check(L, 1, APP_TYPE));
    return 0;
}

static int app_do_stop(lua_State *L)
{
    app_stop(object_check(L, 1, APP_TYPE));
    return 0;
}

static void set_integer(lua_State *L, const char *key, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

// Times that have not come are left out.
static void set_time(lua_State *L, const char *key, ns_t time)
{
    if (time == NS_NEVER)
        return;
    push_time(L, time);
    lua_setfield(L, -2, key);
}

static int app_stats_table(lua_State *L)
{
    struct app_stats s = app_get_stats(object_check(L, 1, APP_TYPE));
    lua_newtable(L);
    set_integer(L, "bytes_sent", s.bytes_sent);
    set_integer(L, "bytes_received", s.bytes_received);
    set_integer(L, "messages_sent", s.messages_sent);
    set_integer(L, "messages_received", s.messages_received);
    set_integer(L, "lost", s.lost);
    set_integer(L, "reordered", s.reordered);
    set_integer(L, "duplicated", s.duplicated);
    set_integer(L, "connections", s.connections);
    set_time(L, "started_at", s.started_at);
    set_time(L, "first_byte_at", s.first_byte_at);
    set_time(L, "last_byte_at", s.last_byte_at);
    set_time(L, "finished_at", s.finished_at);
    if (s.messages_received > 0) {
        set_time(L, "rtt_min", s.rtt_min);
        set_time(L, "rtt_max", s.rtt_max);
        set_time(L, "rtt_mean", s.rtt_total / (ns_t)s.messages_received);
    }
    set_time(L, "jitter", s.jitter);
    if (s.error != 0) {
        push_errno(L, s.error);
        lua_setfield(L, -3, "error");
        lua_pop(L, 1);
    }
    lua_pushboolean(L, s.is_running);
    lua_setfield(L, -2, "is_running");
    lua_pushboolean(L, s.is_finished);
    lua_setfield(L, -2, "is_finished");
    return 1;
}

void bind_network_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"settle", network_settle},
                                         {NULL, NULL}};
    static const luaL_Reg app_methods[] = {
        {"name", app_get_name},
        {"start", app_do_start},
        {"stats", app_stats_table},
        {"stop", app_do_stop},
        {NULL, NULL},
    };
    static const luaL_Reg app_metamethods[] = {{"__tostring", app_tostring},
                                               {NULL, NULL}};
    static const luaL_Reg switch_methods[] = {{NULL, NULL}};
    sandbox_set(L, LUA_GNAME, functions);
    object_type(L, APP_TYPE, app_methods, app_metamethods);
    object_type(L, SWITCH_TYPE, switch_methods, NULL);
    add_finder(L, "host", "hosts", finder_call);
    add_finder(L, "router", "routers", finder_call);
    add_finder(L, "switch", "switches", finder_call);
    add_finder(L, "tap", "taps", finder_call);
    add_finder(L, "link", "links", finder_call);
    add_finder(L, "app", "apps", app_call);
}
