// A table of names: finds what carries a name among many.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include <stddef.h>

struct document;
struct names;

// Lives as long as the document.
struct names *names_create(struct document *document);
// Replaces what had the name before. thing NULL: forgets the name.
void names_put(struct names *names, const char *name, void *thing);
void *names_find(const struct names *names, const char *name); // NULL: none

#endif
