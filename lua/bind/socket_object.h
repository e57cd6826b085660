// Sockets that scripts hold.
// SPDX-License-Identifier: MIT
#ifndef LUA_SOCKET_OBJECT_H
#define LUA_SOCKET_OBJECT_H

#include "lua/internal.h"

struct socket_object {
    struct socket *socket; // NULL: closed
    struct socket *second; // listeners on both families: the IPv6 one
    struct host *host;
    struct list open; // script->sockets
    struct list waiters;
    enum socket_type type;
    uint8_t family; // IP_NONE: both, or a peer's
};
#define SOCKET_TYPE "socket"
struct socket_object *socket_object_check(lua_State *L, int index);
// Sets options and settings by name from the table at index.
void socket_apply_settings(lua_State *L, struct socket_object *object,
                           int table);

#endif
