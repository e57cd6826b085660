// --set PATH=VALUE.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/tree/value.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

struct tree {
    struct document *document;
    struct diagnostics *diagnostics;
    struct value *root;
    struct mistakes mistakes;
};

static void plant(struct tree *t, const char *yaml)
{
    t->document = document_create();
    t->diagnostics = diagnostics_create();
    t->root = yaml_load_text(t->document, "f.yaml", yaml, strlen(yaml),
                             t->diagnostics);
    CHECK_FATAL(t->root != NULL);
}

static void fell(struct tree *t)
{
    diagnostics_destroy(t->diagnostics);
    document_destroy(t->document);
}

static void set(struct tree *t, const char *assignment)
{
    value_set_path(t->document, t->root, assignment, t->diagnostics);
}

static const char *complaints(struct tree *t)
{
    return mistakes_format(t->diagnostics, &t->mistakes);
}

static struct value *at(struct tree *t, const char *a, const char *b,
                        const char *c)
{
    struct value *v = value_find(t->root, a);
    v = v && b ? value_find(v, b) : v;
    return v && c ? value_find(v, c) : v;
}

static void a_value_that_is_there_is_replaced(void)
{
    struct tree t;
    plant(&t, "links: {wan: {loss: 1%, rate: 1Mbit}}");
    set(&t, "links.wan.loss=5%");
    CHECK_TEXT(complaints(&t), "");
    CHECK_TEXT(at(&t, "links", "wan", "loss")->text, "5%");
    CHECK_TEXT(at(&t, "links", "wan", "loss")->place.file,
               "--set links.wan.loss");
    CHECK_EQUAL(at(&t, "links", "wan", "loss")->place.line, 0);
    CHECK_TEXT(at(&t, "links", "wan", "rate")->text, "1Mbit");
    fell(&t);
}

static void missing_maps_are_made(void)
{
    struct tree t;
    plant(&t, "hosts: {a: }");
    set(&t, "hosts.a.tcp.sack=off");
    set(&t, "seed=7");
    CHECK_TEXT(complaints(&t), "");
    CHECK_TEXT(value_find(at(&t, "hosts", "a", "tcp"), "sack")->text, "off");
    CHECK_TEXT(at(&t, "seed", NULL, NULL)->text, "7");
    fell(&t);
}

static void a_value_may_be_a_list_a_map_or_nothing(void)
{
    struct tree t;
    plant(&t, "a: 1");
    set(&t, "a={b: [1, 2]}");
    CHECK_EQUAL(at(&t, "a", "b", NULL)->count, 2);
    set(&t, "a.c=3");
    CHECK_TEXT(at(&t, "a", "c", NULL)->text, "3");
    set(&t, "a=");
    CHECK_EQUAL(at(&t, "a", NULL, NULL)->kind, VALUE_NULL);
    set(&t, "a.b=x=y");
    CHECK_TEXT(at(&t, "a", "b", NULL)->text, "x=y");
    CHECK_TEXT(complaints(&t), "");
    fell(&t);
}

static void elements_of_lists_are_counted_from_0(void)
{
    struct tree t;
    plant(&t, "apps: [{bytes: 1}, {bytes: 2}]");
    set(&t, "apps.1.bytes=5");
    set(&t, "apps.2={bytes: 3}");
    CHECK_TEXT(complaints(&t), "");
    CHECK_EQUAL(at(&t, "apps", NULL, NULL)->count, 3);
    struct value *second = at(&t, "apps", NULL, NULL)->items->next;
    CHECK_TEXT(value_find(second, "bytes")->text, "5");
    CHECK_TEXT(value_find(second->next, "bytes")->text, "3");
    fell(&t);
}

static void the_longest_name_with_dots_in_it_wins(void)
{
    struct tree t;
    plant(&t, "hosts: {a: {x: 1}, a.b: {x: 2}}");
    set(&t, "hosts.a.b.x=3");
    CHECK_TEXT(complaints(&t), "");
    CHECK_TEXT(at(&t, "hosts", "a.b", "x")->text, "3");
    CHECK_TEXT(at(&t, "hosts", "a", "x")->text, "1");
    set(&t, "hosts.a.x=4");
    CHECK_TEXT(at(&t, "hosts", "a", "x")->text, "4");
    fell(&t);
}

static void what_cannot_be_assigned_is_told(void)
{
    struct tree t;
    plant(&t, "seed: 1\napps: [1]\nhosts: {a: 10.0.0.1/24}");
    set(&t, "seed");
    set(&t, "=5");
    set(&t, "a..b=5");
    set(&t, "apps.x=5");
    set(&t, "apps.7=5");
    set(&t, "hosts.a.mtu=5");
    set(&t, "seed=[1");
    CHECK_TEXT(
        complaints(&t),
        "--set =5: expected PATH=VALUE, such as links.wan.loss=5%\n"
        "--set a..b: a word of the path is empty; write --set "
        "links.wan.loss=5%\n"
        "--set apps.7: there is no element 7; the list has 1, counted from 0\n"
        "--set apps.x: 'x' is not the number of an element; a list is here and "
        "its elements count from 0\n"
        "--set hosts.a.mtu: 'mtu' cannot be looked up in '10.0.0.1/24', which "
        "is a single value\n"
        "--set seed: expected PATH=VALUE, such as links.wan.loss=5%\n"
        "--set seed: not valid YAML: did not find expected ',' or ']' while "
        "parsing a flow sequence");
    fell(&t);
}

static void a_scenario_tells_mistakes_of_options_like_those_of_the_file(void)
{
    struct mistakes m;
    const char *sets[] = {"links.wan.loss=500%", "links.wan.los=5%",
                          "links.wan.delay=20"};
    CHECK_TEXT(mistakes_with("{hosts: {a: , b: }, links: {wan: {ends: [a, "
                             "b]}}}",
                             sets, 3, &m),
               "--set links.wan.delay: delay: '20' needs a unit, such as "
               "20ms\n"
               "--set links.wan.los: unknown key 'los'; did you mean 'loss'?\n"
               "--set links.wan.loss: loss: '500%' is out of range; expected "
               "0% to 100%");
}

const struct unit_test suite_set[] = {
    UNIT(a_value_that_is_there_is_replaced),
    UNIT(missing_maps_are_made),
    UNIT(a_value_may_be_a_list_a_map_or_nothing),
    UNIT(elements_of_lists_are_counted_from_0),
    UNIT(the_longest_name_with_dots_in_it_wins),
    UNIT(what_cannot_be_assigned_is_told),
    UNIT(a_scenario_tells_mistakes_of_options_like_those_of_the_file),
    {0}};
