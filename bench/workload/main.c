// Runs workloads, prints them as a table and writes JSON.
// SPDX-License-Identifier: MIT
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/workload/workload.h"

static const char help[] =
    "usage: workloads [-q] [-o FILE] [ID | KIND:SIZE]...  a table, and JSON\n"
    "       workloads -i KIND:SIZE                        in this process\n"
    "       workloads -g [KIND]...                        the growth table\n";

static void run_here(const struct workload_kind *kind, uint64_t size,
                     struct workload_result *result)
{
    double start = workload_clock(), cpu_start = workload_cpu();
    kind->run(result, size);
    result->cpu_seconds = workload_cpu() - cpu_start;
    result->wall_seconds = workload_clock() - start;
}

// The child writes its result to the pipe.
bool workload_run_apart(const struct workload_kind *kind, uint64_t size,
                        struct workload_result *result)
{
    int ends[2], status;
    struct rusage usage;
    if (pipe(ends) != 0)
        return false;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct workload_result own = {0};
        run_here(kind, size, &own);
        _exit(write(ends[1], &own, sizeof(own)) != sizeof(own));
    }
    close(ends[1]);
    bool is_whole =
        child > 0 && read(ends[0], result, sizeof(*result)) == sizeof(*result);
    close(ends[0]);
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return false;
    result->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    return is_whole && status == 0;
}

static json_t *as_json(const struct workload *workload,
                       const struct workload_result *r)
{
    double frames = (double)r->frames, events = (double)r->events;
    return json_pack(
        "{ss ss ss sI sf sf sf sI sI sf sf sf sf sI sI sI sI}", "id",
        workload->id, "name", workload->name, "kind", workload->kind, "size",
        (json_int_t)workload->size, "wall-seconds", r->wall_seconds,
        "cpu-seconds", r->cpu_seconds, "simulated-seconds",
        r->simulated_seconds, "frames", (json_int_t)r->frames, "events",
        (json_int_t)r->events, "frames-per-second", frames / r->wall_seconds,
        "events-per-second", events / r->wall_seconds, "frames-per-cpu-second",
        frames / r->cpu_seconds, "events-per-cpu-second",
        events / r->cpu_seconds, "payload-bytes", (json_int_t)r->payload,
        "units", (json_int_t)r->units, "unit-bytes", (json_int_t)r->unit_bytes,
        "peak-bytes", (json_int_t)r->peak_bytes);
}

static void print_row(const struct workload *workload,
                      const struct workload_kind *kind,
                      const struct workload_result *r)
{
    double frames = (double)r->frames, events = (double)r->events;
    printf("%-8s %-40s %7.3f %7.3f s %10.0f %10.0f %10.0f %7.1f MB",
           workload->id, workload->name, r->wall_seconds, r->cpu_seconds,
           frames / r->wall_seconds, frames / r->cpu_seconds,
           events / r->cpu_seconds, (double)r->peak_bytes / 1e6);
    if (r->unit_bytes)
        printf(" %8llu B a %s", (unsigned long long)r->unit_bytes, kind->unit);
    putchar('\n');
}

// Prints a row and appends to `results`. False: it failed.
static bool report(const struct workload *workload, json_t *results)
{
    struct workload_result result = {0};
    const struct workload_kind *kind =
        workload_find_kind(workload->kind, strlen(workload->kind));
    if (!workload_run_apart(kind, workload->size, &result)) {
        printf("%-8s failed\n", workload->id);
        return false;
    }
    print_row(workload, kind, &result);
    json_array_append_new(results, as_json(workload, &result));
    return true;
}

// "KIND:SIZE". NULL: not of that form.
static const struct workload_kind *parse(const char *text, uint64_t *size)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return NULL;
    *size = strtoull(colon + 1, NULL, 10);
    return *size ? workload_find_kind(text, (size_t)(colon - text)) : NULL;
}

static bool report_word(const char *word, json_t *results)
{
    for (const struct workload *w = workloads; w->id; w++)
        if (strcmp(word, w->id) == 0)
            return report(w, results);
    uint64_t size;
    const struct workload_kind *kind = parse(word, &size);
    if (kind)
        return report(&(struct workload){"", word, kind->name, size, false},
                      results);
    fprintf(stderr, "no workload %s\n", word);
    return false;
}

static bool report_all(bool is_quick, json_t *results)
{
    bool is_whole = true;
    for (const struct workload *w = workloads; w->id; w++)
        if (is_quick ? w->is_quick : w->id[2] != 'q')
            is_whole &= report(w, results);
    return is_whole;
}

static bool print_table(bool is_quick, const char *out, int argc, char **argv)
{
    json_t *results = json_array();
    bool is_whole = true;
    printf("%-49s %7s %9s %10s %10s %10s %10s\n", "", "wall", "CPU", "frames/s",
           "per CPU s", "events", "peak");
    if (argc == 0)
        is_whole = report_all(is_quick, results);
    for (int i = 0; i < argc; i++)
        is_whole &= report_word(argv[i], results);
    if (out && json_dump_file(results, out, JSON_INDENT(2) | JSON_SORT_KEYS)) {
        fprintf(stderr, "cannot write %s\n", out);
        is_whole = false;
    }
    json_decref(results);
    return is_whole;
}

static int run_in_process(const char *word)
{
    uint64_t size;
    const struct workload_kind *kind = parse(word, &size);
    struct workload_result result = {0};
    if (!kind)
        return 2;
    run_here(kind, size, &result);
    return 0;
}

int main(int argc, char **argv)
{
    bool is_quick = false, has_growth = false;
    const char *out = NULL, *inside = NULL;
    int answer;
    while ((answer = getopt(argc, argv, "gi:o:q")) != -1) {
        switch (answer) {
        case 'g':
            has_growth = true;
            break;
        case 'i':
            inside = optarg;
            break;
        case 'o':
            out = optarg;
            break;
        case 'q':
            is_quick = true;
            break;
        default:
            fputs(help, stderr);
            return 2;
        }
    }
    argc -= optind;
    argv += optind;
    if (inside)
        return run_in_process(inside);
    if (has_growth)
        return !growth_print(argc, argv);
    return !print_table(is_quick, out, argc, argv);
}
