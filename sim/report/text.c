// The report for people: what happened, in the order in which they ask.
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "sim/report/report.h"
#include "sim/report/table.h"

enum { FLOWS_SHOWN = 20, SHORT = 32 };

// Three or four significant digits: a report is for reading, exact figures are
// in the JSON.
static const char *show_scaled(double value, const char *const *units,
                               double step, char *out)
{
    while (value >= step && units[1]) {
        value /= step;
        units++;
    }
    const char *format = value >= 100 || value == (double)(int64_t)value
                             ? "%.0f%s"
                         : value >= 10 ? "%.1f%s"
                                       : "%.2f%s";
    snprintf(out, SHORT, format, value, *units);
    return out;
}

static const char *show_bytes(uint64_t bytes, char *out)
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB", NULL};
    return show_scaled((double)bytes, units, 1000, out);
}

static const char *show_rate(uint64_t bps, char *out)
{
    static const char *const units[] = {"bit/s",  "kbit/s", "Mbit/s",
                                        "Gbit/s", "Tbit/s", NULL};
    char text[SHORT];
    show_scaled((double)bps, units, 1000, text);
    size_t digits = strspn(text, "0123456789.");
    snprintf(out, SHORT, "%.*s %s", (int)digits, text, text + digits);
    return out;
}

static const char *show_time(ns_t time, char *out)
{
    static const char *const units[] = {" ns", " us", " ms", " s", NULL};
    if (time == NS_NEVER)
        snprintf(out, SHORT, "-");
    else
        show_scaled((double)time, units, 1000, out);
    return out;
}

static void title(const char *text, const struct report_options *options,
                  FILE *out)
{
    fprintf(out, options->use_colour ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

static const char *name_of(const struct host *host, const struct endpoint *end,
                           char *out, size_t size)
{
    char address[ENDPOINT_TEXT_SIZE];
    if (host)
        snprintf(out, size, "%s:%u", host->node.name, end->port);
    else
        snprintf(out, size, "%s", endpoint_format(end, address));
    return out;
}

static void flow_row(struct text_table *table, const struct flow *flow)
{
    char a[96], b[96], up[SHORT], down[SHORT], time[SHORT], rate[SHORT];
    char rtt[SHORT], rtt_min[SHORT];
    struct flow_figures figures = flow_get_figures(flow);
    const struct tcp_info *info =
        flow->has_client ? flow->client_info : flow->server_info;
    text_table_cell(table, "%s > %s",
                    name_of(flow->client, &flow->local, a, sizeof(a)),
                    name_of(flow->server, &flow->remote, b, sizeof(b)));
    text_table_cell(table, "%s", show_bytes(figures.bytes_up, up));
    text_table_cell(table, "%s", show_bytes(figures.bytes_down, down));
    text_table_cell(table, "%s", show_time(figures.duration, time));
    text_table_cell(table, "%s", show_rate(figures.goodput_bps, rate));
    text_table_cell(table, "%" PRIu64, figures.retransmissions);
    if (figures.rtt > 0)
        text_table_cell(table, "%s / %s", show_time(figures.rtt_min, rtt_min),
                        show_time(figures.rtt, rtt));
    else
        text_table_cell(table, "-");
    text_table_cell(table, "%s", tcp_state_name(info->state));
}

static void print_flows(struct sim *sim, const struct report_options *options,
                        FILE *out)
{
    static const char *const titles[] = {
        "flow",    "sent",          "received",           "time",
        "goodput", "retransmitted", "RTT min / smoothed", "<client's state"};
    uint64_t total = flow_count(sim), shown = 0;
    uint64_t limit = options->verbosity > 0 ? UINT64_MAX : FLOWS_SHOWN;
    if (total == 0)
        return;
    title("TCP flows", options, out);
    struct text_table *table = text_table_create(titles, ARRAY_LENGTH(titles));
    for (const struct flow *flow = flow_next(sim, NULL); flow && shown < limit;
         flow = flow_next(sim, flow), shown++)
        flow_row(table, flow);
    text_table_print(table, 0, out);
    if (shown < total)
        fprintf(out, "  and %" PRIu64 " more\n", total - shown);
}

// "3 loss, 2 queue", or "-".
static void drop_words(const struct link_direction_stats *stats, char *out,
                       size_t size)
{
    size_t used = 0;
    snprintf(out, size, "-");
    for (int i = 0; i < LINK_DROP_COUNT && used < size; i++)
        if (stats->dropped[i] > 0)
            used += (size_t)snprintf(
                out + used, size - used, "%s%" PRIu64 " %s", used ? ", " : "",
                stats->dropped[i], link_drop_name((enum link_drop)i));
}

static void fate_words(const struct link_direction_stats *stats, char *out,
                       size_t size)
{
    const struct {
        uint64_t count;
        const char *name;
    } fates[] = {
        {stats->duplicated, "duplicated"}, {stats->corrupted, "corrupted"},
        {stats->reordered, "reordered"},   {stats->delayed, "delayed"},
        {stats->marked, "marked"},         {stats->held, "held"},
        {stats->edited, "edited"},         {stats->injected, "injected"}};
    size_t used = 0;
    snprintf(out, size, "-");
    for (size_t i = 0; i < ARRAY_LENGTH(fates) && used < size; i++)
        if (fates[i].count > 0)
            used += (size_t)snprintf(out + used, size - used,
                                     "%s%" PRIu64 " %s", used ? ", " : "",
                                     fates[i].count, fates[i].name);
}

static void direction_row(struct text_table *table, const struct link *link,
                          unsigned direction)
{
    struct link_direction_stats stats = link_get_stats(link, direction);
    char words[256], wait[SHORT];
    text_table_cell(table, "%s: %s > %s", link->name,
                    link->ends[direction]->node->name,
                    link->ends[1 - direction]->node->name);
    text_table_cell(table, "%" PRIu64, stats.frames_in);
    text_table_cell(table, "%" PRIu64, stats.frames_delivered);
    text_table_cell(table, "%s", show_time(stats.peak_queue_delay, wait));
    drop_words(&stats, words, sizeof(words));
    text_table_cell(table, "%s", words);
    fate_words(&stats, words, sizeof(words));
    text_table_cell(table, "%s", words);
}

static void print_links(struct sim *sim, const struct report_options *options,
                        FILE *out)
{
    static const char *const titles[] = {
        "link", "frames", "delivered", "longest wait", "<dropped", "<impaired"};
    if (!sim->links)
        return;
    title("Links", options, out);
    struct text_table *table = text_table_create(titles, ARRAY_LENGTH(titles));
    for (struct link *link = sim->links; link; link = link->next)
        for (unsigned direction = 0; direction < 2; direction++)
            direction_row(table, link, direction);
    text_table_print(table, 0, out);
}

static void app_row(struct text_table *table, const struct app *app)
{
    struct app_stats stats = app_get_stats(app);
    char sent[SHORT], received[SHORT], rtt[SHORT], jitter[SHORT];
    text_table_cell(table, "%s", app_name(app));
    text_table_cell(table, "%s", show_bytes(stats.bytes_sent, sent));
    text_table_cell(table, "%s", show_bytes(stats.bytes_received, received));
    text_table_cell(table, "%" PRIu64, stats.messages_sent);
    text_table_cell(table, "%" PRIu64, stats.messages_received);
    text_table_cell(table, "%" PRIu64 " / %" PRIu64 " / %" PRIu64, stats.lost,
                    stats.reordered, stats.duplicated);
    ns_t mean = stats.messages_received && stats.rtt_total
                    ? stats.rtt_total / (ns_t)stats.messages_received
                    : NS_NEVER;
    text_table_cell(table, "%s", show_time(mean, rtt));
    text_table_cell(table, "%s",
                    stats.jitter ? show_time(stats.jitter, jitter) : "-");
    text_table_cell(table, "%s",
                    stats.error         ? strerror(-stats.error)
                    : stats.is_running  ? "running"
                    : stats.is_finished ? "done"
                                        : "not started");
}

static void print_apps(struct sim *sim, const struct report_options *options,
                       FILE *out)
{
    static const char *const titles[] = {
        "application",         "sent",     "received", "messages out", "in",
        "lost / late / twice", "mean RTT", "jitter",   "<state"};
    if (!sim->apps)
        return;
    title("Applications", options, out);
    struct text_table *table = text_table_create(titles, ARRAY_LENGTH(titles));
    for (struct app *app = sim_next_app(sim, NULL); app;
         app = sim_next_app(sim, app))
        app_row(table, app);
    text_table_print(table, 0, out);
}

static void print_drops(struct sim *sim, const struct report_options *options,
                        FILE *out)
{
    static const char *const titles[] = {"host", "packets", "<dropped because"};
    struct text_table *table = text_table_create(titles, ARRAY_LENGTH(titles));
    bool has_any = false;
    for (struct node *node = sim->nodes; node; node = node->next) {
        struct host *host = node_as_host(node);
        for (int i = 0; host && i < DROP_REASON_COUNT; i++) {
            uint64_t n = stack_drops(host->stack, (enum drop_reason)i);
            if (n == 0 || (i == DROP_IP_NOT_OUR_GROUP && !options->verbosity))
                continue; // what a network card filters is no news
            if (!has_any)
                title("Dropped by hosts", options, out);
            has_any = true;
            text_table_cell(table, "%s", node->name);
            text_table_cell(table, "%" PRIu64, n);
            text_table_cell(table, "%s: %s",
                            drop_reason_name((enum drop_reason)i),
                            drop_reason_doc((enum drop_reason)i));
        }
    }
    text_table_print(table, 0, out);
}

static void print_counters(struct sim *sim,
                           const struct report_options *options, FILE *out)
{
    static const char *const titles[] = {"host", "count", "<counter",
                                         "<meaning"};
    struct text_table *table = text_table_create(titles, ARRAY_LENGTH(titles));
    title("Counters", options, out);
    for (struct node *node = sim->nodes; node; node = node->next) {
        struct host *host = node_as_host(node);
        for (int i = 0; host && i < STACK_COUNTER_COUNT; i++) {
            enum stack_counter counter = (enum stack_counter)i;
            uint64_t n = stack_counter(host->stack, counter);
            if (n == 0)
                continue;
            text_table_cell(table, "%s", node->name);
            text_table_cell(table, "%" PRIu64, n);
            text_table_cell(table, "%s", stack_counter_name(counter));
            text_table_cell(table, "%s", stack_counter_doc(counter));
        }
    }
    text_table_print(table, 0, out);
}

void report_failures(struct sim *sim, const struct report_options *options,
                     FILE *out)
{
    const char *red = options->use_colour ? "\033[31m" : "";
    const char *plain = options->use_colour ? "\033[0m" : "";
    char time[SHORT];
    for (struct sim_failure *f = sim->failures; f; f = f->next)
        fprintf(out, "%sFAILED%s %s at %s (seed %" PRIu64 "): %s\n", red, plain,
                sim->name, show_time(f->time, time), sim->seed, f->text);
}

static void print_expectations(struct sim *sim,
                               const struct report_options *options, FILE *out)
{
    const char *green = options->use_colour ? "\033[32m" : "";
    const char *red = options->use_colour ? "\033[31m" : "";
    const char *plain = options->use_colour ? "\033[0m" : "";
    if (sim->expectations == 0)
        return;
    fputc('\n', out);
    report_failures(sim, options, out);
    if (sim->failure_count)
        fprintf(out, "%s%u of %" PRIu64 " expectations failed%s\n", red,
                sim->failure_count, sim->expectations, plain);
    else
        fprintf(out, "%s%" PRIu64 " of %" PRIu64 " expectations hold%s\n",
                green, sim->expectations, sim->expectations, plain);
}

static void print_captures(struct sim *sim, FILE *out)
{
    size_t count = 0;
    for (struct node *node = sim->nodes; node; node = node->next)
        for (struct port *port = node->ports; port; port = port->next)
            count += port->capture != NULL;
    if (count > 0 && sim->capture_dir)
        fprintf(out, "captures: %s (%zu file%s)\n", sim->capture_dir, count,
                count == 1 ? "" : "s");
}

static void print_head(struct sim *sim, const struct report_options *options,
                       FILE *out)
{
    char time[SHORT], wall[SHORT];
    fprintf(out, "%s: %s%s simulated", sim->name,
            options->is_interrupted ? "interrupted, " : "",
            show_time(sim_now(sim), time));
    if (options->wall_seconds > 0) {
        double simulated = (double)sim_now(sim) / (double)NS_PER_S;
        fprintf(out, " in %s (%.*f times real time)",
                show_time((ns_t)(options->wall_seconds * 1e9), wall),
                simulated < 10 * options->wall_seconds ? 2 : 0,
                simulated / options->wall_seconds);
    }
    fprintf(out, ", seed %" PRIu64 ", %" PRIu64 " events\n", sim->seed,
            sim->engine.events_run);
}

void report_text(struct sim *sim, const struct report_options *options,
                 FILE *out)
{
    print_head(sim, options, out);
    print_flows(sim, options, out);
    print_apps(sim, options, out);
    print_links(sim, options, out);
    print_drops(sim, options, out);
    if (options->verbosity > 0)
        print_counters(sim, options, out);
    print_expectations(sim, options, out);
    fputc('\n', out);
    print_captures(sim, out);
    fprintf(out, "fingerprint: %016" PRIx64 "\n", sim_fingerprint(sim));
}
