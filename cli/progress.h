// Interruptions and progress: what ties a run to signals and the terminal.
// SPDX-License-Identifier: MIT
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "sim/sim.h"

// Runs the simulation until `until`, showing progress on stderr when asked (a
// line rewritten a few times a second). SIGINT and SIGTERM end it with
// ENGINE_INTERRUPTED; a second one kills.
enum engine_result progress_run(struct sim *sim, ns_t until, bool show);
double wall_now(void); // seconds, monotonic

#endif
