// Tests of the Lua sandbox: nothing differs from run to run, nothing gets out.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lua_fixture.h"
#include "tests/unit/unit.h"

static void check_log(const char *text, const char *expected)
{
    struct lua_fixture f;
    lua_run_text(&f, text);
    CHECK_TEXT(lua_error_text(&f), "");
    CHECK_TEXT(f.log, expected);
    lua_end(&f);
}

// The error's first line contains the words.
static void check_error(const struct lua_case *c, const char *words)
{
    struct lua_fixture f;
    lua_run(&f, c);
    CHECK_EQUAL(f.finish_result, -22);
    if (!strstr(lua_error_text(&f), words))
        CHECK_TEXT(lua_error_text(&f), words);
    lua_end(&f);
}

static void check_text_error(const char *text, const char *words)
{
    check_error(&(struct lua_case){.text = text}, words);
}

// --- Order and names

static void pairs_walks_in_order_of_type_and_value(void)
{
    check_log("local t = {z=1, a=2, [3]='c', [1]='a', [2.5]='f', [true]=1,\n"
              "  [false]=0, [-1]=5, ab=3}\n"
              "for k, v in pairs(t) do print(k, v) end",
              "false\t0\ntrue\t1\n-1\t5\n1\ta\n2.5\tf\n3\tc\na\t2\nab\t3\n"
              "z\t1\n");
}

static void pairs_skips_what_was_removed_and_obeys_its_metamethod(void)
{
    check_log("local t = {a=1, b=2, c=3}\n"
              "for k in pairs(t) do print(k) t.b = nil t.d = 4 end\n"
              "local m = setmetatable({}, {__pairs = function()\n"
              "  return function(_, k) if not k then return 1 end end end})\n"
              "for k in pairs(m) do print(k) end",
              "a\nc\n1\n");
}

static void next_goes_on_after_a_key_that_is_gone(void)
{
    check_log("local t = {a=1, b=2, c=3}\n"
              "print(next(t)) print(next(t, 'a')) t.b = nil\n"
              "print(next(t, 'b')) print(next(t, 'c')) print(next({}))",
              "a\t1\nb\t2\nc\t3\nnil\nnil\n");
}

static void objects_with_numbers_are_walked_in_their_order(void)
{
    check_log("local t, list = {}, {}\n"
              "for i = 1, 20 do\n"
              "  local o = setmetatable({n=i}, {}) list[i] = o end\n"
              "for i = 20, 1, -1 do t[list[i]] = true end\n"
              "local s = '' for k in pairs(t) do s = s .. k.n .. ' ' end\n"
              "print(s)",
              "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 \n");
}

static void keys_without_an_order_are_refused(void)
{
    check_log("local t = {[{}]=1, [{}]=2}\n"
              "print(pcall(function() for k in pairs(t) do end end))\n"
              "for k, v in pairs({[{}]=1}) do print(v) end",
              "false\ttest.lua:2: the keys of this table are tables or "
              "functions whose "
              "order would differ from run to run; give them metatables or "
              "use other keys\n1\n");
}

static void objects_are_written_with_numbers(void)
{
    check_log(
        "local a, b = {}, {}\n"
        "print(b, a, b, print, coroutine.create(print))\n"
        "print(('%s|%5s|%d|%%'):format(a, 'x', 3))\n"
        "print(setmetatable({}, {__name='thing'}))\n"
        "print(setmetatable({}, {__tostring=function() return 'me' end}))",
        "table: 1\ttable: 2\ttable: 1\tfunction: 1\tthread: 1\n"
        "table: 2|    x|3|%\nthing: 3\nme\n");
}

static void addresses_are_not_to_be_had(void)
{
    check_log("print(pcall(string.format, '%p', {}))\n"
              "print(pcall(string.format, '%-20p', {}))",
              "false\t'%p' is not available: addresses differ from run to "
              "run\nfalse\t'%p' is not available: addresses differ from run "
              "to run\n");
}

static void sort_is_stable_and_takes_an_inconsistent_order(void)
{
    check_log("local l = {} for i = 1, 300 do l[i] = {k=i%3, i=i} end\n"
              "table.sort(l, function(a, b) return a.k < b.k end)\n"
              "for i = 2, 300 do assert(l[i-1].k < l[i].k or\n"
              "  l[i-1].k == l[i].k and l[i-1].i < l[i].i) end\n"
              "local m = {3, 1, 2} table.sort(m) print(m[1], m[2], m[3])\n"
              "table.sort(m, function() return true end) print(#m)\n"
              "table.sort({}) table.sort({1})\n"
              "print(pcall(table.sort, {1, 'a'}))",
              "1\t2\t3\n3\nfalse\tattempt to compare string with number\n");
}

static void random_numbers_follow_the_seed(void)
{
    const char *text = "print(math.random(), math.random(100), "
                       "math.random(-5, 5), math.random(0))";
    struct lua_fixture a, b, c;
    lua_run(&a, &(struct lua_case){.text = text, .seed = 7});
    lua_run(&b, &(struct lua_case){.text = text, .seed = 7});
    lua_run(&c, &(struct lua_case){.text = text, .seed = 8});
    CHECK_TEXT(a.log, b.log);
    CHECK(strcmp(a.log, c.log) != 0);
    lua_end(&a);
    lua_end(&b);
    lua_end(&c);
}

static void randomseed_begins_the_stream_anew(void)
{
    check_log("math.randomseed(1) local a = math.random(1 << 60)\n"
              "math.randomseed(1) print(a == math.random(1 << 60))\n"
              "math.randomseed(2) print(a == math.random(1 << 60))\n"
              "print(pcall(math.random, 2, 1))",
              "true\nfalse\nfalse\tbad argument #2 to '?' (interval is "
              "empty)\n");
}

// --- What is not there

static void the_outside_world_is_not_there(void)
{
    check_log("print(os, io, debug, package, dofile, loadfile, warn,\n"
              "  string.dump)",
              "nil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\n");
}

static void load_takes_text_only(void)
{
    check_log("print(load('return 1 + ...', 'c', 't')(2))\n"
              "print(load('return x', 'c', 't', {x=5})())\n"
              "print(load('\\27Lua', 'c'))\n"
              "print(pcall(load, 'return 1', 'c', 'b'))\n"
              "local n = 0 print(load(function() n = n + 1\n"
              "  return ({'return ', '8'})[n] end)())",
              "3\n5\nnil\tattempt to load a binary chunk (mode is 't')\n"
              "false\tload takes text only, not compiled code\n8\n");
}

static void collection_cannot_be_watched(void)
{
    check_log("print(pcall(setmetatable, {}, {__gc = print}))\n"
              "print(pcall(setmetatable, {}, {__mode = 'k'}))\n"
              "print(collectgarbage(), pcall(collectgarbage, 'count'))",
              "false\t'__gc' is not available: when garbage is collected "
              "differs from run to run\nfalse\t'__mode' is not available: "
              "when garbage is collected differs from run to run\n"
              "0\tfalse\tbad argument #1 to '?' (invalid option 'count')\n");
}

static void our_metatables_are_locked(void)
{
    check_log("local t = spawn(function() end)\n"
              "print(getmetatable(t), getmetatable(host))\n"
              "print(pcall(setmetatable, host, {}))",
              "locked\tlocked\nfalse\tcannot change a protected metatable\n");
}

// --- Limits

static void an_endless_loop_ends(void)
{
    check_error(&(struct lua_case){.text = "local x\nwhile true do end",
                                   .instructions = 1000000},
                "test.lua:2: more than 1000000 Lua instructions");
    check_error(&(struct lua_case){.text = "spawn(function()\n"
                                           "  while true do end end)",
                                   .instructions = 1000000},
                "test.lua:2: more than 1000000 Lua instructions");
}

static void nothing_catches_the_end_of_an_endless_loop(void)
{
    static const char *const texts[] = {
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end,\n"
        "  function() while true do end end) end",
        "while true do coroutine.resume(coroutine.create(function()\n"
        "  while true do end end)) end",
        "while true do pcall(coroutine.wrap(function()\n"
        "  while true do end end)) end",
        "while true do local c <close> = setmetatable({}, {__close =\n"
        "  function() while true do end end}) end",
        "setmetatable(_G, {__index = function(t, k) return t[k] end})\n"
        "while true do pcall(function() return x end) end",
        "table.sort({1, 2}, function() while true do end end)",
        "while true do pcall(string.gsub, 'x', 'x', function()\n"
        "  while true do end end) end",
        "spawn(function() while true do sleep(0) end end)",
        "spawn(function() while true do coroutine.yield() end end)",
        "local function again() after(0, again) end again()",
        "while true do local c = coroutine.create(function()\n"
        "  local x <close> = setmetatable({}, {__close = function()\n"
        "    while true do end end}) coroutine.yield() end)\n"
        "  coroutine.resume(c) coroutine.close(c) end",
        "local c = coroutine.create(function()\n"
        "  local x <close> = setmetatable({}, {__close = function()\n"
        "    while true do end end}) while true do end end)\n"
        "local y <close> = setmetatable({}, {__close = function()\n"
        "  coroutine.close(c) end}) coroutine.resume(c)",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        check_error(
            &(struct lua_case){.text = texts[i], .instructions = 1000000},
            "1000000 Lua instructions");
}

static void functions_in_c_do_not_run_for_ever(void)
{
    check_log("print(#(''):rep(1 << 62))\n"
              "print(pcall(table.move, {}, 1, (1 << 62), 2))\n"
              "local t = setmetatable({}, {__len = function()\n"
              "  return 1 << 60 end})\n"
              "print(pcall(table.insert, t, 1, 1), pcall(table.remove, t, 1))\n"
              "print(pcall(table.sort, t))",
              "0\nfalse\tmore than 100000000 elements to move\n"
              "false\tfalse\tmore than 100000000 elements\n"
              "false\tmore than 100000000 elements\n");
}

static void too_much_memory_ends_the_run(void)
{
    static const char *const texts[] = {
        "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "local x = ('x'):rep(1 << 30)",
        "while true do pcall(string.rep, 'x', 1 << 30) end",
        ("local t = {} while true do pcall(function()\n"
         "  t[#t + 1] = ('x'):rep(100000) end) end"),
        "local t = {} while true do t[#t + 1] = spawn(function() end) end",
        "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        check_error(&(struct lua_case){.text = texts[i], .memory = 4 << 20},
                    "test.lua: the script needs more than 4 MiB");
}

static void deep_recursion_is_an_error_like_others(void)
{
    check_log("local function f() return 1 + f() end\n"
              "local good, why = pcall(f)\n"
              "print(good, why:find('stack overflow') ~= nil)\n"
              "local t = {} for i = 1, 300 do t = setmetatable({},\n"
              "  {__index = t}) end print(t.x)\n"
              "print(pcall(load, ('('):rep(1000)))\n"
              "local function g() return pcall(g) end\n"
              "local r = {g()} print(r[#r])",
              "false\ttrue\nnil\ntrue\tnil\tC stack overflow\n"
              "C stack overflow\n");
}

// --- Errors

static void errors_of_every_type_end_the_run_with_a_sentence(void)
{
    check_text_error("error('plain')", "test.lua:1: plain");
    check_text_error("error({})", "the script raised table: 1 as its error");
    check_text_error("error()", "the script raised nil as its error");
    check_text_error("error(false)", "the script raised false as its error");
    check_text_error("error(12)", "the script raised 12 as its error");
    check_text_error("error(print)", "the script raised function: ");
    check_text_error("error(setmetatable({}, {__tostring = function()\n"
                     "  return 'told' end}))",
                     "told");
    check_text_error("error(setmetatable({}, {__tostring = function()\n"
                     "  error('again') end}))",
                     "");
    check_text_error("spawn(function() error({}) end)",
                     "the script raised table: 1 as its error");
    check_text_error("spawn(function() error(setmetatable({}, {__tostring =\n"
                     "  function() error('again') end})) end)",
                     "again");
    check_text_error("local x = = 1", "test.lua:1: unexpected symbol near '='");
    check_text_error("\033Lua", "attempt to load a binary chunk");
}

static void an_error_says_where_and_when(void)
{
    check_text_error("spawn(function()\n  sleep(1.5)\n  local x = nil + 1\n"
                     "end)",
                     "test.lua:3: attempt to perform arithmetic on a nil "
                     "value\n    at 1.5s\n    test.lua:3: in the function of "
                     "line 1");
    check_text_error("host('a', {})\nhost.a:spawn(function() error('x') end)",
                     "test.lua:2: x\n    at 0s on a\n");
}

// --- Coroutines of the script's own

static void coroutines_work_as_in_plain_lua(void)
{
    check_log(
        "local co = coroutine.create(function(a) local b = coroutine.yield(a)\n"
        "  error({b}) end)\n"
        "print(coroutine.resume(co, 1)) print(coroutine.status(co))\n"
        "local good, e = coroutine.resume(co, 2) print(good, e[1])\n"
        "print(coroutine.resume(co)) print(coroutine.status(co))\n"
        "print(pcall(coroutine.wrap(function() error('x', 0) end)))\n"
        "local g = coroutine.wrap(function() for i = 1, 2 do\n"
        "  coroutine.yield(i) end end) print(g(), g(), g())\n"
        "print(pcall(g))\n"
        "local me me = coroutine.create(function()\n"
        "  return coroutine.resume(me) end) print(coroutine.resume(me))\n"
        "print(pcall(coroutine.yield, 1))",
        "true\t1\nsuspended\nfalse\t2\n"
        "false\tcannot resume dead coroutine\ndead\nfalse\tx\n1\t2\n"
        "false\tcannot resume a coroutine that is dead or runs\n"
        "true\tfalse\tcannot resume non-suspended coroutine\n"
        "false\tattempt to yield from outside a coroutine\n");
}

// --- Modules

static void require_finds_modules_of_the_program_only_once(void)
{
    check_log("print(type(require 'ping'), require 'ping' == require 'ping')",
              "function\ttrue\n");
}

static void require_finds_files_beside_the_script(void)
{
    struct lua_fixture f;
    lua_run(&f,
            &(struct lua_case){.path = "tests/lua/made-up.lua",
                               .text = "local helper = require 'lib.helper'\n"
                                       "print(helper.name, helper == require "
                                       "'lib.helper', loads)\nhelper.fails()"});
    char *failures = lua_failures(&f);
    CHECK_TEXT(lua_error_text(&f), "");
    CHECK_TEXT(f.log, "lib.helper\ttrue\t1\n");
    CHECK(strncmp(failures, "tests/lua/lib/helper.lua:7: from a module", 41) ==
          0);
    free(failures);
    lua_end(&f);
}

static void require_does_not_leave_the_folder(void)
{
    static const char *const names[] = {
        "../x", "/etc/passwd", "a..b", ".x", "x.", "", "a/b", "a\\\\b"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char text[100];
        snprintf(text, sizeof text, "require '%s'", names[i]);
        check_text_error(text, "is no module's name");
    }
    check_text_error("require 'nowhere'",
                     "no module 'nowhere' in the program and no file "
                     "nowhere.lua");
}

const struct unit_test suite_lua_sandbox[] = {
    UNIT(pairs_walks_in_order_of_type_and_value),
    UNIT(pairs_skips_what_was_removed_and_obeys_its_metamethod),
    UNIT(next_goes_on_after_a_key_that_is_gone),
    UNIT(objects_with_numbers_are_walked_in_their_order),
    UNIT(keys_without_an_order_are_refused),
    UNIT(objects_are_written_with_numbers),
    UNIT(addresses_are_not_to_be_had),
    UNIT(sort_is_stable_and_takes_an_inconsistent_order),
    UNIT(random_numbers_follow_the_seed),
    UNIT(randomseed_begins_the_stream_anew),
    UNIT(the_outside_world_is_not_there),
    UNIT(load_takes_text_only),
    UNIT(collection_cannot_be_watched),
    UNIT(our_metatables_are_locked),
    UNIT(an_endless_loop_ends),
    UNIT(nothing_catches_the_end_of_an_endless_loop),
    UNIT(functions_in_c_do_not_run_for_ever),
    UNIT(too_much_memory_ends_the_run),
    UNIT(deep_recursion_is_an_error_like_others),
    UNIT(errors_of_every_type_end_the_run_with_a_sentence),
    UNIT(an_error_says_where_and_when),
    UNIT(coroutines_work_as_in_plain_lua),
    UNIT(require_finds_modules_of_the_program_only_once),
    UNIT(require_finds_files_beside_the_script),
    UNIT(require_does_not_leave_the_folder),
    {0},
};
