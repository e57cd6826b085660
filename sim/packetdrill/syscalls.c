// The system calls of a script, on the stack's sockets.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/syscalls.h"
#include "sim/packetdrill/runner.h"

#include "sim/packetdrill/symbols.h"

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

enum { SCRIPT_PORT = 8080, DATA_SIZE = 65536 };

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

// The descriptor of the first argument; false: *result is the refusal, or the
// script was stopped.
static bool call_socket(struct runner *r, const struct script_event *event,
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

static enum call_progress done_or_stopped(const struct runner *r)
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

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
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

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
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

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
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
    struct endpoint remote = socket_remote(socket);
    if (ip_addr_equal(&remote.addr, &r->flow.remote.addr) &&
        remote.port == r->flow.remote.port)
        r->flow_fd = (int)*result;
    return CALL_DONE;
}

// The segments of a connection that begins here are the script's from now on.
static void follow(struct runner *r, const struct descriptor *d)
{
    struct endpoint local = socket_local(d->socket);

    if (r->flow.local.port == local.port && r->flow.remote.port == SCRIPT_PORT)
        return;
    runner_begin_flow(r, local.port, SCRIPT_PORT);
    r->flow_fd = (int)(d - r->descriptors);
}

// What became of a connect that was begun before.
static int connect_outcome(const struct descriptor *d)
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

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
    if (to != NULL && to->kind != SCRIPT_VALUE_ELLIPSIS) {
        runner_unsupported(r, event->line, "an address in connect");
        return CALL_STOPPED;
    }
    if (r->pending.is_retry)
        return answer(d, connect_outcome(d), result);
    *result = socket_connect(d->socket, &remote);
    if (*result == 0 || *result == -EINPROGRESS)
        follow(r, d);
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

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
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

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
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

// --- Sending

static int message_flags(int64_t flags)
{
    int result = 0;

    result |= flags & MSG_PEEK ? MESSAGE_PEEK : 0;
    result |= flags & MSG_MORE ? MESSAGE_MORE : 0;
    result |= flags & MSG_OOB ? MESSAGE_URGENT : 0;
    result |= flags & MSG_EOR ? MESSAGE_END_OF_RECORD : 0;
    return result;
}

static bool are_flags_known(struct runner *r, int line, int64_t flags)
{
    const int64_t known = MSG_PEEK | MSG_MORE | MSG_OOB | MSG_EOR |
                          MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL |
                          MSG_FASTOPEN;

    if ((flags & ~known) == 0)
        return true;
    runner_unsupported(r, line, "the message flags 0x%llx",
                       (long long)(flags & ~known));
    return false;
}

// One system call's worth of zeros, in as many pieces as the stack takes.
static enum call_progress send_bytes(struct runner *r, struct descriptor *d,
                                     int64_t length, int64_t flags,
                                     int64_t *result)
{
    static const uint8_t zeros[DATA_SIZE];
    bool may_block = !d->is_nonblocking && !(flags & MSG_DONTWAIT);
    int64_t *done = &r->pending.done;
    int64_t sent = 0;

    while (*done < length || (length == 0 && !r->pending.is_retry)) {
        int64_t piece = min_i64(length - *done, DATA_SIZE);
        // What follows in this same call keeps a small last piece back.
        int more = *done + piece < length ? MESSAGE_MORE : 0;

        sent = socket_send(d->socket, zeros, (size_t)piece,
                           message_flags(flags) | more |
                               (may_block ? MESSAGE_WAITS : 0));
        if (sent <= 0)
            break;
        *done += sent;
    }
    if (*done < length && sent == -EAGAIN && may_block)
        return CALL_WAITS;
    *result = *done > 0 ? *done : sent;
    return CALL_DONE;
}

// A connection is being opened by this very call: as soon as it stands the rest
// follows.
static enum call_progress go_on_opening(struct runner *r, struct descriptor *d,
                                        int64_t length, int64_t *result)
{
    int error = connect_outcome(d);

    if (error == -EAGAIN)
        return CALL_WAITS;
    r->pending.is_opening = false;
    if (error == 0)
        return send_bytes(r, d, length, 0, result);
    *result = error;
    return CALL_DONE;
}

// sendto with MSG_FASTOPEN, or the first write behind a connect that waited for
// it.
static enum call_progress send_fast_open(struct runner *r,
                                         const struct script_event *event,
                                         struct descriptor *d, int64_t length,
                                         int64_t flags, int64_t *result)
{
    static const uint8_t zeros[DATA_SIZE];
    const struct script_value *to = call_argument(event->call, 4);
    struct endpoint remote = {.addr = r->remote, .port = SCRIPT_PORT};
    bool may_block = !d->is_nonblocking && !(flags & MSG_DONTWAIT);

    if (to != NULL && to->kind != SCRIPT_VALUE_ELLIPSIS)
        remote = (struct endpoint){0}; // AF_UNSPEC
    int64_t sent = socket_send_to(
        d->socket, zeros, (size_t)min_i64(length, DATA_SIZE),
        MESSAGE_FAST_OPEN | (may_block ? MESSAGE_WAITS : 0), &remote);
    d->waits_for_data = false;
    *result = sent;
    if (sent < 0 && sent != -EINPROGRESS)
        return CALL_DONE;
    follow(r, d);
    if (!may_block)
        return CALL_DONE;
    r->pending.done = max_i64(sent, 0);
    r->pending.is_opening = true;
    return CALL_WAITS;
}

static enum call_progress
do_write(struct runner *r, const struct script_event *event, int64_t *result)
{
    bool has_flags = strcmp(event->call->name, "write") != 0;
    struct descriptor *d;
    int64_t length, flags = 0;

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
    if (!call_integer(r, event, 2, &length) ||
        (has_flags && !call_integer(r, event, 3, &flags)) ||
        !are_flags_known(r, event->line, flags))
        return CALL_STOPPED;
    if (r->pending.is_opening)
        return go_on_opening(r, d, length, result);
    if (!r->pending.is_retry && ((flags & MSG_FASTOPEN) || d->waits_for_data))
        return send_fast_open(r, event, d, length, flags, result);
    return send_bytes(r, d, length, flags, result);
}

// --- Messages of several pieces

static const struct script_value *field(const struct script_value *value,
                                        const char *name)
{
    if (value == NULL || value->kind != SCRIPT_VALUE_STRUCT)
        return NULL;
    for (const struct script_value *f = value->items; f != NULL; f = f->next)
        if (f->field != NULL && strcmp(f->field, name) == 0)
            return f;
    return NULL;
}

// The sum of the lengths in msg_iov, -1: something else than {..., N}.
static int64_t vector_length(const struct script_value *vector)
{
    int64_t sum = 0;

    if (vector == NULL || vector->kind != SCRIPT_VALUE_LIST)
        return -1;
    for (const struct script_value *v = vector->items; v; v = v->next) {
        const struct script_value *length =
            v->kind == SCRIPT_VALUE_STRUCT && v->items ? v->items->next : NULL;

        if (length == NULL || length->kind != SCRIPT_VALUE_INTEGER)
            return -1;
        sum += length->integer;
    }
    return sum;
}

static enum call_progress receive_bytes(struct runner *r, struct descriptor *d,
                                        int64_t length, int64_t flags,
                                        int64_t *result);

static enum call_progress
do_message(struct runner *r, const struct script_event *event, int64_t *result)
{
    const struct script_value *message = call_argument(event->call, 1);
    bool is_send = strcmp(event->call->name, "sendmsg") == 0;
    int64_t length = vector_length(field(message, "msg_iov")), flags;
    struct descriptor *d;

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
    if (!call_integer(r, event, 2, &flags) ||
        !are_flags_known(r, event->line, flags))
        return CALL_STOPPED;
    if (length < 0 || field(message, "msg_control") != NULL) {
        runner_unsupported(r, event->line, "this form of %s",
                           event->call->name);
        return CALL_STOPPED;
    }
    return is_send ? send_bytes(r, d, length, flags, result)
                   : receive_bytes(r, d, length, flags, result);
}

static enum call_progress
do_vector(struct runner *r, const struct script_event *event, int64_t *result)
{
    bool is_send = strcmp(event->call->name, "writev") == 0;
    int64_t length = vector_length(call_argument(event->call, 1));
    struct descriptor *d;

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
    if (length < 0) {
        runner_unsupported(r, event->line, "this form of %s",
                           event->call->name);
        return CALL_STOPPED;
    }
    return is_send ? send_bytes(r, d, length, 0, result)
                   : receive_bytes(r, d, length, 0, result);
}

// --- Receiving

static enum call_progress receive_bytes(struct runner *r, struct descriptor *d,
                                        int64_t length, int64_t flags,
                                        int64_t *result)
{
    size_t size = (size_t)min_i64(max_i64(length, 0), 64 << 20);
    int64_t done = r->pending.done;
    bool wants_all = (flags & MSG_WAITALL) && !(flags & MSG_PEEK);
    bool may_block = !d->is_nonblocking && !(flags & MSG_DONTWAIT);
    uint8_t *bytes = malloc(size + 1);
    int64_t got;

    must(bytes != NULL);
    do {
        got = socket_receive(d->socket, bytes, size - (size_t)done,
                             message_flags(flags));
        if (got > 0)
            done += got;
    } while (got > 0 && wants_all && done < (int64_t)size);
    free(bytes);
    r->pending.done = done;
    bool is_enough = wants_all ? done == (int64_t)size : done > 0;
    if (got == -EAGAIN && !is_enough && may_block)
        return CALL_WAITS;
    *result = done > 0 ? done : got;
    return CALL_DONE;
}

static enum call_progress
do_read(struct runner *r, const struct script_event *event, int64_t *result)
{
    bool has_flags = strcmp(event->call->name, "read") != 0;
    struct descriptor *d;
    int64_t length, flags = 0;

    if (!call_socket(r, event, &d, result))
        return done_or_stopped(r);
    if (!call_integer(r, event, 2, &length) ||
        (has_flags && !call_integer(r, event, 3, &flags)) ||
        !are_flags_known(r, event->line, flags))
        return CALL_STOPPED;
    return receive_bytes(r, d, length, flags, result);
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
    {"write", do_write},
    {"send", do_write},
    {"sendto", do_write},
    {"sendmsg", do_message},
    {"writev", do_vector},
    {"read", do_read},
    {"recv", do_read},
    {"recvfrom", do_read},
    {"recvmsg", do_message},
    {"readv", do_vector},
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
