// Tells how a run in real time went.
// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "sim/realtime/realtime.h"
#include "sim/tap/tap.h"

static void print_tap(const struct tap *tap, FILE *out)
{
    struct tap_stats stats = tap_get_stats(tap);

    fprintf(out,
            "%s (%s %s): %" PRIu64 " frames in with %" PRIu64 " reads, %" PRIu64
            " out with %" PRIu64 " writes",
            tap_name(tap), tap_kind_name(tap_get_kind(tap)),
            tap_device_name(tap), stats.frames_read, stats.reads,
            stats.frames_written, stats.writes);
    for (int i = 0; i < TAP_DROP_COUNT; i++)
        if (stats.dropped[i] > 0)
            fprintf(out, ", %" PRIu64 " dropped: %s", stats.dropped[i],
                    tap_drop_name((enum tap_drop)i));
    fputc('\n', out);
}

void realtime_print(struct sim *sim, const struct realtime_stats *stats,
                    FILE *out)
{
    const struct lateness *late = &stats->lateness;

    for (struct tap *tap = sim_next_tap(sim, NULL); tap != NULL;
         tap = sim_next_tap(sim, tap))
        print_tap(tap, out);
    fprintf(out,
            "lateness: mean %.1f us, 99 %% below %.1f us, worst %.1f us; "
            "processor: %.1f %% of %.1f s\n",
            (double)lateness_mean(late) / NS_PER_US,
            (double)lateness_quantile(late, 990) / NS_PER_US,
            (double)late->worst / NS_PER_US,
            stats->wall_seconds > 0
                ? 100 * stats->cpu_seconds / stats->wall_seconds
                : 0,
            stats->wall_seconds);
    if (stats->warnings > 0)
        fprintf(out,
                "the simulation could not keep up with the clock; it was "
                "up to %.0f ms behind\n",
                (double)stats->behind_worst / NS_PER_MS);
}
