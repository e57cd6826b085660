// Runs the scripts of tests/lua, which assert by expect.
// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "tests/unit/lua_fixture.h"
#include "tests/unit/unit.h"

static void check_script(const char *path)
{
    struct lua_fixture f;
    lua_run(&f, &(struct lua_case){.path = path});
    char *failures = lua_failures(&f);
    CHECK_TEXT(lua_error_text(&f), "");
    CHECK_TEXT(failures, "");
    CHECK(f.sim->expectations > 10);
    free(failures);
    lua_end(&f);
}

static void tasks_sleep_join_and_wake_each_other(void)
{
    check_script("tests/lua/tasks.lua");
}

static void sockets_read_like_blocking_code(void)
{
    check_script("tests/lua/sockets.lua");
}

static void links_change_while_the_run_goes_on(void)
{
    check_script("tests/lua/links.lua");
}

static void frames_are_built_and_edited(void)
{
    check_script("tests/lua/frames.lua");
}

const struct unit_test suite_lua_scripts[] = {
    UNIT(tasks_sleep_join_and_wake_each_other),
    UNIT(sockets_read_like_blocking_code),
    UNIT(links_change_while_the_run_goes_on),
    UNIT(frames_are_built_and_edited),
    {0},
};
