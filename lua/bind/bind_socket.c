// Sockets as scripts see them: calls that wait until they can go on.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// The stack's sockets never wait. Each call here tries; on -EAGAIN it becomes a
// waiter of the socket object (task_wait) and is called again when the stack
// has told of an event or the deadline has come. The stack tells of events when
// no protocol code runs; all that happens then is that tasks' events are
// scheduled. A failure is answered with nil and the error's name; the end of a
// stream with nil and "EOF".
//
// A socket lives until the script closes it or the run is over: the registry
// keeps the object, because when an object that nobody refers to would be
// collected is not repeatable.

#include <errno.h>
#include <string.h>

#include "lua/bind/socket_object.h"
#include "lua/task.h"

enum {
    READABLE = EVENT_READABLE | EVENT_ERROR | EVENT_PEER_CLOSED | EVENT_CLOSED,
    WRITABLE = EVENT_WRITABLE | EVENT_ERROR | EVENT_CLOSED
};

static const char *const timeout_only[] = {"timeout", NULL};

// --- Objects

static void on_event(void *context, struct socket *socket, uint32_t events)
{
    struct socket_object *object = context;
    (void)socket;
    task_wake_all(&object->waiters, events);
}

// Pushes an object without a socket.
static struct socket_object *push_object(lua_State *L, struct host *host,
                                         enum socket_type type)
{
    struct socket_object *object = lua_newuserdatauv(L, sizeof(*object), 0);
    memset(object, 0, sizeof(*object));
    object->host = host;
    object->type = type;
    list_init(&object->open);
    list_init(&object->waiters);
    luaL_setmetatable(L, SOCKET_TYPE);
    name_number(L, -1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, object);
    return object;
}

static void adopt(struct script *script, struct socket_object *object,
                  struct socket *socket)
{
    if (object->socket == NULL)
        object->socket = socket;
    else
        object->second = socket;
    socket_set_handler(socket, on_event, object);
    list_remove(&object->open);
    list_push_back(&script->sockets, &object->open);
}

static void unpin(lua_State *L, struct socket_object *object)
{
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, object);
}

// The object forgets its sockets; they are the caller's.
static void let_go(lua_State *L, struct socket_object *object)
{
    object->socket = object->second = NULL;
    list_remove(&object->open);
    task_wake_all(&object->waiters, UINT32_MAX);
    unpin(L, object);
}

static void close_object(lua_State *L, struct socket_object *object,
                         void (*close)(struct socket *socket))
{
    struct socket *first = object->socket, *second = object->second;
    let_go(L, object);
    if (first != NULL)
        close(first);
    if (second != NULL)
        close(second);
}

struct socket_object *socket_object_check(lua_State *L, int index)
{
    return luaL_checkudata(L, index, SOCKET_TYPE);
}

void sockets_fini(struct script *script)
{
    while (!list_is_empty(&script->sockets)) {
        struct socket_object *object =
            CONTAINER_OF(script->sockets.next, struct socket_object, open);
        list_remove(&object->open);
        if (object->socket != NULL)
            socket_set_handler(object->socket, NULL, NULL);
        if (object->second != NULL)
            socket_set_handler(object->second, NULL, NULL);
        object->socket = object->second = NULL;
    }
}

// --- Opening

// The family that options or an address ask for; else IPv4 if the host has it.
static uint8_t choose_family(lua_State *L, struct host *host, int options)
{
    uint8_t family = option_family(L, options);
    if (family != IP_NONE)
        return family;
    struct socket *probe;
    if (socket_open(host->stack, SOCKET_DATAGRAM, IP_V4, 0, &probe) < 0)
        return IP_V6;
    socket_close(probe);
    return IP_V4;
}

// Applies the table `set` of the options, if there is one.
static void apply_settings(lua_State *L, int options,
                           struct socket_object *object)
{
    if (options != 0 && lua_getfield(L, options, "set") != LUA_TNIL)
        socket_apply_settings(L, object, lua_gettop(L));
    if (options != 0)
        lua_pop(L, 1);
}

// Opens a socket of that family in a new object, which is pushed. A negative
// errno: nothing is pushed.
static int open_socket(lua_State *L, struct host *host, enum socket_type type,
                       uint8_t family, uint8_t protocol)
{
    struct socket *socket;
    int error = socket_open(host->stack, type, family, protocol, &socket);
    if (error < 0)
        return error;
    struct socket_object *object = push_object(L, host, type);
    object->family = family;
    adopt(script_of(L), object, socket);
    return 0;
}

// The `address` of the options, or any address of the family.
static struct endpoint local_endpoint(lua_State *L, int options, uint8_t family,
                                      uint16_t port)
{
    struct endpoint local = {.addr = ip_addr_any(family), .port = port};
    if (options != 0 && lua_getfield(L, options, "address") != LUA_TNIL)
        local.addr = check_address(L, -1, family);
    if (options != 0)
        lua_pop(L, 1);
    return local;
}

// The family of the options' `address` counts before the rest.
static uint8_t family_of_options(lua_State *L, struct host *host, int options)
{
    uint8_t family = option_family(L, options);
    if (options != 0 && lua_getfield(L, options, "address") != LUA_TNIL)
        family = check_address(L, -1, family).family;
    if (options != 0)
        lua_pop(L, 1);
    return family != IP_NONE ? family : choose_family(L, host, options);
}

static uint16_t option_port(lua_State *L, int options, int index)
{
    uint16_t port = 0;
    if (lua_type(L, index) == LUA_TNUMBER)
        return check_port(L, index);
    if (options != 0 && lua_getfield(L, options, "port") != LUA_TNIL)
        port = check_port(L, -1);
    if (options != 0)
        lua_pop(L, 1);
    return port;
}

// On failure closes the object on top and answers with the error.
static int answer_object(lua_State *L, int error)
{
    if (error >= 0)
        return 1;
    close_object(L, socket_object_check(L, -1), socket_abort);
    return push_errno(L, error);
}

static bool is_bind_wanted(lua_State *L, int options, int index)
{
    bool is_wanted = lua_type(L, index) == LUA_TNUMBER;
    if (options == 0)
        return is_wanted;
    is_wanted |= lua_getfield(L, options, "port") != LUA_TNIL;
    is_wanted |= lua_getfield(L, options, "address") != LUA_TNIL;
    lua_pop(L, 2);
    return is_wanted;
}

// tcp_socket([port], {options}), udp_socket([port], {options})
static int open_bound(lua_State *L, enum socket_type type)
{
    static const char *const known[] = {"address", "family", "port", "set",
                                        NULL};
    struct host *host = object_check(L, 1, HOST_TYPE);
    int options =
        check_options(L, lua_type(L, 2) == LUA_TNUMBER ? 3 : 2, known);
    uint8_t family = family_of_options(L, host, options);
    struct endpoint local =
        local_endpoint(L, options, family, option_port(L, options, 2));
    int error = open_socket(L, host, type, family, 0);
    if (error < 0)
        return push_errno(L, error);
    struct socket_object *object = socket_object_check(L, -1);
    apply_settings(L, options, object);
    if (is_bind_wanted(L, options, 2))
        error = socket_bind(object->socket, &local);
    return answer_object(L, error);
}

static int host_tcp_socket(lua_State *L)
{
    return open_bound(L, SOCKET_STREAM);
}

static int host_udp_socket(lua_State *L)
{
    return open_bound(L, SOCKET_DATAGRAM);
}

static uint8_t check_protocol(lua_State *L, int index)
{
    static const char *const names[] = {"icmp", "icmpv6", "tcp", "udp", NULL};
    static const uint8_t numbers[] = {IP_PROTOCOL_ICMP, IP_PROTOCOL_ICMPV6,
                                      IP_PROTOCOL_TCP, IP_PROTOCOL_UDP};
    if (lua_type(L, index) == LUA_TSTRING)
        return numbers[luaL_checkoption(L, index, NULL, names)];
    lua_Integer number = luaL_checkinteger(L, index);
    luaL_argcheck(L, number >= 0 && number <= 255, index,
                  "an IP protocol is 0 to 255");
    return (uint8_t)number;
}

// raw_socket(protocol, {family=, address=, set=})
static int host_raw_socket(lua_State *L)
{
    static const char *const known[] = {"address", "family", "set", NULL};
    struct host *host = object_check(L, 1, HOST_TYPE);
    uint8_t protocol = check_protocol(L, 2);
    int options = check_options(L, 3, known);
    uint8_t family = protocol == IP_PROTOCOL_ICMPV6
                         ? IP_V6
                         : family_of_options(L, host, options);
    struct endpoint local = local_endpoint(L, options, family, 0);
    int error = open_socket(L, host, SOCKET_RAW, family, protocol);
    if (error < 0)
        return push_errno(L, error);
    struct socket_object *object = socket_object_check(L, -1);
    apply_settings(L, options, object);
    if (!ip_addr_is_any(&local.addr))
        error = socket_bind(object->socket, &local);
    return answer_object(L, error);
}

// --- Listening

struct listen_request {
    struct endpoint local;
    int backlog;
};

static int listen_on(lua_State *L, struct socket_object *object,
                     struct listen_request *request, int options,
                     uint8_t family)
{
    struct socket *socket;
    int error =
        socket_open(object->host->stack, SOCKET_STREAM, family, 0, &socket);
    if (error < 0)
        return error;
    adopt(script_of(L), object, socket);
    apply_settings(L, options, object);
    if (request->local.addr.family != family)
        request->local.addr = ip_addr_any(family);
    error = socket_bind(socket, &request->local);
    if (error >= 0)
        error = socket_listen(socket, request->backlog);
    if (error >= 0)
        request->local.port = socket_local(socket).port;
    return error;
}

// tcp_listen(port, {address=, family=, backlog=, set=}): on both families
// unless one is asked for.
static int host_tcp_listen(lua_State *L)
{
    static const char *const known[] = {"address", "backlog", "family", "set",
                                        NULL};
    struct host *host = object_check(L, 1, HOST_TYPE);
    struct listen_request request = {.backlog = 128};
    uint16_t port = check_port(L, 2);
    int options = check_options(L, 3, known);
    uint8_t family = option_family(L, options);
    if (options != 0 && lua_getfield(L, options, "address") != LUA_TNIL)
        family = check_address(L, -1, family).family;
    request.local = local_endpoint(L, options, family, port);
    if (options != 0 && lua_getfield(L, options, "backlog") != LUA_TNIL)
        request.backlog = (int)luaL_checkinteger(L, -1);
    struct socket_object *object = push_object(L, host, SOCKET_STREAM);
    int error = -EAFNOSUPPORT;
    if (family != IP_V6)
        error = listen_on(L, object, &request, options, IP_V4);
    bool may_go_on = error >= 0 || error == -EAFNOSUPPORT;
    if (family != IP_V4 && may_go_on) {
        int second = listen_on(L, object, &request, options, IP_V6);
        if (error < 0 || second != -EAFNOSUPPORT)
            error = second;
    }
    return answer_object(L, error);
}

static int try_accept(struct socket_object *object, struct socket **out)
{
    int error = socket_accept(object->socket, out);
    if (error == -EAGAIN && object->second != NULL)
        error = socket_accept(object->second, out);
    return error;
}

static int accept_again(lua_State *L, int status, lua_KContext context)
{
    struct socket_object *object = socket_object_check(L, 1);
    struct socket *socket;
    (void)status, (void)context;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int error = try_accept(object, &socket);
    if (error == -EAGAIN)
        return task_wait(L, "accept", &object->waiters, READABLE, 0,
                         accept_again);
    if (error < 0)
        return push_errno(L, error);
    struct socket_object *child = push_object(L, object->host, SOCKET_STREAM);
    adopt(script_of(L), child, socket);
    return 1;
}

static int sock_accept(lua_State *L)
{
    socket_object_check(L, 1);
    task_set_timeout(L, check_options(L, 2, timeout_only));
    return accept_again(L, 0, 0);
}

// --- Connecting

static int connect_result(struct socket *socket)
{
    uint32_t events = socket_events(socket);
    int error = socket_take_error(socket);
    if (error < 0)
        return error;
    if ((events & EVENT_WRITABLE) != 0)
        return 0;
    return (events & EVENT_CLOSED) != 0 ? -ECONNRESET : -EAGAIN;
}

// context: the index of the object on the stack.
static int connect_again(lua_State *L, int status, lua_KContext context)
{
    struct socket_object *object = socket_object_check(L, (int)context);
    bool is_own = context != 1; // made by tcp_connect, closed on failure
    (void)status;
    int error =
        object->socket != NULL ? connect_result(object->socket) : -EBADF;
    if (error == -EAGAIN && task_is_late(L))
        error = -ETIMEDOUT;
    if (error == -EAGAIN)
        return task_wait(L, "connect", &object->waiters, WRITABLE, context,
                         connect_again);
    if (error < 0) {
        if (is_own && object->socket != NULL)
            close_object(L, object, socket_abort);
        return push_errno(L, error);
    }
    if (is_own)
        lua_pushvalue(L, (int)context);
    else
        lua_pushboolean(L, 1);
    return 1;
}

static int start_connect(lua_State *L, int index, const struct endpoint *remote)
{
    struct socket_object *object = socket_object_check(L, index);
    int error = socket_connect(object->socket, remote);
    if (error < 0 && error != -EINPROGRESS) {
        if (index != 1)
            close_object(L, object, socket_abort);
        return push_errno(L, error);
    }
    if (error == 0 && index == 1) {
        lua_pushboolean(L, 1);
        return 1;
    }
    return connect_again(L, 0, index);
}

// host:tcp_connect(address, port, {timeout=, family=, address=, port=, set=})
static int host_tcp_connect(lua_State *L)
{
    static const char *const known[] = {"address", "family",  "port",
                                        "set",     "timeout", NULL};
    struct host *host = object_check(L, 1, HOST_TYPE);
    lua_settop(L, 4);
    int options = check_options(L, 4, known);
    struct endpoint remote =
        check_endpoint(L, host, 2, option_family(L, options));
    struct endpoint local = local_endpoint(L, options, remote.addr.family,
                                           option_port(L, options, 4));
    remote.port = check_port(L, 3);
    task_set_timeout(L, options);
    int error = open_socket(L, host, SOCKET_STREAM, remote.addr.family, 0);
    if (error < 0)
        return push_errno(L, error);
    struct socket_object *object = socket_object_check(L, 5);
    apply_settings(L, options, object);
    if (is_bind_wanted(L, options, 4))
        error = socket_bind(object->socket, &local);
    if (error < 0)
        return answer_object(L, error);
    return start_connect(L, 5, &remote);
}

// socket:connect(address, port, {timeout=})
static int sock_connect(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    int options = check_options(L, 4, timeout_only);
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    struct endpoint remote = check_endpoint(L, object->host, 2, object->family);
    remote.port = check_port(L, 3);
    task_set_timeout(L, options);
    return start_connect(L, 1, &remote);
}

// socket:bind([address], port)
static int sock_bind(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    struct endpoint local = {0};
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    if (!lua_isnil(L, 2))
        local.addr = check_address(L, 2, IP_NONE);
    local.port = check_port(L, 3);
    int error = socket_bind(object->socket, &local);
    if (error < 0)
        return push_errno(L, error);
    lua_pushboolean(L, 1);
    return 1;
}

// socket:listen([backlog])
static int sock_listen(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    int backlog = (int)luaL_optinteger(L, 2, 128);
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int error = socket_listen(object->socket, backlog);
    if (error < 0)
        return push_errno(L, error);
    lua_pushboolean(L, 1);
    return 1;
}

// --- Closing

static int sock_close(lua_State *L)
{
    close_object(L, socket_object_check(L, 1), socket_close);
    return 0;
}

static int sock_abort(lua_State *L)
{
    close_object(L, socket_object_check(L, 1), socket_abort);
    return 0;
}

static int sock_shutdown(lua_State *L)
{
    static const char *const names[] = {"receive", "send", "both", NULL};
    struct socket_object *object = socket_object_check(L, 1);
    int how = luaL_checkoption(L, 2, "send", names) + 1;
    if (object->socket == NULL)
        return push_errno(L, -EBADF);
    int error = socket_shutdown(object->socket, (enum shutdown_how)how);
    if (error < 0)
        return push_errno(L, error);
    lua_pushboolean(L, 1);
    return 1;
}

static int sock_tostring(lua_State *L)
{
    struct socket_object *object = socket_object_check(L, 1);
    lua_pushfstring(L, "socket %I of %s", (lua_Integer)name_number(L, 1),
                    object->host->node.name);
    return 1;
}

void bind_socket_open(lua_State *L)
{
    static const luaL_Reg host_methods[] = {
        {"raw_socket", host_raw_socket}, {"tcp_connect", host_tcp_connect},
        {"tcp_listen", host_tcp_listen}, {"tcp_socket", host_tcp_socket},
        {"udp_socket", host_udp_socket}, {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"abort", sock_abort},       {"accept", sock_accept},
        {"bind", sock_bind},         {"close", sock_close},
        {"connect", sock_connect},   {"listen", sock_listen},
        {"shutdown", sock_shutdown}, {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {{"__tostring", sock_tostring},
                                           {NULL, NULL}};
    object_type(L, HOST_TYPE, host_methods, NULL);
    object_type(L, SOCKET_TYPE, methods, metamethods);
}
