// Options, settings, variables of sockets by name.
// SPDX-License-Identifier: MIT

// A socket option (socket_set_option) has its own short list; every row of
// stack/settings.h can be set on a socket too and is read by the scenario's own
// reader, so that a value is written alike in YAML and here.

#include <errno.h>
#include <string.h>

#include "lua/bind/socket_object.h"

enum option_kind { KIND_BOOLEAN, KIND_INTEGER, KIND_SIZE, KIND_TIME };

static const struct option_row {
    const char *name;
    enum socket_option option;
    enum option_kind kind;
} option_rows[] = {
    {"reuse-address", OPTION_REUSE_ADDRESS, KIND_BOOLEAN},
    {"broadcast", OPTION_BROADCAST, KIND_BOOLEAN},
    {"ttl", OPTION_TTL, KIND_INTEGER},
    {"tos", OPTION_TOS, KIND_INTEGER},
    {"dont-fragment", OPTION_DONT_FRAGMENT, KIND_BOOLEAN},
    {"no-delay", OPTION_NO_DELAY, KIND_BOOLEAN},
    {"cork", OPTION_CORK, KIND_BOOLEAN},
    {"quick-ack", OPTION_QUICK_ACK, KIND_BOOLEAN},
    {"keepalive", OPTION_KEEPALIVE, KIND_BOOLEAN},
    {"linger", OPTION_LINGER, KIND_TIME},
    {"send-buffer", OPTION_SEND_BUFFER, KIND_SIZE},
    {"receive-buffer", OPTION_RECEIVE_BUFFER, KIND_SIZE},
    {"max-segment", OPTION_MAX_SEGMENT, KIND_SIZE},
    {"urgent-inline", OPTION_URGENT_INLINE, KIND_BOOLEAN},
    {"not-sent-low-water", OPTION_NOT_SENT_LOW_WATER, KIND_SIZE},
    {"header-included", OPTION_HEADER_INCLUDED, KIND_BOOLEAN},
    {"error-queue", OPTION_ERROR_QUEUE, KIND_BOOLEAN},
    {"unsent", OPTION_UNSENT, KIND_SIZE},
    {"unacked", OPTION_UNACKED, KIND_SIZE},
    {"unread", OPTION_UNREAD, KIND_SIZE},
};

static const struct option_row *find_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(option_rows); i++)
        if (strcmp(option_rows[i].name, name) == 0)
            return &option_rows[i];
    return NULL;
}

static const struct setting_info *
find_setting(const struct socket_object *object, const char *name)
{
    static const char *const groups[] = {"tcp", "udp", "ip"};
    size_t first = object->type == SOCKET_STREAM ? 0 : 1;
    for (size_t i = first; i < ARRAY_LENGTH(groups); i++) {
        const struct setting_info *info = setting_find(groups[i], name);
        if (info != NULL)
            return info;
    }
    return NULL;
}

// The name at index with '-' for '_'.
static const char *check_name(lua_State *L, int index, char *out, size_t size)
{
    snprintf(out, size, "%s", luaL_checkstring(L, index));
    for (char *p = out; *p != '\0'; p++)
        if (*p == '_')
            *p = '-';
    return out;
}

static int raise_unknown(lua_State *L, const char *name)
{
    const char *known[128];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(option_rows); i++)
        known[count++] = option_rows[i].name;
    for (size_t i = 0; i < setting_table_length && count < 128; i++)
        known[count++] = setting_table[i].name;
    const char *near = suggest_word(name, known, count);
    return luaL_error(L, "a socket has no option or setting '%s'%s%s%s", name,
                      near != NULL ? "; did you mean '" : "",
                      near != NULL ? near : "", near != NULL ? "'?" : "");
}

// --- Setting

static int64_t check_option_value(lua_State *L, const struct option_row *row,
                                  int value)
{
    uint64_t size;
    bool on;
    switch (row->kind) {
    case KIND_BOOLEAN:
        if (lua_type(L, value) == LUA_TBOOLEAN)
            return lua_toboolean(L, value);
        if (lua_type(L, value) == LUA_TSTRING &&
            parse_boolean(lua_tostring(L, value), &on) == 0)
            return on;
        return luaL_error(L, "%s is true or false", row->name);
    case KIND_TIME:
        if (lua_type(L, value) == LUA_TBOOLEAN && !lua_toboolean(L, value))
            return -1;
        return to_time(L, value, row->name);
    case KIND_SIZE:
        if (lua_type(L, value) == LUA_TSTRING &&
            parse_size(lua_tostring(L, value), &size) == 0)
            return (int64_t)size;
        break;
    default:
        break;
    }
    if (!lua_isinteger(L, value))
        luaL_error(L, "%s: expected a whole number, not %s", row->name,
                   name_tostring(L, value, NULL));
    return lua_tointeger(L, value);
}

// Lets the scenario's reader take the value.
static int64_t check_setting_value(lua_State *L,
                                   const struct setting_info *info, int value)
{
    struct document *document = scratch_document(L);
    struct place place = caller_place(L);
    struct stack_settings settings = stack_settings_default;
    struct value *map = value_create(document, VALUE_MAP, place);
    struct value *group = value_create(document, VALUE_MAP, place);
    struct value *leaf = table_to_value(L, document, value, place);
    group->key = (char *)document_string(document, info->group);
    leaf->key = (char *)document_string(document, info->name);
    group->key_place = leaf->key_place = place;
    value_append(map, group);
    value_append(group, leaf);
    struct diagnostics *diagnostics = diagnostics_create();
    scenario_read_settings(map, &settings, diagnostics);
    raise_diagnostics(L, diagnostics);
    return setting_get(&settings, info);
}

static int set_by_name(lua_State *L, struct socket_object *object,
                       const char *name, int value)
{
    struct socket *sockets[] = {object->socket, object->second};
    const struct option_row *row = find_option(name);
    const struct setting_info *info =
        row == NULL ? find_setting(object, name) : NULL;
    int error = 0;
    int64_t number = 0;
    if (row != NULL)
        number = check_option_value(L, row, value);
    else if (info != NULL)
        number = check_setting_value(L, info, value);
    else
        return raise_unknown(L, name);
    for (size_t i = 0; i < ARRAY_LENGTH(sockets) && error >= 0; i++) {
        if (sockets[i] == NULL)
            continue;
        error = row != NULL ? socket_set_option(sockets[i], row->option, number)
                            : socket_set_setting(sockets[i], info, number);
    }
    return error;
}

void socket_apply_settings(lua_State *L, struct socket_object *object,
                           int table)
{
    char name[64];
    luaL_checktype(L, table, LUA_TTABLE);
    lua_Integer count = order_push_keys(L, table);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, keys, i);
        check_name(L, -1, name, sizeof(name));
        lua_rawget(L, table);
        int error = set_by_name(L, object, name, lua_gettop(L));
        if (error < 0) {
            push_errno(L, error);
            luaL_error(L, "%s cannot be set to %s: %s", name,
                       name_tostring(L, keys + 1, NULL),
                       lua_tostring(L, keys + 3));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

// set(name, value) or set{name=value, ...}
static int sock_set(lua_State *L)
{
    char name[64];
    struct socket_object *object = socket_object_check(L, 1);
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    if (lua_istable(L, 2)) {
        socket_apply_settings(L, object, 2);
    } else {
        luaL_checkany(L, 3);
        check_name(L, 2, name, sizeof(name));
        int error = set_by_name(L, object, name, 3);
        if (error < 0)
            return push_errno(L, error);
    }
    lua_pushboolean(L, 1);
    return 1;
}

// --- Reading

static void push_option(lua_State *L, enum option_kind kind, int64_t number)
{
    if (kind == KIND_BOOLEAN)
        lua_pushboolean(L, number != 0);
    else if (kind == KIND_TIME && number >= 0)
        push_time(L, number);
    else if (kind == KIND_TIME)
        lua_pushboolean(L, 0);
    else
        lua_pushinteger(L, number);
}

static void push_setting(lua_State *L, const struct setting_info *info,
                         int64_t number)
{
    if (info->kind == SETTING_BOOL)
        lua_pushboolean(L, number != 0);
    else if (info->kind == SETTING_TIME)
        push_time(L, number);
    else
        lua_pushinteger(L, number);
}

// get(name)
static int sock_get(lua_State *L)
{
    char name[64];
    struct socket_object *object = socket_object_check(L, 1);
    check_name(L, 2, name, sizeof(name));
    const struct option_row *row = find_option(name);
    const struct setting_info *info = find_setting(object, name);
    int64_t number;
    if (row == NULL && info == NULL)
        return raise_unknown(L, name);
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    if (row == NULL) {
        push_setting(L, info, socket_get_setting(object->socket, info));
        return 1;
    }
    int error = socket_get_option(object->socket, row->option, &number);
    if (error < 0)
        return push_errno(L, error);
    push_option(L, row->kind, number);
    return 1;
}

static int sock_local(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    struct endpoint local = socket_local(object->socket);
    push_address(L, &local.addr);
    lua_pushinteger(L, local.port);
    return 2;
}

static int sock_remote(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    struct endpoint remote = socket_remote(object->socket);
    push_address(L, &remote.addr);
    lua_pushinteger(L, remote.port);
    return 2;
}

static int sock_is_open(lua_State *L)
{
    lua_pushboolean(L, socket_object_check(L, 1)->socket != NULL);
    return 1;
}

// error(): the pending error's name, which is taken; nil
static int sock_error(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    int error =
        object->socket != NULL ? socket_take_error(object->socket) : -EBADF;
    if (error == 0)
        lua_pushnil(L);
    else
        push_errno(L, error);
    return 1;
}

// icmp_error(): what the last ICMP error about this socket said; nil
static int sock_icmp_error(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    struct socket_icmp_error error;
    if (object->socket == NULL ||
        !socket_take_icmp_error(object->socket, &error)) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 7);
    lua_pushinteger(L, error.type);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, error.code);
    lua_setfield(L, -2, "code");
    push_address(L, &error.from);
    lua_setfield(L, -2, "from");
    push_address(L, &error.to.addr);
    lua_setfield(L, -2, "to");
    lua_pushinteger(L, error.to.port);
    lua_setfield(L, -2, "port");
    lua_pushinteger(L, error.mtu);
    lua_setfield(L, -2, "mtu");
    push_errno(L, error.error);
    lua_setfield(L, -3, "error");
    lua_pop(L, 1);
    return 1;
}

// --- A connection's variables

static const char *ca_state_name(enum tcp_ca_state state)
{
    switch (state) {
    case TCP_CA_OPEN:
        return "open";
    case TCP_CA_DISORDER:
        return "disorder";
    case TCP_CA_CWR:
        return "cwr";
    case TCP_CA_RECOVERY:
        return "recovery";
    default:
        return "loss";
    }
}

// clang-format off
#define INTEGERS(X) \
    X(snd_una) X(snd_nxt) X(snd_wnd) X(rcv_nxt) X(rcv_wnd) X(iss) X(irs) \
    X(snd_wscale) X(rcv_wscale) X(snd_mss) X(rcv_mss) X(path_mtu) \
    X(advertised_mss) X(cwnd) X(cwnd_segments) X(in_flight) X(backoff) \
    X(retransmits) X(unacked) X(sacked) X(lost) X(retrans) X(reordering) \
    X(bytes_sent) X(bytes_retransmitted) X(bytes_acked) X(bytes_received) \
    X(segments_out) X(segments_in) X(data_segments_out) X(data_segments_in) \
    X(segments_retransmitted) X(segments_received_again) \
    X(duplicate_acks_in) X(out_of_order_in) X(zero_window_probes) \
    X(timeouts) X(fast_retransmits) X(spurious_retransmits) \
    X(zero_windows_sent) X(delivered) X(delivered_ce) X(delivery_rate_bps) \
    X(pacing_rate_bps) X(send_buffer) X(send_buffer_used) X(receive_buffer) \
    X(receive_buffer_used) X(not_sent)
// clang-format on
#define BOOLEANS(X) X(sack) X(timestamps) X(ecn) X(fast_open)
// clang-format off
#define TIMES(X) \
    X(srtt) X(rttvar) X(min_rtt) X(rto) X(established_at) X(last_data_sent) \
    X(last_data_received) X(last_ack_received)
// clang-format on

static void push_info(lua_State *L, const struct tcp_info *info)
{
    lua_createtable(L, 0, 70);
    lua_pushstring(L, tcp_state_name(info->state));
    lua_setfield(L, -2, "state");
    lua_pushstring(L, ca_state_name(info->ca_state));
    lua_setfield(L, -2, "ca_state");
    lua_pushstring(L, info->congestion);
    lua_setfield(L, -2, "congestion");
#define X(name)                                                                \
    lua_pushinteger(L, (lua_Integer)info->name);                               \
    lua_setfield(L, -2, #name);
    INTEGERS(X)
#undef X
#define X(name)                                                                \
    lua_pushboolean(L, info->name);                                            \
    lua_setfield(L, -2, #name);
    BOOLEANS(X)
#undef X
#define X(name)                                                                \
    if (info->name != NS_NEVER) {                                              \
        push_time(L, info->name);                                              \
        lua_setfield(L, -2, #name);                                            \
    }
    TIMES(X)
#undef X
    if (info->ssthresh != UINT32_MAX) {
        lua_pushinteger(L, info->ssthresh);
        lua_setfield(L, -2, "ssthresh");
    }
}

static int sock_info(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    struct tcp_info info;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int error = socket_get_tcp_info(object->socket, &info);
    if (error < 0)
        return push_errno(L, error);
    push_info(L, &info);
    return 1;
}

static int sock_state(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    struct tcp_info info;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int error = socket_get_tcp_info(object->socket, &info);
    if (error < 0)
        return push_errno(L, error);
    lua_pushstring(L, tcp_state_name(info.state));
    return 1;
}

void bind_socket_option_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"error", sock_error},           {"get", sock_get},
        {"icmp_error", sock_icmp_error}, {"info", sock_info},
        {"is_open", sock_is_open},       {"local_address", sock_local},
        {"remote_address", sock_remote}, {"set", sock_set},
        {"state", sock_state},           {NULL, NULL},
    };
    object_type(L, SOCKET_TYPE, methods, NULL);
}
