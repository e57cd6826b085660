// Socket options that every type has, settings of one socket, ephemeral ports.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "stack/socket/socket.h"

// --- Options

static int set_flag(bool *flag, int64_t value)
{
    if (value != 0 && value != 1)
        return -EINVAL;
    *flag = value == 1;
    return 0;
}

static int set_byte(uint8_t *byte, int64_t minimum, int64_t value)
{
    if (value < minimum || value > 255)
        return -EINVAL;
    *byte = (uint8_t)value;
    return 0;
}

static int set_bound_iface(struct socket *socket, int64_t index)
{
    if (index < 0 || index > UINT16_MAX)
        return -EINVAL;
    if (index != 0 && !iface_find_index(socket->stack, (unsigned)index))
        return -ENODEV;
    socket->bound_iface = (uint16_t)index;
    return 0;
}

// The one value it may have (see socket.h); on an IPv4 socket it means nothing.
static int set_ipv6_only(const struct socket *socket, int64_t value)
{
    if (socket->family != IP_V6)
        return -ENOPROTOOPT;
    return value == 1 ? 0 : -EINVAL;
}

int socket_set_common_option(struct socket *socket, enum socket_option option,
                             int64_t value)
{
    switch ((int)option) {
    case OPTION_REUSE_ADDRESS:
        return set_flag(&socket->reuse_address, value);
    case OPTION_BROADCAST:
        return set_flag(&socket->may_broadcast, value);
    case OPTION_TTL:
        return set_byte(&socket->ttl, 1, value);
    case OPTION_TOS:
        return set_byte(&socket->tos, 0, value);
    case OPTION_DONT_FRAGMENT:
        return set_flag(&socket->dont_fragment, value);
    case OPTION_BIND_IFACE:
        return set_bound_iface(socket, value);
    case OPTION_IPV6_ONLY:
        return set_ipv6_only(socket, value);
    case OPTION_ERROR_QUEUE:
        if (socket->type == SOCKET_STREAM)
            return -ENOPROTOOPT;
        return set_flag(&socket->error_queue, value);
    default:
        return -ENOPROTOOPT;
    }
}

int socket_get_common_option(const struct socket *socket,
                             enum socket_option option, int64_t *out)
{
    switch ((int)option) {
    case OPTION_REUSE_ADDRESS:
        *out = socket->reuse_address;
        return 0;
    case OPTION_BROADCAST:
        *out = socket->may_broadcast;
        return 0;
    case OPTION_TTL:
        *out = socket->ttl ? socket->ttl : socket->settings->ip_ttl;
        return 0;
    case OPTION_TOS:
        *out = socket->tos;
        return 0;
    case OPTION_DONT_FRAGMENT:
        *out = socket->dont_fragment;
        return 0;
    case OPTION_BIND_IFACE:
        *out = socket->bound_iface;
        return 0;
    case OPTION_IPV6_ONLY:
        if (socket->family != IP_V6)
            return -ENOPROTOOPT;
        *out = 1;
        return 0;
    case OPTION_ERROR_QUEUE:
        if (socket->type == SOCKET_STREAM)
            return -ENOPROTOOPT;
        *out = socket->error_queue;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int socket_set_option(struct socket *socket, enum socket_option option,
                      int64_t value)
{
    struct stack *stack = socket->stack;
    int result = -ENOPROTOOPT;
    stack_enter(stack);
    if (socket->ops->set_option)
        result = socket->ops->set_option(socket, option, value);
    if (result == -ENOPROTOOPT)
        result = socket_set_common_option(socket, option, value);
    stack_leave(stack);
    return result;
}

int socket_get_option(const struct socket *socket, enum socket_option option,
                      int64_t *out)
{
    int result = -ENOPROTOOPT;
    if (socket->ops->get_option)
        result = socket->ops->get_option(socket, option, out);
    if (result == -ENOPROTOOPT)
        result = socket_get_common_option(socket, option, out);
    return result;
}

// --- Settings

// The socket's own settings: a copy of the stack's, made when first needed.
static struct stack_settings *own_settings(struct socket *socket)
{
    if (!socket->owns_settings) {
        struct stack_settings *copy = malloc(sizeof *copy);
        if (!copy)
            return NULL;
        *copy = *socket->settings;
        socket->settings = copy;
        socket->owns_settings = true;
    }
    return (struct stack_settings *)socket->settings;
}

int socket_set_setting(struct socket *socket,
                       const struct setting_info *setting, int64_t value)
{
    // Asked first so that a refusal costs no copy.
    if (value < setting->minimum || value > setting->maximum)
        return -ERANGE;
    struct stack_settings *settings = own_settings(socket);
    if (!settings)
        return -ENOMEM;
    int error = setting_set(settings, setting, value);
    if (error == 0 && socket->ops->settings_changed) {
        stack_enter(socket->stack);
        socket->ops->settings_changed(socket);
        stack_leave(socket->stack);
    }
    return error;
}

int64_t socket_get_setting(const struct socket *socket,
                           const struct setting_info *setting)
{
    return setting_get(socket->settings, setting);
}

// --- Ephemeral ports

static uint32_t port_offset(const struct socket *socket,
                            const struct endpoint *remote)
{
    uint8_t bytes[2 * 16 + 4] = {0};
    memcpy(bytes, socket->local.addr.bytes, 16);
    if (remote) {
        memcpy(bytes + 16, remote->addr.bytes, 16);
        bytes[32] = (uint8_t)(remote->port >> 8);
        bytes[33] = (uint8_t)remote->port;
    }
    bytes[34] = socket->type;
    return (uint32_t)siphash(&socket->stack->secret, bytes, sizeof bytes);
}

uint16_t socket_pick_port(struct socket *socket, const struct endpoint *remote,
                          bool (*is_free)(struct socket *socket, uint16_t port))
{
    const struct stack_settings *settings = socket->settings;
    struct stack *stack = socket->stack;
    if (settings->limits_port_max < settings->limits_port_min)
        return 0;
    uint32_t first = (uint32_t)settings->limits_port_min;
    uint32_t count = (uint32_t)settings->limits_port_max - first + 1;
    uint32_t offset = port_offset(socket, remote);
    for (uint32_t tries = 0; tries < count; tries++) {
        uint32_t step = stack->next_ephemeral++ % count;
        uint16_t port = (uint16_t)(first + (step + offset % count) % count);
        if (is_free(socket, port))
            return port;
    }
    return 0;
}
