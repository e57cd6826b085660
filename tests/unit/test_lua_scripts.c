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
    CHECK(f.sim->expectations > 2);
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

static void packets_behind_arp_are_not_lost(void)
{
    check_script("tests/lua/first_packet_behind_arp.lua");
}

static void half_closed_connections_carry_data(void)
{
    check_script("tests/lua/half_close.lua");
}

static void a_transfer_survives_a_link_that_goes_down(void)
{
    check_script("tests/lua/link_down.lua");
}

static void path_mtus_are_learnt(void)
{
    check_script("tests/lua/path_mtu.lua");
}

static void ping_answers_over_both_families(void)
{
    check_script("tests/lua/ping.lua");
}

static void datagrams_arrive_as_the_link_says(void)
{
    check_script("tests/lua/reordered_udp.lua");
}

static void lost_syns_are_sent_again(void)
{
    check_script("tests/lua/syn_lost.lua");
}

static void a_closed_window_is_probed(void)
{
    check_script("tests/lua/zero_window.lua");
}

static void applications_are_driven_by_scripts(void)
{
    check_script("tests/lua/apps.lua");
}

static void anything_may_be_called_with_anything(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct lua_fixture f;
        lua_run(&f, &(struct lua_case){.path = "tests/lua/monkey.lua",
                                       .seed = seed});
        CHECK_TEXT(lua_error_text(&f), "");
        CHECK_EQUAL(f.sim->failure_count, 0);
        CHECK_EQUAL(f.run_result, ENGINE_STOPPED);
        lua_end(&f);
    }
}

const struct unit_test suite_lua_scripts[] = {
    UNIT(tasks_sleep_join_and_wake_each_other),
    UNIT(sockets_read_like_blocking_code),
    UNIT(links_change_while_the_run_goes_on),
    UNIT(frames_are_built_and_edited),
    UNIT(packets_behind_arp_are_not_lost),
    UNIT(half_closed_connections_carry_data),
    UNIT(a_transfer_survives_a_link_that_goes_down),
    UNIT(path_mtus_are_learnt),
    UNIT(ping_answers_over_both_families),
    UNIT(datagrams_arrive_as_the_link_says),
    UNIT(lost_syns_are_sent_again),
    UNIT(a_closed_window_is_probed),
    UNIT(applications_are_driven_by_scripts),
    UNIT(anything_may_be_called_with_anything),
    {0},
};
