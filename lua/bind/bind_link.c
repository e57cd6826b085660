// Links as scripts see them: parameters, up and down, statistics.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <string.h>

#include "lua/bind/frame_object.h"

static struct link *check_link(lua_State *L)
{
    return object_check(L, 1, LINK_TYPE);
}

int option_direction(lua_State *L, int options, struct link *link)
{
    if (options == 0)
        return -1;
    if (lua_getfield(L, options, "from") == LUA_TNIL) {
        lua_pop(L, 1);
        return -1;
    }
    struct node *node = check_node(L, -1);
    lua_pop(L, 1);
    for (int end = 0; end < 2; end++)
        if (link->ends[end]->node == node)
            return end;
    return luaL_error(L, "link %s does not end at %s but at %s and %s",
                      link->name, node->name, link->ends[0]->node->name,
                      link->ends[1]->node->name);
}

static const char *const from_only[] = {"from", NULL};

// --- Parameters

// set({loss="5%"}, {from=...})
static int link_set_parameters(lua_State *L)
{
    struct script *script = script_of(L);
    struct link *link = check_link(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    int direction = option_direction(L, check_options(L, 3, from_only), link);
    if (script->scenario == NULL)
        return luaL_error(L, "the network of this run cannot be changed");
    struct value *changes =
        table_to_value(L, scratch_document(L), 2, caller_place(L));
    struct diagnostics *diagnostics = diagnostics_create();
    int error = scenario_change_link(script->scenario, link, direction, changes,
                                     diagnostics);
    raise_diagnostics(L, diagnostics);
    if (error < 0)
        return luaL_error(L, "%s", sim_error(script->sim));
    return 0;
}

static void set_integer(lua_State *L, const char *key, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

static void set_time(lua_State *L, const char *key, ns_t time)
{
    push_time(L, time);
    lua_setfield(L, -2, key);
}

// get({from=...}): what both directions have in common is asked of the first.
static int link_get_parameters(lua_State *L)
{
    struct link *link = check_link(L);
    int direction = option_direction(L, check_options(L, 2, from_only), link);
    const struct link_direction_config *config =
        link_get(link, direction == 1 ? 1 : 0);
    lua_createtable(L, 0, 7);
    set_integer(L, "rate", config->rate_bps);
    set_time(L, "delay", config->delay);
    set_time(L, "jitter", config->jitter);
    set_integer(L, "mtu", config->mtu);
    set_integer(L, "queue_packets", config->queue.limit_packets);
    set_integer(L, "queue_bytes", config->queue.limit_bytes);
    set_time(L, "queue_time", config->queue.limit_time);
    return 1;
}

static int link_do_up(lua_State *L)
{
    link_set_up(check_link(L), true);
    return 0;
}

static int link_do_down(lua_State *L)
{
    link_set_up(check_link(L), false);
    return 0;
}

static int link_is_up(lua_State *L)
{
    lua_pushboolean(L, check_link(L)->is_up);
    return 1;
}

static int link_name(lua_State *L)
{
    lua_pushstring(L, check_link(L)->name);
    return 1;
}

static int link_ends(lua_State *L)
{
    struct link *link = check_link(L);
    for (int end = 0; end < 2; end++) {
        struct node *node = link->ends[end]->node;
        object_push(L, node_is_host(node) ? HOST_TYPE : SWITCH_TYPE, node);
    }
    return 2;
}

static int link_release(lua_State *L)
{
    struct link *link = check_link(L);
    int direction = option_direction(L, check_options(L, 2, from_only), link);
    for (unsigned i = 0; i < 2; i++)
        if (direction < 0 || (unsigned)direction == i)
            link_release_held(link, i);
    return 0;
}

// --- Statistics

static void push_stats(lua_State *L, const struct link_direction_stats *s)
{
    uint64_t lost = 0;
    lua_newtable(L);
    set_integer(L, "frames_in", s->frames_in);
    set_integer(L, "bytes_in", s->bytes_in);
    set_integer(L, "frames_delivered", s->frames_delivered);
    set_integer(L, "bytes_delivered", s->bytes_delivered);
    set_integer(L, "duplicated", s->duplicated);
    set_integer(L, "corrupted", s->corrupted);
    set_integer(L, "reordered", s->reordered);
    set_integer(L, "delayed", s->delayed);
    set_integer(L, "marked", s->marked);
    set_integer(L, "held", s->held);
    set_integer(L, "edited", s->edited);
    set_integer(L, "injected", s->injected);
    set_integer(L, "queued", s->queued);
    set_integer(L, "in_flight", s->in_flight);
    set_integer(L, "peak_queue_packets", s->peak_queue_packets);
    set_integer(L, "peak_queue_bytes", s->peak_queue_bytes);
    set_time(L, "peak_queue_delay", s->peak_queue_delay);
    set_time(L, "busy", s->busy);
    lua_newtable(L);
    for (int i = 0; i < LINK_DROP_COUNT; i++) {
        lost += s->dropped[i];
        if (s->dropped[i] > 0)
            set_integer(L, link_drop_name((enum link_drop)i), s->dropped[i]);
    }
    lua_setfield(L, -2, "dropped_by");
    set_integer(L, "dropped", lost);
}

// stats{from=...}; of both directions together without.
static int link_stats_table(lua_State *L)
{
    struct link *link = check_link(L);
    int direction = option_direction(L, check_options(L, 2, from_only), link);
    if (direction < 0)
        return luaL_error(L, "stats{from=...}: say whose frames");
    struct link_direction_stats stats =
        link_get_stats(link, (unsigned)direction);
    push_stats(L, &stats);
    return 1;
}

// --- Frames of the script's own

// inject(frame, {from=...})
static int link_do_inject(lua_State *L)
{
    struct link *link = check_link(L);
    struct sim *sim = script_of(L)->sim;
    struct frame_object *frame = frame_check(L, 2);
    int direction = option_direction(L, check_options(L, 3, from_only), link);
    if (direction < 0)
        return luaL_error(L, "inject(frame, {from=...}): say whose frame it "
                             "is");
    if (frame->starts_with_ip != link->is_point_to_point)
        return luaL_error(L, "link %s carries frames %s an Ethernet header",
                          link->name,
                          link->is_point_to_point ? "without" : "with");
    frame_settle(frame);
    struct packet *packet = packet_alloc(sim->pool, 64, frame->length);
    if (packet == NULL)
        return push_errno(L, -ENOBUFS);
    memcpy(packet_put(packet, frame->length), frame->bytes, frame->length);
    link_inject(link, (unsigned)direction, packet);
    lua_pushboolean(L, 1);
    return 1;
}

void bind_link_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"down", link_do_down},
        {"ends", link_ends},
        {"get", link_get_parameters},
        {"inject", link_do_inject},
        {"is_up", link_is_up},
        {"name", link_name},
        {"release", link_release},
        {"set", link_set_parameters},
        {"stats", link_stats_table},
        {"up", link_do_up},
        {NULL, NULL},
    };
    object_type(L, LINK_TYPE, methods, NULL);
}
