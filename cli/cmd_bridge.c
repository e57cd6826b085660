// wirebed bridge: runs a scenario at the pace of the clock, with its taps.
// SPDX-License-Identifier: MIT
#include <getopt.h>
#include <string.h>

#include "cli/bridge.h"

static const struct option options[] = {
    {"tap", required_argument, NULL, 't'},
    {"capture", required_argument, NULL, 'c'},
    {"setup-help", no_argument, NULL, 'H'},
    BRIDGE_OPTIONS,
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf("Usage: wirebed bridge [OPTION]... FILE\n"
           "\n"
           "Runs a scenario (.yaml, .lua) at the pace of the clock. The taps "
           "in it become\n"
           "devices of this machine: a TAP (made if there is none), a TUN, or "
           "with 'kind:\n"
           "packet' an interface that exists. Ctrl-C ends it.\n"
           "\n"
           "  --tap [NODE=]DEVICE\n"
           "                     use this device instead of the scenario's\n"
           "  --setup-help       print the commands that set up this machine; "
           "change nothing\n"
           "  --out DIR          where captures and report.json go\n"
           "                     (default: pcap-out/SCENARIO)\n"
           "  --capture WHICH    all, none, or link names joined by "
           "commas\n" BRIDGE_OPTIONS_HELP "\n"
           "Exit status: 0 well, also when interrupted without --for; 1 an "
           "expectation\n"
           "failed; 2 a mistake in a file or option; 3 the system refused "
           "something; 130\n"
           "interrupted before its time.\n");
}

static int add_tap(struct bridge *bridge, const char *option)
{
    if (bridge->tap_count == BRIDGE_TAPS)
        return usage_error("bridge", "--tap: at most %d of them", BRIDGE_TAPS);
    bridge->taps[bridge->tap_count++] = option;
    return STATUS_OK;
}

// -1: go on.
static int read_option(struct bridge *bridge, int answer, char **argv)
{
    int status;
    switch (answer) {
    case 't':
        status = add_tap(bridge, optarg);
        break;
    case 'c':
        bridge->run.load.capture = optarg;
        status = STATUS_OK;
        break;
    case 'h':
        print_help();
        return STATUS_OK;
    case 'H':
        bridge_print_setup(bridge->tap_count ? bridge->taps[0] : "tap0",
                           stdout);
        return STATUS_OK;
    default:
        status = bridge_read_option(bridge, answer, optarg);
        if (status < 0)
            return option_error("bridge", argv, answer, options);
    }
    return status == STATUS_OK ? -1 : status;
}

int cmd_bridge(int argc, char **argv)
{
    struct bridge bridge;
    int answer, status = -1;
    bridge_init(&bridge, "bridge", argc);
    opterr = 0;
    optind = 1;
    while (status < 0 &&
           (answer = getopt_long(argc, argv, ":o:qvh", options, NULL)) != -1)
        status = read_option(&bridge, answer, argv);
    if (status < 0 && argc - optind != 1)
        status =
            usage_error("bridge", optind == argc ? "which scenario?"
                                                 : "one scenario at a time");
    if (status < 0)
        status = bridge_run(&bridge, argv[optind], NULL);
    bridge_fini(&bridge);
    return status;
}
