// The tree of values and the list of mistakes.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/tree/value.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

static const struct place nowhere = {"x", 1, 1};

static void add(struct value *map, const char *key, const char *text)
{
    struct value *child = value_scalar(map->document, text, nowhere);
    child->key = document_string(map->document, key);
    value_append(map, child);
}

static void children_keep_their_order(void)
{
    struct document *d = document_create();
    struct value *map = value_create(d, VALUE_MAP, nowhere);
    add(map, "b", "1");
    add(map, "a", "2");
    add(map, "c", "3");
    CHECK_TEXT(map->items->key, "b");
    CHECK_TEXT(map->items->next->key, "a");
    CHECK_TEXT(map->items->next->next->key, "c");
    CHECK_EQUAL(map->count, 3);
    document_destroy(d);
}

// Beyond a few keys an index answers; it must give the same answers.
static void every_key_of_a_large_map_is_found(void)
{
    struct document *d = document_create();
    struct value *map = value_create(d, VALUE_MAP, nowhere);
    char key[16];
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK(value_find(map, key) == NULL);
        add(map, key, key);
        CHECK(value_find(map, key) != NULL);
    }
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK_TEXT(value_find(map, key)->text, key);
    }
    CHECK(value_find(map, "k3000") == NULL);
    document_destroy(d);
}

static void the_first_of_two_equal_keys_is_found(void)
{
    struct document *d = document_create();
    struct value *map = value_create(d, VALUE_MAP, nowhere);
    char key[16];
    add(map, "twice", "first");
    add(map, "twice", "second");
    CHECK_TEXT(value_find(map, "twice")->text, "first");
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "k%d", i);
        add(map, key, "");
    }
    add(map, "twice", "third");
    CHECK_TEXT(value_find(map, "twice")->text, "first");
    document_destroy(d);
}

static void nothing_is_found_in_what_is_no_map(void)
{
    struct document *d = document_create();
    CHECK(value_find(value_scalar(d, "a", nowhere), "a") == NULL);
    CHECK(value_find(value_create(d, VALUE_LIST, nowhere), "a") == NULL);
    document_destroy(d);
}

static void a_copy_lives_without_the_original(void)
{
    struct document *d = document_create(), *other = document_create();
    struct value *map = value_create(d, VALUE_MAP, nowhere);
    add(map, "a", "1");
    struct value *copy = value_copy(other, map);
    document_destroy(d);
    CHECK_TEXT(value_find(copy, "a")->text, "1");
    CHECK_TEXT(copy->items->place.file, "x");
    document_destroy(other);
}

static void large_and_small_pieces_do_not_overlap(void)
{
    struct document *d = document_create();
    char *small = document_alloc(d, 3), *large = document_alloc(d, 100000);
    char *next = document_alloc(d, 3);
    memset(small, 1, 3);
    memset(large, 2, 100000);
    memset(next, 3, 3);
    CHECK_EQUAL(small[2], 1);
    CHECK_EQUAL(large[0], 2);
    CHECK_EQUAL(large[99999], 2);
    CHECK_EQUAL(next[0], 3);
    document_destroy(d);
}

static void destroying_nothing_is_harmless(void)
{
    document_destroy(NULL);
    diagnostics_destroy(NULL);
}

static void mistakes_are_sorted_by_place(void)
{
    struct diagnostics *d = diagnostics_create();
    struct mistakes text;
    diagnostics_add(d, (struct place){"b", 2, 1}, "third");
    diagnostics_add(d, (struct place){"b", 1, 9}, "second");
    diagnostics_add(d, (struct place){"b", 1, 2}, "first %d", 1);
    diagnostics_add(d, (struct place){"a", 7, 7}, "other file");
    diagnostics_add(d, (struct place){"--set x", 0, 0}, "option");
    diagnostics_add(d, (struct place){"b", 3, 0}, "no column");
    CHECK_TEXT(mistakes_format(d, &text), "--set x: option\n"
                                          "a:7:7: other file\n"
                                          "b:1:2: first 1\n"
                                          "b:1:9: second\n"
                                          "b:2:1: third\n"
                                          "b:3: no column");
    diagnostics_destroy(d);
}

static void the_same_mistake_is_told_once(void)
{
    struct diagnostics *d = diagnostics_create();
    for (int i = 0; i < 3; i++) {
        diagnostics_add(d, nowhere, "same");
        diagnostics_add(d, nowhere, "other");
    }
    CHECK_EQUAL(diagnostics_count(d), 2);
    CHECK_TEXT(diagnostics_text(d, 0), "x:1:1: same");
    diagnostics_destroy(d);
}

static void mistakes_outlive_the_document_of_their_places(void)
{
    struct document *document = document_create();
    struct diagnostics *d = diagnostics_create();
    struct place place = {document_string(document, "gone.yaml"), 1, 1};
    diagnostics_add(d, place, "one");
    document_destroy(document);
    diagnostics_add(d, nowhere, "two"); // compares the files' names
    CHECK_TEXT(diagnostics_text(d, 0), "gone.yaml:1:1: one");
    diagnostics_destroy(d);
}

const struct unit_test suite_value[] = {
    UNIT(children_keep_their_order),
    UNIT(every_key_of_a_large_map_is_found),
    UNIT(the_first_of_two_equal_keys_is_found),
    UNIT(nothing_is_found_in_what_is_no_map),
    UNIT(a_copy_lives_without_the_original),
    UNIT(large_and_small_pieces_do_not_overlap),
    UNIT(destroying_nothing_is_harmless),
    UNIT(mistakes_are_sorted_by_place),
    UNIT(the_same_mistake_is_told_once),
    UNIT(mistakes_outlive_the_document_of_their_places),
    {0}};
