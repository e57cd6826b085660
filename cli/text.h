// Text that grows, for scenarios that commands write.
// SPDX-License-Identifier: MIT
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

struct text {
    char *bytes; // ends with 0; NULL: nothing yet
    size_t length;
};

void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Between quotes of YAML, so that it is one text whatever is in it.
void text_add_quoted(struct text *text, const char *value);
// "[a, b]" of what commas separate in `list`, quoted.
void text_add_list(struct text *text, const char *list);
void text_fini(struct text *text);

#endif
