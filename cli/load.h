// Loading a scenario for any subcommand, with all complaints told.
// SPDX-License-Identifier: MIT
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "cli/cli.h"
#include "sim/config/scenario.h"

struct loaded {
    const char *command; // for complaints
    const char *path;
    struct scenario *scenario; // NULL: it could not be loaded
    struct diagnostics *diagnostics;
    bool is_script; // the file itself is Lua
};

// Reads a .yaml or .lua file. Every mistake goes to stderr, a line each.
// Returns an exit status; unload is due in any case.
int load_scenario(const char *command, const char *path,
                  const struct scenario_options *options,
                  struct loaded *loaded);
// The same from text in YAML that stands for a file called `name`.
int load_text(const char *command, const char *name, const char *text,
              const struct scenario_options *options, struct loaded *loaded);
void unload(struct loaded *loaded);
// The Lua file to run: the scenario itself or what its `script:` names; NULL:
// none.
const char *load_script_path(const struct loaded *loaded);
// Compiles the script without running it; mistakes go to stderr.
int load_check_script(const struct loaded *loaded);
// A file that is not there is the user's mistake; one that cannot be read is
// the system's word.
int load_io_status(int error);
// Prints what has been collected since the last time; STATUS_USER when there
// was any.
int load_print_diagnostics(struct loaded *loaded);

#endif
