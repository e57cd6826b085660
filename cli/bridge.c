// Runs a scenario in real time with the world outside.
// SPDX-License-Identifier: MIT
#include "cli/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "sim/sim.h"
#include "sim/tap/tap.h"

// A machine that comes back must not reuse the sequence numbers and ports of
// its last life, so the seed is chance unless someone gives one.
void bridge_init(struct bridge *bridge, const char *command, int argc)
{
    uint32_t seed = 1;

    memset(bridge, 0, sizeof(*bridge));
    bridge->run.command = command;
    bridge->run.is_realtime = true;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = 1;
    bridge->run.load.has_seed = true;
    bridge->run.load.seed = seed;
    bridge->run.load.sets =
        calloc((size_t)argc + 1, sizeof(*bridge->run.load.sets));
    must(bridge->run.load.sets);
}

void bridge_fini(struct bridge *bridge) { free(bridge->run.load.sets); }

static int read_seed(struct bridge *bridge, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 0);
    if (errno || end == text || *end || strchr(text, '-'))
        return usage_error(bridge->run.command,
                           "--seed wants a number from 0 to 2^64-1, not '%s'",
                           text);
    bridge->run.load.seed = seed;
    return STATUS_OK;
}

static int read_duration(struct bridge *bridge, const char *text)
{
    int64_t until;
    if (parse_time(text, &until) != 0 || until <= 0)
        return usage_error(bridge->run.command,
                           "--for wants a time with its unit, such as 90s or "
                           "5m, not '%s'",
                           text);
    bridge->run.load.has_until = true;
    bridge->run.load.until = until;
    return STATUS_OK;
}

int bridge_read_option(struct bridge *bridge, int answer, const char *value)
{
    struct run_options *run = &bridge->run;
    switch (answer) {
    case 'u':
        return read_duration(bridge, value);
    case 'S':
        return read_seed(bridge, value);
    case 's':
        run->load.sets[run->load.set_count++] = value;
        return STATUS_OK;
    case 'o':
        run->out = value;
        return *value ? STATUS_OK
                      : usage_error(run->command, "--out wants a folder");
    case 'p':
        run->load.classic_pcap = true;
        return STATUS_OK;
    case 'j':
        run->is_json = true;
        return STATUS_OK;
    case 'q':
        run->is_quiet = true;
        return STATUS_OK;
    case 'v':
        run->verbosity++;
        return STATUS_OK;
    default:
        return -1;
    }
}

// --- Devices ----------------------------------------------------------------

static int say_taps(struct bridge *bridge, struct sim *sim, const char *option)
{
    char names[256] = "";
    size_t used = 0;
    for (struct tap *tap = sim_next_tap(sim, NULL); tap;
         tap = sim_next_tap(sim, tap))
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
                                     used ? ", " : "", tap_name(tap));
    return usage_error(bridge->run.command,
                       "--tap %s: say which tap; the scenario has %s", option,
                       names);
}

static int choose_device(struct bridge *bridge, struct sim *sim,
                         const char *option)
{
    const char *equals = strchr(option, '=');
    struct tap *first = sim_next_tap(sim, NULL), *tap = first;
    size_t length = equals ? (size_t)(equals - option) : 0;
    if (!equals && sim_next_tap(sim, first))
        return say_taps(bridge, sim, option);
    while (equals && tap &&
           (strlen(tap_name(tap)) != length ||
            strncmp(tap_name(tap), option, length) != 0))
        tap = sim_next_tap(sim, tap);
    if (!tap)
        return say_taps(bridge, sim, option);
    must(tap_set_device_name(tap, equals ? equals + 1 : option) == 0);
    return STATUS_OK;
}

// A lease is told when it comes: it is the address that people wait for.
static void on_change(void *context, struct app *app)
{
    const struct bridge *bridge = context;
    char address[IP_PREFIX_TEXT_SIZE], server[IP_ADDR_TEXT_SIZE];
    const char *host = app_host(app)->node.name;
    struct dhcp_lease lease;
    if (!app_get_lease(app, &lease))
        fprintf(stderr, "wirebed %s: '%s' has lost its lease\n",
                bridge->run.command, host);
    else
        fprintf(stderr, "wirebed %s: '%s' has %s from %s for %lld s\n",
                bridge->run.command, host,
                ip_prefix_format(&lease.address, address),
                ip_addr_format(&lease.server, server),
                (long long)(lease.duration / NS_PER_S));
}

static int prepare(void *context, struct sim *sim)
{
    struct bridge *bridge = context;
    int status = STATUS_OK;
    if (!sim_next_tap(sim, NULL))
        return usage_error(bridge->run.command,
                           "the scenario has no tap; add 'taps: {tap0: }' and "
                           "a link that ends there");
    for (size_t i = 0; i < bridge->tap_count && status == STATUS_OK; i++)
        status = choose_device(bridge, sim, bridge->taps[i]);
    for (struct app *app = sim_next_app(sim, NULL); app;
         app = sim_next_app(sim, app))
        app_set_listener(app, bridge->run.is_quiet ? NULL : on_change, bridge);
    return status;
}

int bridge_run(struct bridge *bridge, const char *path, const char *text)
{
    bridge->run.text = text;
    bridge->run.prepare = prepare;
    bridge->run.context = bridge;
    return run_scenario(path, &bridge->run);
}
