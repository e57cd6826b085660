// wirebed run: runs scenarios, tells what happened.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/faults.h"
#include "cli/run.h"

static const struct option options[] = {
    {"seed", required_argument, NULL, 'S'},
    {"set", required_argument, NULL, 's'},
    {"until", required_argument, NULL, 'u'},
    {"out", required_argument, NULL, 'o'},
    {"capture", required_argument, NULL, 'c'},
    {"pcap", no_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},
    {"record-faults", required_argument, NULL, 'F'},
    {"replay-faults", required_argument, NULL, 'R'},
    {"check-determinism", no_argument, NULL, 'd'},
    {"speed", required_argument, NULL, 'f'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf(
        "Usage: wirebed run [OPTION]... FILE...\n"
        "\n"
        "Runs scenarios (.yaml, .lua) in virtual time and prints a summary of "
        "each.\n"
        "\n"
        "  --seed N             seed of every random choice: 0..2^64-1 "
        "(default: the\n"
        "                       file's, else 1)\n"
        "  --set PATH=VALUE     set any key of the YAML, such as\n"
        "                       --set links.wan.loss=5%%; may be repeated\n"
        "  --until T            stop at simulated time T, such as 90s or 5m\n"
        "  --out DIR            where captures and report.json go\n"
        "                       (default: pcap-out/SCENARIO)\n"
        "  --capture WHICH      all, none, or link names joined by commas\n"
        "  --pcap               nanosecond pcap files instead of pcapng\n"
        "  --json               print the results as JSON on standard output\n"
        "  --speed FACTOR       follow the clock: simulated seconds per "
        "second\n"
        "  --record-faults FILE write down what befell each frame on the "
        "links\n"
        "  --replay-faults FILE do that again in place of all dice\n"
        "  --check-determinism  run twice and compare everything\n"
        "  -q, --quiet          print failures only\n"
        "  -v, --verbose        print every counter and every flow\n"
        "  -h, --help           this text\n"
        "\n"
        "Exit status: 0 well; 1 an expectation failed; 2 a mistake in a file "
        "or option;\n"
        "3 the system refused something; 130 interrupted (the captures are "
        "complete).\n");
}

static int read_seed(const char *text, struct run_options *run)
{
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 0);
    if (errno || end == text || *end || strchr(text, '-'))
        return usage_error("run",
                           "--seed wants a number from 0 to 2^64-1, "
                           "not '%s'",
                           text);
    run->load.has_seed = true;
    run->load.seed = seed;
    return STATUS_OK;
}

static int read_until(const char *text, struct run_options *run)
{
    int64_t until;
    if (parse_time(text, &until) != 0 || until < 0)
        return usage_error("run",
                           "--until wants a time with its unit, such as "
                           "90s or 5m, not '%s'",
                           text);
    run->load.has_until = true;
    run->load.until = until;
    return STATUS_OK;
}

static int read_speed(const char *text, struct run_options *run)
{
    char *end;
    double speed = strtod(text, &end);
    if (end == text || *end || !(speed >= 1e-6 && speed <= 1e6))
        return usage_error("run",
                           "--speed wants a factor from 0.000001 to 1000000, "
                           "such as 0.1, not '%s'",
                           text);
    run->is_realtime = true;
    run->speed = speed;
    return STATUS_OK;
}

static int read_option(int answer, char **argv, struct run_options *run,
                       struct faults *faults)
{
    switch (answer) {
    case 'F':
        faults->record = optarg;
        return STATUS_OK;
    case 'R':
        faults->replay = optarg;
        return STATUS_OK;
    case 'S':
        return read_seed(optarg, run);
    case 's':
        run->load.sets[run->load.set_count++] = optarg;
        return STATUS_OK;
    case 'u':
        return read_until(optarg, run);
    case 'o':
        run->out = optarg;
        return *optarg ? STATUS_OK : usage_error("run", "--out wants a folder");
    case 'c':
        run->load.capture = optarg;
        return STATUS_OK;
    case 'p':
        run->load.classic_pcap = true;
        return STATUS_OK;
    case 'j':
        run->is_json = true;
        return STATUS_OK;
    case 'f':
        return read_speed(optarg, run);
    case 'd':
        run->check_determinism = true;
        return STATUS_OK;
    case 'q':
        run->is_quiet = true;
        return STATUS_OK;
    case 'v':
        run->verbosity++;
        return STATUS_OK;
    default:
        return option_error("run", argv, answer, options);
    }
}

int cmd_run(int argc, char **argv)
{
    struct run_options run = {0};
    struct faults faults = {0};
    int answer, status = STATUS_OK;
    run.load.sets = calloc((size_t)argc + 1, sizeof(*run.load.sets));
    must(run.load.sets);
    opterr = 0;
    optind = 1;
    while (status == STATUS_OK &&
           (answer = getopt_long(argc, argv, ":qvh", options, NULL)) != -1) {
        if (answer == 'h') {
            print_help();
            free(run.load.sets);
            return STATUS_OK;
        }
        status = read_option(answer, argv, &run, &faults);
    }
    if (status == STATUS_OK && optind == argc)
        status = usage_error("run", "which scenario?");
    run.is_one_of_many = argc - optind > 1;
    if (status == STATUS_OK && run.is_one_of_many &&
        (faults.record || faults.replay))
        status = usage_error("run", "a fault plan is of one scenario");
    faults_attach(&faults, &run);
    for (int i = optind; i < argc && status != STATUS_INTERRUPTED &&
                         (status == STATUS_OK || i > optind);
         i++)
        status = worse_status(status, run_scenario(argv[i], &run));
    free(run.load.sets);
    return status;
}
