// Conditions on results.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/expect.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

static const struct place here = {"f", 1, 1};

// Does the figure meet what is written? -1: it cannot be read.
static int holds(const char *text, enum key_kind kind, int64_t number,
                 const char *word)
{
    struct document *document = document_create();
    struct diagnostics *d = diagnostics_create();
    struct condition condition;
    const struct figure figure = {kind, number, word};
    int answer = -1;
    if (condition_read(value_scalar(document, text, here), "x", kind,
                       &condition, d))
        answer = condition_holds(&condition, &figure);
    CHECK_EQUAL(answer<0, diagnostics_count(d)> 0);
    diagnostics_destroy(d);
    document_destroy(document);
    return answer;
}

static void every_comparison_knows_its_border(void)
{
    static const struct {
        const char *text;
        int less, equal, more; // of 9, 10, 11
    } rows[] = {{"10", 0, 1, 0},    {"== 10", 0, 1, 0},   {"=10", 0, 1, 0},
                {"!= 10", 1, 0, 1}, {"< 10", 1, 0, 0},    {"<= 10", 1, 1, 0},
                {"> 10", 0, 0, 1},  {">=10", 0, 1, 1},    {"10..10", 0, 1, 0},
                {"9..10", 1, 1, 0}, {"10 .. 11", 0, 1, 1}};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        CHECK_EQUAL(holds(rows[i].text, KEY_INTEGER, 9, NULL), rows[i].less);
        CHECK_EQUAL(holds(rows[i].text, KEY_INTEGER, 10, NULL), rows[i].equal);
        CHECK_EQUAL(holds(rows[i].text, KEY_INTEGER, 11, NULL), rows[i].more);
    }
}

static void figures_have_the_units_of_their_quantity(void)
{
    CHECK_EQUAL(holds("10MB", KEY_SIZE, 10000000, NULL), 1);
    CHECK_EQUAL(holds("1s..2s", KEY_TIME, 1500000000, NULL), 1);
    CHECK_EQUAL(holds("> 1Mbit", KEY_RATE, 1000001, NULL), 1);
    CHECK_EQUAL(holds("> 10", KEY_TIME, 1, NULL), -1);
    CHECK_EQUAL(holds("10Mbit", KEY_SIZE, 1, NULL), -1);
}

static void a_time_may_never_have_come(void)
{
    CHECK_EQUAL(holds("never", KEY_TIME, NS_NEVER, NULL), 1);
    CHECK_EQUAL(holds("!= never", KEY_TIME, 5, NULL), 1);
    CHECK_EQUAL(holds("< 100d", KEY_TIME, NS_NEVER, NULL), 0);
    CHECK_EQUAL(holds("> 1s", KEY_TIME, NS_NEVER, NULL), 1);
    CHECK_EQUAL(holds("never", KEY_INTEGER, 5, NULL), -1);
}

static void words_are_equal_or_not(void)
{
    CHECK_EQUAL(holds("CLOSED", KEY_TEXT, 0, "CLOSED"), 1);
    CHECK_EQUAL(holds("CLOSED", KEY_TEXT, 0, "LISTEN"), 0);
    CHECK_EQUAL(holds("!= CLOSED", KEY_TEXT, 0, "LISTEN"), 1);
    CHECK_EQUAL(holds("< CLOSED", KEY_TEXT, 0, "LISTEN"), -1);
    CHECK_EQUAL(holds("", KEY_TEXT, 0, "LISTEN"), -1);
}

static void nonsense_is_refused(void)
{
    static const char *const texts[] = {"",     ">",    "> > 3",  "1..",
                                        "..2",  "3..2", "1...2",  "1..2..3",
                                        "=> 3", "x",    "> 1..2", "3 4"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        CHECK_EQUAL(holds(texts[i], KEY_INTEGER, 1, NULL), -1);
}

static void every_quantity_has_a_kind_and_a_meaning(void)
{
    struct document *document = document_create();
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        enum subject_kind subject = (enum subject_kind)k;
        enum key_kind kind;
        size_t count = 0;
        const char *const *names = quantity_names(subject, document, &count);
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            CHECK(quantity_kind(subject, names[i], &kind));
            CHECK(*quantity_doc(subject, names[i]));
        }
        CHECK(!quantity_kind(subject, "nonsense", &kind));
    }
    document_destroy(document);
}

const struct unit_test suite_condition[] = {
    UNIT(every_comparison_knows_its_border),
    UNIT(figures_have_the_units_of_their_quantity),
    UNIT(a_time_may_never_have_come),
    UNIT(words_are_equal_or_not),
    UNIT(nonsense_is_refused),
    UNIT(every_quantity_has_a_kind_and_a_meaning),
    {0}};
