// Runs workloads, each in a process of its own; prints a table and writes JSON.
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

// The child writes its result to the pipe. False: it did not end well.
static bool run_apart(const struct workload *workload,
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
        double start = workload_clock();
        workload->run(&own);
        own.wall_seconds = workload_clock() - start;
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
    return json_pack(
        "{ss ss sf sf sI sI sI sI sI sI}", "id", workload->id, "name",
        workload->name, "wall-seconds", r->wall_seconds, "simulated-seconds",
        r->simulated_seconds, "frames", (json_int_t)r->frames, "events",
        (json_int_t)r->events, "payload-bytes", (json_int_t)r->payload, "units",
        (json_int_t)r->units, "unit-bytes", (json_int_t)r->unit_bytes,
        "peak-bytes", (json_int_t)r->peak_bytes);
}

static void print_row(const struct workload *workload,
                      const struct workload_result *r)
{
    printf("%-8s %-42s %8.3f s %11.0f %11.0f %8.1f MB", workload->id,
           workload->name, r->wall_seconds, (double)r->frames / r->wall_seconds,
           (double)r->events / r->wall_seconds, (double)r->peak_bytes / 1e6);
    if (r->unit_bytes)
        printf(" %8llu B a %s", (unsigned long long)r->unit_bytes,
               workload->unit);
    putchar('\n');
}

static bool is_wanted(const struct workload *workload, bool is_quick, int argc,
                      char **argv)
{
    if (argc == 0)
        return !is_quick || workload->is_quick;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], workload->id) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    bool is_quick = false, has_failed = false;
    const char *out = NULL;
    int answer;
    while ((answer = getopt(argc, argv, "qo:")) != -1) {
        if (answer == 'q')
            is_quick = true;
        else if (answer == 'o')
            out = optarg;
        else
            return 2; // getopt has said why
    }
    json_t *results = json_array();
    printf("%-8s %-42s %10s %11s %11s %11s\n", "", "", "wall", "frames/s",
           "events/s", "peak");
    for (const struct workload *w = workloads; w->id; w++) {
        struct workload_result result = {0};
        if (!is_wanted(w, is_quick, argc - optind, argv + optind))
            continue;
        if (!run_apart(w, &result)) {
            printf("%-8s failed\n", w->id);
            has_failed = true;
            continue;
        }
        print_row(w, &result);
        json_array_append_new(results, as_json(w, &result));
    }
    if (out && json_dump_file(results, out, JSON_INDENT(2) | JSON_SORT_KEYS)) {
        fprintf(stderr, "cannot write %s\n", out);
        has_failed = true;
    }
    json_decref(results);
    return has_failed;
}
