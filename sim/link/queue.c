// Departure times of a FIFO queue.
// SPDX-License-Identifier: MIT

#include "sim/link/queue.h"

#include <errno.h>
#include <stdlib.h>

void queue_fini(struct queue *queue)
{
    free(queue->ring);
    *queue = (struct queue){0};
}

static struct queue_slot *slot_at(const struct queue *queue, uint32_t n)
{
    return &queue->ring[(queue->head + n) & (queue->capacity - 1)];
}

ns_t queue_duration(const struct link_direction_config *config, uint32_t length)
{
    if (config->rate_bps == 0)
        return 0;
    unsigned __int128 bits = ((uint64_t)length + config->overhead) * 8;
    unsigned __int128 time =
        (bits * NS_PER_S + config->rate_bps - 1) / config->rate_bps;

    // A link of 1 bit/s with jumbo frames stays far below this.
    must(time < NS_NEVER / 4);
    return (ns_t)time;
}

void queue_advance(struct queue *queue, ns_t now)
{
    while (queue->count > 0 && slot_at(queue, 0)->start <= now) {
        const struct queue_slot *slot = slot_at(queue, 0);
        ns_t wait = slot->start - slot->entered;

        queue->total_wait += wait;
        queue->peak_wait = max_i64(queue->peak_wait, wait);
        queue->bytes -= slot->length;
        queue->head = (queue->head + 1) & (queue->capacity - 1);
        queue->first++;
        queue->count--;
    }
}

static bool is_over(const struct queue_config *limits, uint64_t packets,
                    uint64_t bytes, ns_t wait)
{
    return (limits->limit_packets != 0 && packets > limits->limit_packets) ||
           (limits->limit_bytes != 0 && bytes > limits->limit_bytes) ||
           (limits->limit_time != 0 && wait > limits->limit_time);
}

static int grow(struct queue *queue)
{
    uint32_t capacity = queue->capacity > 0 ? queue->capacity * 2 : 8;
    struct queue_slot *ring = malloc(capacity * sizeof(*ring));

    if (ring == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < queue->count; i++)
        ring[i] = *slot_at(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->head = 0;
    return 0;
}

static int wait_in_line(struct queue *queue,
                        const struct link_direction_config *config, ns_t now,
                        uint32_t length)
{
    if (is_over(&config->queue, (uint64_t)queue->count + 1,
                queue->bytes + length, queue->free_at - now))
        return -ENOSPC;
    if (queue->count == queue->capacity && grow(queue) < 0)
        return -ENOMEM;
    *slot_at(queue, queue->count++) = (struct queue_slot){
        .entered = now, .start = queue->free_at, .length = length};
    queue->bytes += length;
    return 0;
}

int queue_enter(struct queue *queue, const struct link_direction_config *config,
                ns_t now, uint32_t length, struct queue_place *out)
{
    queue_advance(queue, now);
    out->start = max_i64(now, queue->free_at);
    out->end = out->start + queue_duration(config, length);
    if (out->start == now) {
        out->slot = queue->first - 1; // sent already
    } else {
        int error = wait_in_line(queue, config, now, length);

        if (error < 0)
            return error;
        slot_at(queue, queue->count - 1)->end = out->end;
        out->slot = queue->first + queue->count - 1;
    }
    queue->free_at = out->end;
    return 0;
}

void queue_replan(struct queue *queue,
                  const struct link_direction_config *config, ns_t now)
{
    queue_advance(queue, now);
    if (queue->count == 0)
        return;
    ns_t time = slot_at(queue, 0)->start; // when the one being sent is through

    for (uint32_t i = 0; i < queue->count; i++) {
        struct queue_slot *slot = slot_at(queue, i);

        slot->start = time;
        slot->end = time += queue_duration(config, slot->length);
    }
    queue->free_at = time;
}

const struct queue_slot *queue_find(const struct queue *queue, uint32_t slot)
{
    uint32_t n = slot - queue->first;

    return n < queue->count ? slot_at(queue, n) : NULL;
}

uint32_t queue_cut(struct queue *queue,
                   const struct link_direction_config *config, ns_t now)
{
    queue_advance(queue, now);
    while (queue->count > 0) {
        struct queue_slot *last = slot_at(queue, queue->count - 1);

        if (!is_over(&config->queue, queue->count, queue->bytes,
                     last->start - now))
            break;
        queue->free_at = last->start;
        queue->bytes -= last->length;
        queue->count--;
    }
    return queue->first + queue->count;
}

void queue_clear(struct queue *queue, ns_t now)
{
    queue->first += queue->count;
    queue->count = 0;
    queue->bytes = 0;
    queue->free_at = now;
}
