// The growth table: what each kind of workload costs at growing sizes.
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/workload/workload.h"

// Theory of operation
//
// Processor time is divided by what was done (hosts started, frames carried,
// events run). If the whole grows as n log n at most, that quotient grows as
// log n at most: the last column says how often log n it grew since the row
// above. Caches fill in the meantime, so that a value of 2 or 3 in one row is
// memory, not an algorithm; a quotient that grows with n shows in every row
// below.

static double work(const struct workload_kind *kind,
                   const struct workload_result *r)
{
    switch (kind->cost) {
    case COST_FRAME:
        return (double)r->frames;
    case COST_EVENT:
        return (double)r->events;
    case COST_UNIT:
        break;
    }
    return (double)r->units;
}

static const char *const cost_names[] = {
    [COST_UNIT] = "unit", [COST_FRAME] = "frame", [COST_EVENT] = "event"};

static void print_row(const struct workload_kind *kind, uint64_t size,
                      const struct workload_result *r, double cost,
                      double growth)
{
    char command[64];
    snprintf(command, sizeof(command), "%s:%llu", kind->name,
             (unsigned long long)size);
    printf("%-22s %9.3f s %10.0f ns per %-6s %9.1f MB", command, r->cpu_seconds,
           cost, cost_names[kind->cost], (double)r->peak_bytes / 1e6);
    if (growth > 0)
        printf(" %8.2f", growth);
    putchar('\n');
    fflush(stdout);
}

static bool print_kind(const struct workload_kind *kind)
{
    double last_cost = 0, last_log = 0;
    for (const uint64_t *size = kind->sizes; *size; size++) {
        struct workload_result r = {0};
        if (!workload_run_apart(kind, *size, &r)) {
            printf("%s:%llu failed\n", kind->name, (unsigned long long)*size);
            return false;
        }
        double cost = r.cpu_seconds * 1e9 / work(kind, &r);
        double logarithm = fmax(log((double)*size), 1);
        double growth =
            last_cost > 0 ? cost / last_cost * last_log / logarithm : 0;
        print_row(kind, *size, &r, cost, growth);
        last_cost = cost;
        last_log = logarithm;
    }
    putchar('\n');
    return true;
}

static bool is_wanted(const struct workload_kind *kind, int name_count,
                      char *const *names)
{
    for (int i = 0; i < name_count; i++)
        if (strcmp(names[i], kind->name) == 0)
            return true;
    return name_count == 0;
}

bool growth_print(int name_count, char *const *names)
{
    bool is_whole = true;
    printf("%-22s %11s %24s %12s %8s\n", "", "CPU", "cost", "peak", "x log n");
    for (const struct workload_kind *kind = workload_kinds; kind->name; kind++)
        if (kind->sizes && is_wanted(kind, name_count, names))
            is_whole &= print_kind(kind);
    return is_whole;
}
