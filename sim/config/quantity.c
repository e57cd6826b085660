// The quantities of results that expectations can name.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/expect.h"
#include "sim/report/report.h"

// Theory of operation
//
// Most quantities are fields of the structs in which the engine gives its
// results, so they are rows with an offset; a host's are the stack's own tables
// of counters and drop reasons; a few are computed from others.

struct quantity {
    const char *name;
    enum key_kind kind;
    size_t offset, width; // width 0: computed
    const char *doc;
    bool is_peak; // both directions of a link: the larger one, not the sum
};

#define APP(member) FIELD(struct app_stats, member)
static const struct quantity app_quantities[] = {
    {"bytes-sent", KEY_SIZE, APP(bytes_sent), "payload given to the host", 0},
    {"bytes-received", KEY_SIZE, APP(bytes_received), "payload read", 0},
    {"messages-sent", KEY_INTEGER, APP(messages_sent),
     "datagrams or requests sent", 0},
    {"messages-received", KEY_INTEGER, APP(messages_received),
     "datagrams or answers that came", 0},
    {"lost", KEY_INTEGER, APP(lost), "sinks: datagrams missing", 0},
    {"reordered", KEY_INTEGER, APP(reordered), "sinks: datagrams out of order",
     0},
    {"duplicated", KEY_INTEGER, APP(duplicated), "sinks: datagrams seen before",
     0},
    {"connections", KEY_INTEGER, APP(connections), "made or accepted", 0},
    {"started", KEY_TIME, APP(started_at), "when it started", 0},
    {"first-byte", KEY_TIME, APP(first_byte_at), "when payload first came", 0},
    {"last-byte", KEY_TIME, APP(last_byte_at), "when payload last came", 0},
    {"finished", KEY_TIME, APP(finished_at), "when it was done, or never", 0},
    {"rtt-min", KEY_TIME, APP(rtt_min), "shortest round trip", 0},
    {"rtt-max", KEY_TIME, APP(rtt_max), "longest round trip", 0},
    {"rtt-average", KEY_TIME, 0, 0, "of all messages received", 0},
    {"jitter", KEY_TIME, APP(jitter), "sinks: RFC 3550 6.4.1", 0},
    {"goodput", KEY_RATE, 0, 0,
     "payload received between the first byte and the last", 0},
    {"error", KEY_TEXT, 0, 0, "the first error, such as ECONNREFUSED, or none",
     0},
};

#define LINK(member) FIELD(struct link_direction_stats, member)
static const struct quantity link_quantities[] = {
    {"frames-in", KEY_INTEGER, LINK(frames_in), "frames given to the link", 0},
    {"bytes-in", KEY_SIZE, LINK(bytes_in), "their bytes", 0},
    {"frames-delivered", KEY_INTEGER, LINK(frames_delivered),
     "frames that arrived", 0},
    {"bytes-delivered", KEY_SIZE, LINK(bytes_delivered), "their bytes", 0},
    {"dropped", KEY_INTEGER, 0, 0,
     "frames lost, those that the run's end cut off left out", 0},
    {"duplicated", KEY_INTEGER, LINK(duplicated), "copies made", 0},
    {"corrupted", KEY_INTEGER, LINK(corrupted), "frames with bits flipped", 0},
    {"reordered", KEY_INTEGER, LINK(reordered), "frames put out of order", 0},
    {"delayed", KEY_INTEGER, LINK(delayed), "frames made late", 0},
    {"marked", KEY_INTEGER, LINK(marked), "frames marked CE", 0},
    {"held", KEY_INTEGER, LINK(held), "frames held back", 0},
    {"edited", KEY_INTEGER, LINK(edited), "frames that a script wrote into", 0},
    {"injected", KEY_INTEGER, LINK(injected), "frames that a script made", 0},
    {"peak-queue-packets", KEY_INTEGER, LINK(peak_queue_packets),
     "most frames that waited", 1},
    {"peak-queue-bytes", KEY_SIZE, LINK(peak_queue_bytes),
     "most bytes that waited", 1},
    {"peak-queue-delay", KEY_TIME, LINK(peak_queue_delay),
     "longest wait of a frame", 1},
    {"busy", KEY_TIME, LINK(busy), "time that the transmitter worked", 0},
};

#define FLOW(member) FIELD(struct tcp_info, member)
static const struct quantity flow_quantities[] = {
    {"state", KEY_TEXT, 0, 0, "TCP state at the end, such as TIME-WAIT", 0},
    {"bytes-sent", KEY_SIZE, FLOW(bytes_sent), "payload sent", 0},
    {"bytes-acked", KEY_SIZE, FLOW(bytes_acked), "payload acknowledged", 0},
    {"bytes-received", KEY_SIZE, FLOW(bytes_received), "payload received", 0},
    {"bytes-retransmitted", KEY_SIZE, FLOW(bytes_retransmitted),
     "payload sent again", 0},
    {"segments-sent", KEY_INTEGER, FLOW(segments_out), "segments sent", 0},
    {"segments-received", KEY_INTEGER, FLOW(segments_in), "segments received",
     0},
    {"segments-retransmitted", KEY_INTEGER, FLOW(segments_retransmitted),
     "segments sent again", 0},
    {"segments-received-again", KEY_INTEGER, FLOW(segments_received_again),
     "segments whose data had come before", 0},
    {"fast-retransmits", KEY_INTEGER, FLOW(fast_retransmits),
     "loss recoveries begun by duplicate ACKs or SACK", 0},
    {"timeouts", KEY_INTEGER, FLOW(timeouts), "retransmission timeouts", 0},
    {"spurious-retransmits", KEY_INTEGER, FLOW(spurious_retransmits),
     "retransmissions shown to be needless", 0},
    {"duplicate-acks-received", KEY_INTEGER, FLOW(duplicate_acks_in),
     "duplicate ACKs received", 0},
    {"out-of-order", KEY_INTEGER, FLOW(out_of_order_in),
     "segments that came ahead of a gap", 0},
    {"zero-windows-sent", KEY_INTEGER, FLOW(zero_windows_sent),
     "times that the window closed", 0},
    {"zero-window-probes", KEY_INTEGER, FLOW(zero_window_probes),
     "window probes sent", 0},
    {"mss", KEY_SIZE, FLOW(snd_mss), "largest segment sent", 0},
    {"path-mtu", KEY_SIZE, FLOW(path_mtu), "of the way to the peer", 0},
    {"cwnd", KEY_SIZE, FLOW(cwnd), "congestion window at the end", 0},
    {"srtt", KEY_TIME, FLOW(srtt), "smoothed round trip at the end", 0},
    {"min-rtt", KEY_TIME, FLOW(min_rtt), "shortest round trip", 0},
    {"rto", KEY_TIME, FLOW(rto), "retransmission timeout at the end", 0},
    {"duration", KEY_TIME, 0, 0, "from the SYN to the end", 0},
    {"goodput", KEY_RATE, 0, 0,
     "payload received here between the first data and the last", 0},
};

static const struct quantity run_quantities[] = {
    {"end", KEY_TIME, 0, 0, "simulated time when the run ended", 0},
    {"events", KEY_INTEGER, 0, 0, "events that ran", 0},
    {"flows", KEY_INTEGER, 0, 0, "TCP connections that there were", 0},
};

static const struct quantity host_quantities[] = {
    {"dropped", KEY_INTEGER, 0, 0, "packets dropped for any reason", 0},
};

static const struct {
    const struct quantity *rows;
    size_t count;
} tables[SUBJECT_KIND_COUNT] = {
    [SUBJECT_RUN] = {run_quantities, ARRAY_LENGTH(run_quantities)},
    [SUBJECT_APP] = {app_quantities, ARRAY_LENGTH(app_quantities)},
    [SUBJECT_LINK] = {link_quantities, ARRAY_LENGTH(link_quantities)},
    [SUBJECT_HOST] = {host_quantities, ARRAY_LENGTH(host_quantities)},
    [SUBJECT_FLOW] = {flow_quantities, ARRAY_LENGTH(flow_quantities)},
};

static const struct quantity *find_row(enum subject_kind subject,
                                       const char *name)
{
    for (size_t i = 0; i < tables[subject].count; i++)
        if (strcmp(tables[subject].rows[i].name, name) == 0)
            return &tables[subject].rows[i];
    return NULL;
}

// --- Names that are rows of other tables ------------------------------------

// What stands behind "dropped."; NULL: the name does not begin so.
static const char *reason_of(const char *name)
{
    return strncmp(name, "dropped.", 8) == 0 ? name + 8 : NULL;
}

static int find_link_drop(const char *name)
{
    const char *reason = reason_of(name);
    for (int i = 0; reason && i < LINK_DROP_COUNT; i++)
        if (strcmp(link_drop_name((enum link_drop)i), reason) == 0)
            return i;
    return -1;
}

static int find_stack_drop(const char *name)
{
    const char *reason = reason_of(name);
    for (int i = 0; reason && i < DROP_REASON_COUNT; i++)
        if (strcmp(drop_reason_name((enum drop_reason)i), reason) == 0)
            return i;
    return -1;
}

static int find_counter(const char *name)
{
    for (int i = 0; i < STACK_COUNTER_COUNT; i++)
        if (strcmp(stack_counter_name((enum stack_counter)i), name) == 0)
            return i;
    return -1;
}

bool quantity_kind(enum subject_kind subject, const char *name,
                   enum key_kind *kind)
{
    const struct quantity *row = find_row(subject, name);
    *kind = row ? row->kind : KEY_INTEGER;
    return row || (subject == SUBJECT_LINK && find_link_drop(name) >= 0) ||
           (subject == SUBJECT_HOST &&
            (find_counter(name) >= 0 || find_stack_drop(name) >= 0));
}

const char *quantity_doc(enum subject_kind subject, const char *name)
{
    const struct quantity *row = find_row(subject, name);
    if (row)
        return row->doc;
    if (subject == SUBJECT_LINK)
        return "frames lost for this reason";
    int counter = find_counter(name), drop = find_stack_drop(name);
    if (counter >= 0)
        return stack_counter_doc((enum stack_counter)counter);
    return drop >= 0 ? drop_reason_doc((enum drop_reason)drop) : "";
}

const char *const *quantity_names(enum subject_kind subject,
                                  struct document *document, size_t *count)
{
    const char **names =
        document_alloc(document, (tables[subject].count + STACK_COUNTER_COUNT +
                                  DROP_REASON_COUNT + LINK_DROP_COUNT) *
                                     sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < tables[subject].count; i++)
        names[n++] = tables[subject].rows[i].name;
    for (int i = 0; subject == SUBJECT_LINK && i < LINK_DROP_COUNT; i++)
        names[n++] = document_format(document, "dropped.%s",
                                     link_drop_name((enum link_drop)i));
    for (int i = 0; subject == SUBJECT_HOST && i < STACK_COUNTER_COUNT; i++)
        names[n++] = stack_counter_name((enum stack_counter)i);
    for (int i = 0; subject == SUBJECT_HOST && i < DROP_REASON_COUNT; i++)
        names[n++] = document_format(document, "dropped.%s",
                                     drop_reason_name((enum drop_reason)i));
    *count = n;
    return names;
}

// --- Values -----------------------------------------------------------------

static int64_t read_field(const void *from, const struct quantity *row)
{
    const char *field = (const char *)from + row->offset;
    if (row->width == 4) {
        uint32_t narrow;
        memcpy(&narrow, field, sizeof narrow);
        return narrow;
    }
    int64_t wide;
    memcpy(&wide, field, sizeof wide);
    return wide;
}

static int64_t rate_of(uint64_t bytes, ns_t first, ns_t last)
{
    if (first == NS_NEVER || last == NS_NEVER || last <= first)
        return 0;
    return (int64_t)((unsigned __int128)bytes * 8 * NS_PER_S /
                     (uint64_t)(last - first));
}

static struct figure number(const struct quantity *row, int64_t n)
{
    return (struct figure){row->kind, n, NULL};
}

static struct figure app_figure(const struct app *app,
                                const struct quantity *row)
{
    const struct app_stats stats = app_get_stats(app);
    if (row->width)
        return number(row, read_field(&stats, row));
    if (row->kind == KEY_RATE)
        return number(row, rate_of(stats.bytes_received, stats.first_byte_at,
                                   stats.last_byte_at));
    if (row->kind == KEY_TIME)
        return number(row,
                      stats.messages_received
                          ? stats.rtt_total / (int64_t)stats.messages_received
                          : 0);
    const char *name = stats.error ? strerrorname_np(-stats.error) : "none";
    return (struct figure){KEY_TEXT, 0, name ? name : "unknown"};
}

static int64_t dropped_in(const struct link_direction_stats *stats, int reason)
{
    if (reason >= 0)
        return (int64_t)stats->dropped[reason];
    uint64_t sum = 0;
    for (int i = 0; i < LINK_DROP_COUNT; i++)
        sum += i == LINK_DROP_END ? 0 : stats->dropped[i];
    return (int64_t)sum;
}

static struct figure link_figure(const struct subject *subject,
                                 const struct quantity *row, const char *name)
{
    int64_t total = 0;
    for (int d = 0; d < 2; d++) {
        if (subject->direction >= 0 && subject->direction != d)
            continue;
        const struct link_direction_stats stats =
            link_get_stats(subject->link, (unsigned)d);
        int64_t one = row && row->width
                          ? read_field(&stats, row)
                          : dropped_in(&stats, find_link_drop(name));
        if (!row || !row->is_peak)
            total += one;
        else
            total = max_i64(total, one);
    }
    return (struct figure){row ? row->kind : KEY_INTEGER, total, NULL};
}

static struct figure host_figure(const struct host *host, const char *name)
{
    int counter = find_counter(name), drop = find_stack_drop(name);
    uint64_t total = 0;
    if (counter >= 0)
        total = stack_counter(host->stack, (enum stack_counter)counter);
    for (int i = 0; counter < 0 && i < DROP_REASON_COUNT; i++)
        if (drop < 0 || drop == i)
            total += stack_drops(host->stack, (enum drop_reason)i);
    return (struct figure){KEY_INTEGER, (int64_t)total, NULL};
}

static struct figure flow_figure(const struct subject *subject,
                                 const struct quantity *row)
{
    const struct flow *flow = subject->flow;
    const struct tcp_info *info =
        subject->is_server ? flow->server_info : flow->client_info;
    if (row->width)
        return number(row, read_field(info, row));
    if (row->kind == KEY_TEXT)
        return (struct figure){KEY_TEXT, 0, tcp_state_name(info->state)};
    if (row->kind == KEY_RATE)
        return number(row, rate_of(info->bytes_received, flow->first_data_at,
                                   flow->last_data_at));
    ns_t end =
        flow->closed_at == NS_NEVER ? sim_now(subject->sim) : flow->closed_at;
    return number(row, end - flow->opened_at);
}

static struct figure run_figure(const struct sim *sim,
                                const struct quantity *row)
{
    if (row->kind == KEY_TIME)
        return number(row, sim_now(sim));
    if (strcmp(row->name, "flows") == 0)
        return number(row, (int64_t)flow_count(sim));
    return number(row, (int64_t)sim->engine.events_run);
}

struct figure quantity_get(const struct subject *subject, const char *name)
{
    const struct quantity *row = find_row(subject->kind, name);
    switch (subject->kind) {
    case SUBJECT_APP:
        return app_figure(subject->app, row);
    case SUBJECT_LINK:
        return link_figure(subject, row, name);
    case SUBJECT_HOST:
        return host_figure(subject->host, name);
    case SUBJECT_FLOW:
        return flow_figure(subject, row);
    default:
        return run_figure(subject->sim, row);
    }
}
