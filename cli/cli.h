// What the subcommands share: their table, exit statuses, ways to complain.
// SPDX-License-Identifier: MIT
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

// Exit statuses, as the manual promises them.
enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1,       // an expectation did not hold
    STATUS_USER = 2,         // the user's file, script or option
    STATUS_SYSTEM = 3,       // the system: disk full, no permission, no memory
    STATUS_INTERRUPTED = 130 // Ctrl-C
};

// The worse of two exit statuses; an interruption is the worst.
static inline int worse_status(int a, int b) { return a > b ? a : b; }

struct command {
    const char *name;
    const char *synopsis; // one line for `wirebed --help`
    int (*run)(int argc,
               char **argv); // argv[0] is the command's name; an exit status
};
extern const struct command commands[]; // ended by a NULL name

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_bridge(int argc, char **argv);
int cmd_host(int argc, char **argv);
int cmd_wire(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_packetdrill(int argc, char **argv);
int cmd_test(int argc, char **argv);

// Prints "wirebed run: ..." on stderr and returns STATUS_USER.
int usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// After getopt_long answered '?' or ':' with opterr = 0: says which option was
// wrong, what it wanted, or which known one is near. Returns STATUS_USER.
struct option;
int option_error(const char *command, char **argv, int answer,
                 const struct option *known);
// Makes a folder with its parents. STATUS_OK, or STATUS_SYSTEM with the reason
// told.
int make_folder(const char *command, const char *path);
// Is colour wanted on this stream (a terminal, TERM not dumb, NO_COLOR unset or
// empty)?
bool wants_colour(FILE *stream);

#endif
