// The queue of what the stack has sent and no expectation has taken yet.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <stdlib.h>

void sent_push(void *context, struct iface *iface, struct packet *frame)
{
    struct runner *r = context;
    struct live_packet *packet = malloc(sizeof(*packet));

    (void)iface;
    must(packet != NULL);
    if (r->capture != NULL)
        script_capture_packet(r->capture, r->now, frame->data, frame->length);
    bool is_known = packet_decode(frame->data, frame->length, packet);
    packet_free(frame);
    if (!is_known || packet->to.addr.family == IP_NONE) {
        free(packet);
        return;
    }
    packet->time = packet->last_time = r->now;
    packet->next = NULL;
    if (r->sent_tail != NULL)
        r->sent_tail->next = packet;
    else
        r->sent_head = packet;
    r->sent_tail = packet;
}

static struct live_packet *pop(struct runner *r)
{
    struct live_packet *packet = r->sent_head;

    r->sent_head = packet->next;
    if (r->sent_head == NULL)
        r->sent_tail = NULL;
    packet->next = NULL;
    return packet;
}

struct live_packet *sent_next(struct runner *r, ns_t limit)
{
    for (;;) {
        while (r->sent_head != NULL) {
            struct live_packet *packet = pop(r);

            if (!r->has_flow || flow_has(&r->flow, packet))
                return packet;
            free(packet);
        }
        if (!runner_step(r, limit))
            return NULL;
    }
}

static bool may_join(const struct live_packet *first,
                     const struct live_packet *next)
{
    const uint8_t alone = TCP_SYN | TCP_RST | TCP_FIN;

    return next->protocol == first->protocol &&
           next->tcp.seq == first->tcp.seq + first->payload &&
           next->payload > 0 &&
           ((first->tcp.flags | (next->tcp.flags & ~TCP_FIN)) & alone) == 0;
}

void sent_join(struct runner *r, struct live_packet *first, uint32_t wanted,
               ns_t limit)
{
    while (first->payload > 0 && first->payload < wanted) {
        while (r->sent_head != NULL && r->has_flow &&
               !flow_has(&r->flow, r->sent_head))
            free(pop(r));
        if (r->sent_head == NULL) {
            if (!runner_step(r, limit))
                return;
            continue;
        }
        if (!may_join(first, r->sent_head) ||
            r->sent_head->payload > wanted - first->payload)
            return;
        struct live_packet *next = pop(r);
        uint32_t seq = first->tcp.seq;

        first->payload += next->payload;
        first->segments++;
        next->tcp.flags |= first->tcp.flags;
        first->tcp = next->tcp;
        first->tcp.seq = seq;
        first->options = next->options;
        first->last_time = next->time;
        free(next);
    }
}

void sent_clear(struct runner *r)
{
    while (r->sent_head != NULL)
        free(pop(r));
}
