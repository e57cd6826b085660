// A listener over both families with its connections, for the servers.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>
#include <stdlib.h>

enum { SERVER_BACKLOG = 4096 };

static void on_connection_event(void *context, struct socket *socket,
                                uint32_t events)
{
    struct stream_connection *connection = context;
    (void)socket;
    (void)events;
    connection->server->on_ready(connection);
}

static bool accept_one(struct stream_server *server, struct socket *listener)
{
    struct socket *socket;
    if (socket_accept(listener, &socket) != 0)
        return false;
    struct stream_connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        socket_abort(socket);
        return true;
    }
    connection->server = server;
    connection->socket = socket;
    list_push_back(&server->connections, &connection->node);
    server->app->stats.connections++;
    socket_set_handler(socket, on_connection_event, connection);
    server->on_ready(connection);
    return true;
}

static void on_listener_event(void *context, struct socket *socket,
                              uint32_t events)
{
    (void)events;
    while (accept_one(context, socket))
        ;
}

static int listen_on(struct stream_server *server, uint8_t family,
                     struct socket **out)
{
    struct endpoint local = {ip_addr_any(family), server->app->config.port, 0};
    struct socket *socket;
    int error = socket_open(server->app->host->stack, SOCKET_STREAM, family, 0,
                            &socket);
    if (error)
        return error;
    socket_set_option(socket, OPTION_REUSE_ADDRESS, 1);
    if (family == IP_V6)
        socket_set_option(socket, OPTION_IPV6_ONLY, 1);
    error = socket_bind(socket, &local);
    if (!error)
        error = socket_listen(socket, SERVER_BACKLOG);
    if (error) {
        socket_close(socket);
        return error;
    }
    socket_set_handler(socket, on_listener_event, server);
    *out = socket;
    return 0;
}

int stream_server_start(struct stream_server *server, struct app *app,
                        void (*on_ready)(struct stream_connection *))
{
    static const uint8_t families[2] = {IP_V4, IP_V6};
    server->app = app;
    server->on_ready = on_ready;
    list_init(&server->connections);
    for (int i = 0; i < 2; i++) {
        uint8_t wanted = app->config.family;
        if (wanted != IP_NONE && wanted != families[i])
            continue;
        int error = listen_on(server, families[i], &server->listener[i]);
        // A host without one of the families serves the other.
        if (error && !(error == -EAFNOSUPPORT && wanted == IP_NONE)) {
            stream_server_stop(server);
            return error;
        }
    }
    return 0;
}

void stream_close(struct stream_connection *connection)
{
    list_remove(&connection->node);
    socket_close(connection->socket);
    free(connection->buffer);
    free(connection);
}

void stream_server_stop(struct stream_server *server)
{
    if (!server->app)
        return;
    while (!list_is_empty(&server->connections))
        stream_close(CONTAINER_OF(server->connections.next,
                                  struct stream_connection, node));
    for (int i = 0; i < 2; i++) {
        if (server->listener[i])
            socket_close(server->listener[i]);
        server->listener[i] = NULL;
    }
}
