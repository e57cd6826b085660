// Tables of keys: reading by rows, and what a row refuses.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/config/tree/schema.h"
#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

struct target {
    bool flag;
    uint16_t port;
    uint32_t count;
    int64_t time;
    uint64_t rate, chance;
    const char *text;
    int64_t word;
    char guard;
};

static const char *const words[] = {"red", "green", NULL};
static const char *const none[] = {"none", NULL};
static const struct schema_key keys[] = {
    {"flag", KEY_BOOLEAN, FIELD(struct target, flag), 0, 0, NULL, NULL, NULL,
     NULL, NULL},
    {"port", KEY_INTEGER, FIELD(struct target, port), 1, 65535, NULL, NULL,
     NULL, NULL, NULL},
    {"count", KEY_INTEGER, FIELD(struct target, count), 0, UINT32_MAX, NULL,
     NULL, NULL, NULL, NULL},
    {"time", KEY_TIME, FIELD(struct target, time), -1000, 1000, NULL, NULL,
     NULL, NULL, NULL},
    {"rate", KEY_RATE, FIELD(struct target, rate), 1000, 2000, none, NULL, NULL,
     NULL, NULL},
    {"chance", KEY_CHANCE, FIELD(struct target, chance), 0, 0, NULL, NULL, NULL,
     NULL, NULL},
    {"text", KEY_TEXT, FIELD(struct target, text), 0, 0, NULL, NULL, NULL, NULL,
     NULL},
    {"word", KEY_WORD, FIELD(struct target, word), 0, 0, words, NULL, NULL,
     NULL, NULL},
    {.name = "other", .kind = KEY_OTHER},
};
static const struct schema more = {
    "more", "more", "", keys + ARRAY_LENGTH(keys) - 1, 1, NULL};
static const struct schema schema = {
    "thing", "a thing", "", keys, ARRAY_LENGTH(keys) - 1, &more};

static const char *read_into(const char *yaml, struct target *out, bool is_part,
                             struct mistakes *m)
{
    static const struct extra_keys extra = {{"from-a"}, 1};
    struct document *document = document_create();
    struct diagnostics *d = diagnostics_create();
    struct value *map = yaml_load_text(document, "f", yaml, strlen(yaml), d);
    CHECK_FATAL(map != NULL);
    bool is_good = is_part ? schema_read_part(&schema, map, out, d)
                           : schema_read(&schema, map, &extra, out, d);
    mistakes_format(d, m);
    CHECK_EQUAL(is_good, diagnostics_count(d) == 0);
    out->text = out->text ? "read" : NULL; // the document goes
    diagnostics_destroy(d);
    document_destroy(document);
    return m->text;
}

static void fields_of_every_width_are_filled(void)
{
    struct mistakes m;
    struct target t = {.guard = 7};
    CHECK_TEXT(read_into("{flag: on, port: 65535, count: 4294967295, time: "
                         "-1us, rate: 2kbit, chance: 100%, text: x, word: "
                         "green, other: [1], from-a: 3}",
                         &t, false, &m),
               "");
    CHECK_EQUAL(t.flag, 1);
    CHECK_EQUAL(t.port, 65535);
    CHECK_EQUAL(t.count, UINT32_MAX);
    CHECK_EQUAL(t.time, -1000);
    CHECK_EQUAL(t.rate, 2000);
    CHECK_EQUAL(t.chance, INT64_C(1) << 32);
    CHECK_TEXT(t.text, "read");
    CHECK_EQUAL(t.word, 1);
    CHECK_EQUAL(t.guard, 7);
    static const int64_t numbers[] = {
        1, 65535, UINT32_MAX, -1000, 2000, INT64_C(1) << 32, 0, 1};
    for (size_t i = 0; i < schema.count; i++)
        if (keys[i].kind != KEY_TEXT)
            CHECK_EQUAL(schema_get(&keys[i], &t), numbers[i]);
}

static void what_is_not_written_stays(void)
{
    struct mistakes m;
    struct target t = {.port = 5, .time = 3, .word = 1};
    CHECK_TEXT(read_into("{count: 9}", &t, false, &m), "");
    CHECK_EQUAL(t.port, 5);
    CHECK_EQUAL(t.time, 3);
    CHECK_EQUAL(t.count, 9);
    CHECK_TEXT(read_into("{}", &t, false, &m), "");
    CHECK_TEXT(read_into("~", &t, false, &m), "");
    CHECK_EQUAL(t.count, 9);
}

static void a_word_may_stand_for_no_limit(void)
{
    struct mistakes m;
    struct target t = {.rate = 5};
    CHECK_TEXT(read_into("{rate: none}", &t, false, &m), "");
    CHECK_EQUAL(t.rate, 0);
}

static void each_row_tells_what_it_expects(void)
{
    struct mistakes m;
    struct target t = {.port = 5, .rate = 1500};
    CHECK_TEXT(
        read_into("flag: 1\n"
                  "port: 0\n"
                  "count: 4294967296\n"
                  "time: 2us\n"
                  "rate: 1Mbit\n"
                  "chance: 2\n"
                  "text: ''\n"
                  "word: gren\n",
                  &t, false, &m),
        "f:1:7: flag: expected on or off, not '1'\n"
        "f:2:7: port: '0' is out of range; expected 1 to 65535\n"
        "f:3:8: count: '4294967296' is out of range; expected 0 to 4294967295\n"
        "f:4:7: time: '2us' is out of range; expected -1us to 1us\n"
        "f:5:7: rate: '1Mbit' is out of range; expected 1kbit to 2kbit\n"
        "f:6:9: chance: '2' is out of range; expected 0% to 100%\n"
        "f:7:7: text: expected a text, not ''\n"
        "f:8:7: word: unknown word 'gren'; did you mean 'green'?");
    CHECK_EQUAL(t.port, 5);
    CHECK_EQUAL(t.rate, 1500);
}

static void values_of_the_wrong_form_are_refused(void)
{
    struct mistakes m;
    struct target t = {0};
    CHECK_TEXT(read_into("flag: [on]\n"
                         "port: {a: 1}\n"
                         "count: 1.5\n"
                         "time: soon\n"
                         "text: [x]\n"
                         "word: blue\n"
                         "chance: ~\n",
                         &t, false, &m),
               "f:1:7: flag: expected on or off, not a list\n"
               "f:2:7: port: expected a whole number, not a map\n"
               "f:3:8: count: expected a whole number, such as 10, not '1.5'\n"
               "f:4:7: time: expected a time, such as 20ms, not 'soon'\n"
               "f:5:7: text: expected a text, not a list\n"
               "f:6:7: word: unknown word 'blue'; expected one of red, green\n"
               "f:7:9: chance: expected a chance, not nothing");
}

static void unknown_keys_know_all_tables_of_the_map(void)
{
    struct mistakes m;
    struct target t = {0};
    CHECK_TEXT(
        read_into("prt: 5\nothre: 1\nfrom-b: 1\nzzzzzz: 1\n", &t, false, &m),
        "f:1:1: unknown key 'prt'; did you mean 'port'?\n"
        "f:2:1: unknown key 'othre'; did you mean 'other'?\n"
        "f:3:1: unknown key 'from-b'; did you mean 'from-a'?\n"
        "f:4:1: unknown key 'zzzzzz'; a thing has flag, port, count, "
        "time, rate, chance, text, word, other, from-a");
    CHECK_TEXT(read_into("{zzzzzz: 1, port: 6}", &t, true, &m), "");
    CHECK_EQUAL(t.port, 6);
    CHECK_TEXT(read_into("[1]", &t, false, &m),
               "f:1:1: thing: expected a map, not a list");
}

// Every row of every table that the reference prints says what it means.
static void the_reference_tells_every_key(void)
{
    static const char *const parts[] = {
        "\n## hosts.NAME\n",
        "\n## links.NAME\n",
        "\n## at[]\n",
        "\n## expect[]\n",
        "\n## Settings\n",
        "| `jitter` | time | 0s to 86400s | 0s | deviation of the delay; ",
        "| `tcp.min-rto` | time | 1ms to 120s | 200ms |",
        "| `tcp.congestion` | word | ",
        "| `dropped.queue` | number |",
        "| `seed` | number | 0 or more | 1 |"};
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    scenario_print_reference(memory);
    fclose(memory);
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (!strstr(text, parts[i]))
            CHECK_TEXT(parts[i], "is in the reference");
    CHECK(strstr(text, "(null)") == NULL);
    free(text);
}

const struct unit_test suite_schema[] = {
    UNIT(fields_of_every_width_are_filled),
    UNIT(what_is_not_written_stays),
    UNIT(a_word_may_stand_for_no_limit),
    UNIT(each_row_tells_what_it_expects),
    UNIT(values_of_the_wrong_form_are_refused),
    UNIT(unknown_keys_know_all_tables_of_the_map),
    UNIT(the_reference_tells_every_key),
    {0}};
