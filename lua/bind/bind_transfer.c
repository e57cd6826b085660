// Sending and receiving on sockets.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <string.h>

#include "lua/bind/socket_object.h"
#include "lua/task.h"

enum {
    READ_SIZE = 65536,
    READABLE = EVENT_READABLE | EVENT_ERROR | EVENT_PEER_CLOSED | EVENT_CLOSED,
    WRITABLE = EVENT_WRITABLE | EVENT_ERROR | EVENT_CLOSED
};

static const char *const timeout_only[] = {"timeout", NULL};

static int push_end(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "EOF");
    return 2;
}

// --- Sending

static int flags_of(lua_State *L, int options)
{
    return (option_boolean(L, options, "urgent") ? MESSAGE_URGENT : 0) |
           (option_boolean(L, options, "more") ? MESSAGE_MORE : 0);
}

// 1 socket, 2 data, 3 flags; context: bytes sent so far.
static int send_again(lua_State *L, int status, lua_KContext context)
{
    struct socket_object *object = socket_object_check(L, 1);
    size_t length, sent = (size_t)context;
    const char *data = lua_tolstring(L, 2, &length);
    int flags = (int)lua_tointeger(L, 3);
    int64_t n = 0;
    (void)status;
    do {
        n = object->socket == NULL ? -EBADF
                                   : socket_send(object->socket, data + sent,
                                                 length - sent, flags);
        if (n > 0)
            sent += (size_t)n;
    } while (n > 0 && sent < length);
    if (n == -EAGAIN && task_is_late(L))
        n = -ETIMEDOUT;
    if (n == -EAGAIN)
        return task_wait(L, "send", &object->waiters, WRITABLE,
                         (lua_KContext)sent, send_again);
    if (n < 0) {
        push_errno(L, (int)n);
        lua_pushinteger(L, (lua_Integer)sent);
        return 3;
    }
    lua_pushinteger(L, (lua_Integer)sent);
    return 1;
}

// send(data, {timeout=, more=, urgent=})
static int sock_send(lua_State *L)
{
    static const char *const known[] = {"more", "timeout", "urgent", NULL};
    socket_object_check(L, 1);
    luaL_checkstring(L, 2);
    int options = check_options(L, 3, known);
    int flags = flags_of(L, options);
    task_set_timeout(L, options);
    lua_settop(L, 2);
    lua_pushinteger(L, flags);
    return send_again(L, 0, 0);
}

static struct endpoint check_destination(lua_State *L,
                                         struct socket_object *object)
{
    struct endpoint to = check_endpoint(L, object->host, 3, object->family);
    if (object->type != SOCKET_RAW)
        to.port = check_port(L, 4);
    return to;
}

// 1 socket, 2 data, 3 address, 4 port
static int send_to_again(lua_State *L, int status, lua_KContext context)
{
    struct socket_object *object = socket_object_check(L, 1);
    size_t length;
    const char *data = lua_tolstring(L, 2, &length);
    (void)status, (void)context;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    struct endpoint to = check_destination(L, object);
    int64_t n = socket_send_to(object->socket, data, length, 0, &to);
    if (n == -EAGAIN)
        return task_wait(L, "send_to", &object->waiters, WRITABLE, 0,
                         send_to_again);
    if (n < 0)
        return push_errno(L, (int)n);
    lua_pushinteger(L, n);
    return 1;
}

// send_to(data, address, port, {timeout=}); raw sockets have no port
static int sock_send_to(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    luaL_checkstring(L, 2);
    int options =
        check_options(L, object->type == SOCKET_RAW ? 4 : 5, timeout_only);
    task_set_timeout(L, options);
    return send_to_again(L, 0, 0);
}

// --- Receiving

static int recv_again(lua_State *L, int status, lua_KContext most)
{
    struct socket_object *object = socket_object_check(L, 1);
    char bytes[READ_SIZE];
    (void)status;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int64_t n = socket_receive(object->socket, bytes, (size_t)most,
                               (int)lua_tointeger(L, 2));
    if (n == -EAGAIN)
        return task_wait(L, "recv", &object->waiters, READABLE, most,
                         recv_again);
    if (n < 0)
        return push_errno(L, (int)n);
    if (n == 0 && object->type == SOCKET_STREAM)
        return push_end(L);
    lua_pushlstring(L, bytes, (size_t)n);
    return 1;
}

// The number at index, or as much as fits.
static size_t check_amount(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        return READ_SIZE;
    lua_Integer n = luaL_checkinteger(L, index);
    luaL_argcheck(L, n > 0, index, "at least one byte");
    return n > READ_SIZE ? READ_SIZE : (size_t)n;
}

// recv([n], {timeout=, peek=, urgent=})
static int sock_recv(lua_State *L)
{
    static const char *const known[] = {"peek", "timeout", "urgent", NULL};
    socket_object_check(L, 1);
    size_t most = check_amount(L, 2);
    int options =
        check_options(L, lua_type(L, 2) == LUA_TNUMBER ? 3 : 2, known);
    int flags = (option_boolean(L, options, "peek") ? MESSAGE_PEEK : 0) |
                (option_boolean(L, options, "urgent") ? MESSAGE_URGENT : 0);
    task_set_timeout(L, options);
    lua_settop(L, 1);
    lua_pushinteger(L, flags);
    return recv_again(L, 0, (lua_KContext)most);
}

static int recv_from_again(lua_State *L, int status, lua_KContext context)
{
    struct socket_object *object = socket_object_check(L, 1);
    char bytes[READ_SIZE];
    struct endpoint from = {0}, to = {0};
    (void)status, (void)context;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int64_t n = socket_receive_from(object->socket, bytes, sizeof(bytes), 0,
                                    &from, &to);
    if (n == -EAGAIN)
        return task_wait(L, "recv_from", &object->waiters, READABLE, 0,
                         recv_from_again);
    if (n < 0)
        return push_errno(L, (int)n);
    lua_pushlstring(L, bytes, (size_t)n);
    push_endpoint_address(L, object->host, &from);
    lua_pushinteger(L, from.port);
    push_address(L, &to.addr);
    return 4;
}

// recv_from({timeout=}): data, address, port, local address
static int sock_recv_from(lua_State *L)
{
    socket_object_check(L, 1);
    task_set_timeout(L, check_options(L, 2, timeout_only));
    return recv_from_again(L, 0, 0);
}

// --- Receiving until there is enough: 1 socket, 2 list of pieces, 3 how much
// is still wanted (nil: all there is)

static void push_pieces(lua_State *L)
{
    luaL_Buffer all;
    luaL_buffinit(L, &all);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 2, i);
        luaL_addvalue(&all);
    }
    luaL_pushresult(&all);
}

// nil, why, what has arrived
static int push_partial(lua_State *L, int error)
{
    if (error == 0)
        push_end(L);
    else
        push_errno(L, error);
    push_pieces(L);
    return 3;
}

static int collect_again(lua_State *L, int status, lua_KContext context)
{
    struct socket_object *object = socket_object_check(L, 1);
    char bytes[READ_SIZE];
    bool wants_all = lua_isnil(L, 3);
    lua_Integer wanted = wants_all ? READ_SIZE : lua_tointeger(L, 3);
    int64_t n = 1;
    (void)status, (void)context;
    while (wanted > 0) {
        size_t most = wanted < READ_SIZE ? (size_t)wanted : READ_SIZE;
        n = object->socket == NULL
                ? -EBADF
                : socket_receive(object->socket, bytes, most, 0);
        if (n <= 0)
            break;
        lua_pushlstring(L, bytes, (size_t)n);
        lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
        if (!wants_all)
            wanted -= n;
    }
    if (!wants_all) {
        lua_pushinteger(L, wanted);
        lua_replace(L, 3);
    }
    if (n == -EAGAIN && !task_is_late(L))
        return task_wait(L, wants_all ? "recv_all" : "recv_exactly",
                         &object->waiters, READABLE, 0, collect_again);
    if (n == -EAGAIN)
        n = -ETIMEDOUT;
    if (n < 0 || (n == 0 && !wants_all))
        return push_partial(L, (int)n);
    push_pieces(L);
    return 1;
}

// recv_all({timeout=}): everything up to the end of the stream
static int sock_recv_all(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    luaL_argcheck(L, object->type == SOCKET_STREAM, 1,
                  "only streams have an end");
    task_set_timeout(L, check_options(L, 2, timeout_only));
    lua_settop(L, 1);
    lua_newtable(L);
    lua_pushnil(L);
    return collect_again(L, 0, 0);
}

// recv_exactly(n, {timeout=})
static int sock_recv_exactly(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    luaL_argcheck(L, object->type == SOCKET_STREAM, 1,
                  "only for streams: a datagram comes whole");
    luaL_argcheck(L, luaL_checkinteger(L, 2) >= 0, 2, "is negative");
    task_set_timeout(L, check_options(L, 3, timeout_only));
    lua_settop(L, 2);
    lua_newtable(L);
    lua_insert(L, 2);
    return collect_again(L, 0, 0);
}

void bind_transfer_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"recv", sock_recv},
        {"recv_all", sock_recv_all},
        {"recv_exactly", sock_recv_exactly},
        {"recv_from", sock_recv_from},
        {"send", sock_send},
        {"send_to", sock_send_to},
        {NULL, NULL},
    };
    object_type(L, SOCKET_TYPE, methods, NULL);
}
