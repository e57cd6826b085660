// The example of docs/stack.md, compiled and run as it is printed there.
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/unit.h"

static char embed_text[128];

static int embed_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(embed_text, sizeof(embed_text), format, arguments);
    va_end(arguments);
    return length;
}

int embed_main(void);

#define main   embed_main
#define printf embed_print
#include "docs/embed.c"
#undef main
#undef printf

static void the_example_of_an_embedded_stack_runs(void)
{
    CHECK_EQUAL(embed_main(), 0);
    CHECK_TEXT(embed_text, "you said: hello after 30 ms\n");
}

const struct unit_test suite_embed[] = {
    UNIT(the_example_of_an_embedded_stack_runs), {0}};
