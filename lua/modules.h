// The Lua modules that are part of the program.
// SPDX-License-Identifier: MIT
#ifndef LUA_MODULES_H
#define LUA_MODULES_H

struct script_module {
    const char *name; // as given to require
    const char *text, *end;
};
extern const struct script_module script_modules[]; // ends with a NULL name

#endif
