// Executes a script: the clock, the order of events, what the stack sends.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// Theory of operation
//
// Rules of time. An event is due at its own time: an absolute one counts from
// the start of the script, a relative one from the moment at which the event
// before was done. Injected packets, calls and commands happen exactly then. An
// expected packet may be early or late by max(tolerance, 1/8 of the time since
// the event before): what a script says about a timer of 300 ms is not meant to
// the microsecond.
//
// Nothing here can run for ever: the clock only moves to deadlines of the stack
// or to times of the script, and STEPS_MAX bounds how often.

enum { STEPS_MAX = 2000000 };
#define START_TIME (100 * NS_PER_S) // of the script on the stack's clock
// How long the runner goes on looking for a packet that is overdue, so that
// the report can tell when it came.
#define OVERDUE (120 * NS_PER_S)

ns_t runner_start_time(void) { return START_TIME; }

double runner_seconds(const struct runner *r, ns_t time)
{
    (void)r;
    return (double)(time - START_TIME) / 1e9;
}

// --- Outcomes

static void stop(struct runner *r, enum packetdrill_outcome outcome, int line,
                 const char *format, va_list arguments)
{
    if (r->is_stopped)
        return;
    r->is_stopped = true;
    r->result->outcome = outcome;
    r->result->line = line;
    vsnprintf(r->result->summary, sizeof(r->result->summary), format,
              arguments);
}

void runner_fail(struct runner *r, int line, const char *format, ...)
{
    va_list arguments;

    if (r->is_stopped)
        return;
    va_start(arguments, format);
    stop(r, PACKETDRILL_FAILED, line, format, arguments);
    va_end(arguments);
    report_failure(r, line, NULL);
}

void runner_unsupported(struct runner *r, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    stop(r, PACKETDRILL_NOT_RUNNABLE, line, format, arguments);
    va_end(arguments);
}

// --- The clock

ns_t runner_allowed(const struct runner *r, ns_t expected)
{
    ns_t tolerance = r->tolerance_us * NS_PER_US;
    ns_t gap = max_i64(expected - r->now, 0);

    return r->has_slack ? max_i64(tolerance, gap / 8) : tolerance;
}

bool runner_step(struct runner *r, ns_t limit)
{
    ns_t next = min_i64(r->deadline, r->wake);

    if (r->is_stopped || next > limit)
        return false;
    if (++r->steps > STEPS_MAX) {
        runner_fail(r, 0, "the stack asked for its timer %d times", STEPS_MAX);
        return false;
    }
    r->now = max_i64(r->now, next);
    if (r->wake <= r->now)
        r->wake = NS_NEVER;
    if (r->deadline <= r->now)
        r->deadline = NS_NEVER;
    stack_run(r->stack);
    call_retry(r);
    return !r->is_stopped;
}

bool runner_advance(struct runner *r, ns_t until)
{
    while (runner_step(r, until))
        ;
    if (!r->is_stopped)
        r->now = max_i64(r->now, until);
    return !r->is_stopped;
}

// --- Events

struct due {
    ns_t earliest, latest, allowed;
    bool is_any;
};

static struct due due_of(const struct runner *r, const struct script_time *time)
{
    ns_t base = time->kind == SCRIPT_TIME_RELATIVE ? r->now : START_TIME;
    struct due due = {.is_any = time->kind == SCRIPT_TIME_ANY};

    if (due.is_any) {
        due.earliest = due.latest = r->now;
        return due;
    }
    due.earliest = due.latest = base + time->start;
    if (time->latest >= 0)
        due.latest = base + time->latest;
    due.allowed = runner_allowed(r, due.earliest);
    return due;
}

static void fail_with_comparison(struct runner *r,
                                 const struct script_event *event,
                                 const struct live_packet *packet,
                                 const struct comparison *comparison,
                                 const struct due *due, const char *summary)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    must(out != NULL);
    packet_print_comparison(out, event->packet, packet, comparison);
    fprintf(out, "    time      expected %.6f",
            runner_seconds(r, due->earliest));
    if (due->is_any)
        fprintf(out, " or any other");
    else if (due->latest != due->earliest)
        fprintf(out, "~%.6f", runner_seconds(r, due->latest));
    fprintf(out, ", actual %.6f (%+.0f us, %.0f us tolerated)\n",
            runner_seconds(r, packet->time),
            (double)(packet->time - due->earliest) / 1e3,
            (double)due->allowed / 1e3);
    fclose(out);
    if (!r->is_stopped) {
        r->is_stopped = true;
        r->result->outcome = PACKETDRILL_FAILED;
        r->result->line = event->line;
        snprintf(r->result->summary, sizeof(r->result->summary), "%s", summary);
        report_failure(r, event->line, text);
    }
    free(text);
}

static void note_live(struct runner *r, const struct live_packet *packet)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    must(out != NULL);
    packet_print_live(out, packet);
    fclose(out);
    report_note(r, packet->time, "%s", text);
    free(text);
}

static void check_sent(struct runner *r, const struct script_event *event,
                       struct live_packet *packet, const struct due *due)
{
    const struct compare_rules rules = {
        .ts_tick_us = r->ts_tick_us,
        .tolerance_us = max_i64(r->tolerance_us, r->ts_tick_us)};
    struct script_options live_options = packet->options;

    flow_learn_outbound(&r->flow, &event->packet->tcp, packet);
    flow_map_outbound(&r->flow, packet);
    struct comparison comparison =
        packet_compare(event->packet, packet, &r->flow, &rules);
    flow_note_timestamp(&r->flow, &event->packet->tcp.options, &live_options);

    bool is_late =
        !due->is_any && (packet->time < due->earliest - due->allowed ||
                         packet->last_time > due->latest + due->allowed);
    if (comparison.only_push && !is_late) {
        if (!r->differs_in_push)
            r->result->line = event->line;
        r->differs_in_push = true;
    } else if (comparison.differs != 0) {
        fail_with_comparison(r, event, packet, &comparison, due,
                             "the stack sent another packet");
        return;
    }
    if (is_late)
        fail_with_comparison(r, event, packet, &comparison, due,
                             packet->time < due->earliest
                                 ? "the stack sent it too early"
                                 : "the stack sent it too late");
    note_live(r, packet);
}

static void expect_packet(struct runner *r, const struct script_event *event)
{
    struct due due = due_of(r, &event->time);
    ns_t limit = max_i64(due.latest, r->now) + OVERDUE;
    struct live_packet *packet = sent_next(r, limit);

    if (packet == NULL) {
        runner_fail(r, event->line, "the stack did not send this packet");
        return;
    }
    if (!r->is_strict_segments)
        sent_join(r, packet, event->packet->tcp.sequence.length,
                  due.is_any ? limit : due.latest + due.allowed);
    if (!r->is_stopped)
        check_sent(r, event, packet, &due);
    free(packet);
}

void runner_begin_flow(struct runner *r, uint16_t local_port,
                       uint16_t remote_port)
{
    memset(&r->flow, 0, sizeof(r->flow));
    r->flow.local.addr = r->local;
    r->flow.local.port = local_port;
    r->flow.remote.addr = r->remote;
    r->flow.remote.port =
        remote_port != 0 ? remote_port : r->next_remote_port++;
    r->has_flow = true;
}

static void inject_packet(struct runner *r, const struct script_event *event)
{
    static const size_t room = 128;
    const struct script_packet *script = event->packet;
    const char *missing = packet_unsupported(script, r->local.family);

    if (missing != NULL) {
        runner_unsupported(r, event->line, "%s (%s)", missing,
                           r->local.family == IP_V4 ? "IPv4" : "IPv6");
        return;
    }
    uint8_t *bytes = malloc(PACKET_MAX_BUILT);
    must(bytes != NULL);
    size_t length = packet_build(&r->flow, script, bytes);
    struct packet *packet =
        length == 0 ? NULL : packet_alloc(r->pool, room, length);
    if (packet == NULL) {
        runner_unsupported(r, event->line, "a packet of this size");
    } else {
        memcpy(packet_put(packet, length), bytes, length);
        if (r->capture != NULL)
            script_capture_packet(r->capture, r->now, bytes, length);
        iface_input(r->iface, packet);
        call_retry(r);
    }
    free(bytes);
}

static void note_script_packet(struct runner *r,
                               const struct script_packet *packet)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    must(out != NULL);
    packet_print_script(out, packet);
    fclose(out);
    report_note(r, r->now, "%s", text);
    free(text);
}

static void run_code(struct runner *r, const struct script_event *event)
{
    const struct code_context context = {
        .variables = &r->variables, .find = variable_find, .context = r};
    struct code_error error;

    switch (code_run(event->text, &context, &error)) {
    case CODE_HOLDS:
        report_note(r, r->now, "%%{ ... }%% holds");
        break;
    case CODE_FAILS:
        runner_fail(r, event->line + error.line, "%s", error.message);
        break;
    case CODE_UNSUPPORTED:
        runner_unsupported(r, event->line + error.line, "%s", error.message);
        break;
    }
}

static void run_event(struct runner *r, const struct script_event *event)
{
    if (event->kind == SCRIPT_PACKET && !event->packet->is_inbound) {
        expect_packet(r, event);
        return;
    }
    struct due due = due_of(r, &event->time);
    ns_t base = event->time.kind == SCRIPT_TIME_RELATIVE ? r->now : START_TIME;
    if (!runner_advance(r, due.earliest))
        return;
    if (r->now > due.latest + due.allowed) {
        runner_fail(r, event->line, "its time %.6f is over: it is %.6f already",
                    runner_seconds(r, due.latest), runner_seconds(r, r->now));
        return;
    }
    switch (event->kind) {
    case SCRIPT_PACKET:
        note_script_packet(r, event->packet);
        inject_packet(r, event);
        break;
    case SCRIPT_CALL:
        call_begin(r, event,
                   event->time.call_end < 0 ? -1 : base + event->time.call_end);
        break;
    case SCRIPT_SHELL:
        report_note(r, r->now, "`%.*s`", (int)strcspn(event->text, "\n"),
                    event->text);
        shell_run(r, event->line, event->text);
        call_retry(r);
        break;
    case SCRIPT_CODE:
        run_code(r, event);
        break;
    }
}

void runner_run(struct runner *r)
{
    for (const struct script_event *e = r->script->events;
         e != NULL && !r->is_stopped; e = e->next)
        run_event(r, e);
    call_await(r);
}
