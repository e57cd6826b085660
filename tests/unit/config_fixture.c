// Scenarios from texts, for the tests of their configuration.
// SPDX-License-Identifier: MIT
#include "tests/unit/config_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

const char *mistakes_format(const struct diagnostics *diagnostics,
                            struct mistakes *out)
{
    size_t used = 0;
    out->text[0] = '\0';
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
        used +=
            (size_t)snprintf(out->text + used, sizeof out->text - used, "%s%s",
                             i ? "\n" : "", diagnostics_text(diagnostics, i));
    must(used < sizeof out->text);
    return out->text;
}

const char *mistakes_with(const char *yaml, const char **sets, size_t count,
                          struct mistakes *out)
{
    const struct scenario_options options = {.sets = sets, .set_count = count};
    struct diagnostics *diagnostics = diagnostics_create();
    struct scenario *scenario =
        scenario_load_text("t.yaml", yaml, strlen(yaml), &options, diagnostics);
    CHECK_EQUAL(scenario != NULL, diagnostics_count(diagnostics) == 0);
    scenario_destroy(scenario);
    mistakes_format(diagnostics, out);
    diagnostics_destroy(diagnostics);
    return out->text;
}

const char *mistakes_in(const char *yaml, struct mistakes *out)
{
    return mistakes_with(yaml, NULL, 0, out);
}

struct scenario *scenario_of(const char *yaml)
{
    struct mistakes mistakes;
    struct diagnostics *diagnostics = diagnostics_create();
    struct scenario *scenario =
        scenario_load_text("t.yaml", yaml, strlen(yaml), NULL, diagnostics);
    CHECK_TEXT(mistakes_format(diagnostics, &mistakes), "");
    diagnostics_destroy(diagnostics);
    CHECK_FATAL(scenario != NULL);
    return scenario;
}

struct scenario *built_scenario_of(const char *yaml)
{
    struct scenario *scenario = scenario_of(yaml);
    int error = scenario_build(scenario);
    CHECK_EQUAL(error, 0);
    if (error && scenario_sim(scenario))
        CHECK_TEXT(sim_error(scenario_sim(scenario)), "");
    return scenario;
}

// The place where a line begins with `start`; NULL: none.
static char *find_line(char *text, const char *start)
{
    while (text && strncmp(text, start, strlen(start)) != 0) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text;
}

const char *show_part(const struct scenario *scenario, const char *from,
                      const char *to, struct shown *out)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    must(memory);
    scenario_print(scenario, memory);
    fclose(memory);
    char *start = find_line(text, from);
    char *end = start && to ? find_line(start, to) : NULL;
    snprintf(out->text, sizeof out->text, "%.*s",
             !start ? 0 : (int)(end ? end - start : (long)strlen(start)),
             start ? start : "");
    free(text);
    return out->text;
}
