// The program: finds the subcommand and runs it.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "sim/config/tree/value.h"
#include "sim/version.h"
#include "stack/base.h"

// clang-format off
const struct command commands[] = {
    {"run", "run scenarios: YAML files, Lua files", cmd_run},
    {"check", "say what is wrong with scenario files, or show them whole", cmd_check},
    {"bridge", "run a scenario in real time, with devices of this machine", cmd_bridge},
    {"host", "put one host on a device of this machine", cmd_host},
    {"wire", "put a link with impairments between two devices", cmd_wire},
    {"replay", "run again, in virtual time, what a bridged run recorded", cmd_replay},
    {"test", "run scenarios and packetdrill scripts as a regression test", cmd_test},
    {"packetdrill", "run packetdrill scripts in virtual time", cmd_packetdrill},
    {NULL, NULL, NULL},
};
// clang-format on

// A bug of ours: say where, leave a core for the debugger.
void must_failed(const char *condition, const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr,
            "wirebed: bug at %s:%d: %s does not hold; please report it with "
            "the scenario and its seed\n",
            file, line, condition);
    abort();
}

static void print_help(void)
{
    printf("Usage: wirebed COMMAND [OPTION]... FILE...\n"
           "\n"
           "A network simulator and protocol testbed: hosts with complete "
           "TCP/IP stacks\n"
           "on virtual links, described in YAML, driven by Lua, captured for "
           "Wireshark.\n"
           "\n"
           "Commands:\n");
    for (const struct command *c = commands; c->name; c++)
        printf("  %-12s %s\n", c->name, c->synopsis);
    printf("\n"
           "  wirebed COMMAND --help   tells the options of a command\n"
           "  wirebed --version        tells the version\n"
           "\n"
           "Exit status: 0 well; 1 an expectation failed; 2 a mistake in a "
           "file or option;\n"
           "3 the system refused something; 130 interrupted.\n");
}

static int unknown_command(const char *word)
{
    const char *names[16];
    size_t count = 0;
    for (const struct command *c = commands; c->name; c++)
        names[count++] = c->name;
    const char *near = suggest_word(word, names, count);
    fprintf(stderr, "wirebed: unknown command '%s'", word);
    if (near)
        fprintf(stderr, "; did you mean '%s'?", near);
    fprintf(stderr, "\nTry 'wirebed --help'.\n");
    return STATUS_USER;
}

// Results that did not get out, on a full disk for one, are no success.
static int check_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "wirebed: the standard output cannot be written: %s\n",
            strerror(errno));
    return status == STATUS_OK ? STATUS_SYSTEM : status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "wirebed: which command?\nTry 'wirebed --help'.\n");
        return STATUS_USER;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
        strcmp(word, "help") == 0) {
        print_help();
        return STATUS_OK;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("wirebed %s\n", WIREBED_VERSION);
        return STATUS_OK;
    }
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(word, c->name) == 0)
            return check_output(c->run(argc - 1, argv + 1));
    return unknown_command(word);
}
