// A datagram socket for each family, for the servers.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>

static int open_one(struct app *app, uint8_t family, struct socket **out)
{
    struct endpoint local = {ip_addr_any(family), app->config.port, 0};
    struct socket *socket;
    int error =
        socket_open(app->host->stack, SOCKET_DATAGRAM, family, 0, &socket);
    if (error)
        return error == -EAFNOSUPPORT ? 0 : error;
    if (family == IP_V6)
        socket_set_option(socket, OPTION_IPV6_ONLY, 1);
    error = socket_bind(socket, &local);
    if (error) {
        socket_close(socket);
        return error;
    }
    *out = socket;
    return 0;
}

int datagram_server_start(struct app *app, struct socket *sockets[2],
                          void (*on_event)(void *, struct socket *, uint32_t),
                          void *context)
{
    int error = 0;
    if (app->config.family != IP_V6)
        error = open_one(app, IP_V4, &sockets[0]);
    if (!error && app->config.family != IP_V4)
        error = open_one(app, IP_V6, &sockets[1]);
    for (int i = 0; i < 2; i++)
        if (sockets[i])
            socket_set_handler(sockets[i], on_event, context);
    return error;
}

void datagram_server_stop(struct socket *sockets[2])
{
    for (int i = 0; i < 2; i++) {
        if (sockets[i])
            socket_close(sockets[i]);
        sockets[i] = NULL;
    }
}
