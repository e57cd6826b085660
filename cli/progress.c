// Interruptions and progress.
// SPDX-License-Identifier: MIT
//
// The simulator reads no clock. A timer signal sets the flag that the engine
// looks at between events; the run returns here, a line is printed, the run
// goes on. So progress costs nothing while nobody looks, and cannot change a
// result.
#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { REFRESH_US = 200000 };

// What signals leave behind. Handlers have no context, so these are the
// program's only variables of their kind.
static volatile int wake_flag;
static volatile sig_atomic_t was_interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    was_interrupted = 1;
    wake_flag = 1;
}

static void on_tick(int signal_number)
{
    (void)signal_number;
    wake_flag = 1;
}

double wall_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void handle(int signal_number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

static void set_ticks(long interval_us)
{
    struct itimerval timer = {{0, interval_us}, {0, interval_us}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void show_progress(const struct sim *sim, ns_t until, double started)
{
    double simulated = (double)sim_now(sim) / (double)NS_PER_S;
    double wall = wall_now() - started;
    fprintf(stderr, "\r\033[K%s: %.3f s simulated", sim->name, simulated);
    if (until != NS_NEVER && until > 0)
        fprintf(stderr, " (%.0f %%)",
                100.0 * (double)sim_now(sim) / (double)until);
    if (wall > 0)
        fprintf(stderr, ", %.*f times real time", simulated < 10 * wall ? 2 : 0,
                simulated / wall);
    fflush(stderr);
}

enum engine_result progress_run(struct sim *sim, ns_t until, bool show)
{
    double started = wall_now();
    bool has_shown = false;
    enum engine_result result;
    wake_flag = 0;
    was_interrupted = 0;
    handle(SIGINT, on_interrupt, (int)SA_RESETHAND);
    handle(SIGTERM, on_interrupt, (int)SA_RESETHAND);
    if (show) {
        handle(SIGALRM, on_tick, SA_RESTART);
        set_ticks(REFRESH_US);
    }
    sim->engine.interrupted = &wake_flag;
    while ((result = sim_run(sim, until)) == ENGINE_INTERRUPTED &&
           !was_interrupted) {
        wake_flag = 0;
        show_progress(sim, until, started);
        has_shown = true;
    }
    sim->engine.interrupted = NULL;
    if (show)
        set_ticks(0);
    if (has_shown)
        fprintf(stderr, "\r\033[K");
    handle(SIGINT, SIG_DFL, 0);
    handle(SIGTERM, SIG_DFL, 0);
    return result;
}
