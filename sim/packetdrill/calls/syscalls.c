// The system calls of a script, on the stack's sockets.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/calls/syscalls.h"
#include "sim/packetdrill/runner.h"

#include "sim/packetdrill/language/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// Theory of operation
//
// A call is a function that tries once. When it would block and the descriptor
// is a blocking one, the call becomes the pending one: it is tried again
// whenever something happened to the stack, while the script goes on, as if it
// ran in a thread of its own. The next call, or the end of the script, waits
// for it. A call without an end time that blocks holds up the script itself.

// How long a call is waited for that does not say when it ends.
#define PATIENCE (600 * NS_PER_S)

// --- Arguments

const struct script_value *call_argument(const struct script_call *call,
                                         unsigned n)
{
    const struct script_value *value = call->arguments;

    while (value != NULL && n-- > 0)
        value = value->next;
    return value;
}

bool call_integer(struct runner *r, const struct script_event *event,
                  unsigned n, int64_t *out)
{
    const struct script_value *value = call_argument(event->call, n);

    while (value != NULL && value->kind == SCRIPT_VALUE_LIST &&
           value->items != NULL && value->items->next == NULL)
        value = value->items;
    if (value == NULL) {
        runner_fail(r, event->line, "%s: argument %u is missing",
                    event->call->name, n + 1);
        return false;
    }
    if (value->kind == SCRIPT_VALUE_UNKNOWN) {
        runner_unsupported(r, event->line, "the constant %s", value->text);
        return false;
    }
    if (value->kind != SCRIPT_VALUE_INTEGER) {
        runner_unsupported(r, event->line, "%s: argument %u is no integer",
                           event->call->name, n + 1);
        return false;
    }
    *out = value->integer;
    return true;
}

bool call_descriptor(struct runner *r, const struct script_event *event,
                     struct descriptor **d, int64_t *result)
{
    int64_t fd;

    if (!call_integer(r, event, 0, &fd))
        return false;
    *d = descriptor_find(r, fd);
    if (*d == NULL || (*d)->socket == NULL) {
        *result = *d == NULL ? -EBADF : -ENOTCONN;
        return false;
    }
    return true;
}

enum call_progress call_done_or_stopped(const struct runner *r)
{
    return r->is_stopped ? CALL_STOPPED : CALL_DONE;
}

static enum call_progress answer(const struct descriptor *d, int64_t value,
                                 int64_t *result)
{
    *result = value;
    return value == -EAGAIN && !d->is_nonblocking ? CALL_WAITS : CALL_DONE;
}

// --- Opening and closing

static enum call_progress
do_socket(struct runner *r, const struct script_event *event, int64_t *result)
{
    int64_t type, protocol;
    struct socket *socket;

    if (!call_integer(r, event, 1, &type) ||
        !call_integer(r, event, 2, &protocol))
        return CALL_STOPPED;
    if ((type & 15) != SOCK_STREAM) {
        runner_unsupported(r, event->line, "sockets other than SOCK_STREAM");
        return CALL_STOPPED;
    }
    *result = socket_open(r->stack, SOCKET_STREAM, r->local.family, 0, &socket);
    if (*result < 0)
        return CALL_DONE;
    *result = descriptor_open(r, event->call->result, socket);
    if (*result < 0)
        socket_close(socket);
    else
        descriptor_find(r, *result)->is_nonblocking = type & SOCK_NONBLOCK;
    return CALL_DONE;
}

static enum call_progress
do_bind(struct runner *r, const struct script_event *event, int64_t *result)
{
    struct endpoint local = {.addr = r->local, .port = SCRIPT_PORT};
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    *result = socket_bind(d->socket, &local);
    if (*result == 0) {
        runner_begin_flow(r, SCRIPT_PORT, 0);
        r->flow_fd = (int)(d - r->descriptors);
    }
    return CALL_DONE;
}

static enum call_progress
do_listen(struct runner *r, const struct script_event *event, int64_t *result)
{
    struct descriptor *d;
    int64_t backlog;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!call_integer(r, event, 1, &backlog))
        return CALL_STOPPED;
    *result = socket_listen(d->socket, (int)backlog);
    if (*result == 0) {
        d->is_listening = true;
        runner_begin_flow(r, socket_local(d->socket).port, 0);
        r->flow_fd = (int)(d - r->descriptors);
    }
    return CALL_DONE;
}

static enum call_progress
do_accept(struct runner *r, const struct script_event *event, int64_t *result)
{
    struct socket *socket;
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    int error = socket_accept(d->socket, &socket);
    if (error < 0)
        return answer(d, error, result);
    *result = descriptor_open(r, event->call->result, socket);
    if (*result < 0) {
        socket_close(socket);
        return CALL_DONE;
    }
    if (strcmp(event->call->name, "accept4") == 0) {
        int64_t flags;

        if (!call_integer(r, event, 3, &flags))
            return CALL_STOPPED;
        descriptor_find(r, *result)->is_nonblocking = flags & SOCK_NONBLOCK;
    }
    descriptor_find(r, *result)->errors.is_zerocopy = d->errors.is_zerocopy;
    struct endpoint remote = socket_remote(socket);
    if (ip_addr_equal(&remote.addr, &r->flow.remote.addr) &&
        remote.port == r->flow.remote.port)
        r->flow_fd = (int)*result;
    return CALL_DONE;
}

void call_follow(struct runner *r, const struct descriptor *d)
{
    struct endpoint local = socket_local(d->socket);

    if (r->flow.local.port == local.port && r->flow.remote.port == SCRIPT_PORT)
        return;
    runner_begin_flow(r, local.port, SCRIPT_PORT);
    r->flow_fd = (int)(d - r->descriptors);
}

int call_connect_outcome(const struct descriptor *d)
{
    struct tcp_info info;
    int error = socket_take_error(d->socket);

    if (error != 0)
        return error;
    if (socket_get_tcp_info(d->socket, &info) != 0)
        return -EINVAL;
    if (info.state == TCP_SYN_SENT || info.state == TCP_SYN_RECEIVED)
        return -EAGAIN;
    return info.state == TCP_CLOSED ? -ECONNABORTED : 0;
}

static enum call_progress
do_connect(struct runner *r, const struct script_event *event, int64_t *result)
{
    const struct script_value *to = call_argument(event->call, 1);
    struct endpoint remote = {.addr = r->remote, .port = SCRIPT_PORT};
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (to != NULL && to->kind != SCRIPT_VALUE_ELLIPSIS) {
        runner_unsupported(r, event->line, "an address in connect");
        return CALL_STOPPED;
    }
    if (r->pending.is_retry)
        return answer(d, call_connect_outcome(d), result);
    *result = socket_connect(d->socket, &remote);
    if (*result == 0 || *result == -EINPROGRESS)
        call_follow(r, d);
    d->waits_for_data = *result == 0;
    if (*result == -EINPROGRESS && !d->is_nonblocking)
        return CALL_WAITS;
    return CALL_DONE;
}

static enum call_progress
do_close(struct runner *r, const struct script_event *event, int64_t *result)
{
    struct descriptor *d;
    int64_t fd;

    if (!call_integer(r, event, 0, &fd))
        return CALL_STOPPED;
    d = descriptor_find(r, fd);
    *result = d == NULL ? -EBADF : 0;
    if (d != NULL) {
        if (d->socket != NULL)
            socket_close(d->socket);
        memset(d, 0, sizeof(*d));
    }
    return CALL_DONE;
}

static enum call_progress
do_shutdown(struct runner *r, const struct script_event *event, int64_t *result)
{
    struct descriptor *d;
    int64_t how;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!call_integer(r, event, 1, &how))
        return CALL_STOPPED;
    if (how < SHUT_RD || how > SHUT_RDWR)
        *result = -EINVAL;
    else
        *result = socket_shutdown(d->socket, (enum shutdown_how)(how + 1));
    return CALL_DONE;
}

static enum call_progress
do_fcntl(struct runner *r, const struct script_event *event, int64_t *result)
{
    struct descriptor *d;
    int64_t command, flags;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!call_integer(r, event, 1, &command))
        return CALL_STOPPED;
    if (command == F_GETFL) {
        *result = O_RDWR | (d->is_nonblocking ? O_NONBLOCK : 0);
    } else if (command == F_SETFL) {
        if (!call_integer(r, event, 2, &flags))
            return CALL_STOPPED;
        d->is_nonblocking = flags & O_NONBLOCK;
        *result = 0;
    } else {
        *result = -EINVAL;
    }
    return CALL_DONE;
}

// --- All of them

static const struct {
    const char *name;
    enum call_progress (*attempt)(struct runner *r,
                                  const struct script_event *event,
                                  int64_t *result);
} calls[] = {
    {"socket", do_socket},
    {"bind", do_bind},
    {"listen", do_listen},
    {"accept", do_accept},
    {"accept4", do_accept},
    {"connect", do_connect},
    {"close", do_close},
    {"shutdown", do_shutdown},
    {"fcntl", do_fcntl},
    {"write", call_write},
    {"send", call_write},
    {"sendto", call_write},
    {"sendmsg", call_message},
    {"writev", call_vector},
    {"read", call_read},
    {"recv", call_read},
    {"recvfrom", call_read},
    {"recvmsg", call_message},
    {"readv", call_vector},
    {"setsockopt", call_setsockopt},
    {"getsockopt", call_getsockopt},
    {"ioctl", call_ioctl},
    {"poll", call_poll},
    {"epoll_create", call_epoll_create},
    {"epoll_create1", call_epoll_create},
    {"epoll_ctl", call_epoll_ctl},
    {"epoll_wait", call_epoll_wait},
};

static enum call_progress
attempt(struct runner *r, const struct script_event *event, int64_t *result)
{
    *result = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
        if (strcmp(calls[i].name, event->call->name) == 0) {
            enum call_progress progress = calls[i].attempt(r, event, result);

            return r->is_stopped ? CALL_STOPPED : progress;
        }
    runner_unsupported(r, event->line, "the system call %s", event->call->name);
    return CALL_STOPPED;
}

// --- Results

static void result_text(int64_t result, char *out, size_t size)
{
    const char *name = result < 0 ? symbol_errno_name((int)-result) : NULL;

    if (name != NULL)
        snprintf(out, size, "-1 %s", name);
    else
        snprintf(out, size, "%lld", (long long)result);
}

static void check_result(struct runner *r, const struct script_event *event,
                         int64_t result)
{
    const struct script_call *call = event->call;
    int64_t wanted = call->result;
    char found[64], expected[64];
    bool is_right;

    if (call->error != NULL &&
        !symbol_find(call->error, strlen(call->error), &wanted)) {
        runner_unsupported(r, event->line, "the error %s", call->error);
        return;
    }
    result_text(result, found, sizeof(found));
    report_note(r, r->now, "%s(...) = %s", call->name, found);
    if (call->has_any_result)
        return;
    if (call->error != NULL)
        is_right = result == -wanted;
    else if (wanted == -1) // an error that the script leaves open
        is_right = result < 0;
    else
        is_right = result == wanted;
    if (is_right)
        return;
    if (call->error != NULL)
        snprintf(expected, sizeof(expected), "-1 %s", call->error);
    else
        snprintf(expected, sizeof(expected), "%lld", (long long)wanted);
    runner_fail(r, event->line, "%s returned %s, expected %s", call->name,
                found, expected);
}

static void check_end(struct runner *r)
{
    const struct pending_call *pending = &r->pending;
    ns_t difference = r->now - pending->expected_end;

    if (pending->expected_end < 0)
        return;
    if (difference < -pending->allowed || difference > pending->allowed)
        runner_fail(r, pending->event->line,
                    "%s ended at %.6f, expected at %.6f (%+.0f us, %.0f us "
                    "tolerated)",
                    pending->event->call->name, runner_seconds(r, r->now),
                    runner_seconds(r, pending->expected_end),
                    (double)difference / 1e3, (double)pending->allowed / 1e3);
}

static void finish(struct runner *r, int64_t result)
{
    const struct script_event *event = r->pending.event;

    check_result(r, event, result);
    if (!r->is_stopped)
        check_end(r);
    memset(&r->pending, 0, sizeof(r->pending));
}

void call_retry(struct runner *r)
{
    int64_t result;

    descriptor_update(r);
    if (r->pending.event == NULL || r->is_stopped)
        return;
    r->pending.is_retry = true;
    if (attempt(r, r->pending.event, &result) == CALL_DONE)
        finish(r, result);
}

bool call_await(struct runner *r)
{
    ns_t limit = max_i64(r->now, r->pending.expected_end) + PATIENCE;

    while (r->pending.event != NULL && runner_step(r, limit))
        ;
    if (r->pending.event != NULL && !r->is_stopped)
        runner_fail(r, r->pending.event->line, "%s never returned",
                    r->pending.event->call->name);
    return !r->is_stopped;
}

bool call_begin(struct runner *r, const struct script_event *event,
                ns_t expected_end)
{
    int64_t result;

    if (!call_await(r))
        return false;
    r->pending = (struct pending_call){
        .event = event,
        .started = r->now,
        .expected_end = expected_end,
        .allowed = expected_end < 0 ? 0 : runner_allowed(r, expected_end),
    };
    enum call_progress progress = attempt(r, event, &result);
    if (progress == CALL_DONE) {
        finish(r, result);
    } else if (progress == CALL_STOPPED) {
        memset(&r->pending, 0, sizeof(r->pending));
    } else if (expected_end < 0) {
        call_await(r);
    }
    return !r->is_stopped;
}
