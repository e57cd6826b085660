// Finds what a script requires: built-in modules, files beside it.
// SPDX-License-Identifier: MIT

#include "lua/modules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lua/internal.h"

#define LOADED "wirebed.loaded" // registry: name -> what the module returned

// The bytes of lua/modules/NAME.lua between two symbols. The assembler takes
// the path from the root, from which everything is built.
#define EMBED(name)                                                            \
    __asm__(".section .rodata\n"                                               \
            ".global lua_module_" #name "\n"                                   \
            "lua_module_" #name ":\n"                                          \
            ".incbin \"lua/modules/" #name ".lua\"\n"                          \
            ".global lua_module_" #name "_end\n"                               \
            "lua_module_" #name "_end:\n"                                      \
            ".byte 0\n"                                                        \
            ".previous\n");                                                    \
    extern const char lua_module_##name[], lua_module_##name##_end[]
#define MODULE(name)                                                           \
    {                                                                          \
#name, lua_module_##name, lua_module_##name##_end                      \
    }

EMBED(icmp);
EMBED(ping);
EMBED(prelude);
EMBED(traceroute);

const struct script_module script_modules[] = {
    MODULE(icmp),       MODULE(ping),       MODULE(prelude),
    MODULE(traceroute), {NULL, NULL, NULL},
};

static const struct script_module *find_module(const char *name)
{
    for (const struct script_module *m = script_modules; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static void load_embedded(lua_State *L, const struct script_module *module)
{
    char chunk[64];
    snprintf(chunk, sizeof(chunk), "=<%s>", module->name);
    if (luaL_loadbufferx(L, module->text, (size_t)(module->end - module->text),
                         chunk, "t") != LUA_OK)
        lua_error(L);
}

// Words of letters, digits, '_' and '-' joined by single dots: nothing that
// could lead out of the script's folder.
static bool is_plain_name(const char *name)
{
    char before = '.';
    for (; *name != '\0'; before = *name++)
        if (*name == '.' ? before == '.'
                         : !isalnum((unsigned char)*name) && *name != '_' &&
                               *name != '-')
            return false;
    return before != '.';
}

// The file's chunk; an error when there is no such file.
static void load_file(lua_State *L, const char *name)
{
    struct script *script = script_of(L);
    lua_pushstring(L, script->folder);
    luaL_gsub(L, name, ".", "/");
    lua_pushliteral(L, ".lua");
    lua_concat(L, 3);
    const char *path = lua_tostring(L, -1);
    int status = luaL_loadfilex(L, path, "t");
    if (status == LUA_ERRFILE)
        luaL_error(L, "no module '%s' in the program and no file %s", name,
                   path);
    if (status != LUA_OK)
        lua_error(L);
    lua_remove(L, -2);
}

static int modules_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, LOADED);
    if (lua_getfield(L, 2, name) != LUA_TNIL)
        return 1;
    if (!is_plain_name(name))
        return luaL_error(L,
                          "'%s' is no module's name: letters, digits, '_' "
                          "and '-', joined by dots",
                          name);
    const struct script_module *module = find_module(name);
    if (module != NULL)
        load_embedded(L, module);
    else
        load_file(L, name);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pushboolean(L, 1);
        lua_replace(L, -2);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

void modules_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"require", modules_require},
        {NULL, NULL},
    };
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LOADED);
    sandbox_set(L, LUA_GNAME, functions);
    load_embedded(L, find_module("prelude"));
    lua_call(L, 0, 0);
}
