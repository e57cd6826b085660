// wirebed check: validates scenario files without running them.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/load.h"

static const struct option options[] = {
    {"set", required_argument, NULL, 's'},
    {"reference", no_argument, NULL, 'R'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    printf(
        "Usage: wirebed check [OPTION]... FILE...\n"
        "\n"
        "Reads scenario files (.yaml, .lua) and tells every mistake in them, "
        "then shows\n"
        "each network with all that was left out and chosen for it. Lua "
        "files are compiled,\n"
        "not run.\n"
        "\n"
        "  --set PATH=VALUE   as in 'wirebed run'\n"
        "  --reference        print every key of a scenario file, as "
        "Markdown, and exit\n"
        "  -q, --quiet        tell mistakes only\n"
        "  -h, --help         this text\n");
}

// Hardware addresses and routes are chosen when the network is made.
static int show(struct loaded *loaded)
{
    struct scenario *scenario = loaded->scenario;
    int error = scenario_build(scenario);
    if (error == 0) {
        scenario_print(scenario, stdout);
        return STATUS_OK;
    }
    struct sim *sim = scenario_sim(scenario);
    fprintf(stderr, "wirebed check: %s: %s\n", loaded->path,
            sim && *sim_error(sim) ? sim_error(sim) : strerror(-error));
    return error == -EINVAL ? STATUS_USER : STATUS_SYSTEM;
}

static int check_file(const char *path, const struct scenario_options *load,
                      bool is_quiet)
{
    struct loaded loaded;
    int status = load_scenario("check", path, load, &loaded);
    if (status == STATUS_OK)
        status = load_check_script(&loaded);
    if (status == STATUS_OK && !is_quiet) {
        if (scenario_is_empty(loaded.scenario))
            printf("# %s: no mistake found; the script builds its network when "
                   "it runs\n",
                   path);
        else
            status = show(&loaded);
    }
    unload(&loaded);
    return status;
}

int cmd_check(int argc, char **argv)
{
    struct scenario_options load = {0};
    bool is_quiet = false;
    int answer, status = STATUS_OK;
    load.sets = calloc((size_t)argc + 1, sizeof(*load.sets));
    must(load.sets);
    opterr = 0;
    optind = 1;
    while ((answer = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
        switch (answer) {
        case 's':
            load.sets[load.set_count++] = optarg;
            break;
        case 'R':
            scenario_print_reference(stdout);
            goto done;
        case 'q':
            is_quiet = true;
            break;
        case 'h':
            print_help();
            goto done;
        default:
            status = option_error("check", argv, answer, options);
            goto done;
        }
    }
    if (optind == argc)
        status = usage_error("check", "which file?");
    for (int i = optind; i < argc; i++) {
        int one = check_file(argv[i], &load, is_quiet);
        status = one > status ? one : status;
    }
done:
    free(load.sets);
    return status;
}
