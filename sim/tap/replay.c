// Has taps send what they sent in an earlier run.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "sim/tap/recording.h"

struct feed {
    struct feed *next;
    struct replay *replay;
    struct tap *tap;
    struct recording *recording;
    struct recorded_frame frame; // to be sent when the event runs
    struct event event;
};

struct replay {
    struct sim *sim;
    struct feed *feeds;
    uint64_t frames;
};

// Looks for the next frame from outside. A broken rest is the end.
static void schedule_next(struct feed *feed)
{
    int there;

    do
        there = recording_next(feed->recording, &feed->frame);
    while (there == 1 && !feed->frame.is_from_outside);
    if (there == 1)
        engine_schedule(&feed->replay->sim->engine, &feed->event,
                        max_i64(feed->frame.time, sim_now(feed->replay->sim)));
}

static void on_event(struct event *event)
{
    struct feed *feed = CONTAINER_OF(event, struct feed, event);

    // All that entered together enters together.
    do {
        tap_feed(feed->tap, feed->frame.bytes, feed->frame.length);
        feed->replay->frames++;
        schedule_next(feed);
        if (!event_is_pending(&feed->event))
            return;
    } while (feed->frame.time == sim_now(feed->replay->sim));
}

int replay_path(const struct tap *tap, const char *folder, char **out)
{
    const struct node *node = tap_node(tap);
    const char *port = node->ports != NULL ? node->ports->name : "eth0";

    return asprintf(out, "%s/%s-%s.pcapng", folder, node->name, port) < 0
               ? -ENOMEM
               : 0;
}

static int open_recording(struct feed *feed, const char *folder)
{
    char *path = NULL;
    int error = replay_path(feed->tap, folder, &path);

    if (error == 0)
        error = recording_open(path, &feed->recording);
    if (error == -EINVAL)
        sim_set_error(feed->replay->sim,
                      "'%s' is not a pcapng capture of this program", path);
    else if (error < 0 && path != NULL)
        sim_set_error(feed->replay->sim, "'%s' cannot be read: %s", path,
                      strerror(-error));
    free(path);
    return error;
}

// The highest order of all: after whatever else happens at that time.
static int add_feed(struct replay *replay, struct tap *tap, uint32_t number,
                    const char *folder)
{
    struct feed *feed = calloc(1, sizeof(*feed));

    if (feed == NULL || engine_reserve(&replay->sim->engine, 1) < 0) {
        free(feed);
        return -ENOMEM;
    }
    feed->replay = replay;
    feed->tap = tap;
    event_init(&feed->event, event_order(UINT32_MAX, number), on_event);
    feed->next = replay->feeds;
    replay->feeds = feed;
    int error = open_recording(feed, folder);
    if (error == 0)
        schedule_next(feed);
    return error;
}

int replay_create(struct sim *sim, const char *folder, struct replay **out)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    uint32_t number = 0;
    int error = replay == NULL ? -ENOMEM : 0;

    if (replay != NULL)
        replay->sim = sim;
    for (struct tap *tap = sim_next_tap(sim, NULL); tap != NULL && error == 0;
         tap = sim_next_tap(sim, tap))
        error = add_feed(replay, tap, number++, folder);
    if (error < 0)
        replay_destroy(replay);
    else
        *out = replay;
    return error;
}

void replay_destroy(struct replay *replay)
{
    if (replay == NULL)
        return;
    while (replay->feeds != NULL) {
        struct feed *feed = replay->feeds;

        replay->feeds = feed->next;
        engine_cancel(&replay->sim->engine, &feed->event);
        recording_close(feed->recording);
        free(feed);
    }
    free(replay);
}

uint64_t replay_frames(const struct replay *replay) { return replay->frames; }
