// Compiles a script without running it, for `wirebed check`.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>

#include "lua/script.h"

// Places in messages are those of the file as the user gave it.
static int compile(lua_State *L, FILE *file, const char *path)
{
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    size_t n;
    do {
        char *room = luaL_prepbuffer(&text);
        n = fread(room, 1, LUAL_BUFFERSIZE, file);
        luaL_addsize(&text, n);
    } while (n > 0);
    luaL_pushresult(&text);
    size_t length;
    const char *code = lua_tolstring(L, -1, &length);
    const char *name = lua_pushfstring(L, "@%s", path);
    return luaL_loadbufferx(L, code, length, name, "t");
}

int script_check(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        int error = errno;
        snprintf(text, size, "%s: %m", path);
        return -error;
    }
    lua_State *L = luaL_newstate();
    must(L);
    int result = 0;
    if (compile(L, file, path) != LUA_OK) {
        snprintf(text, size, "%s", lua_tostring(L, -1));
        result = -EINVAL;
    }
    lua_close(L);
    fclose(file);
    return result;
}
