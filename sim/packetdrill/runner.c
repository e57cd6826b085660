// Executes a script: the clock, the order of events, what the stack sends.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include "stack/siphash.h"

#include <errno.h>
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

// --- What the stack sends

static void on_transmit(void *context, struct iface *iface,
                        struct packet *frame)
{
    struct runner *r = context;
    struct live_packet *packet = malloc(sizeof(*packet));

    (void)iface;
    must(packet != NULL);
    if (r->capture != NULL)
        script_capture_packet(r->capture, r->now, frame->data, frame->length);
    bool is_known = packet_decode(frame->data, frame->length, packet);
    packet_free(frame);
    if (!is_known || packet->to.addr.family == IP_NONE) {
        free(packet);
        return;
    }
    packet->time = packet->last_time = r->now;
    packet->next = NULL;
    if (r->sent_tail != NULL)
        r->sent_tail->next = packet;
    else
        r->sent_head = packet;
    r->sent_tail = packet;
}

static struct live_packet *pop_sent(struct runner *r)
{
    struct live_packet *packet = r->sent_head;

    r->sent_head = packet->next;
    if (r->sent_head == NULL)
        r->sent_tail = NULL;
    packet->next = NULL;
    return packet;
}

// The next packet of the flow that is sent until `limit`; those of others are
// nobody's business. NULL: none.
static struct live_packet *next_sent(struct runner *r, ns_t limit)
{
    for (;;) {
        while (r->sent_head != NULL) {
            struct live_packet *packet = pop_sent(r);

            if (!r->has_flow || flow_has(&r->flow, packet))
                return packet;
            free(packet);
        }
        if (!runner_step(r, limit))
            return NULL;
    }
}

static bool may_join(const struct live_packet *first,
                     const struct live_packet *next)
{
    const uint8_t alone = TCP_SYN | TCP_RST | TCP_FIN;

    return next->protocol == first->protocol &&
           next->tcp.seq == first->tcp.seq + first->payload &&
           next->payload > 0 &&
           ((first->tcp.flags | (next->tcp.flags & ~TCP_FIN)) & alone) == 0;
}

// Joins consecutive segments until the scripted length is reached, because
// scripts were written against a device that cuts large segments later.
static void join_segments(struct runner *r, struct live_packet *first,
                          uint32_t wanted, ns_t limit)
{
    while (first->payload > 0 && first->payload < wanted) {
        while (r->sent_head != NULL && r->has_flow &&
               !flow_has(&r->flow, r->sent_head))
            free(pop_sent(r));
        if (r->sent_head == NULL) {
            if (!runner_step(r, limit))
                return;
            continue;
        }
        if (!may_join(first, r->sent_head) ||
            r->sent_head->payload > wanted - first->payload)
            return;
        struct live_packet *next = pop_sent(r);
        uint32_t seq = first->tcp.seq;

        first->payload += next->payload;
        first->segments++;
        next->tcp.flags |= first->tcp.flags;
        first->tcp = next->tcp;
        first->tcp.seq = seq;
        first->options = next->options;
        first->last_time = next->time;
        free(next);
    }
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
    struct live_packet *packet = next_sent(r, limit);

    if (packet == NULL) {
        runner_fail(r, event->line, "the stack did not send this packet");
        return;
    }
    if (!r->is_strict_segments)
        join_segments(r, packet, event->packet->tcp.sequence.length,
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

// --- Set-up

static void on_deadline(void *context, ns_t deadline)
{
    ((struct runner *)context)->deadline = deadline;
}

// A stream of its own for each script (splitmix64).
static void on_random(void *context, void *bytes, size_t length)
{
    struct runner *r = context;
    uint8_t *p = bytes;

    for (size_t i = 0; i < length; i++) {
        uint64_t z = r->random_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        p[i] = (uint8_t)(z >> 56);
    }
}

static const char *setting_of(const struct script *script, const char *name)
{
    const char *value = NULL;

    for (const struct script_setting *s = script->settings; s; s = s->next)
        if (strcmp(s->name, name) == 0)
            value = s->value;
    return value;
}

static bool ends_in(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_written_for_ipv6(const struct script *script)
{
    const char *version = setting_of(script, "ip_version");

    if (version != NULL)
        return strcmp(version, "ipv6") == 0;
    return ends_in(script->path, "v6.pkt"); // as the reference tool's driver
}

// The family that the user or else the script wants.
static bool is_ipv6(const struct script *script,
                    const struct packetdrill_options *options)
{
    switch (options->family) {
    case PACKETDRILL_IPV6:
        return true;
    case PACKETDRILL_IPV4:
    case PACKETDRILL_MAPPED:
        return false;
    case PACKETDRILL_AS_SCRIPTED:
        break;
    }
    return is_written_for_ipv6(script);
}

// The reference tool's addresses; a script may give others. NULL, or what is
// wrong with them.
static const char *read_addresses(const struct script *script,
                                  const struct packetdrill_options *options,
                                  struct ip_addr *local, struct ip_addr *remote)
{
    bool v6 = is_ipv6(script, options);
    const char *local_text = setting_of(script, "local_ip");
    const char *remote_text = setting_of(script, "remote_ip");

    if (local_text == NULL)
        local_text = v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1";
    if (remote_text == NULL)
        remote_text = v6 ? "2001:db8::1" : "192.0.2.1";
    if (ip_addr_parse(local_text, local) != 0)
        return local_text;
    if (ip_addr_parse(remote_text, remote) != 0)
        return remote_text;
    return NULL;
}

static bool set_addresses(struct runner *r)
{
    const char *wrong =
        read_addresses(r->script, r->options, &r->local, &r->remote);
    bool v6 = is_ipv6(r->script, r->options);

    if (wrong != NULL) {
        runner_fail(r, 0, "%s is no address", wrong);
        return false;
    }
    if (r->local.family != (v6 ? IP_V6 : IP_V4) ||
        r->remote.family != r->local.family) {
        runner_unsupported(r, 0, "the script's own addresses are not %s",
                           v6 ? "IPv6" : "IPv4");
        return false;
    }
    return true;
}

static void set_tolerance(struct runner *r)
{
    const char *scripted = setting_of(r->script, "tolerance_usecs");

    r->has_slack = true;
    if (r->options->tolerance_us >= 0) {
        r->tolerance_us = r->options->tolerance_us;
        r->has_slack = false;
    } else if (scripted != NULL) {
        r->tolerance_us = strtoll(scripted, NULL, 10);
    } else if (r->options->tolerance_us == PACKETDRILL_TOLERANCE_SCRIPT) {
        r->tolerance_us = 4000;
    }
}

static bool read_settings(struct runner *r)
{
    static const char *const known[] = {
        "ip_version",   "tolerance_usecs", "local_ip",     "remote_ip",
        "mtu",          "strict_segments", "bind_port",    "tcp_ts_tick_usecs",
        "connect_port", "gateway_ip",      "netmask_ip",   "speed",
        "init_scripts", "code_sockopt",    "code_command", "verbose",
        "non_fatal",    "define",          "dry_run",
    };

    for (const struct script_setting *s = r->script->settings; s; s = s->next) {
        bool is_known = false;

        for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
            is_known |= strcmp(known[i], s->name) == 0;
        if (!is_known) {
            runner_unsupported(r, s->line, "the option --%s", s->name);
            return false;
        }
    }
    const char *mtu = setting_of(r->script, "mtu");
    const char *tick = setting_of(r->script, "tcp_ts_tick_usecs");
    r->ts_tick_us = tick != NULL ? strtoll(tick, NULL, 10) : 0;
    r->is_strict_segments = setting_of(r->script, "strict_segments") != NULL;
    // A script of IPv4 that is run as IPv6 keeps its MSS of 1,460.
    r->mtu = r->options->family == PACKETDRILL_IPV6 &&
                     !is_written_for_ipv6(r->script)
                 ? 1520
                 : 1500;
    if (mtu != NULL)
        r->mtu = (uint32_t)strtoul(mtu, NULL, 10);
    set_tolerance(r);
    return set_addresses(r);
}

static void add_network(struct runner *r)
{
    struct iface_config config = {
        .name = "tun0",
        .type = IFACE_POINT_TO_POINT,
        .mtu = r->mtu,
        .transmit = on_transmit,
        .context = r,
    };
    struct ip_prefix prefix = {.addr = r->local,
                               .length = r->local.family == IP_V4 ? 16 : 64};

    must(iface_create(r->stack, &config, &r->iface) == 0);
    must(iface_add_address(r->iface, &prefix) == 0);
    struct route route = {
        .destination = {.addr = ip_addr_any(r->local.family), .length = 0},
        .iface = r->iface,
    };
    must(stack_add_route(r->stack, &route) == 0);
}

static bool set_up(struct runner *r)
{
    struct stack_config config = {
        .host = {.context = r,
                 .now = &r->now,
                 .set_deadline = on_deadline,
                 .random = on_random},
        .settings = &r->settings,
        .name = "packetdrill",
        .number = 1,
    };

    r->now = START_TIME;
    r->deadline = r->wake = NS_NEVER;
    r->random_state = 1;
    r->flow_fd = -1;
    r->next_remote_port = 53055;
    r->settings = stack_settings_default;
    if (!read_settings(r))
        return false;
    if (r->mtu < (r->local.family == IP_V4 ? 68 : 1280) || r->mtu > 65535) {
        runner_unsupported(r, 0, "an MTU of %u", r->mtu);
        return false;
    }
    profile_apply(r->profile, &r->settings);
    // Addresses of scripts are in use at once.
    r->settings.ip_dad_transmits = 0;
    runner_begin_flow(r, 0, 0);
    r->has_flow = false;
    r->pool = packet_pool_create(0);
    config.pool = r->pool;
    must(r->pool != NULL && stack_create(&config, &r->stack) == 0);
    add_network(r);
    if (r->options->out_dir != NULL) {
        int error = 0;

        r->capture =
            script_capture_open(r->options->out_dir, r->script->path, &error);
        if (r->capture == NULL) {
            r->result->outcome = PACKETDRILL_UNREADABLE;
            r->result->error = error;
            return false;
        }
    }
    return true;
}

static void tear_down(struct runner *r)
{
    while (r->sent_head != NULL)
        free(pop_sent(r));
    if (r->stack != NULL) {
        stack_check(r->stack);
        stack_destroy(r->stack);
    }
    while (r->sent_head != NULL)
        free(pop_sent(r));
    if (r->pool != NULL)
        packet_pool_destroy(r->pool);
    script_capture_close(r->capture);
}

static void run_script(const struct script *script,
                       const struct packetdrill_options *options,
                       enum packetdrill_profile profile,
                       struct packetdrill_result *result)
{
    struct runner *r = calloc(1, sizeof(*r));

    must(r != NULL);
    r->options = options;
    r->script = script;
    r->result = result;
    r->profile = result->profile = profile;
    r->is_freebsd = profile == PACKETDRILL_FREEBSD;
    result->outcome = PACKETDRILL_PASSED;
    if (set_up(r)) {
        for (const struct script_event *e = script->events;
             e != NULL && !r->is_stopped; e = e->next)
            run_event(r, e);
        call_await(r);
    }
    if (result->outcome == PACKETDRILL_PASSED) {
        result->passes_without_push = true;
        if (r->differs_in_push) {
            result->outcome = PACKETDRILL_FAILED;
            snprintf(result->summary, sizeof(result->summary),
                     "only PSH flags differ");
        }
    }
    tear_down(r);
    free(r);
}

// --- Reading

enum { MAX_DEFINES = 64, MAX_SCRIPT_SIZE = 16 << 20 };

static char *read_file(const char *path, int *error)
{
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;

    if (in == NULL) {
        *error = -errno;
        return NULL;
    }
    text = malloc(MAX_SCRIPT_SIZE);
    must(text != NULL);
    size = fread(text, 1, MAX_SCRIPT_SIZE - 1, in);
    text[size] = '\0';
    *error = ferror(in) ? -EIO : memchr(text, '\0', size) ? -EILSEQ : 0;
    fclose(in);
    if (*error == 0)
        return text;
    free(text);
    return NULL;
}

struct defines {
    char cookie[20];
    struct script_define list[MAX_DEFINES];
    char names[MAX_DEFINES][64];
    size_t count;
};

static bool is_defined(const struct defines *defines, const char *name)
{
    for (size_t i = 0; i < defines->count; i++)
        if (strcmp(defines->list[i].name, name) == 0)
            return true;
    return false;
}

static void define(struct defines *defines, const char *name, const char *value)
{
    if (defines->count < MAX_DEFINES && !is_defined(defines, name))
        defines->list[defines->count++] =
            (struct script_define){.name = name, .value = value};
}

static void collect_defines(const struct packetdrill_options *options,
                            struct defines *out)
{
    out->count = 0;
    for (size_t i = 0; i < options->define_count && i < MAX_DEFINES; i++) {
        const char *equals = strchr(options->defines[i], '=');
        size_t length = strcspn(options->defines[i], "=");
        char *name = out->names[out->count];

        snprintf(name, sizeof(out->names[0]), "%.*s", (int)length,
                 options->defines[i]);
        define(out, name, equals != NULL ? equals + 1 : "");
    }
    // What the corpora expect their runner to define.
    define(out, "CODE", "host_unreachable");
}

// Scripts that know both say what differs between the RFCs' and FreeBSD's
// behaviour.
static void define_system(struct defines *out, enum packetdrill_profile profile)
{
    if (is_defined(out, "FreeBSD") || is_defined(out, "STANDARD"))
        return;
    define(out, profile == PACKETDRILL_FREEBSD ? "FreeBSD" : "STANDARD", "");
}

// TFO_COOKIE is the cookie that a server with the default key gives out.
static void define_cookie(struct defines *defines, const struct script *script,
                          const struct packetdrill_options *options)
{
    struct stack_settings settings = stack_settings_default;
    struct ip_addr local, remote;
    uint8_t both[32];

    if (read_addresses(script, options, &local, &remote) != NULL)
        return;
    profile_apply_defaults_sh(&settings);
    const struct siphash_key key = {(uint64_t)settings.tcp_fast_open_key0,
                                    (uint64_t)settings.tcp_fast_open_key1};
    size_t length = ip_addr_length(local.family);
    memcpy(both, remote.bytes, length);
    memcpy(both + length, local.bytes, length);
    uint64_t hash = siphash(&key, both, 2 * length);
    for (int i = 0; i < 8; i++)
        snprintf(defines->cookie + 2 * i, 3, "%02x",
                 (unsigned)(hash >> 8 * i & 255));
}

// A first reading tells the system and the addresses, on which some words
// depend. *profile changes when it is PACKETDRILL_AUTO; *tries_both tells that
// the script shows no sign of its system.
static void read_ahead(const char *path, const char *text,
                       const struct packetdrill_options *options,
                       struct defines *defines,
                       enum packetdrill_profile *profile, bool *tries_both)
{
    struct script_error error;
    struct script script;

    snprintf(defines->cookie, sizeof(defines->cookie), "0000000000000000");
    define(defines, "TFO_COOKIE", defines->cookie);
    bool is_parsed = script_parse(path, text, defines->list, defines->count,
                                  &script, &error) == SCRIPT_PARSED;
    if (is_parsed)
        define_cookie(defines, &script, options);
    if (*profile == PACKETDRILL_AUTO)
        *profile = is_parsed ? profile_guess(&script) : PACKETDRILL_LINUX;
    *tries_both = *profile == PACKETDRILL_AUTO;
    if (*tries_both)
        *profile = PACKETDRILL_LINUX;
    script_fini(&script);
}

static void refuse(struct packetdrill_result *result,
                   enum script_outcome outcome,
                   const struct script_error *error)
{
    result->outcome = outcome == SCRIPT_MISTAKEN ? PACKETDRILL_FAILED
                                                 : PACKETDRILL_NOT_RUNNABLE;
    result->line = error->line;
    snprintf(result->summary, sizeof(result->summary), "%s", error->message);
}

// The second try; the first one's failure is told when both fail.
static void try_freebsd(const struct script *script,
                        const struct packetdrill_options *options,
                        struct packetdrill_result *result)
{
    struct packetdrill_result second;

    memset(&second, 0, sizeof(second));
    run_script(script, options, PACKETDRILL_FREEBSD, &second);
    if (second.outcome != PACKETDRILL_PASSED) {
        packetdrill_result_fini(&second);
        return;
    }
    packetdrill_result_fini(result);
    *result = second;
}

void packetdrill_run_text(const char *path, const char *text,
                          const struct packetdrill_options *options,
                          struct packetdrill_result *result)
{
    memset(result, 0, sizeof(*result));
    struct defines *defines = calloc(1, sizeof(*defines));
    enum packetdrill_profile profile = options->profile;
    struct script_error error;
    struct script script;

    must(defines != NULL);
    collect_defines(options, defines);
    bool tries_both = false;
    read_ahead(path, text, options, defines, &profile, &tries_both);
    define_system(defines, profile);
    enum script_outcome outcome = script_parse(path, text, defines->list,
                                               defines->count, &script, &error);
    if (outcome != SCRIPT_PARSED) {
        refuse(result, outcome, &error);
    } else if (options->only_check) {
        result->outcome = PACKETDRILL_PASSED;
        result->passes_without_push = true;
    } else {
        run_script(&script, options, profile, result);
        if (tries_both && result->outcome == PACKETDRILL_FAILED)
            try_freebsd(&script, options, result);
    }
    script_fini(&script);
    free(defines);
}

void packetdrill_run(const char *path,
                     const struct packetdrill_options *options,
                     struct packetdrill_result *result)
{
    memset(result, 0, sizeof(*result));
    char *text = read_file(path, &result->error);
    if (text == NULL) {
        result->outcome = PACKETDRILL_UNREADABLE;
        return;
    }
    packetdrill_run_text(path, text, options, result);
    free(text);
}

void packetdrill_result_fini(struct packetdrill_result *result)
{
    free(result->report);
    result->report = NULL;
}
