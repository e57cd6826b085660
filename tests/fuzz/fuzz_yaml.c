// Fuzzes scenario files: YAML, every check, and building what has no mistake.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/config/scenario.h"

// Theory of operation
//
// The input is a scenario file; whatever follows a byte 0 is one --set
// assignment each. Mistakes must be told in order and never crash; a scenario
// without any must build, show itself as a file that has no mistake either, and
// go again without a trace.

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST_SETS = 8 };

static void check_sentences(const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
        must(*diagnostics_text(diagnostics, i));
}

// What is shown must be readable; the text may be long.
static void read_again(const struct scenario *scenario)
{
    struct diagnostics *diagnostics = diagnostics_create();
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    must(memory);
    scenario_print(scenario, memory);
    fclose(memory);
    struct scenario *again =
        scenario_load_text("shown", text, size, NULL, diagnostics);
    if (!again) {
        fputs(text, stderr);
        fprintf(stderr, "%s\n", diagnostics_text(diagnostics, 0));
    }
    must(again);
    scenario_destroy(again);
    diagnostics_destroy(diagnostics);
    free(text);
}

// Whatever the engine would refuse is a mistake that loading must find.
static void build(struct scenario *scenario)
{
    int error = scenario_build(scenario);
    if (error)
        fprintf(stderr, "%d: %s\n", error, sim_error(scenario_sim(scenario)));
    must(error == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *sets[MOST_SETS];
    struct scenario_options options = {.sets = sets};
    char *copy = malloc(length + 1);
    must(copy);
    if (length)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    size_t yaml_length = strlen(copy);
    for (size_t at = yaml_length + 1;
         at < length && options.set_count < MOST_SETS;
         at += strlen(copy + at) + 1)
        sets[options.set_count++] = copy + at;
    struct diagnostics *diagnostics = diagnostics_create();
    struct scenario *scenario =
        scenario_load_text("f", copy, yaml_length, &options, diagnostics);
    must((scenario == NULL) == (diagnostics_count(diagnostics) > 0));
    check_sentences(diagnostics);
    if (scenario) {
        read_again(scenario);
        build(scenario);
    }
    scenario_destroy(scenario);
    diagnostics_destroy(diagnostics);
    free(copy);
    return 0;
}
