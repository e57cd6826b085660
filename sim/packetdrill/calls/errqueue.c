// The error queue of a descriptor: what became of MSG_ZEROCOPY sends.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/calls/syscalls.h"
#include "sim/packetdrill/runner.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

// Theory of operation
//
// A send with MSG_ZEROCOPY on a socket that has SO_ZEROCOPY lends its memory to
// the kernel, which gives it back with a notice once nobody needs it any more:
// when the data has been acknowledged. Sends are numbered from 0; a notice
// covers a range of numbers, and grows as long as nobody has read it. Here no
// memory is lent: the notices are made by the runner, as if the device had
// copied (SO_EE_CODE_ZEROCOPY_COPIED), which it does in the reference tool.

enum { COPIED = 1, ORIGIN_ZEROCOPY = 5 };

void errqueue_note_send(struct descriptor *d)
{
    struct errqueue *q = &d->errors;

    if (!q->is_zerocopy || q->pending_count == ERRQUEUE_LENGTH)
        return;
    q->pending[q->pending_count].number = q->next_number++;
    q->pending[q->pending_count++].end = d->written;
}

static void add_notice(struct errqueue *q, uint32_t number)
{
    struct errqueue_notice *last =
        q->notice_count > 0 ? &q->notices[q->notice_count - 1] : NULL;

    if (last != NULL && last->high + 1 == number) {
        last->high = number;
        return;
    }
    if (q->notice_count == ERRQUEUE_LENGTH)
        return;
    q->notices[q->notice_count++] =
        (struct errqueue_notice){.low = number, .high = number};
}

bool errqueue_update(struct descriptor *d)
{
    struct errqueue *q = &d->errors;
    int64_t unacknowledged = 0;
    bool is_news = false;

    if (q->pending_count == 0 || d->socket == NULL)
        return false;
    socket_get_option(d->socket, OPTION_UNACKED, &unacknowledged);
    while (q->pending_count > 0 &&
           q->pending[0].end <= d->written - unacknowledged) {
        add_notice(q, q->pending[0].number);
        q->pending_count--;
        memmove(&q->pending[0], &q->pending[1],
                q->pending_count * sizeof(q->pending[0]));
        is_news = true;
    }
    return is_news;
}

uint32_t errqueue_poll(const struct descriptor *d)
{
    return d->errors.notice_count > 0 ? POLLERR : 0;
}

static bool is_number(const struct script_value *data, const char *name,
                      int64_t expected)
{
    const struct script_value *value = value_field(data, name);

    return value == NULL ||
           (value->kind == SCRIPT_VALUE_INTEGER && value->integer == expected);
}

static void check_notice(struct runner *r, const struct script_event *event,
                         const struct errqueue_notice *notice,
                         const struct script_value *control)
{
    const struct script_value *data =
        control != NULL && control->items != NULL
            ? value_field(control->items, "cmsg_data")
            : NULL;

    if (data == NULL)
        return;
    if (!is_number(data, "ee_errno", 0) ||
        !is_number(data, "ee_origin", ORIGIN_ZEROCOPY) ||
        !is_number(data, "ee_code", COPIED) ||
        !is_number(data, "ee_info", notice->low) ||
        !is_number(data, "ee_data", notice->high))
        runner_fail(r, event->line,
                    "the error queue holds a notice of the zero-copy sends %u "
                    "to %u",
                    notice->low, notice->high);
}

enum call_progress errqueue_receive(struct runner *r,
                                    const struct script_event *event,
                                    struct descriptor *d,
                                    const struct script_value *control,
                                    int64_t *result)
{
    struct errqueue *q = &d->errors;

    *result = -EAGAIN; // never blocks
    if (q->notice_count == 0)
        return CALL_DONE;
    *result = 0;
    check_notice(r, event, &q->notices[0], control);
    q->notice_count--;
    memmove(&q->notices[0], &q->notices[1],
            q->notice_count * sizeof(q->notices[0]));
    return call_done_or_stopped(r);
}
