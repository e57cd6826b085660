// What came from outside in a bridged run, fed back in virtual time.
// SPDX-License-Identifier: MIT
#ifndef TAP_RECORDING_H
#define TAP_RECORDING_H

// Theory of operation
//
// The capture of a tap's port is a recording already: what the tap sent into
// the simulation is what came from outside, with the nanosecond at which it
// entered, and what it received is what the simulation answered. Nothing else
// of a run in real time depends on the clock. So a replay runs the same
// scenario with the same seed, has each tap send its recorded frames at their
// times, after everything else that happens at that nanosecond (which is when
// sim/realtime let them in), and gets the same frames out.

#include "sim/tap/tap.h"

struct recorded_frame {
    ns_t time;
    bool is_from_outside;
    const uint8_t *bytes; // the reader's, until the next call
    size_t length;
};

// Reads the captures of this program: pcapng in the machine's byte order, one
// interface, nanoseconds. Negative errno: of the system, or -EINVAL.
struct recording;
int recording_open(const char *path, struct recording **out);
void recording_close(struct recording *recording); // NULL is fine
// 1: there is a frame; 0: no more; -EINVAL: the file is broken.
int recording_next(struct recording *recording, struct recorded_frame *out);

// Feeds every tap of a simulation from its recording in a folder. 0, or a
// negative errno with a sentence in sim_error(). The replay ends before the
// simulation does.
struct replay;
int replay_create(struct sim *sim, const char *folder, struct replay **out);
void replay_destroy(struct replay *replay);          // NULL is fine
uint64_t replay_frames(const struct replay *replay); // fed so far
// The name of a tap's recording. -ENOMEM.
int replay_path(const struct tap *tap, const char *folder, char **out);

// Compares what went out in two recordings. 0: the same; 1: not, and *number
// is the first frame (from 1) that differs; a negative errno as recording_open.
int recording_compare(const char *a, const char *b, uint64_t *number);

#endif
