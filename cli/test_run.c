// Runs the cases of wirebed test, each in a process of its own.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/test.h"
#include "stack/base.h"

enum { OUTPUT_LIMIT = 1 << 20, ARGUMENTS = 12 };

// What a signal handler leaves behind; handlers have no context.
static volatile sig_atomic_t was_interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    was_interrupted = 1;
}

// --- One case ---------------------------------------------------------------

// The arguments of the command for a case; with captures where `out` is not
// NULL. seed has room for a 64-bit number. Returns how many there are.
static int arguments_of(const struct test_case *c, const char *out,
                        const char *tolerance, char *seed,
                        char *arguments[ARGUMENTS])
{
    int n = 0;
    arguments[n++] = c->kind == TEST_PACKETDRILL ? "packetdrill" : "run";
    if (c->kind == TEST_SCENARIO) {
        arguments[n++] = "--quiet";
        if (!out) {
            arguments[n++] = "--capture";
            arguments[n++] = "none";
        }
    }
    if (c->kind == TEST_PACKETDRILL) {
        arguments[n++] = "--tolerance";
        arguments[n++] = (char *)tolerance;
    }
    if (out) {
        arguments[n++] = "--out";
        arguments[n++] = (char *)out;
    }
    if (c->has_seed) {
        sprintf(seed, "%llu", (unsigned long long)c->seed);
        arguments[n++] = "--seed";
        arguments[n++] = seed;
    }
    arguments[n++] = "--";
    arguments[n++] = c->path;
    must(n < ARGUMENTS);
    arguments[n] = NULL;
    return n;
}

void test_print_command(const struct test_case *c,
                        const struct test_options *options, FILE *out)
{
    if (c->kind == TEST_PACKETDRILL)
        fprintf(out, "wirebed packetdrill --tolerance %s %s",
                options->tolerance, c->path);
    else if (c->has_seed)
        fprintf(out, "wirebed run --seed %llu %s", (unsigned long long)c->seed,
                c->path);
    else
        fprintf(out, "wirebed run %s", c->path);
}

// In the child: everything goes to the pipe, and it dies with its parent.
static _Noreturn void become(const struct test_case *c, const char *out,
                             const char *tolerance, int pipe_end)
{
    char *arguments[ARGUMENTS];
    char seed[24];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    dup2(pipe_end, STDOUT_FILENO);
    dup2(pipe_end, STDERR_FILENO);
    close(pipe_end);
    int count = arguments_of(c, out, tolerance, seed, arguments);
    int status = c->kind == TEST_PACKETDRILL ? cmd_packetdrill(count, arguments)
                                             : cmd_run(count, arguments);
    fflush(NULL);
    _exit(status);
}

static bool start(struct test_case *c, const char *out, const char *tolerance)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    fflush(NULL);
    c->process = fork();
    if (c->process == 0) {
        close(ends[0]);
        become(c, out, tolerance, ends[1]);
    }
    close(ends[1]);
    if (c->process < 0) {
        close(ends[0]);
        return false;
    }
    c->pipe = ends[0];
    c->verdict = TEST_RUNNING;
    c->started = wall_now();
    return true;
}

// Takes what has been printed; false at the end of it. What is too much is read
// and dropped.
static bool read_some(struct test_case *c)
{
    char bytes[4096];
    ssize_t n = read(c->pipe, bytes, sizeof(bytes));
    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    if (c->output_size + (size_t)n > OUTPUT_LIMIT)
        return true;
    if (c->output_size + (size_t)n >= c->output_room) {
        c->output_room = (c->output_size + (size_t)n + 1) * 2;
        c->output = realloc(c->output, c->output_room);
        must(c->output);
    }
    memcpy(c->output + c->output_size, bytes, (size_t)n);
    c->output_size += (size_t)n;
    c->output[c->output_size] = '\0';
    return true;
}

__attribute__((format(printf, 3, 4))) static void
end_case(struct test_case *c, enum test_verdict verdict, const char *format,
         ...)
{
    va_list values;
    c->verdict = verdict;
    va_start(values, format);
    must(vasprintf(&c->why, format, values) >= 0);
    va_end(values);
}

// The line that tells why a packetdrill script could not be run; its own text
// otherwise.
static bool is_not_runnable(const struct test_case *c)
{
    return c->kind == TEST_PACKETDRILL && c->output &&
           strstr(c->output, "not runnable") &&
           strstr(c->output, "0 passed, 0 failed, 1 skipped");
}

static void judge(struct test_case *c, int status)
{
    c->seconds = wall_now() - c->started;
    if (WIFSIGNALED(status)) {
        end_case(c, TEST_FAILED, "crashed: %s", strsignal(WTERMSIG(status)));
        return;
    }
    switch (WEXITSTATUS(status)) {
    case STATUS_OK:
        if (is_not_runnable(c))
            end_case(c, TEST_SKIPPED, "not runnable");
        else
            c->verdict = TEST_PASSED;
        return;
    case STATUS_FAILED:
        end_case(c, TEST_FAILED, "an expectation does not hold");
        return;
    case STATUS_USER:
        end_case(c, TEST_FAILED, "a mistake in the file");
        return;
    default:
        end_case(c, TEST_FAILED, "exit status %d", WEXITSTATUS(status));
    }
}

static void kill_case(struct test_case *c)
{
    kill(-c->process, SIGKILL);
    kill(c->process, SIGKILL);
}

static void finish(struct test_case *c)
{
    int status = 0;
    close(c->pipe);
    c->pipe = -1;
    while (waitpid(c->process, &status, 0) < 0 && errno == EINTR)
        ;
    if (c->verdict == TEST_RUNNING)
        judge(c, status);
}

static void time_out(struct test_case *c, double limit)
{
    kill_case(c);
    c->seconds = wall_now() - c->started;
    end_case(c, TEST_FAILED, "did not end within %g s", limit);
    finish(c);
}

// --- With captures ----------------------------------------------------------

// "a/b.yaml#7" gives "OUT/a_b.yaml#7".
static char *capture_folder(const struct test_case *c, const char *out)
{
    char *folder = NULL;
    must(asprintf(&folder, "%s/%s", out, c->id) >= 0);
    for (char *p = folder + strlen(out) + 1; *p; p++)
        if (*p == '/')
            *p = '_';
    return folder;
}

// Once more, the same to the last byte, for its captures; what it prints is
// known.
static void rerun_with_captures(const struct test_case *failed,
                                const struct test_options *options)
{
    char *folder = capture_folder(failed, options->out);
    struct test_case again = {.path = failed->path,
                              .id = failed->id,
                              .kind = failed->kind,
                              .has_seed = failed->has_seed,
                              .seed = failed->seed,
                              .pipe = -1};
    if (start(&again, folder, options->tolerance)) {
        struct pollfd poller = {.fd = again.pipe, .events = POLLIN};
        double end = wall_now() + options->timeout;
        while (wall_now() < end && poll(&poller, 1, 100) >= 0)
            if (poller.revents && !read_some(&again))
                break;
        kill_case(&again);
        finish(&again);
    }
    free(again.output);
    free(again.why);
    free(folder);
}

static bool deserves_captures(const struct test_case *c)
{
    return c->verdict == TEST_FAILED &&
           (strncmp(c->why, "an expectation", 14) == 0);
}

// --- All of them ------------------------------------------------------------

struct test_run {
    struct test_plan *plan;
    const struct test_options *options;
    size_t next, running, told;
    bool has_failed;
};

static bool may_start(const struct test_run *run)
{
    return run->next < run->plan->count &&
           run->running < (size_t)run->options->jobs && !was_interrupted &&
           !(run->has_failed && run->options->fail_fast);
}

static void start_some(struct test_run *run)
{
    while (may_start(run)) {
        struct test_case *c = &run->plan->cases[run->next++];
        if (start(c, NULL, run->options->tolerance))
            run->running++;
        else
            end_case(c, TEST_FAILED, "cannot be started: %s", strerror(errno));
    }
}

static void end_one(struct test_run *run, struct test_case *c)
{
    run->running--;
    if (c->verdict != TEST_FAILED)
        return;
    run->has_failed = true;
    if (run->options->out && deserves_captures(c))
        rerun_with_captures(c, run->options);
}

// Waits for output, ends or a time limit of the cases that run.
static void attend(struct test_run *run, struct pollfd *pollers,
                   struct test_case **polled)
{
    nfds_t count = 0;
    for (size_t i = run->told; i < run->next; i++) {
        struct test_case *c = &run->plan->cases[i];
        if (c->verdict != TEST_RUNNING)
            continue;
        polled[count] = c;
        pollers[count++] = (struct pollfd){.fd = c->pipe, .events = POLLIN};
    }
    poll(pollers, count, 50);
    for (nfds_t i = 0; i < count; i++) {
        struct test_case *c = polled[i];
        if (pollers[i].revents && !read_some(c)) {
            finish(c);
            end_one(run, c);
        } else if (was_interrupted ||
                   wall_now() - c->started > run->options->timeout) {
            time_out(c, run->options->timeout);
            end_one(run, c);
        }
    }
}

bool test_plan_run(struct test_plan *plan, const struct test_options *options,
                   void (*on_result)(void *context, const struct test_case *c),
                   void *context)
{
    struct test_run run = {.plan = plan, .options = options};
    struct pollfd *pollers = calloc((size_t)options->jobs, sizeof(*pollers));
    struct test_case **polled = calloc((size_t)options->jobs, sizeof(*polled));
    must(pollers && polled);
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = (int)SA_RESETHAND};
    was_interrupted = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    do {
        start_some(&run);
        if (run.running > 0)
            attend(&run, pollers, polled);
        while (run.told < run.next &&
               plan->cases[run.told].verdict > TEST_RUNNING)
            on_result(context, &plan->cases[run.told++]);
    } while (run.running > 0 || may_start(&run));
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    free(pollers);
    free(polled);
    return was_interrupted;
}
