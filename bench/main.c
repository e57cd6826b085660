// The runner of the benchmarks.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

// One row per file bench/bench_<module>.c, in alphabetical order.
#define BENCHES(X) X(base) X(sim) X(tcp) X(udp)

#define X(name) extern const struct bench benches_##name[];
BENCHES(X)
#undef X

static const struct group {
    const char *name;
    const struct bench *benches;
} groups[] = {
#define X(name) {#name, benches_##name},
    BENCHES(X)
#undef X
};

// How long to measure: for figures, or for a first look.
static const struct effort {
    int repeats;
    ns_t long_enough;
} whole = {7, 30 * NS_PER_MS}, quick = {3, 5 * NS_PER_MS};

static ns_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static ns_t measure(const struct bench *bench, void *state, uint64_t n)
{
    ns_t start = now();
    bench->run(state, n);
    return now() - start;
}

// Nanoseconds of one operation.
static double fastest(const struct bench *bench, void *state,
                      const struct effort *effort)
{
    uint64_t n = 1;
    while (measure(bench, state, n) < effort->long_enough)
        n *= 2;
    ns_t best = NS_NEVER;
    for (int i = 0; i < effort->repeats; i++)
        best = min_i64(best, measure(bench, state, n));
    return (double)best / (double)n;
}

static void report(const struct group *group, const struct bench *bench,
                   const struct effort *effort)
{
    void *state = bench->setup ? bench->setup() : NULL;
    double ns = fastest(bench, state, effort);
    if (bench->teardown)
        bench->teardown(state);
    printf("%-8s %-44s %10.2f ns %12.0f /s", group->name, bench->name, ns,
           1e9 / ns);
    if (bench->bytes)
        printf(" %8.2f GB/s", (double)bench->bytes / ns);
    printf("\n");
    fflush(stdout);
}

// With a word: only what has it in "group name".
static bool is_wanted(const struct group *group, const struct bench *bench,
                      const char *word)
{
    char full[256];
    snprintf(full, sizeof full, "%s %s", group->name, bench->name);
    return !word || strstr(full, word);
}

// wirebed-bench [-q] [WORD]
int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "-q") == 0;
    const char *word = argc > 1 + is_quick ? argv[1 + is_quick] : NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
        for (const struct bench *b = groups[i].benches; b->name; b++)
            if (is_wanted(&groups[i], b, word))
                report(&groups[i], b, is_quick ? &quick : &whole);
    return 0;
}
