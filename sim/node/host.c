// Hosts: a stack with the simulator's time, randomness and ports.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/node/node.h"
#include "sim/report/report.h"
#include "sim/sim.h"

// Theory of operation
//
// A host gives its stack the four things that it lacks: the engine's clock (by
// pointer), one event for its next deadline, a random stream named after the
// host, and a port behind each interface. What the stack traces goes to the
// flow table (connection states) and to one further listener.

enum { ALWAYS_TRACED = 1 << TRACE_TCP_STATE };

static void on_deadline(struct event *event)
{
    stack_run(CONTAINER_OF(event, struct host, deadline)->stack);
}

static void set_deadline(void *context, ns_t deadline)
{
    struct host *host = context;
    struct engine *engine = &host->node.sim->engine;

    if (deadline == NS_NEVER)
        engine_cancel(engine, &host->deadline);
    else
        engine_schedule(engine, &host->deadline,
                        max_i64(deadline, engine->now));
}

static void fill_random(void *context, void *bytes, size_t length)
{
    random_bytes(&((struct host *)context)->random, bytes, length);
}

static void on_trace(void *context, const struct stack_trace *event)
{
    struct host *host = context;

    if (event->kind == TRACE_TCP_STATE)
        flow_table_on_state(host, event);
    if (host->trace != NULL && host->trace_mask & 1u << event->kind)
        host->trace(host->trace_context, event);
}

void host_set_trace(struct host *host, uint32_t mask,
                    void (*trace)(void *context,
                                  const struct stack_trace *event),
                    void *context)
{
    host->trace = trace;
    host->trace_context = context;
    host->trace_mask = trace != NULL ? mask : 0;
    stack_set_trace_mask(host->stack, host->trace_mask | ALWAYS_TRACED);
}

static void transmit(void *context, struct iface *iface, struct packet *frame)
{
    (void)iface;
    port_send(context, frame);
}

static int host_attach(struct port *port, const struct port_config *config)
{
    struct host *host = node_as_host(port->node);
    struct iface_config iface = {
        .name = port->name,
        .type =
            config->is_point_to_point ? IFACE_POINT_TO_POINT : IFACE_ETHERNET,
        .mac = port->mac,
        .mtu = config->mtu,
        .transmit = transmit,
        .context = port,
    };
    int error = iface_create(host->stack, &iface, &port->iface);

    if (error == -EINVAL)
        sim_set_error(port->node->sim, "%s:%s cannot have an MTU of %u",
                      port->node->name, port->name, config->mtu);
    return error;
}

static void host_detach(struct port *port)
{
    iface_destroy(port->iface);
    port->iface = NULL;
}

static void host_input(struct port *port, struct packet *frame)
{
    iface_input(port->iface, frame);
}

static void host_check(const struct node *node)
{
    stack_check(((const struct host *)(const void *)node)->stack);
}

static void host_free(struct node *node)
{
    struct host *host = node_as_host(node);

    stack_destroy(host->stack);
    engine_cancel(&node->sim->engine, &host->deadline);
    free(host->own_settings);
    free(host);
}

static const struct node_ops host_ops = {
    .attach = host_attach,
    .detach = host_detach,
    .input = host_input,
    .check = host_check,
    .destroy = host_free,
};

static int copy_settings(struct host *host, const struct host_config *config)
{
    if (config->settings == NULL && !config->is_router)
        return 0;
    host->own_settings = malloc(sizeof(*host->own_settings));
    if (host->own_settings == NULL)
        return -ENOMEM;
    *host->own_settings =
        config->settings != NULL ? *config->settings : stack_settings_default;
    if (config->is_router)
        host->own_settings->ip_forward = 1;
    return 0;
}

static int create_stack(struct host *host, const struct host_config *config)
{
    struct sim *sim = host->node.sim;
    struct stack_config stack = {
        .host =
            {
                .context = host,
                .now = &sim->engine.now,
                .set_deadline = set_deadline,
                .random = fill_random,
                .trace = on_trace,
                .trace_mask = ALWAYS_TRACED,
            },
        .pool = sim->pool,
        .settings = host->own_settings,
        .name = config->name,
        .number = host->node.number,
        .no_ipv4 = config->no_ipv4,
        .no_ipv6 = config->no_ipv6,
    };
    char stream[300];

    snprintf(stream, sizeof(stream), "host %s", config->name);
    random_init(&host->random, sim->seed, stream);
    event_init(&host->deadline, node_new_order(&host->node), on_deadline);
    if (engine_reserve(&sim->engine, 1) < 0)
        return -ENOMEM;
    return stack_create(&stack, &host->stack);
}

int sim_add_host(struct sim *sim, const struct host_config *config,
                 struct host **out)
{
    struct host *host = calloc(1, sizeof(*host));

    if (host == NULL)
        return -ENOMEM;
    int error =
        node_init(&host->node, sim, &host_ops,
                  config->is_router ? NODE_ROUTER : NODE_HOST, config->name);
    if (error < 0) {
        free(host);
        return error;
    }
    event_init(&host->deadline, 0, on_deadline);
    error = copy_settings(host, config);
    if (error == 0)
        error = create_stack(host, config);
    if (error < 0) {
        node_destroy(&host->node);
        return error;
    }
    *out = host;
    return 0;
}

struct host *node_as_host(struct node *node)
{
    return node != NULL && node_is_host(node)
               ? CONTAINER_OF(node, struct host, node)
               : NULL;
}

struct host *sim_find_host(struct sim *sim, const char *name)
{
    return node_as_host(sim_find_node(sim, name));
}

struct host *stack_as_host(struct stack *stack)
{
    return stack_host_context(stack);
}
