// wirebed replay: runs a bridged run again, in virtual time.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "sim/sim.h"
#include "sim/tap/recording.h"

static const struct option options[] = {
    {"out", required_argument, NULL, 'o'},
    {"scenario", required_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf("Usage: wirebed replay [OPTION]... RECORDING\n"
           "\n"
           "Runs again what 'wirebed bridge', 'host' or 'wire' has left in the "
           "folder RECORDING\n"
           "(their --out): the same scenario and seed, and from outside the "
           "same frames at the\n"
           "same times, but in virtual time and without any device. The "
           "frames that go out must\n"
           "be the same, byte for byte.\n"
           "\n"
           "  --out DIR        where captures and report.json go\n"
           "                   (default: RECORDING/replay)\n"
           "  --scenario FILE  instead of RECORDING/scenario.yaml\n"
           "  --json           print the results as JSON on standard output\n"
           "  -q, --quiet      print failures only\n"
           "  -v, --verbose    print every counter and every flow\n"
           "  -h, --help       this text\n"
           "\n"
           "Exit status: 0 the same frames; 1 others, or an expectation "
           "failed; 2 a mistake in\n"
           "a file or option; 3 the system refused something; 130 "
           "interrupted.\n");
}

struct replay_command {
    struct run_options run;
    const char *recording, *scenario;
    char *out;
    struct replay *replay;
    bool differs;
};

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    must(asprintf(&path, "%s/%s", folder, name) >= 0);
    return path;
}

// The seed and the end of the recorded run.
static int read_report(struct replay_command *c)
{
    char *path = join(c->recording, "report.json");
    json_error_t error;
    json_t *report = json_load_file(path, 0, &error);
    json_t *seed = json_object_get(report, "seed");
    json_t *end = json_object_get(report, "simulated-ns");
    bool is_good = json_is_integer(seed) && json_is_integer(end);
    if (is_good) {
        c->run.load.has_seed = c->run.load.has_until = true;
        c->run.load.seed = (uint64_t)json_integer_value(seed);
        c->run.load.until = json_integer_value(end);
    }
    json_decref(report);
    free(path);
    return is_good ? STATUS_OK
                   : usage_error("replay",
                                 "'%s' is not the folder of a bridged run: its "
                                 "report.json: %s",
                                 c->recording,
                                 report ? "no seed or end" : error.text);
}

static int prepare(void *context, struct sim *sim)
{
    struct replay_command *c = context;
    int error = replay_create(sim, c->recording, &c->replay);
    if (error == 0)
        return STATUS_OK;
    fprintf(stderr, "wirebed replay: %s\n", sim_error(sim));
    return error == -ENOMEM ? STATUS_SYSTEM : STATUS_USER;
}

static void compare_tap(struct replay_command *c, const struct tap *tap)
{
    char *recorded = NULL, *replayed = NULL;
    uint64_t number = 0;
    must(replay_path(tap, c->recording, &recorded) == 0 &&
         replay_path(tap, c->out, &replayed) == 0);
    int result = recording_compare(recorded, replayed, &number);
    if (result != 0) {
        c->differs = true;
        fprintf(stderr,
                result > 0 ? "wirebed replay: %s: frame %llu to the outside "
                             "differs from the recording's\n"
                           : "wirebed replay: %s: a capture cannot be read "
                             "(%llu)\n",
                replayed, (unsigned long long)number);
    }
    free(recorded);
    free(replayed);
}

// The captures are whole by now.
static int finish(void *context, struct sim *sim)
{
    struct replay_command *c = context;
    for (struct tap *tap = sim_next_tap(sim, NULL); tap;
         tap = sim_next_tap(sim, tap))
        compare_tap(c, tap);
    if (!c->differs && !c->run.is_quiet)
        fprintf(stderr,
                "wirebed replay: %llu frames from outside; those to the "
                "outside are the same\n",
                (unsigned long long)replay_frames(c->replay));
    replay_destroy(c->replay);
    c->replay = NULL;
    return STATUS_OK;
}

static int replay(struct replay_command *c)
{
    char *scenario =
        c->scenario ? strdup(c->scenario) : join(c->recording, "scenario.yaml");
    must(scenario);
    if (!c->out)
        c->out = join(c->recording, "replay");
    c->run.command = "replay";
    c->run.out = c->out;
    c->run.load.capture = "all";
    c->run.is_replay = true;
    c->run.prepare = prepare;
    c->run.finish = finish;
    c->run.context = c;
    int status = read_report(c);
    if (status == STATUS_OK)
        status = run_scenario(scenario, &c->run);
    free(scenario);
    return status == STATUS_OK && c->differs ? STATUS_FAILED : status;
}

// -1: go on.
static int read_option(struct replay_command *c, int answer, char **argv)
{
    switch (answer) {
    case 'o':
        free(c->out);
        c->out = strdup(optarg);
        return -1;
    case 'f':
        c->scenario = optarg;
        return -1;
    case 'j':
        c->run.is_json = true;
        return -1;
    case 'q':
        c->run.is_quiet = true;
        return -1;
    case 'v':
        c->run.verbosity++;
        return -1;
    case 'h':
        print_help();
        return STATUS_OK;
    default:
        return option_error("replay", argv, answer, options);
    }
}

int cmd_replay(int argc, char **argv)
{
    struct replay_command c = {0};
    int answer, status = -1;
    opterr = 0;
    optind = 1;
    while (status < 0 &&
           (answer = getopt_long(argc, argv, ":o:qvh", options, NULL)) != -1)
        status = read_option(&c, answer, argv);
    if (status < 0 && argc - optind != 1)
        status = usage_error("replay", "which folder?");
    if (status < 0) {
        c.recording = argv[optind];
        status = replay(&c);
    }
    free(c.out);
    return status;
}
