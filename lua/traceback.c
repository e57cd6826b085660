// Where a script is: its calls as text.
// SPDX-License-Identifier: MIT

// Lua's own traceback names functions by searching all loaded libraries in hash
// order; this one says only what the call itself tells.

#include <string.h>

#include "lua/internal.h"

enum { MOST_LEVELS = 12 };

static void append_level(const lua_Debug *ar, char *text, size_t size)
{
    size_t used = strlen(text);
    const char *what = ar->name != NULL ? ar->name : "?";
    if (*ar->what == 'm')
        snprintf(text + used, size - used, "\n    %s:%d: in the main chunk",
                 ar->short_src, ar->currentline);
    else if (ar->currentline > 0 && ar->name != NULL)
        snprintf(text + used, size - used, "\n    %s:%d: in %s '%s'",
                 ar->short_src, ar->currentline,
                 *ar->namewhat != '\0' ? ar->namewhat : "function", what);
    else if (ar->currentline > 0)
        snprintf(text + used, size - used,
                 "\n    %s:%d: in the function of line %d", ar->short_src,
                 ar->currentline, ar->linedefined);
    else if (ar->name != NULL)
        snprintf(text + used, size - used, "\n    in %s", what);
}

void traceback_append(lua_State *of, int level, char *text, size_t size)
{
    lua_Debug ar;
    for (int n = 0; lua_getstack(of, level, &ar); level++, n++) {
        if (n == MOST_LEVELS) {
            size_t used = strlen(text);
            snprintf(text + used, size - used, "\n    ...");
            return;
        }
        if (lua_getinfo(of, "Slnt", &ar))
            append_level(&ar, text, size);
    }
}

bool traceback_caller(lua_State *L, struct caller *out)
{
    lua_Debug ar;
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0)
            continue;
        snprintf(out->file, sizeof(out->file), "%s",
                 *ar.source == '@' ? ar.source + 1 : ar.short_src);
        out->line = (unsigned)ar.currentline;
        return true;
    }
    return false;
}
