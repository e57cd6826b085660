// Tells the results of wirebed test: text, TAP, JSON, JUnit.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/test.h"
#include "stack/base.h"

struct test_totals test_count(const struct test_plan *plan)
{
    struct test_totals totals = {0};
    for (size_t i = 0; i < plan->count; i++) {
        totals.passed += plan->cases[i].verdict == TEST_PASSED;
        totals.failed += plan->cases[i].verdict == TEST_FAILED;
        totals.skipped += plan->cases[i].verdict == TEST_SKIPPED;
    }
    return totals;
}

static const char *verdict_word(const struct test_case *c)
{
    switch (c->verdict) {
    case TEST_PASSED:
        return "passed";
    case TEST_FAILED:
        return "failed";
    case TEST_SKIPPED:
        return "skipped";
    default:
        return "not run";
    }
}

// Each line of the output, indented.
static void print_output(const struct test_case *c, const char *indent)
{
    for (const char *line = c->output; line && *line;) {
        size_t length = strcspn(line, "\n");
        printf("%s%.*s\n", indent, (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_tap(const struct test_case *c, size_t number,
                      const struct test_options *options)
{
    printf("%sok %zu - %s%s\n", c->verdict == TEST_FAILED ? "not " : "", number,
           c->id, c->verdict == TEST_SKIPPED ? " # SKIP not runnable" : "");
    if (c->verdict == TEST_FAILED) {
        printf("# %s; repeat with: ", c->why);
        test_print_command(c, options, stdout);
        putchar('\n');
        print_output(c, "# ");
    }
}

void test_print_result(const struct test_case *c, size_t number,
                       const struct test_options *options)
{
    if (options->is_json)
        return;
    if (options->is_tap) {
        print_tap(c, number, options);
        return;
    }
    if (c->verdict == TEST_FAILED) {
        printf("FAILED  %s: %s\n", c->id, c->why);
        if (!options->is_quiet)
            print_output(c, "    ");
        printf("    repeat with: ");
        test_print_command(c, options, stdout);
        putchar('\n');
    } else if (options->is_verbose) {
        printf("%-7s %s (%.3f s)\n", verdict_word(c), c->id, c->seconds);
    }
    fflush(stdout);
}

void test_print_json(const struct test_plan *plan)
{
    struct test_totals totals = test_count(plan);
    json_t *cases = json_array();
    must(cases);
    for (size_t i = 0; i < plan->count; i++) {
        const struct test_case *c = &plan->cases[i];
        json_t *one =
            json_pack("{ss ss ss ss* ss*}", "id", c->id, "path", c->path,
                      "verdict", verdict_word(c), "why", c->why, "output",
                      c->verdict == TEST_FAILED ? c->output : NULL);
        if (!one) // output that is not UTF-8
            one = json_pack("{ss ss ss}", "id", c->id, "path", c->path,
                            "verdict", verdict_word(c));
        json_array_append_new(cases, one);
    }
    json_t *report =
        json_pack("{sI sI sI so}", "passed", (json_int_t)totals.passed,
                  "failed", (json_int_t)totals.failed, "skipped",
                  (json_int_t)totals.skipped, "cases", cases);
    must(report);
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(report);
}

// Text of XML 1.0: five characters have names, control characters have no place
// in it.
static void put_xml(const char *text, FILE *out)
{
    for (; text && *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
                fputc(*text, out);
        }
    }
}

static void put_case(const struct test_case *c, FILE *out)
{
    fputs("  <testcase name=\"", out);
    put_xml(c->id, out);
    fprintf(out, "\" classname=\"%s\" time=\"%.3f\">",
            c->kind == TEST_PACKETDRILL ? "packetdrill" : "scenario",
            c->seconds);
    if (c->verdict == TEST_FAILED) {
        fputs("<failure message=\"", out);
        put_xml(c->why, out);
        fputs("\">", out);
        put_xml(c->output, out);
        fputs("</failure>", out);
    } else if (c->verdict != TEST_PASSED) {
        fputs("<skipped/>", out);
    }
    fputs("</testcase>\n", out);
}

int test_write_junit(const struct test_plan *plan, const char *path)
{
    struct test_totals totals = test_count(plan);
    FILE *out = fopen(path, "w");
    if (!out)
        return -errno;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"wirebed\" tests=\"%zu\" failures=\"%zu\" "
            "skipped=\"%zu\">\n",
            plan->count, totals.failed,
            plan->count - totals.passed - totals.failed);
    for (size_t i = 0; i < plan->count; i++)
        put_case(&plan->cases[i], out);
    fputs("</testsuite>\n", out);
    errno = 0;
    bool is_bad = ferror(out);
    is_bad |= fclose(out) != 0;
    return is_bad ? (errno ? -errno : -EIO) : 0;
}
