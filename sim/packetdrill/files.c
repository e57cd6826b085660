// File descriptors of a script, with poll and epoll on them.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/calls/syscalls.h"
#include "sim/packetdrill/runner.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

// --- Descriptors

struct descriptor *descriptor_find(struct runner *r, int64_t fd)
{
    if (fd < 0 || fd >= MAX_DESCRIPTORS || !r->descriptors[fd].is_open)
        return NULL;
    return &r->descriptors[fd];
}

// Marks what edge-triggered watches wait for.
static void mark_edges(struct runner *r, const struct socket *socket)
{
    for (int i = 0; i < MAX_DESCRIPTORS; i++) {
        struct descriptor *d = &r->descriptors[i];

        for (int j = 0; d->is_open && d->is_epoll && j < MAX_WATCHES; j++) {
            struct descriptor *watched = descriptor_find(r, d->watches[j].fd);

            if (watched != NULL && watched->socket == socket)
                d->watches[j].is_edge = true;
        }
    }
}

static void on_event(void *context, struct socket *socket, uint32_t events)
{
    (void)events;
    mark_edges(context, socket);
}

void descriptor_update(struct runner *r)
{
    for (int i = 0; i < MAX_DESCRIPTORS; i++)
        if (r->descriptors[i].is_open && errqueue_update(&r->descriptors[i]))
            mark_edges(r, r->descriptors[i].socket);
}

int descriptor_open(struct runner *r, int64_t wanted, struct socket *socket)
{
    int fd = (int)wanted;

    if (wanted < 0 || wanted >= MAX_DESCRIPTORS)
        for (fd = 3; fd < MAX_DESCRIPTORS && r->descriptors[fd].is_open; fd++)
            ;
    if (fd >= MAX_DESCRIPTORS || r->descriptors[fd].is_open)
        return -EMFILE;
    struct descriptor *d = &r->descriptors[fd];
    memset(d, 0, sizeof(*d));
    d->is_open = true;
    d->socket = socket;
    d->is_epoll = socket == NULL;
    for (int i = 0; i < MAX_WATCHES; i++)
        d->watches[i].fd = -1;
    if (socket != NULL)
        socket_set_handler(socket, on_event, r);
    return fd;
}

uint32_t descriptor_poll(struct runner *r, const struct descriptor *d)
{
    uint32_t result = errqueue_poll(d);

    (void)r;
    if (d->socket == NULL)
        return POLLERR | POLLHUP;
    uint32_t events = socket_events(d->socket);
    if (events & EVENT_READABLE)
        result |= POLLIN;
    if (events & EVENT_WRITABLE)
        result |= POLLOUT;
    if (events & EVENT_ERROR)
        result |= POLLERR;
    if (events & EVENT_URGENT)
        result |= POLLPRI;
    if (events & EVENT_PEER_CLOSED)
        result |= POLLIN | POLLRDHUP;
    if (events & EVENT_CLOSED)
        result |= POLLIN | POLLOUT | POLLHUP;
    return result;
}

// --- Fields of structures

static const struct script_value *field_of(const struct script_value *value,
                                           const char *name, unsigned index)
{
    const struct script_value *f =
        value != NULL && value->kind == SCRIPT_VALUE_STRUCT ? value->items
                                                            : NULL;

    for (; f != NULL; f = f->next) {
        if (f->field == NULL ? index == 0 : strcmp(f->field, name) == 0)
            return f;
        index -= index > 0;
    }
    return NULL;
}

static bool integer_field(struct runner *r, const struct script_event *event,
                          const struct script_value *value, const char *name,
                          unsigned index, int64_t *out)
{
    const struct script_value *f = field_of(value, name, index);

    if (f == NULL || f->kind != SCRIPT_VALUE_INTEGER) {
        runner_unsupported(r, event->line, "%s without a number as %s",
                           event->call->name, name);
        return false;
    }
    *out = f->integer;
    return true;
}

// Has a call that was given a timeout in milliseconds waited long enough?
static enum call_progress wait_or_return(struct runner *r, int64_t timeout_ms,
                                         int64_t *result)
{
    ns_t end = r->pending.started + timeout_ms * NS_PER_MS;

    *result = 0;
    if (timeout_ms < 0)
        return CALL_WAITS;
    if (end <= r->now)
        return CALL_DONE;
    r->wake = end;
    return CALL_WAITS;
}

// --- poll

static bool check_poll_results(struct runner *r,
                               const struct script_event *event, bool is_check,
                               int64_t *ready)
{
    const struct script_value *list = call_argument(event->call, 0);

    *ready = 0;
    for (const struct script_value *v = list->items; v; v = v->next) {
        int64_t fd, wanted, expected;

        if (!integer_field(r, event, v, "fd", 0, &fd) ||
            !integer_field(r, event, v, "events", 1, &wanted) ||
            !integer_field(r, event, v, "revents", 2, &expected))
            return false;
        struct descriptor *d = descriptor_find(r, fd);
        int64_t found =
            d == NULL ? POLLNVAL
                      : descriptor_poll(r, d) & (wanted | POLLERR | POLLHUP);
        *ready += found != 0;
        if (is_check && found != expected) {
            runner_fail(r, event->line,
                        "poll found the events 0x%llx on %lld, expected 0x%llx",
                        (long long)found, (long long)fd, (long long)expected);
            return false;
        }
    }
    return true;
}

enum call_progress call_poll(struct runner *r, const struct script_event *event,
                             int64_t *result)
{
    const struct script_value *list = call_argument(event->call, 0);
    int64_t timeout_ms, ready;

    if (list == NULL || list->kind != SCRIPT_VALUE_LIST) {
        runner_unsupported(r, event->line, "this form of poll");
        return CALL_STOPPED;
    }
    if (!call_integer(r, event, 2, &timeout_ms) ||
        !check_poll_results(r, event, false, &ready))
        return CALL_STOPPED;
    if (ready == 0) {
        enum call_progress progress = wait_or_return(r, timeout_ms, result);

        if (progress != CALL_DONE)
            return progress;
    }
    *result = ready;
    return check_poll_results(r, event, true, &ready) ? CALL_DONE
                                                      : CALL_STOPPED;
}

// --- epoll

enum call_progress call_epoll_create(struct runner *r,
                                     const struct script_event *event,
                                     int64_t *result)
{
    *result = descriptor_open(r, event->call->result, NULL);
    return CALL_DONE;
}

static struct watch *find_watch(struct descriptor *epoll, int64_t fd)
{
    for (int i = 0; i < MAX_WATCHES; i++)
        if (epoll->watches[i].fd == fd)
            return &epoll->watches[i];
    return NULL;
}

enum call_progress call_epoll_ctl(struct runner *r,
                                  const struct script_event *event,
                                  int64_t *result)
{
    int64_t epoll_fd, operation, fd, wanted = 0;

    if (!call_integer(r, event, 0, &epoll_fd) ||
        !call_integer(r, event, 1, &operation) ||
        !call_integer(r, event, 2, &fd))
        return CALL_STOPPED;
    if (operation != EPOLL_CTL_DEL &&
        !integer_field(r, event, call_argument(event->call, 3), "events", 0,
                       &wanted))
        return CALL_STOPPED;
    struct descriptor *epoll = descriptor_find(r, epoll_fd);
    if (epoll == NULL || !epoll->is_epoll || descriptor_find(r, fd) == NULL) {
        *result = -EBADF;
        return CALL_DONE;
    }
    struct watch *watch =
        find_watch(epoll, operation == EPOLL_CTL_ADD ? -1 : fd);
    if (watch == NULL) {
        *result = operation == EPOLL_CTL_ADD ? -ENOSPC : -ENOENT;
        return CALL_DONE;
    }
    *watch = (struct watch){.fd = operation == EPOLL_CTL_DEL ? -1 : (int)fd,
                            .wanted = (uint32_t)wanted,
                            .is_edge = true};
    *result = 0;
    return CALL_DONE;
}

// What a watch has to report now.
static uint32_t watch_events(struct runner *r, const struct watch *watch)
{
    struct descriptor *d = descriptor_find(r, watch->fd);

    if (d == NULL || ((watch->wanted & EPOLLET) && !watch->is_edge))
        return 0;
    return descriptor_poll(r, d) & (watch->wanted | EPOLLERR | EPOLLHUP);
}

static bool check_epoll_event(struct runner *r,
                              const struct script_event *event,
                              const struct watch *watch, uint32_t found)
{
    const struct script_value *wanted = call_argument(event->call, 1);
    int64_t events, fd;

    while (wanted != NULL && wanted->kind == SCRIPT_VALUE_LIST)
        wanted = wanted->items;
    if (wanted == NULL || wanted->kind == SCRIPT_VALUE_ELLIPSIS)
        return true;
    if (!integer_field(r, event, wanted, "events", 0, &events) ||
        !integer_field(r, event, wanted, "fd", 1, &fd))
        return false;
    if (events == found && fd == watch->fd)
        return true;
    runner_fail(r, event->line,
                "epoll_wait found the events 0x%x on %d, expected 0x%llx on "
                "%lld",
                found, watch->fd, (long long)events, (long long)fd);
    return false;
}

enum call_progress call_epoll_wait(struct runner *r,
                                   const struct script_event *event,
                                   int64_t *result)
{
    int64_t epoll_fd, timeout_ms;

    if (!call_integer(r, event, 0, &epoll_fd) ||
        !call_integer(r, event, 3, &timeout_ms))
        return CALL_STOPPED;
    struct descriptor *epoll = descriptor_find(r, epoll_fd);
    if (epoll == NULL || !epoll->is_epoll) {
        *result = -EBADF;
        return CALL_DONE;
    }
    int64_t ready = 0;
    for (int i = 0; i < MAX_WATCHES; i++) {
        uint32_t found = watch_events(r, &epoll->watches[i]);

        if (found == 0)
            continue;
        if (ready++ == 0 &&
            !check_epoll_event(r, event, &epoll->watches[i], found))
            return CALL_STOPPED;
        epoll->watches[i].is_edge = false;
    }
    if (ready == 0)
        return wait_or_return(r, timeout_ms, result);
    *result = ready;
    return CALL_DONE;
}
