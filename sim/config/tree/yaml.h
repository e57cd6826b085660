// Reading YAML text that need not be a file.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "sim/config/tree/value.h"

// As yaml_load_text. has_places false: every value is at `name`, without line
// and column.
struct value *yaml_load(struct document *document, const char *name,
                        bool has_places, const char *text, size_t length,
                        struct diagnostics *diagnostics);

#endif
