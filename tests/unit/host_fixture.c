// Networks of real hosts.
// SPDX-License-Identifier: MIT

#include "tests/unit/host_fixture.h"

#include "tests/unit/unit.h"

struct sim *host_fixture_create(uint64_t seed)
{
    struct sim *sim = NULL;

    must(sim_create(&(struct sim_config){.name = "test", .seed = seed}, &sim) ==
         0);
    return sim;
}

void host_fixture_destroy(struct sim *sim)
{
    CHECK_EQUAL(sim_finish(sim), 0);
    sim_destroy(sim);
}

struct host *host_fixture_add(struct sim *sim, const char *name, bool is_router)
{
    struct host_config config = {.name = name, .is_router = is_router};
    struct host *host = NULL;

    must(sim_add_host(sim, &config, &host) == 0);
    return host;
}

void host_fixture_address(struct port *port, const char *text)
{
    struct ip_prefix prefix;

    must(ip_prefix_parse(text, &prefix) == 0);
    must(iface_add_address(port->iface, &prefix) == 0);
}

struct link *host_fixture_join(struct sim *sim, struct node *a,
                               const char *prefix_a, struct node *b,
                               const char *prefix_b)
{
    struct link_config config = {.ends = {a, b}};
    struct link *link = NULL;

    config.direction[0] = config.direction[1] = link_direction_default;
    config.direction[0].delay = config.direction[1].delay = NS_PER_MS;
    must(sim_add_link(sim, &config, &link) == 0);
    if (prefix_a != NULL)
        host_fixture_address(link->ends[0], prefix_a);
    if (prefix_b != NULL)
        host_fixture_address(link->ends[1], prefix_b);
    return link;
}

int64_t host_fixture_talk(struct sim *sim, struct host *from, struct host *to,
                          const char *address)
{
    struct endpoint remote = {.port = 7000};
    struct socket *sender, *receiver;
    char buffer[100];

    must(ip_addr_parse(address, &remote.addr) == 0);
    struct endpoint any = {.addr = ip_addr_any(remote.addr.family),
                           .port = 7000};
    must(socket_open(to->stack, SOCKET_DATAGRAM, remote.addr.family, 0,
                     &receiver) == 0);
    must(socket_bind(receiver, &any) == 0);
    must(socket_open(from->stack, SOCKET_DATAGRAM, remote.addr.family, 0,
                     &sender) == 0);
    (void)socket_send_to(sender, "hello", 5, 0, &remote);
    sim_run(sim, sim_now(sim) + 2 * NS_PER_S);
    int64_t got = socket_receive(receiver, buffer, sizeof(buffer), 0);
    socket_close(sender);
    socket_close(receiver);
    return got < 0 ? -1 : got;
}
