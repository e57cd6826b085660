// Networks for the workloads, built through the simulator's own interface.
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/workload/workload.h"

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double workload_clock(void) { return seconds(CLOCK_MONOTONIC); }
double workload_cpu(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t workload_resident(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    int got = fscanf(file, "%lu %lu", &size, &resident);
    fclose(file);
    return got == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

struct sim *workload_sim(void)
{
    struct sim_config config = {.name = "bench", .seed = 1};
    struct sim *sim;
    must(sim_create(&config, &sim) == 0);
    return sim;
}

struct host *workload_host(struct sim *sim, bool is_router, const char *format,
                           ...)
{
    char name[32];
    struct host *host;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    struct host_config config = {
        .name = name, .is_router = is_router, .no_ipv6 = true};
    must(sim_add_host(sim, &config, &host) == 0);
    return host;
}

struct link *workload_link(struct sim *sim, struct host *a, struct host *b,
                           uint32_t network, uint64_t rate_bps, ns_t delay,
                           uint32_t queue_packets)
{
    struct link *link;
    struct link_config config = {.ends = {&a->node, &b->node}};
    for (int i = 0; i < 2; i++) {
        config.direction[i] = link_direction_default;
        config.direction[i].rate_bps = rate_bps;
        config.direction[i].delay = delay;
        config.direction[i].queue.limit_packets = queue_packets;
    }
    must(sim_add_link(sim, &config, &link) == 0);
    for (uint32_t i = 0; i < 2; i++) {
        struct ip_prefix prefix = {ip_addr_v4_u32(network + i + 1), 30};
        must(iface_add_address(link->ends[i]->iface, &prefix) == 0);
    }
    return link;
}

void workload_route(struct host *host, uint32_t network, uint8_t length,
                    uint32_t gateway)
{
    struct route route = {.destination = {ip_addr_v4_u32(network), length},
                          .gateway = ip_addr_v4_u32(gateway)};
    must(stack_add_route(host->stack, &route) == 0);
}

struct app *workload_app(struct sim *sim, struct host *host,
                         struct app_config config)
{
    struct app *app;
    must(sim_add_app(sim, host, &config, &app) == 0);
    return app;
}

void workload_end(struct sim *sim, struct workload_result *result)
{
    for (struct link *link = sim->links; link; link = link->next)
        for (unsigned i = 0; i < 2; i++)
            result->frames += link_get_stats(link, i).frames_in;
    for (struct app *app = sim_next_app(sim, NULL); app;
         app = sim_next_app(sim, app))
        result->payload += app_get_stats(app).bytes_received;
    result->events = sim->engine.events_run;
    result->simulated_seconds = (double)sim_now(sim) / (double)NS_PER_S;
    sim_finish(sim);
    sim_destroy(sim);
}
