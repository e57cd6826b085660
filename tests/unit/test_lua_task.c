// Tests of what becomes of tasks, failures, the end of a scripted run.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lua_fixture.h"
#include "tests/unit/unit.h"

static void check_failures(const char *text, const char *expected)
{
    struct lua_fixture f;
    lua_run_text(&f, text);
    char *failures = lua_failures(&f);
    CHECK_TEXT(lua_error_text(&f), "");
    CHECK_TEXT(failures, expected);
    free(failures);
    lua_end(&f);
}

#define TWO_HOSTS                                                              \
    "local a, b = host('a', {address='10.0.0.1/24'}),\n"                       \
    "  host('b', {address='10.0.0.2/24'})\n"                                   \
    "link('l', {ends={a, b}})\n"

static void a_failed_expectation_says_where_when_and_on_which_host(void)
{
    check_failures(TWO_HOSTS "a:spawn(function()\n  sleep('20ms')\n"
                             "  expect(false, 'no luck')\nend)",
                   "test.lua:6: no luck\n    at 20ms on a\n"
                   "    test.lua:6: in the function of line 4\n");
}

static void a_failed_expectation_does_not_end_the_run(void)
{
    struct lua_fixture f;
    lua_run_text(&f,
                 "expect(false) expect(true) expect_eq(1, 2)\n"
                 "print(expect_within(5, 1, 3), fail('f'),\n"
                 "  expect_within(2, 1, 3), expect_eq({1, {2}}, {1, {2}}))");
    CHECK_TEXT(f.log, "false\tfalse\ttrue\ttrue\n");
    CHECK_EQUAL(f.sim->failure_count, 4);
    CHECK_EQUAL(f.sim->expectations, 7);
    CHECK_EQUAL(f.finish_result, 0);
    lua_end(&f);
}

static void a_task_that_is_stuck_fails_the_run(void)
{
    check_failures(
        TWO_HOSTS "a:spawn(function()\n  a:udp_socket(5):recv()\nend)",
        "test.lua:4: the task spawned here on a has not ended: it waits in "
        "recv\n    in recv\n    test.lua:5: in the function of line 4\n");
    check_failures("spawn(function() signal():wait() end)",
                   "test.lua:1: the task spawned here has not ended: it waits "
                   "in wait\n    in wait\n    test.lua:1: in the function of "
                   "line 1\n");
}

static void servers_and_background_tasks_may_wait_for_ever(void)
{
    check_failures(
        TWO_HOSTS
        "a:spawn(function() a:tcp_listen(5):accept() end)\n"
        "a:spawn(function() a:udp_socket(5):recv_from() end)\n"
        "a:spawn(function() a:udp_socket(6):recv() end):background()\n"
        "every('1s', function() end)\n"
        "after('2000s', function() fail('too late') end)",
        "");
}

static void stop_ends_the_run_without_asking_after_tasks(void)
{
    struct lua_fixture f;
    lua_run_text(&f, "spawn(function() signal():wait() end)\n"
                     "after('3s', stop)");
    CHECK_EQUAL(f.run_result, ENGINE_STOPPED);
    CHECK_EQUAL(f.sim->failure_count, 0);
    CHECK_EQUAL(sim_now(f.sim), 3 * NS_PER_S);
    lua_end(&f);
    lua_run_text(&f, "stop() after(0, print, 'never')");
    CHECK_TEXT(f.log, "");
    CHECK_EQUAL(f.run_result, ENGINE_STOPPED);
    lua_end(&f);
    lua_run_text(&f, "every('1s', function() end) stop_at('4.5s')");
    CHECK_EQUAL(sim_now(f.sim), 9 * NS_PER_S / 2);
    lua_end(&f);
}

static void nothing_runs_after_an_error(void)
{
    struct lua_fixture f;
    lua_run_text(&f, "after(1, error, 'first') after(1, print, 'second')\n"
                     "after(2, print, 'third')");
    CHECK_TEXT(f.log, "");
    CHECK(strncmp(lua_error_text(&f), "first\n    at 1s", 15) == 0);
    CHECK_EQUAL(f.finish_result, -22);
    lua_end(&f);
}

static void an_error_in_a_hook_ends_the_run(void)
{
    struct lua_fixture f;
    lua_run_text(&f, TWO_HOSTS
                 "link.l:on_frame(function(f) error('in a hook') end)\n"
                 "a:spawn(function()\n"
                 "  a:udp_socket():send_to('x', b, 9)\n"
                 "  print('the call that caused it returns')\n"
                 "  sleep(1) print('never') end)");
    CHECK(strstr(lua_error_text(&f), "test.lua:4: in a hook") != NULL);
    CHECK_TEXT(f.log, "the call that caused it returns\n");
    lua_end(&f);
}

static void a_hook_with_a_wrong_verdict_is_named(void)
{
    struct lua_fixture f;
    lua_run_text(&f, TWO_HOSTS
                 "link.l:on_frame(function() return 'keep' end)\n"
                 "a:spawn(function() a:udp_socket():send_to('x', b, 9) end)");
    CHECK(strstr(lua_error_text(&f), "test.lua:4: the hook added here "
                                     "returned 'keep'") != NULL);
    lua_end(&f);
    lua_run_text(&f, TWO_HOSTS
                 "link.l:on_frame(function() return 'delay', 1 end,\n"
                 "  {at = 'arriving'})\n"
                 "a:spawn(function() a:udp_socket():send_to('x', b, 9) end)");
    CHECK(strstr(lua_error_text(&f), "test.lua:4: the hook added here "
                                     "delays") != NULL);
    lua_end(&f);
}

static void hooks_within_hooks_do_not_confuse_each_other(void)
{
    check_failures(TWO_HOSTS
                   "local depth, socket = 0, nil\n"
                   "link.l:on_frame(function(f, l, from)\n"
                   "  if f.udp and depth < 20 then\n"
                   "    depth = depth + 1 socket:send_to('again', b, 9)\n"
                   "    expect_eq(from, 'a')\n  end\nend)\n"
                   "a:spawn(function()\n  socket = a:udp_socket()\n"
                   "  socket:send_to('warm up', b, 9) sleep(1) depth = 0\n"
                   "  socket:send_to('x', b, 9)\n  expect_eq(depth, 20)\nend)",
                   "");
}

static void the_same_seed_gives_the_same_log(void)
{
    const char *text = TWO_HOSTS
        "link.l:set{loss='20%', delay='3ms', jitter='2ms'}\n"
        "link.l:on_frame(function(f, l, from) log(from, f) end)\n"
        "b:spawn(function() local c = b:tcp_listen(9):accept()\n"
        "  print(c, #c:recv_all(), {}, math.random()) c:close() end)\n"
        "a:spawn(function() local c = a:tcp_connect(b, 9)\n"
        "  c:send(('x'):rep(50000)) c:close()\n"
        "  for k, v in pairs(a:counters()) do print(k, v) end end)";
    struct lua_fixture one, two, three;
    lua_run(&one, &(struct lua_case){.text = text, .seed = 5});
    lua_run(&two, &(struct lua_case){.text = text, .seed = 5});
    lua_run(&three, &(struct lua_case){.text = text, .seed = 6});
    CHECK(one.log_size > 1000);
    CHECK_TEXT(one.log, two.log);
    CHECK(strcmp(one.log, three.log) != 0);
    CHECK_EQUAL(sim_fingerprint(one.sim), sim_fingerprint(two.sim));
    lua_end(&one);
    lua_end(&two);
    lua_end(&three);
}

// Wherever the memory ends, in a task, a hook, an event, the run ends with a
// sentence.
static void memory_may_end_anywhere(void)
{
    static const char text[] = TWO_HOSTS
        "local kept = {}\n"
        "link.l:on_frame(function(f, l, from)\n"
        "  kept[#kept + 1] = f if f.udp then f.payload = f.payload .. '!' end\n"
        "  log(from, f) expect_eq({f.ip and f.ip.source}, {})\n"
        "end)\n"
        "b:spawn(function() local s = b:udp_socket(9)\n"
        "  local c = b:tcp_listen(9):accept()\n"
        "  kept[#kept + 1] = c:recv_all() kept[#kept + 1] = c:info()\n"
        "  c:close() s:recv() end)\n"
        "a:spawn(function()\n"
        "  local c = a:tcp_connect(b, 9) c:send(('x'):rep(60000)) c:close()\n"
        "  a:udp_socket():send_to('x', b, 9)\n"
        "  kept[#kept + 1] = a:spawn(function(...) return ... end, 1, 2)\n"
        "  kept[#kept + 1] = {kept[#kept]:join()}\n"
        "  link.l:set{loss = '1%'} kept[#kept + 1] = a:counters()\n"
        "  pcall(error, {}) coroutine.wrap(function() sleep(1) end)()\n"
        "  require('ping')(a, b, {count = 1}) end)\n";
    unsigned ended = 0, whole = 0;
    for (size_t limit = 125000; limit < 625000; limit += 2500) {
        struct lua_fixture f;
        lua_run(&f, &(struct lua_case){.text = text, .memory = limit});
        const char *error = lua_error_text(&f);
        bool is_named = strstr(error, "the script needs more than") != NULL;
        CHECK(*error == '\0' || is_named);
        ended += is_named;
        whole += *error == '\0';
        lua_end(&f);
    }
    CHECK(ended > 20);
    CHECK(whole > 5);
}

static void a_state_that_does_not_fit_is_refused(void)
{
    struct sim_config config = {.name = "small", .seed = 1};
    struct sim *sim;
    unsigned refused = 0;
    must(sim_create(&config, &sim) == 0);
    for (size_t limit = 1; limit < 150000; limit += 999) {
        struct script_options options = {.memory_limit = limit};
        struct script *script = NULL;
        int error = script_create(sim, NULL, "x.lua", &options, &script);
        CHECK(error == 0 || error == -ENOMEM);
        refused += error != 0;
        script_destroy(script);
    }
    CHECK(refused > 20 && refused < 150);
    sim_destroy(sim);
}

static void a_run_that_was_cut_short_does_not_ask_after_tasks(void)
{
    struct lua_fixture f;
    volatile int interrupted = 1;
    struct sim_config config = {.name = "cut", .seed = 1};
    memset(&f, 0, sizeof f);
    must(sim_create(&config, &f.sim) == 0);
    must(script_create(f.sim, NULL, "test.lua", NULL, &f.script) == 0);
    const char *text = "spawn(function() signal():wait() end)";
    CHECK_EQUAL(script_load_text(f.script, text, strlen(text)), 0);
    f.sim->engine.interrupted = &interrupted;
    enum engine_result result = sim_run(f.sim, NS_PER_S);
    CHECK_EQUAL(result, ENGINE_INTERRUPTED);
    CHECK_EQUAL(script_finish(f.script, result), 0);
    CHECK_EQUAL(f.sim->failure_count, 0);
    script_destroy(f.script);
    sim_destroy(f.sim);
}

static void an_interrupt_ends_a_loop_and_is_no_mistake(void)
{
    volatile int interrupted = 1;
    struct sim_config config = {.name = "cut", .seed = 1};
    struct sim *sim;
    struct script *script;
    must(sim_create(&config, &sim) == 0);
    must(script_create(sim, NULL, "test.lua", NULL, &script) == 0);
    sim->engine.interrupted = &interrupted;
    const char *text = "while true do end";
    CHECK_EQUAL(script_load_text(script, text, strlen(text)), -22);
    CHECK(script_error(script) == NULL);
    script_destroy(script);
    sim_destroy(sim);
}

// A stream that is a Ctrl-C: what is written to it sets a flag.
static ssize_t interrupt(void *flag, const char *bytes, size_t length)
{
    (void)bytes;
    *(volatile int *)flag = 1;
    return (ssize_t)length;
}

static void an_interrupt_during_a_task_interrupts_the_run(void)
{
    volatile int interrupted = 0;
    struct sim_config config = {.name = "cut", .seed = 1};
    struct sim *sim;
    struct script *script;
    FILE *stream = fopencookie((void *)&interrupted, "w",
                               (cookie_io_functions_t){.write = interrupt});
    struct script_options options = {.log = stream};
    must(stream && sim_create(&config, &sim) == 0);
    setvbuf(stream, NULL, _IONBF, 0);
    must(script_create(sim, NULL, "test.lua", &options, &script) == 0);
    sim->engine.interrupted = &interrupted;
    const char *text = "spawn(function() print('x') while true do end end)\n"
                       "after(1, print)";
    CHECK_EQUAL(script_load_text(script, text, strlen(text)), 0);
    CHECK_EQUAL(sim_run(sim, 2 * NS_PER_S), ENGINE_INTERRUPTED);
    CHECK_EQUAL(script_finish(script, ENGINE_INTERRUPTED), 0);
    script_destroy(script);
    sim_destroy(sim);
    fclose(stream);
}

static void a_script_without_a_scenario_cannot_build(void)
{
    struct sim_config config = {.name = "bare", .seed = 1};
    struct sim *sim;
    struct script *script;
    must(sim_create(&config, &sim) == 0);
    must(script_create(sim, NULL, "test.lua", NULL, &script) == 0);
    const char *text = "host('a', {})";
    CHECK_EQUAL(script_load_text(script, text, strlen(text)), -22);
    CHECK(strstr(script_error(script), "cannot be changed") != NULL);
    script_destroy(script);
    sim_destroy(sim);
    script_destroy(NULL);
}

static void a_file_that_is_not_there_is_said(void)
{
    struct lua_fixture f;
    lua_run(&f, &(struct lua_case){.path = "nowhere/none.lua"});
    CHECK_EQUAL(f.load_result, -2);
    CHECK_TEXT(lua_error_text(&f), "cannot read script nowhere/none.lua: No "
                                   "such file or directory");
    lua_end(&f);
}

const struct unit_test suite_lua_task[] = {
    UNIT(a_failed_expectation_says_where_when_and_on_which_host),
    UNIT(a_failed_expectation_does_not_end_the_run),
    UNIT(a_task_that_is_stuck_fails_the_run),
    UNIT(servers_and_background_tasks_may_wait_for_ever),
    UNIT(stop_ends_the_run_without_asking_after_tasks),
    UNIT(nothing_runs_after_an_error),
    UNIT(an_error_in_a_hook_ends_the_run),
    UNIT(a_hook_with_a_wrong_verdict_is_named),
    UNIT(hooks_within_hooks_do_not_confuse_each_other),
    UNIT(the_same_seed_gives_the_same_log),
    UNIT(memory_may_end_anywhere),
    UNIT(a_state_that_does_not_fit_is_refused),
    UNIT(a_run_that_was_cut_short_does_not_ask_after_tasks),
    UNIT(an_interrupt_ends_a_loop_and_is_no_mistake),
    UNIT(an_interrupt_during_a_task_interrupts_the_run),
    UNIT(a_script_without_a_scenario_cannot_build),
    UNIT(a_file_that_is_not_there_is_said),
    {0},
};
