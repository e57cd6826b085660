// The list of congestion controls, with the arithmetic that they share.
// SPDX-License-Identifier: MIT

#include "stack/tcp/congestion/congestion.h"

#include <errno.h>
#include <string.h>

const struct congestion_ops *const congestion_controls[] = {
    &congestion_cubic, &congestion_newreno, &congestion_cubic_plus,
    &congestion_dctcp, &congestion_bbr,     NULL,
};

size_t congestion_count(void) { return ARRAY_LENGTH(congestion_controls) - 1; }

const char *congestion_name(size_t index)
{
    must(index < congestion_count());
    return congestion_controls[index]->name;
}

int congestion_find(const char *name)
{
    if (strcmp(name, "reno") == 0) // Linux's word
        name = "newreno";
    for (size_t i = 0; i < congestion_count(); i++)
        if (strcmp(congestion_controls[i]->name, name) == 0)
            return (int)i;
    return -ENOENT;
}

// cwnd + segments * mss, held below the clamp without overflow.
static uint32_t grown(const struct congestion *cc, uint32_t segments)
{
    uint64_t cwnd = cc->cwnd + (uint64_t)segments * cc->mss;
    uint32_t limit = max_u32(cc->cwnd_clamp, cc->mss);

    return cwnd < limit ? (uint32_t)cwnd : limit;
}

uint32_t congestion_slow_start(struct congestion *cc, uint32_t acked_segments)
{
    must(cc->mss > 0);
    if (!congestion_is_slow_start(cc))
        return acked_segments;

    // The last step may be shorter than a segment when ssthresh is no multiple
    // of the MSS (it changed in between): it still uses up a segment.
    uint32_t room = cc->ssthresh - cc->cwnd;
    uint32_t room_segments = room / cc->mss + (room % cc->mss != 0);
    if (acked_segments < room_segments) {
        cc->cwnd = grown(cc, acked_segments);
        return 0;
    }
    cc->cwnd = min_u32(cc->ssthresh, max_u32(cc->cwnd_clamp, cc->mss));
    return acked_segments - room_segments;
}

void congestion_additive_increase(struct congestion *cc, uint32_t *count,
                                  uint32_t per_segment, uint32_t acked_segments)
{
    must(cc->mss > 0 && per_segment > 0);
    // The price fell below what had been saved: one segment is due now, and
    // the rest of the savings belongs to an older, larger price.
    if (*count >= per_segment) {
        *count = 0;
        cc->cwnd = grown(cc, 1);
    }
    *count += acked_segments;
    if (*count >= per_segment) {
        uint32_t segments = *count / per_segment;

        *count -= segments * per_segment;
        cc->cwnd = grown(cc, segments);
    }
}

uint32_t congestion_undo(struct congestion *cc)
{
    return max_u32(cc->cwnd, cc->prior_cwnd);
}
