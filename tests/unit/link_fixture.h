// A network of two nodes that only note what arrives, for tests of links.
// SPDX-License-Identifier: MIT
#ifndef TESTS_LINK_FIXTURE_H
#define TESTS_LINK_FIXTURE_H

#include "sim/sim.h"

enum { PROBE_LIMIT = 200000 };

struct arrival {
    ns_t time;
    uint32_t number; // as frame_make was told
    uint32_t length;
    bool is_intact; // the bytes are as frame_make wrote them
};

// A node that keeps notes and drops.
struct probe {
    struct node node; // first
    struct arrival *arrivals;
    uint32_t count;
    int carrier; // last told: 1 up, 0 down, -1 never
    void (*on_input)(struct port *port, struct packet *frame); // borrows; NULL
};

struct link_fixture {
    struct sim *sim;
    struct probe *a, *b;
    struct link *link;
};

struct probe *probe_add(struct sim *sim, const char *name);
// An Ethernet frame of `length` bytes (at least 18) of no protocol, whose
// payload says its number.
struct packet *frame_make(struct sim *sim, uint32_t number, uint32_t length);
// Two probes "a" and "b" with one link "wire"; direction NULL: the default.
// Both directions are alike.
void link_fixture_init(struct link_fixture *f,
                       const struct link_direction_config *direction);
// Finishes, checks the books and destroys.
void link_fixture_fini(struct link_fixture *f);
// Runs until `time`, then sends from a to b.
void link_fixture_send(struct link_fixture *f, ns_t time, uint32_t number,
                       uint32_t length);
void link_fixture_run(struct link_fixture *f); // until idle
// Changes a copy of the configuration of a>b.
struct link_direction_config link_fixture_config(const struct link_fixture *f);

#endif
