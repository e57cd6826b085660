// wirebed test: runs scenarios and packetdrill scripts as a regression test.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/test.h"
#include "sim/config/tree/value.h"
#include "stack/base.h"

static const struct option options[] = {
    {"jobs", required_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 't'},
    {"filter", required_argument, NULL, 'f'},
    {"list", no_argument, NULL, 'l'},
    {"seeds", required_argument, NULL, 's'},
    {"tolerance", required_argument, NULL, 'D'},
    {"junit", required_argument, NULL, 'J'},
    {"tap", no_argument, NULL, 'T'},
    {"json", no_argument, NULL, 'N'},
    {"fail-fast", no_argument, NULL, 'F'},
    {"rerun-failed", no_argument, NULL, 'R'},
    {"out", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf(
        "Usage: wirebed test [OPTION]... PATH...\n"
        "\n"
        "Runs every scenario (.yaml, .lua) and packetdrill script (.pkt) that "
        "the paths\n"
        "name or hold, each in a process of its own. A failure is told with "
        "what it\n"
        "printed and the command that repeats it; the last line is the "
        "totals.\n"
        "\n"
        "  -j, --jobs N         so many at a time (default: one a processor)\n"
        "      --timeout T      longest wall time of one, such as 30s "
        "(default: 60s)\n"
        "      --filter TEXT    only what has this in its path; a shell "
        "pattern is\n"
        "                       matched against the whole of it\n"
        "      --list           say what would run\n"
        "      --seeds A..B     each scenario with every seed from A to B\n"
        "      --tolerance script|USECS\n"
        "                       how far times of packetdrill scripts may be "
        "off, "
        "as in\n"
        "                       'wirebed packetdrill' (default: script, which "
        "is what the\n"
        "                       reference tool grants)\n"
        "      --fail-fast      start nothing more after a failure\n"
        "      --rerun-failed   only what failed the last time\n"
        "      --out DIR        captures of what fails, and the list of it\n"
        "                       (default: pcap-out/test)\n"
        "      --junit FILE     results as JUnit's XML\n"
        "      --tap            results in the Test Anything Protocol\n"
        "      --json           results as JSON\n"
        "  -q, --quiet          not what failures printed\n"
        "  -v, --verbose        a line for each that passes, too\n"
        "  -h, --help           this text\n"
        "\n"
        "Exit status: 0 all passed, 1 some failed, 2 a mistake in an option, "
        "3 the system\n"
        "refused something, 130 interrupted.\n");
}

struct test_command {
    struct test_options options;
    bool is_list, is_rerun;
};

// --- Options ----------------------------------------------------------------

static int read_jobs(const char *text, struct test_options *o)
{
    int64_t jobs;
    if (parse_integer(text, &jobs) != 0 || jobs < 1 || jobs > 1024)
        return usage_error("test",
                           "--jobs wants a number from 1 to 1024, not "
                           "'%s'",
                           text);
    o->jobs = (long)jobs;
    return STATUS_OK;
}

static int read_timeout(const char *text, struct test_options *o)
{
    int64_t time;
    if (parse_time(text, &time) != 0 || time <= 0)
        return usage_error(
            "test",
            "--timeout wants a time with its unit, such as 30s, not "
            "'%s'",
            text);
    o->timeout = (double)time / (double)NS_PER_S;
    return STATUS_OK;
}

static int read_seeds(const char *text, struct test_options *o)
{
    unsigned long long first, last;
    char rest;
    if (sscanf(text, "%llu..%llu%c", &first, &last, &rest) != 2 ||
        strchr(text, '-') || first > last)
        return usage_error("test",
                           "--seeds wants two numbers, the smaller one "
                           "first, such as 1..100, not '%s'",
                           text);
    if (last - first >= 1000000)
        return usage_error("test", "--seeds: a million at a time is the most");
    o->has_seeds = true;
    o->first_seed = first;
    o->last_seed = last;
    return STATUS_OK;
}

static int read_tolerance(const char *text, struct test_options *o)
{
    int64_t microseconds;
    if (strcmp(text, "script") != 0 &&
        (parse_integer(text, &microseconds) != 0 || microseconds < 0))
        return usage_error("test",
                           "--tolerance wants 'script' or a number of "
                           "microseconds, not '%s'",
                           text);
    o->tolerance = text;
    return STATUS_OK;
}

static int read_option(int answer, char **argv, struct test_command *command)
{
    struct test_options *o = &command->options;
    switch (answer) {
    case 'j':
        return read_jobs(optarg, o);
    case 't':
        return read_timeout(optarg, o);
    case 's':
        return read_seeds(optarg, o);
    case 'f':
        o->filter = optarg;
        return STATUS_OK;
    case 'D':
        return read_tolerance(optarg, o);
    case 'J':
        o->junit = optarg;
        return STATUS_OK;
    case 'o':
        o->out = optarg;
        return STATUS_OK;
    case 'l':
        command->is_list = true;
        return STATUS_OK;
    case 'R':
        command->is_rerun = true;
        return STATUS_OK;
    case 'T':
        o->is_tap = true;
        return STATUS_OK;
    case 'N':
        o->is_json = true;
        return STATUS_OK;
    case 'F':
        o->fail_fast = true;
        return STATUS_OK;
    case 'q':
        o->is_quiet = true;
        return STATUS_OK;
    case 'v':
        o->is_verbose = true;
        return STATUS_OK;
    default:
        return option_error("test", argv, answer, options);
    }
}

// --- What failed the last time ----------------------------------------------

static char *failed_list(const struct test_options *o)
{
    char *path = NULL;
    must(asprintf(&path, "%s/failed.txt", o->out) >= 0);
    return path;
}

// Written anew at the end of each run; no file means that nothing failed.
static int write_failed(const struct test_plan *plan,
                        const struct test_options *o)
{
    char *path = failed_list(o);
    int status = STATUS_OK;
    unlink(path);
    if (test_count(plan).failed > 0) {
        FILE *file =
            make_folder("test", o->out) == STATUS_OK ? fopen(path, "w") : NULL;
        for (size_t i = 0; file && i < plan->count; i++)
            if (plan->cases[i].verdict == TEST_FAILED)
                fprintf(file, "%s\n", plan->cases[i].id);
        if (!file || fclose(file) != 0) {
            fprintf(stderr, "wirebed test: cannot write '%s': %m\n", path);
            status = STATUS_SYSTEM;
        }
    }
    free(path);
    return status;
}

static int keep_failed(struct test_plan *plan, const struct test_options *o)
{
    char *path = failed_list(o);
    if (!test_plan_keep_listed(plan, path))
        plan->count = 0;
    free(path);
    return STATUS_OK;
}

// --- Running ----------------------------------------------------------------

struct teller {
    const struct test_options *options;
    size_t told;
};

static void on_result(void *context, const struct test_case *c)
{
    struct teller *teller = context;
    test_print_result(c, ++teller->told, teller->options);
}

static int tell_end(const struct test_plan *plan, const struct test_options *o,
                    bool is_interrupted)
{
    struct test_totals totals = test_count(plan);
    int status = write_failed(plan, o);
    if (o->junit) {
        int error = test_write_junit(plan, o->junit);
        if (error) {
            fprintf(stderr, "wirebed test: cannot write '%s': %s\n", o->junit,
                    strerror(-error));
            status = STATUS_SYSTEM;
        }
    }
    if (o->is_json)
        test_print_json(plan);
    else
        printf("%s%zu passed, %zu failed, %zu skipped\n", o->is_tap ? "# " : "",
               totals.passed, totals.failed, totals.skipped);
    if (is_interrupted)
        return STATUS_INTERRUPTED;
    if (status != STATUS_OK)
        return status;
    return totals.failed ? STATUS_FAILED : STATUS_OK;
}

static int run_plan(struct test_plan *plan, const struct test_command *command)
{
    struct teller teller = {.options = &command->options};
    if (command->is_list) {
        for (size_t i = 0; i < plan->count; i++)
            puts(plan->cases[i].id);
        return STATUS_OK;
    }
    if (command->options.is_tap)
        printf("1..%zu\n", plan->count);
    bool is_interrupted =
        test_plan_run(plan, &command->options, on_result, &teller);
    return tell_end(plan, &command->options, is_interrupted);
}

int cmd_test(int argc, char **argv)
{
    struct test_command command = {
        .options = {.jobs = sysconf(_SC_NPROCESSORS_ONLN),
                    .timeout = 60,
                    .tolerance = "script",
                    .out = "pcap-out/test"}};
    struct test_plan plan = {0};
    int answer, status = STATUS_OK;
    opterr = 0;
    optind = 1;
    while (status == STATUS_OK &&
           (answer = getopt_long(argc, argv, ":j:qvh", options, NULL)) != -1) {
        if (answer == 'h') {
            print_help();
            return STATUS_OK;
        }
        status = read_option(answer, argv, &command);
    }
    if (status == STATUS_OK && optind == argc)
        status = usage_error("test", "which files or folders?");
    for (int i = optind; i < argc && status == STATUS_OK; i++)
        status = test_plan_add(&plan, argv[i], &command.options);
    if (status == STATUS_OK && plan.count == 0)
        status =
            usage_error("test",
                        "nothing to run: no .yaml, .lua or .pkt "
                        "file was found%s",
                        command.options.filter ? " that the filter keeps" : "");
    if (status == STATUS_OK && command.is_rerun)
        status = keep_failed(&plan, &command.options);
    if (status == STATUS_OK)
        status = run_plan(&plan, &command);
    test_plan_fini(&plan);
    return status;
}
