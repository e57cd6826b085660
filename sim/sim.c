// The simulation as a whole: building, running, finishing.
// SPDX-License-Identifier: MIT

#include "sim/sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/host_index.h"
#include "sim/name_table.h"
#include "sim/report/report.h"

// Events at one time: far more than a network of 100,000 hosts makes when all
// of them start at once, and a few seconds of work.
enum { INSTANT_LIMIT = 50000000 };

static int create_parts(struct sim *sim, const struct sim_config *config)
{
    sim->name = strdup(config->name != NULL ? config->name : "");
    sim->pool = packet_pool_create(config->packet_memory_limit);
    sim->node_names = name_table_create();
    sim->link_names = name_table_create();
    sim->app_names = name_table_create();
    sim->addresses = host_index_create();
    return sim->name != NULL && sim->pool != NULL && sim->node_names != NULL &&
                   sim->link_names != NULL && sim->app_names != NULL &&
                   sim->addresses != NULL
               ? 0
               : -ENOMEM;
}

int sim_create(const struct sim_config *config, struct sim **out)
{
    struct sim *sim = calloc(1, sizeof(*sim));

    if (sim == NULL)
        return -ENOMEM;
    engine_init(&sim->engine);
    sim->engine.instant_limit = INSTANT_LIMIT;
    sim->seed = config->seed;
    sim->nodes_end = &sim->nodes;
    sim->links_end = &sim->links;
    sim->apps_end = &sim->apps;
    sim->failures_end = &sim->failures;
    int error = create_parts(sim, config);
    if (error < 0) {
        sim_destroy(sim);
        return error;
    }
    *out = sim;
    return 0;
}

static void destroy_failures(struct sim *sim)
{
    while (sim->failures != NULL) {
        struct sim_failure *next = sim->failures->next;

        free(sim->failures->text);
        free(sim->failures);
        sim->failures = next;
    }
}

static void for_each_capture(struct sim *sim,
                             void (*act)(struct port *port, int *error),
                             int *error)
{
    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        for (struct port *port = node->ports; port != NULL; port = port->next)
            if (port->capture != NULL)
                act(port, error);
}

static void finish_capture(struct port *port, int *error)
{
    int result = capture_finish(port->capture);

    if (*error != 0 || result == 0)
        return;
    *error = result;
    sim_set_error(port->node->sim, "the capture '%s' is not complete: %s",
                  capture_path(port->capture), strerror(-result));
}

static void destroy_capture(struct port *port, int *error)
{
    (void)error;
    capture_destroy(port->capture);
    port->capture = NULL;
}

void sim_destroy(struct sim *sim)
{
    if (sim == NULL)
        return;
    for_each_capture(sim, destroy_capture, NULL);
    app_destroy_all(sim);
    while (sim->links != NULL)
        link_destroy(sim->links);
    fault_plan_destroy(sim->fault_plan);
    while (sim->nodes != NULL)
        node_destroy(sim->nodes);
    flow_table_destroy(sim->flows); // stacks that end still tell it
    destroy_failures(sim);
    name_table_destroy(sim->node_names);
    name_table_destroy(sim->link_names);
    name_table_destroy(sim->app_names);
    host_index_destroy(sim->addresses);
    engine_fini(&sim->engine);
    if (sim->pool != NULL) {
        must(packet_pool_get_stats(sim->pool).live == 0);
        packet_pool_destroy(sim->pool);
    }
    free(sim->capture_dir);
    free(sim->name);
    free(sim);
}

struct node *sim_find_node(struct sim *sim, const char *name)
{
    return name_table_find(sim->node_names, name);
}

// --- Sentences

const char *sim_error(const struct sim *sim) { return sim->error; }

void sim_set_error(struct sim *sim, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sim->error, sizeof(sim->error), format, arguments);
    va_end(arguments);
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    struct sim_failure *failure = calloc(1, sizeof(*failure));
    va_list arguments;
    char *text = NULL;

    sim->expectations++;
    sim->failure_count++;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (failure == NULL || text == NULL) { // it is counted all the same
        free(failure);
        free(text);
        return;
    }
    failure->time = sim_now(sim);
    failure->text = text;
    *sim->failures_end = failure;
    sim->failures_end = &failure->next;
}

void sim_expect_passed(struct sim *sim) { sim->expectations++; }

// --- Running

uint64_t sim_new_order(struct sim *sim)
{
    return event_order(0, sim->next_source++);
}

static void tell_limit(struct sim *sim)
{
    const struct engine *engine = &sim->engine;

    if (engine->event_limit != 0 && engine->events_run >= engine->event_limit)
        sim_set_error(sim, "stopped at the limit of %llu events",
                      (unsigned long long)engine->event_limit);
    else
        sim_set_error(sim,
                      "stopped: %llu events at %lld ns, and time does not go "
                      "on; is there a loop of links without delay?",
                      (unsigned long long)engine->events_at_now,
                      (long long)engine->now);
}

enum engine_result sim_run(struct sim *sim, ns_t until)
{
    must(!sim->is_finished);
    enum engine_result result = engine_run(&sim->engine, until);

    if (result == ENGINE_LIMIT)
        tell_limit(sim);
    return result;
}

void sim_stop(struct sim *sim) { engine_stop(&sim->engine); }

static void check_books(const struct sim *sim)
{
    for (const struct link *link = sim->links; link != NULL; link = link->next)
        link_check(link);
    for (const struct node *node = sim->nodes; node != NULL; node = node->next)
        if (node->ops->check != NULL)
            node->ops->check(node);
}

int sim_finish(struct sim *sim)
{
    int error = 0;

    if (sim->is_finished)
        return 0;
    check_books(sim);
    for (struct link *link = sim->links; link != NULL; link = link->next)
        link_end(link);
    check_books(sim);
    flow_table_finish(sim);
    sim->is_finished = true;
    for_each_capture(sim, finish_capture, &error);
    return error;
}

// --- Addresses

static bool first_address(const struct host *host, uint8_t family,
                          struct ip_addr *out)
{
    struct iface_address address;

    for (const struct port *port = host->node.ports; port != NULL;
         port = port->next)
        for (size_t n = 0; iface_get_address(port->iface, n, &address); n++)
            if (address.prefix.addr.family == family &&
                !ip_addr_is_link_local(&address.prefix.addr)) {
                *out = address.prefix.addr;
                return true;
            }
    return false;
}

int sim_resolve(struct sim *sim, const char *name, uint8_t family,
                struct ip_addr *out)
{
    struct host *host = sim_find_host(sim, name);

    if (host == NULL)
        return -ENOENT;
    if (family != IP_NONE)
        return first_address(host, family, out) ? 0 : -ENOENT;
    return first_address(host, IP_V4, out) || first_address(host, IP_V6, out)
               ? 0
               : -ENOENT;
}

struct host *sim_host_of_address(struct sim *sim, const struct ip_addr *address)
{
    return host_index_find(sim->addresses, sim, address);
}
