// The ring of frames under way.
// SPDX-License-Identifier: MIT

#include "sim/link/flight.h"

#include <errno.h>
#include <stdlib.h>

void flights_fini(struct flights *flights)
{
    free(flights->ring);
    *flights = (struct flights){0};
}

static int grow(struct flights *flights)
{
    uint32_t capacity = flights->capacity > 0 ? flights->capacity * 2 : 8;
    struct flight *ring = malloc(capacity * sizeof(*ring));

    if (ring == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < flights->count; i++)
        ring[i] = *flights_at(flights, i);
    free(flights->ring);
    flights->ring = ring;
    flights->capacity = capacity;
    flights->head = 0;
    return 0;
}

// Moves the entry at n forward to its place among those before it.
static void settle(struct flights *flights, uint32_t n)
{
    struct flight entry = *flights_at(flights, n);

    while (n > 0 && flights_at(flights, n - 1)->time > entry.time) {
        *flights_at(flights, n) = *flights_at(flights, n - 1);
        n--;
    }
    *flights_at(flights, n) = entry;
}

int flights_insert(struct flights *flights, ns_t time, struct packet *frame)
{
    if (flights->count == flights->capacity && grow(flights) < 0)
        return -ENOMEM;
    uint32_t n = flights->count++;

    *flights_at(flights, n) = (struct flight){time, frame};
    settle(flights, n);
    return 0;
}

struct packet *flights_pop(struct flights *flights)
{
    must(flights->count > 0);
    struct packet *frame = flights_at(flights, 0)->frame;

    flights->head = (flights->head + 1) & (flights->capacity - 1);
    flights->count--;
    return frame;
}

void flights_sort(struct flights *flights)
{
    for (uint32_t n = 1; n < flights->count; n++)
        settle(flights, n);
}
