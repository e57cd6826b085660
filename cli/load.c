// Loading a scenario for any subcommand.
// SPDX-License-Identifier: MIT
#include "cli/load.h"

#include <errno.h>
#include <string.h>

#include "lua/script.h"

static bool has_suffix(const char *text, const char *suffix)
{
    size_t a = strlen(text), b = strlen(suffix);
    return a > b && strcmp(text + a - b, suffix) == 0;
}

int load_print_diagnostics(struct loaded *loaded)
{
    size_t count = diagnostics_count(loaded->diagnostics);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s\n", diagnostics_text(loaded->diagnostics, i));
    if (count > 1)
        fprintf(stderr, "%zu mistakes\n", count);
    return count ? STATUS_USER : STATUS_OK;
}

int load_io_status(int error)
{
    switch (error) {
    case -EINVAL:
    case -ENOENT:
    case -EISDIR:
    case -ENOTDIR:
        return STATUS_USER;
    default:
        return STATUS_SYSTEM;
    }
}

static int complain_io(const char *command, const char *path, int error)
{
    fprintf(stderr, "wirebed %s: cannot read '%s': %s\n", command, path,
            strerror(-error));
    return load_io_status(error);
}

static int finish_load(struct loaded *loaded)
{
    int status = load_print_diagnostics(loaded);
    if (status == STATUS_OK && !loaded->scenario) {
        fprintf(stderr, "wirebed %s: out of memory\n", loaded->command);
        return STATUS_SYSTEM;
    }
    return status;
}

int load_scenario(const char *command, const char *path,
                  const struct scenario_options *options, struct loaded *loaded)
{
    int io_error = 0;
    *loaded = (struct loaded){.command = command, .path = path};
    loaded->is_script = has_suffix(path, ".lua");
    if (!loaded->is_script && !has_suffix(path, ".yaml") &&
        !has_suffix(path, ".yml"))
        return usage_error(command, "'%s' is neither a .yaml nor a .lua file",
                           path);
    loaded->diagnostics = diagnostics_create();
    must(loaded->diagnostics);
    if (loaded->is_script)
        loaded->scenario = scenario_create(path, options, loaded->diagnostics);
    else
        loaded->scenario =
            scenario_load(path, options, loaded->diagnostics, &io_error);
    if (io_error)
        return complain_io(command, path, io_error);
    return finish_load(loaded);
}

int load_text(const char *command, const char *name, const char *text,
              const struct scenario_options *options, struct loaded *loaded)
{
    *loaded = (struct loaded){.command = command, .path = name};
    loaded->diagnostics = diagnostics_create();
    must(loaded->diagnostics);
    loaded->scenario = scenario_load_text(name, text, strlen(text), options,
                                          loaded->diagnostics);
    return finish_load(loaded);
}

void unload(struct loaded *loaded)
{
    scenario_destroy(loaded->scenario);
    diagnostics_destroy(loaded->diagnostics);
}

const char *load_script_path(const struct loaded *loaded)
{
    return loaded->is_script ? loaded->path : scenario_script(loaded->scenario);
}

int load_check_script(const struct loaded *loaded)
{
    char text[1024];
    const char *path = load_script_path(loaded);
    int error = path ? script_check(path, text, sizeof(text)) : 0;
    if (!error)
        return STATUS_OK;
    fprintf(stderr, "%s\n", text);
    return load_io_status(error);
}
