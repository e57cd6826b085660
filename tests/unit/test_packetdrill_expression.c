// Tests of the language between %{ and }%.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "sim/packetdrill/language/expression.h"

#include <string.h>

static struct code_variables variables;
static struct code_error error;

static enum code_lookup find(void *context, const char *name, int64_t *value)
{
    (void)context;
    if (strcmp(name, "tcpi_snd_cwnd") == 0)
        *value = 10;
    else if (strcmp(name, "tcpi_options") == 0)
        *value = 37;
    else
        return LOOKUP_UNKNOWN;
    return LOOKUP_FOUND;
}

static enum code_outcome run(const char *text)
{
    const struct code_context context = {.variables = &variables, .find = find};

    memset(&error, 0, sizeof(error));
    return code_run(text, &context, &error);
}

static void holds(const char *text)
{
    enum code_outcome outcome = run(text);

    CHECK_EQUAL(outcome, CODE_HOLDS);
    if (outcome != CODE_HOLDS)
        CHECK_TEXT(error.message, text);
}

static void an_assertion_holds_or_fails(void)
{
    holds(" assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd ");
    CHECK_EQUAL(run("assert tcpi_snd_cwnd == 11"), CODE_FAILS);
    CHECK_TEXT(error.message,
               "assert tcpi_snd_cwnd == 11 does not hold: tcpi_snd_cwnd = 10");
}

static void the_line_of_the_failure_is_told(void)
{
    CHECK_EQUAL(run("assert 1\nassert 2 == 2\nassert 0\n"), CODE_FAILS);
    CHECK_EQUAL(error.line, 2);
}

static void comparisons_chain(void)
{
    holds("assert 9 <= tcpi_snd_cwnd <= 11");
    holds("assert 1 < 2 < 3 != 4");
    CHECK_EQUAL(run("assert 9 <= tcpi_snd_cwnd <= 9"), CODE_FAILS);
    CHECK_EQUAL(run("assert 3 > 2 > 2"), CODE_FAILS);
}

static void operators_bind_as_in_python(void)
{
    holds("assert 2 + 3 * 4 == 14");
    holds("assert (2 + 3) * 4 == 20");
    holds("assert (tcpi_options & TCPI_OPT_SYN_DATA) != 0");
    holds("assert tcpi_options & 2 == 0"); // (options & 2) == 0
    holds("assert not 0 and not (1 and 0) or 0");
    holds("assert 7 // 2 == 3 and -7 // 2 == -4 and -7 % 3 == 2");
    holds("assert 1 << 4 == 16 and 0x10 >> 4 == 1");
    holds("assert -1 == ~0 and 6 ^ 3 == 5 and 4 | 1 == 5");
    holds("assert 95*1000 <= 100000 and 100000 <= 105*1000");
}

static void variables_last_as_long_as_the_script(void)
{
    holds("print(tcpi_snd_cwnd); cwnd = 58; assert cwnd == 58");
    holds("cwnd += 2; cwnd -= 1\nassert cwnd == 59, cwnd");
    CHECK_EQUAL(run("assert cwnd == 60"), CODE_FAILS);
}

static void texts_are_formatted(void)
{
    holds("assert 9 <= tcpi_snd_cwnd <= 11, 'cwnd=%d' % tcpi_snd_cwnd");
    holds("print \"cwnd\"");
}

static void lines_join_and_comments_end(void)
{
    holds("assert 1 == 1, 1;\\\n assert 2 == 2 # and so on\n\n;;\n# end");
    holds("assert (1 +\n 1) == 2");
}

static void unknown_names_and_forms_are_not_passed_over(void)
{
    CHECK_EQUAL(run("assert tcpi_nothing == 0"), CODE_UNSUPPORTED);
    CHECK_EQUAL(run("assert abs(3) == 3"), CODE_UNSUPPORTED);
    CHECK_EQUAL(run("for x in y"), CODE_UNSUPPORTED);
    CHECK_EQUAL(run("assert 1.5 == 1"), CODE_UNSUPPORTED);
    CHECK_EQUAL(run("assert (1"), CODE_UNSUPPORTED);
    CHECK_EQUAL(run("assert 'x"), CODE_UNSUPPORTED);
    CHECK_EQUAL(run("assert 1 == 1 2"), CODE_UNSUPPORTED);
}

static void division_by_zero_fails(void)
{
    CHECK_EQUAL(run("assert 1 / 0"), CODE_FAILS);
    CHECK_EQUAL(run("assert 1 % 0"), CODE_FAILS);
}

const struct unit_test suite_packetdrill_expression[] = {
    UNIT(an_assertion_holds_or_fails),
    UNIT(the_line_of_the_failure_is_told),
    UNIT(comparisons_chain),
    UNIT(operators_bind_as_in_python),
    UNIT(variables_last_as_long_as_the_script),
    UNIT(texts_are_formatted),
    UNIT(lines_join_and_comments_end),
    UNIT(unknown_names_and_forms_are_not_passed_over),
    UNIT(division_by_zero_fails),
    {0},
};
