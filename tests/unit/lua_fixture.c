// Runs a Lua script on a simulation of its own.
// SPDX-License-Identifier: MIT
#include "tests/unit/lua_fixture.h"

#include <stdlib.h>
#include <string.h>

static void settle_and_run(struct lua_fixture *f)
{
    struct diagnostics *diagnostics = diagnostics_create();
    must(scenario_settle(f->scenario, diagnostics) == 0);
    diagnostics_destroy(diagnostics);
    f->run_result = sim_run(f->sim, 1000 * NS_PER_S);
}

void lua_run(struct lua_fixture *f, const struct lua_case *c)
{
    struct scenario_options choices = {.has_seed = true,
                                       .seed = c->seed ? c->seed : 1};
    const char *path = c->path ? c->path : "test.lua";
    struct diagnostics *diagnostics = diagnostics_create();
    memset(f, 0, sizeof *f);
    f->stream = open_memstream(&f->log, &f->log_size);
    f->scenario = scenario_create(path, &choices, diagnostics);
    must(f->scenario && f->stream && scenario_build(f->scenario) == 0);
    diagnostics_destroy(diagnostics);
    f->sim = scenario_sim(f->scenario);
    struct script_options limits = {.memory_limit = c->memory,
                                    .instruction_limit = c->instructions,
                                    .log = f->stream};
    must(script_create(f->sim, f->scenario, path, &limits, &f->script) == 0);
    f->load_result = c->text
                         ? script_load_text(f->script, c->text, strlen(c->text))
                         : script_load(f->script);
    f->run_result = ENGINE_IDLE;
    if (f->load_result == 0)
        settle_and_run(f);
    f->finish_result = script_finish(f->script, f->run_result);
    fflush(f->stream);
}

void lua_run_text(struct lua_fixture *f, const char *text)
{
    lua_run(f, &(struct lua_case){.text = text});
}

void lua_end(struct lua_fixture *f)
{
    sim_finish(f->sim);
    script_destroy(f->script);
    scenario_destroy(f->scenario);
    fclose(f->stream);
    free(f->log);
}

const char *lua_error_text(const struct lua_fixture *f)
{
    return script_error(f->script) ? script_error(f->script) : "";
}

char *lua_failures(const struct lua_fixture *f)
{
    char *all = strdup("");
    for (struct sim_failure *x = f->sim->failures; x; x = x->next) {
        char *longer = NULL;
        must(asprintf(&longer, "%s%s\n", all, x->text) >= 0);
        free(all);
        all = longer;
    }
    return all;
}
