// One run of one scenario, from its file to its summary.
// SPDX-License-Identifier: MIT
#include "cli/run.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/progress.h"
#include "lua/script.h"
#include "sim/realtime/realtime.h"
#include "sim/report/report.h"
#include "sim/tap/tap.h"

// What one pass over a scenario leaves.
struct outcome {
    struct realtime_stats pace;
    int status;
    uint64_t fingerprint;
    json_t *report;
};

static const char *name_of(const struct run_options *options)
{
    return options->command ? options->command : "run";
}

// --- Folders ----------------------------------------------------------------

// "scenarios/a.b.yaml" gives "a.b".
static char *scenario_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path);
    must(name);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
    return name;
}

static char *out_folder(const char *path, const struct run_options *options)
{
    char *name = scenario_base(path), *folder = NULL;
    int length;
    if (!options->out)
        length = asprintf(&folder, "pcap-out/%s", name);
    else if (options->is_one_of_many)
        length = asprintf(&folder, "%s/%s", options->out, name);
    else
        length = asprintf(&folder, "%s", options->out);
    must(length >= 0);
    free(name);
    return folder;
}

static int system_error(const char *what, const char *path, int error)
{
    fprintf(stderr, "wirebed: %s '%s': %s\n", what, path, strerror(error));
    return STATUS_SYSTEM;
}

static int write_report(const char *folder, json_t *report)
{
    char *path = NULL;
    must(asprintf(&path, "%s/report.json", folder) >= 0);
    int status = STATUS_OK;
    FILE *file = fopen(path, "w");
    if (!file) {
        status = system_error("cannot write", path, errno);
    } else {
        errno = 0;
        int bad = json_dumpf(report, file, JSON_INDENT(2) | JSON_SORT_KEYS);
        bad |= fputc('\n', file) == EOF;
        bad |= fclose(file);
        if (bad)
            status = system_error("cannot write", path, errno ? errno : EIO);
    }
    free(path);
    return status;
}

// --- The run ----------------------------------------------------------------

static int script_failure(const struct script *script)
{
    fprintf(stderr, "%s\n", script_error(script));
    return STATUS_USER;
}

static int build(struct loaded *loaded)
{
    int error = scenario_build(loaded->scenario);
    if (error == 0)
        return STATUS_OK;
    struct sim *sim = scenario_sim(loaded->scenario);
    const char *why =
        sim && *sim_error(sim) ? sim_error(sim) : strerror(-error);
    fprintf(stderr, "wirebed %s: %s: %s\n", loaded->command, loaded->path, why);
    return error == -EINVAL ? STATUS_USER : STATUS_SYSTEM;
}

static int start_script(struct loaded *loaded,
                        const struct run_options *options,
                        struct script **script)
{
    const char *path = load_script_path(loaded);
    struct script_options settings = {.log =
                                          options->is_json ? stderr : stdout};
    if (!path)
        return STATUS_OK;
    int error = script_create(scenario_sim(loaded->scenario), loaded->scenario,
                              path, &settings, script);
    if (error) {
        fprintf(stderr, "wirebed %s: %s\n", loaded->command, strerror(-error));
        return STATUS_SYSTEM;
    }
    error = script_load(*script);
    if (error == 0)
        return STATUS_OK;
    script_failure(*script);
    return load_io_status(error);
}

static int settle(struct loaded *loaded)
{
    int error = scenario_settle(loaded->scenario, loaded->diagnostics);
    int status = load_print_diagnostics(loaded);
    if (error == 0 || status != STATUS_OK)
        return status;
    fprintf(stderr, "wirebed %s: %s\n", loaded->command,
            *sim_error(scenario_sim(loaded->scenario))
                ? sim_error(scenario_sim(loaded->scenario))
                : strerror(-error));
    return STATUS_SYSTEM;
}

static int refuse_taps(struct loaded *loaded, const struct tap *tap)
{
    fprintf(stderr,
            "wirebed %s: %s: the tap '%s' needs real time; use 'wirebed "
            "bridge'\n",
            loaded->command, loaded->path, tap_name(tap));
    return STATUS_USER;
}

// What 'wirebed replay' needs besides the captures: the network as it is now.
static int write_scenario(const struct loaded *loaded, const struct sim *sim)
{
    char *path = NULL;
    if (!sim->capture_dir)
        return STATUS_OK;
    must(asprintf(&path, "%s/scenario.yaml", sim->capture_dir) >= 0);
    FILE *file = fopen(path, "w");
    int status = STATUS_OK;
    if (file) {
        scenario_print(loaded->scenario, file);
        if (ferror(file) | fclose(file))
            status = system_error("cannot write", path, EIO);
    } else {
        status = system_error("cannot write", path, errno);
    }
    free(path);
    return status;
}

// In step with the clock.
static int run_paced(struct loaded *loaded, const struct run_options *options,
                     struct realtime_stats *stats, enum engine_result *result)
{
    struct sim *sim = scenario_sim(loaded->scenario);
    char prefix[64];
    snprintf(prefix, sizeof(prefix), "wirebed %s", loaded->command);
    const struct realtime_options pace = {.until =
                                              scenario_stop(loaded->scenario),
                                          .speed = options->speed,
                                          .log = stderr,
                                          .prefix = prefix};
    int status = write_scenario(loaded, sim);
    if (status != STATUS_OK)
        return status;
    int error = realtime_run(sim, &pace, stats, result);
    if (error == 0)
        return STATUS_OK;
    fprintf(stderr, "wirebed %s: %s\n", loaded->command, sim_error(sim));
    return STATUS_SYSTEM;
}

static int run_engine(struct loaded *loaded, const struct run_options *options,
                      struct realtime_stats *stats, enum engine_result *result)
{
    struct sim *sim = scenario_sim(loaded->scenario);
    bool show = !options->is_quiet && isatty(STDERR_FILENO);
    *result = ENGINE_STOPPED;
    int status =
        options->prepare ? options->prepare(options->context, sim) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (options->is_realtime && options->speed == 0)
        return run_paced(loaded, options, stats, result);
    if (sim_next_tap(sim, NULL) && !options->is_replay)
        return refuse_taps(loaded, sim_next_tap(sim, NULL));
    if (options->is_realtime)
        return run_paced(loaded, options, stats, result);
    *result = progress_run(sim, scenario_stop(loaded->scenario), show);
    if (options->is_replay)
        realtime_end(sim, scenario_stop(loaded->scenario));
    return STATUS_OK;
}

// Runs what has been built; the status of the script and the engine.
static int simulate(struct loaded *loaded, struct script *script,
                    const struct run_options *options,
                    struct realtime_stats *stats, bool *is_interrupted)
{
    struct sim *sim = scenario_sim(loaded->scenario);
    enum engine_result result;
    int status = run_engine(loaded, options, stats, &result);
    // Real time without an end is ended by interrupting it.
    *is_interrupted =
        result == ENGINE_INTERRUPTED &&
        !(options->is_realtime && scenario_stop(loaded->scenario) == NS_NEVER);
    if (result == ENGINE_LIMIT) {
        fprintf(stderr, "wirebed %s: %s: %s\n", loaded->command, loaded->path,
                sim_error(sim));
        status = STATUS_USER;
    }
    if (script && script_finish(script, result) != 0)
        status = script_failure(script);
    // Conditions on the results of a run that was cut short would only mislead.
    if (!*is_interrupted && status == STATUS_OK)
        scenario_check_expectations(loaded->scenario);
    return status;
}

static int finish_status(struct sim *sim, int status, bool is_interrupted)
{
    int error = sim_finish(sim);
    if (error) {
        fprintf(stderr, "wirebed: %s\n", sim_error(sim));
        return STATUS_SYSTEM;
    }
    if (is_interrupted)
        return STATUS_INTERRUPTED;
    return status == STATUS_OK && sim->failure_count ? STATUS_FAILED : status;
}

static void print_results(struct sim *sim, const struct run_options *options,
                          const struct report_options *report, json_t *json,
                          bool has_failed)
{
    if (options->is_json) {
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        putchar('\n');
    } else if (!options->is_quiet) {
        report_text(sim, report, stdout);
    } else if (has_failed) {
        report_failures(sim, report, stdout);
    }
}

static struct outcome run_loaded(struct loaded *loaded,
                                 const struct run_options *options,
                                 bool is_rehearsal)
{
    struct outcome outcome = {.status = build(loaded)};
    struct script *script = NULL;
    struct report_options report = {.use_colour = wants_colour(stdout),
                                    .verbosity = options->verbosity};
    double started = wall_now();
    if (outcome.status == STATUS_OK)
        outcome.status = start_script(loaded, options, &script);
    if (outcome.status == STATUS_OK)
        outcome.status = settle(loaded);
    struct sim *sim = scenario_sim(loaded->scenario);
    if (outcome.status == STATUS_OK) {
        outcome.status = simulate(loaded, script, options, &outcome.pace,
                                  &report.is_interrupted);
        report.wall_seconds = wall_now() - started;
        outcome.status =
            finish_status(sim, outcome.status, report.is_interrupted);
        if (options->finish && !is_rehearsal)
            outcome.status = worse_status(
                outcome.status, options->finish(options->context, sim));
        outcome.fingerprint = sim_fingerprint(sim);
        outcome.report = report_json(sim, &report);
        must(outcome.report);
        bool has_run = outcome.status <= STATUS_FAILED || sim_now(sim) > 0;
        if (!is_rehearsal && has_run)
            print_results(sim, options, &report, outcome.report,
                          outcome.status == STATUS_FAILED);
        if (options->is_realtime && !options->is_quiet && has_run)
            realtime_print(sim, &outcome.pace,
                           options->is_json ? stderr : stdout);
    }
    script_destroy(script);
    return outcome;
}

static struct outcome run_once(const char *path,
                               const struct run_options *options,
                               const char *folder, bool is_rehearsal)
{
    struct scenario_options load = options->load;
    struct outcome outcome = {0};
    struct loaded loaded;
    load.capture_dir = folder;
    outcome.status =
        options->text
            ? load_text(name_of(options), path, options->text, &load, &loaded)
            : load_scenario(name_of(options), path, &load, &loaded);
    if (outcome.status == STATUS_OK && scenario_captures(loaded.scenario))
        outcome.status = make_folder(name_of(options), folder);
    if (outcome.status == STATUS_OK)
        outcome = run_loaded(&loaded, options, is_rehearsal);
    if (outcome.report && !is_rehearsal && scenario_captures(loaded.scenario)) {
        int status = write_report(folder, outcome.report);
        if (status != STATUS_OK)
            outcome.status = status;
    }
    unload(&loaded);
    return outcome;
}

// --- Twice ------------------------------------------------------------------

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

// Runs once more, with captures in a folder that is removed afterwards.
// Everything must be the same; the fingerprint covers the bytes of the
// captures.
static int compare(const char *path, const struct run_options *options,
                   const struct outcome *first)
{
    const char *parent = getenv("TMPDIR");
    char *folder = NULL;
    must(asprintf(&folder, "%s/wirebed-XXXXXX", parent ? parent : "/tmp") >= 0);
    if (!mkdtemp(folder)) {
        int status = system_error("cannot make the folder", folder, errno);
        free(folder);
        return status;
    }
    struct outcome second = run_once(path, options, folder, true);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
    int status = STATUS_OK;
    bool is_same = second.report && first->fingerprint == second.fingerprint &&
                   json_equal(first->report, second.report);
    if (!is_same) {
        fprintf(stderr,
                "wirebed run: %s: the second run differs (fingerprints "
                "%016llx and %016llx)\n",
                path, (unsigned long long)first->fingerprint,
                (unsigned long long)second.fingerprint);
        status = STATUS_FAILED;
    } else if (!options->is_quiet && !options->is_json) {
        printf("determinism: the second run was the same\n");
    }
    json_decref(second.report);
    return status;
}

int run_scenario(const char *path, const struct run_options *options)
{
    char *folder = out_folder(path, options);
    struct outcome outcome = run_once(path, options, folder, false);
    if (options->check_determinism && outcome.report &&
        outcome.status <= STATUS_FAILED) {
        int status = compare(path, options, &outcome);
        outcome.status = status > outcome.status ? status : outcome.status;
    }
    json_decref(outcome.report);
    free(folder);
    return outcome.status;
}
