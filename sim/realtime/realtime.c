// The loop that keeps a simulation in step with the clock.
// SPDX-License-Identifier: MIT
#include "sim/realtime/realtime.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sim/tap/tap.h"

enum {
    READS_PER_ROUND = 8,
    EVENTS_PER_WAIT = 16,
    SLICE = 1000000,            // ns of simulated time run at once
    WARN_BEHIND = 100000000,    // ns
    LATE_ENOUGH_TO_SLEEP = 1000 // ns: sooner than this is not slept for
};

struct loop {
    struct sim *sim;
    const struct realtime_options *options;
    struct realtime_stats *stats;
    bool has_taps, was_interrupted;
    double speed;
    ns_t started;   // of the clock
    ns_t last_read; // simulated: of the last round of reading
    ns_t armed;     // of the clock: what the timer is set to
    ns_t warned_at; // of the clock
    int epoll, timer, signals;
    sigset_t old_signals;
};

static ns_t clock_now(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static double cpu_seconds(void)
{
    return (double)clock_now(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
}

// --- Descriptors

static int watch(struct loop *loop, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_signals(struct loop *loop)
{
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, &loop->old_signals);
    loop->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    return loop->signals < 0 ? -errno : 0;
}

static int open_descriptors(struct loop *loop)
{
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->epoll < 0 || loop->timer < 0)
        return -errno;
    int error = watch(loop, loop->timer, &loop->timer);
    if (error == 0)
        error = watch(loop, loop->signals, &loop->signals);
    if (error < 0)
        sim_set_error(loop->sim, "the run cannot wait for time: %s",
                      strerror(-error));
    return error;
}

// Whoever made the device may bring it up later; who forgot it should know.
static void warn_if_down(const struct loop *loop, const struct tap *tap)
{
    if (!tap_is_up(tap) && loop->options->log != NULL)
        fprintf(loop->options->log,
                "%s: the device '%s' is down; 'ip link set %s up'\n",
                loop->options->prefix, tap_device_name(tap),
                tap_device_name(tap));
}

static int open_taps(struct loop *loop)
{
    for (struct tap *tap = sim_next_tap(loop->sim, NULL); tap != NULL;
         tap = sim_next_tap(loop->sim, tap)) {
        int error = tap_open(tap);

        if (error == 0)
            error = watch(loop, tap_fd(tap), tap);
        if (error < 0)
            return error;
        warn_if_down(loop, tap);
        loop->has_taps = true;
    }
    return 0;
}

static void close_all(struct loop *loop)
{
    for (struct tap *tap = sim_next_tap(loop->sim, NULL); tap != NULL;
         tap = sim_next_tap(loop->sim, tap))
        tap_close(tap);
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->timer >= 0)
        close(loop->timer);
    if (loop->signals >= 0)
        close(loop->signals);
    sigprocmask(SIG_SETMASK, &loop->old_signals, NULL);
}

static void flush_taps(struct loop *loop)
{
    if (!loop->has_taps)
        return;
    for (struct tap *tap = sim_next_tap(loop->sim, NULL); tap != NULL;
         tap = sim_next_tap(loop->sim, tap))
        tap_flush(tap);
}

// --- Time

static ns_t to_simulated(const struct loop *loop, ns_t clock)
{
    ns_t since = clock - loop->started;

    return loop->speed == 1.0 ? since : (ns_t)((double)since * loop->speed);
}

static ns_t to_clock(const struct loop *loop, ns_t simulated)
{
    if (loop->speed == 1.0)
        return loop->started + simulated;
    return loop->started + (ns_t)((double)simulated / loop->speed) + 1;
}

static void warn_behind(struct loop *loop, ns_t behind, ns_t now)
{
    loop->stats->behind_worst = max_i64(loop->stats->behind_worst, behind);
    if (behind < WARN_BEHIND || now - loop->warned_at < 5 * NS_PER_S)
        return;
    loop->warned_at = now;
    loop->stats->warnings++;
    if (loop->options->log != NULL)
        fprintf(loop->options->log,
                "%s: the simulation cannot keep up: it is %.0f ms behind the "
                "clock\n",
                loop->options->prefix, (double)behind / NS_PER_MS);
}

// Runs what is due, at most a slice of it. How far to go: past the time of the
// last frames from outside, so that no later ones share it.
static enum engine_result run_due(struct loop *loop)
{
    struct engine *engine = &loop->sim->engine;
    ns_t clock = clock_now(CLOCK_MONOTONIC);
    ns_t now = min_i64(to_simulated(loop, clock), loop->options->until);
    ns_t next = engine_next(engine), target = now;

    if (next <= now) {
        ns_t behind = clock - to_clock(loop, next);

        lateness_add(&loop->stats->lateness, behind);
        warn_behind(loop, behind, clock);
        target = min_i64(now, next + SLICE);
    }
    target = max_i64(target, engine->now);
    enum engine_result result = engine_run(engine, target);
    if (result == ENGINE_IDLE)
        engine_advance(engine, target);
    return result;
}

// --- Waiting

static void arm(struct loop *loop, ns_t deadline)
{
    struct itimerspec when = {0};

    if (deadline == loop->armed)
        return;
    loop->armed = deadline;
    if (deadline != NS_NEVER) {
        when.it_value.tv_sec = deadline / NS_PER_S;
        when.it_value.tv_nsec = deadline % NS_PER_S;
    }
    timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static ns_t next_deadline(const struct loop *loop)
{
    ns_t next = min_i64(engine_next(&loop->sim->engine), loop->options->until);

    return next == NS_NEVER ? NS_NEVER : to_clock(loop, next);
}

static void read_timer(struct loop *loop)
{
    uint64_t expirations;

    if (read(loop->timer, &expirations, sizeof(expirations)) > 0)
        loop->armed = NS_NEVER;
}

// The count of descriptors that have something.
static int wait_for_events(struct loop *loop, struct epoll_event *events)
{
    ns_t deadline = next_deadline(loop);
    bool must_sleep =
        deadline == NS_NEVER ||
        deadline > clock_now(CLOCK_MONOTONIC) + LATE_ENOUGH_TO_SLEEP;

    if (must_sleep) {
        arm(loop, deadline);
        loop->stats->waits++;
    }
    return epoll_wait(loop->epoll, events, EVENTS_PER_WAIT,
                      must_sleep ? -1 : 0);
}

// --- The loop

static bool is_among(const struct epoll_event *events, int count,
                     const struct tap *tap)
{
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr == tap)
            return true;
    return false;
}

static enum engine_result read_taps(struct loop *loop,
                                    const struct epoll_event *events, int count,
                                    int *error)
{
    struct engine *engine = &loop->sim->engine;
    bool has_read = false;

    // A frame's time is its own: one nanosecond at least after the last.
    if (engine->now <= loop->last_read)
        return ENGINE_UNTIL;
    // In the order of the scenario, as a replay does.
    for (struct tap *tap = sim_next_tap(loop->sim, NULL);
         tap != NULL && *error == 0; tap = sim_next_tap(loop->sim, tap)) {
        if (!is_among(events, count, tap))
            continue;
        int frames = tap_read(tap, READS_PER_ROUND);
        if (frames < 0)
            *error = frames;
        has_read |= frames > 0;
    }
    if (!has_read)
        return ENGINE_UNTIL;
    loop->last_read = engine->now;
    return engine_run(engine, engine->now);
}

// Takes the signal, which would otherwise kill once it is no longer blocked.
static void read_signal(struct loop *loop)
{
    struct signalfd_siginfo signal;

    if (read(loop->signals, &signal, sizeof(signal)) > 0)
        loop->was_interrupted = true;
}

static void notice(struct loop *loop, const struct epoll_event *events,
                   int count)
{
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &loop->timer)
            read_timer(loop);
        if (events[i].data.ptr == &loop->signals)
            read_signal(loop);
    }
}

static bool goes_on(const struct loop *loop, enum engine_result result)
{
    const struct engine *engine = &loop->sim->engine;

    if (result == ENGINE_IDLE)
        return loop->has_taps && engine->now < loop->options->until;
    return result == ENGINE_UNTIL && engine->now < loop->options->until;
}

static int run_loop(struct loop *loop, enum engine_result *result)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    int count = 0, error = 0;

    loop->started = clock_now(CLOCK_MONOTONIC);
    for (;;) {
        *result = run_due(loop);
        if (goes_on(loop, *result) && count > 0)
            *result = read_taps(loop, events, count, &error);
        flush_taps(loop);
        if (error < 0 || !goes_on(loop, *result))
            return error;
        count = wait_for_events(loop, events);
        notice(loop, events, count);
        if (loop->was_interrupted) {
            run_due(loop); // up to the moment of the signal
            flush_taps(loop);
            *result = ENGINE_INTERRUPTED;
            return 0;
        }
    }
}

void realtime_end(struct sim *sim, ns_t until)
{
    struct engine *engine = &sim->engine;

    if (until != NS_NEVER && engine_next(engine) >= until)
        engine_advance(engine, until);
    for (struct app *app = sim_next_app(sim, NULL); app != NULL;
         app = sim_next_app(sim, app))
        if (app_get_kind(app) == APP_DHCP)
            app_stop(app);
    engine_run(engine, engine->now);
}

int realtime_run(struct sim *sim, const struct realtime_options *options,
                 struct realtime_stats *stats, enum engine_result *result)
{
    struct loop loop = {
        .sim = sim,
        .options = options,
        .stats = stats,
        .speed = options->speed > 0 ? options->speed : 1.0,
        .last_read = -1,
        .armed = NS_NEVER,
        .warned_at = -NS_PER_S * 60,
        .epoll = -1,
        .timer = -1,
    };
    double cpu = cpu_seconds();

    memset(stats, 0, sizeof(*stats));
    int error = open_signals(&loop);
    if (error == 0)
        error = open_descriptors(&loop);
    if (error == 0)
        error = open_taps(&loop);
    must(!loop.has_taps || loop.speed == 1.0);
    ns_t started = clock_now(CLOCK_MONOTONIC);
    if (error == 0)
        error = run_loop(&loop, result);
    if (error == 0) {
        // While there still is somebody to give them back to.
        realtime_end(sim, NS_NEVER);
        flush_taps(&loop);
    }
    stats->wall_seconds =
        (double)(clock_now(CLOCK_MONOTONIC) - started) / NS_PER_S;
    stats->cpu_seconds = cpu_seconds() - cpu;
    close_all(&loop);
    return error;
}
