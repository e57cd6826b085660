// Networks of real hosts, for tests of nodes, routes and whole simulations.
// SPDX-License-Identifier: MIT
#ifndef TESTS_HOST_FIXTURE_H
#define TESTS_HOST_FIXTURE_H

#include "sim/sim.h"

struct sim *host_fixture_create(uint64_t seed);
// Runs to the end, checks the books, destroys.
void host_fixture_destroy(struct sim *sim);
struct host *host_fixture_add(struct sim *sim, const char *name,
                              bool is_router);
// Joins two nodes with a link of 1 ms each way and gives the ends their
// prefixes ("10.0.0.1/24"; NULL: none).
struct link *host_fixture_join(struct sim *sim, struct node *a,
                               const char *prefix_a, struct node *b,
                               const char *prefix_b);
void host_fixture_address(struct port *port, const char *prefix);
// Sends one datagram from one host to an address of another and tells how many
// bytes have arrived there two (simulated) seconds later; -1: none.
int64_t host_fixture_talk(struct sim *sim, struct host *from, struct host *to,
                          const char *address);

#endif
