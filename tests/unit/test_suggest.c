// The nearest known word.
// SPDX-License-Identifier: MIT
#include "sim/config/tree/value.h"
#include "tests/unit/unit.h"

static const char *const known[] = {"delay",  "rate",      "loss",
                                    "jitter", "duplicate", "mtu"};

static const char *nearest(const char *word)
{
    return suggest_word(word, known, ARRAY_LENGTH(known));
}

static void every_kind_of_slip_is_seen_through(void)
{
    CHECK_TEXT(nearest("dely"), "delay");          // left out
    CHECK_TEXT(nearest("delaay"), "delay");        // too many
    CHECK_TEXT(nearest("dekay"), "delay");         // another
    CHECK_TEXT(nearest("dealy"), "delay");         // swapped: one slip
    CHECK_TEXT(nearest("lsos"), "loss");           // swapped in a short word
    CHECK_TEXT(nearest("dupilcaet"), "duplicate"); // two swaps
}

static void the_word_itself_is_its_own_nearest(void)
{
    CHECK_TEXT(nearest("rate"), "rate");
}

static void what_is_far_from_everything_has_no_nearest(void)
{
    CHECK(nearest("bandwidth") == NULL);
    CHECK(nearest("") == NULL);
    CHECK(nearest("mx") == NULL);
    CHECK(nearest("lats") == NULL); // two slips in a short word
}

static void short_words_may_have_one_slip(void)
{
    CHECK_TEXT(nearest("mtuu"), "mtu");
    CHECK_TEXT(nearest("mdu"), "mtu");
    CHECK(nearest("mt") == NULL); // two letters are near to too much
}

static void the_nearer_of_two_wins_and_the_first_of_equals(void)
{
    static const char *const pair[] = {"sink", "sack"};
    CHECK_TEXT(suggest_word("sick", pair, 2), "sink");
    CHECK_TEXT(suggest_word("sakc", pair, 2), "sack");
}

static void very_long_words_are_not_searched_for(void)
{
    char word[200];
    for (size_t i = 0; i < sizeof word; i++)
        word[i] = 'a';
    word[sizeof word - 1] = '\0';
    CHECK(nearest(word) == NULL);
}

const struct unit_test suite_suggest[] = {
    UNIT(every_kind_of_slip_is_seen_through),
    UNIT(the_word_itself_is_its_own_nearest),
    UNIT(what_is_far_from_everything_has_no_nearest),
    UNIT(short_words_may_have_one_slip),
    UNIT(the_nearer_of_two_wins_and_the_first_of_equals),
    UNIT(very_long_words_are_not_searched_for),
    {0}};
