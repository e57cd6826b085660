// YAML into trees, and what a scenario may not contain.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/tree/value.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

// What is wrong with a text; "" when it could be read.
static const char *refusal_n(const char *text, size_t length,
                             struct mistakes *out)
{
    struct document *d = document_create();
    struct diagnostics *diagnostics = diagnostics_create();
    struct value *root = yaml_load_text(d, "f.yaml", text, length, diagnostics);
    CHECK(root != NULL || diagnostics_count(diagnostics) > 0);
    mistakes_format(diagnostics, out);
    diagnostics_destroy(diagnostics);
    document_destroy(d);
    return out->text;
}

static const char *refusal(const char *text, struct mistakes *out)
{
    return refusal_n(text, strlen(text), out);
}

static void values_know_their_places(void)
{
    static const char text[] = "a: 1\n"
                               "list:\n"
                               "  - x\n"
                               "  - {b: [2, 3]}\n";
    struct document *d = document_create();
    struct diagnostics *diagnostics = diagnostics_create();
    struct value *root =
        yaml_load_text(d, "f.yaml", text, sizeof text - 1, diagnostics);
    CHECK_FATAL(root != NULL);
    struct value *a = value_find(root, "a"), *list = value_find(root, "list");
    CHECK_EQUAL(a->place.line, 1);
    CHECK_EQUAL(a->place.column, 4);
    CHECK_EQUAL(a->key_place.column, 1);
    CHECK_EQUAL(list->kind, VALUE_LIST);
    CHECK_EQUAL(list->count, 2);
    struct value *b = value_find(list->items->next, "b");
    CHECK_EQUAL(b->place.line, 4);
    CHECK_EQUAL(b->place.column, 9);
    CHECK_TEXT(b->items->next->text, "3");
    CHECK_TEXT(b->place.file, "f.yaml");
    diagnostics_destroy(diagnostics);
    document_destroy(d);
}

static void only_plain_words_mean_nothing(void)
{
    static const char text[] = "a:\nb: ~\nc: null\nd: '~'\ne: \"\"\n";
    struct document *d = document_create();
    struct diagnostics *diagnostics = diagnostics_create();
    struct value *root =
        yaml_load_text(d, "f.yaml", text, sizeof text - 1, diagnostics);
    CHECK_FATAL(root != NULL);
    CHECK_EQUAL(value_find(root, "a")->kind, VALUE_NULL);
    CHECK_EQUAL(value_find(root, "b")->kind, VALUE_NULL);
    CHECK_EQUAL(value_find(root, "c")->kind, VALUE_NULL);
    CHECK_EQUAL(value_find(root, "d")->kind, VALUE_SCALAR);
    CHECK_EQUAL(value_find(root, "e")->kind, VALUE_SCALAR);
    diagnostics_destroy(diagnostics);
    document_destroy(d);
}

static void a_key_that_comes_twice_is_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("a: 1\nb: 2\na: 3\n", &m),
               "f.yaml:3:1: key 'a' is here twice; the first is in line 1");
    CHECK_TEXT(refusal("{a: {b: 1, b: 2}}", &m),
               "f.yaml:1:12: key 'b' is here twice; the first is in line 1");
}

static void anchors_aliases_and_tags_are_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("a: &x 1\nb: *x\n", &m),
               "f.yaml:1:4: anchor '&x': a scenario has no anchors and "
               "aliases; write the value where it is used\n"
               "f.yaml:2:4: alias '*x': a scenario has no anchors and "
               "aliases; write the value where it is used");
    CHECK_TEXT(refusal("a: !!str 1\n", &m),
               "f.yaml:1:4: tag 'tag:yaml.org,2002:str': a scenario has no "
               "tags; the key says what its value is");
    CHECK_TEXT(refusal("a: &x {}\n", &m),
               "f.yaml:1:4: anchor '&x': a scenario has no anchors and "
               "aliases; write the value where it is used");
}

static void keys_are_single_words(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("[1, 2]: 3\n", &m),
               "f.yaml:1:1: a key must be a single word");
    CHECK_TEXT(refusal("{a: 1}: 3\n", &m),
               "f.yaml:1:1: a key must be a single word");
    CHECK_TEXT(refusal("~: 3\n", &m),
               "f.yaml:1:1: a key must be a single word");
}

static void a_second_document_is_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("a: 1\n---\nb: 2\n", &m),
               "f.yaml:2:1: a second document begins here; a scenario is one "
               "document");
    CHECK_TEXT(refusal("---\na: 1\n...\n", &m), "");
}

static void a_file_with_nothing_in_it_is_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("", &m), "f.yaml: there is nothing in it");
    CHECK_TEXT(refusal("# only a comment\n", &m),
               "f.yaml: there is nothing in it");
}

static void deep_nesting_is_refused(void)
{
    struct mistakes m;
    char text[3000];
    memset(text, '[', sizeof text);
    text[sizeof text - 1] = '\0';
    CHECK_TEXT(refusal(text, &m),
               "f.yaml:1:33: nested deeper than 32 levels; no part of a "
               "scenario is so deep");
}

static void broken_syntax_has_a_place(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("a: [1, 2\nb: 3\n", &m),
               "f.yaml:2:2: not valid YAML: did not find expected ',' or ']' "
               "while parsing a flow sequence");
    CHECK_TEXT(refusal("a: 1\n\tb: 2\n", &m),
               "f.yaml:2:1: not valid YAML: found a tab character that "
               "violates indentation while scanning a plain scalar");
}

static void text_that_is_not_utf8_is_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("a: \xff\n", &m),
               "f.yaml:1:1: not UTF-8 text: invalid leading UTF-8 octet (byte "
               "4 of the file)");
    CHECK_TEXT(refusal("a: \xc0\x80\n", &m),
               "f.yaml:1:1: not UTF-8 text: invalid length of a UTF-8 "
               "sequence (byte 4 of the file)");
    CHECK_TEXT(refusal_n("a: x\0y\n", 7, &m),
               "f.yaml:1:1: not UTF-8 text: control characters are not "
               "allowed (byte 5 of the file)");
    CHECK_TEXT(refusal("a: \"x\\0y\"\n", &m),
               "f.yaml:1:4: a character with the code 0 has no place in a "
               "text");
}

static void all_mistakes_of_a_file_are_told(void)
{
    struct mistakes m;
    CHECK_TEXT(refusal("a: &x 1\na: 2\n[]: 3\n", &m),
               "f.yaml:1:4: anchor '&x': a scenario has no anchors and "
               "aliases; write the value where it is used\n"
               "f.yaml:2:1: key 'a' is here twice; the first is in line 1\n"
               "f.yaml:3:1: a key must be a single word");
}

static void a_file_that_cannot_be_read_is_an_error_of_the_system(void)
{
    struct document *d = document_create();
    struct diagnostics *diagnostics = diagnostics_create();
    int error = 0;
    CHECK(yaml_load_file(d, "/nowhere/x.yaml", diagnostics, &error) == NULL);
    CHECK_EQUAL(error, -ENOENT);
    CHECK(yaml_load_file(d, "/", diagnostics, &error) == NULL);
    CHECK_EQUAL(error, -EISDIR);
    CHECK_EQUAL(diagnostics_count(diagnostics), 0);
    diagnostics_destroy(diagnostics);
    document_destroy(d);
}

const struct unit_test suite_yaml[] = {
    UNIT(values_know_their_places),
    UNIT(only_plain_words_mean_nothing),
    UNIT(a_key_that_comes_twice_is_refused),
    UNIT(anchors_aliases_and_tags_are_refused),
    UNIT(keys_are_single_words),
    UNIT(a_second_document_is_refused),
    UNIT(a_file_with_nothing_in_it_is_refused),
    UNIT(deep_nesting_is_refused),
    UNIT(broken_syntax_has_a_place),
    UNIT(text_that_is_not_utf8_is_refused),
    UNIT(all_mistakes_of_a_file_are_told),
    UNIT(a_file_that_cannot_be_read_is_an_error_of_the_system),
    {0}};
