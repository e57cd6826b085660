// Memory that lives exactly as long as one parsed script.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/language/ast.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 16384 };

struct script_chunk {
    struct script_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

static struct script_chunk *add_chunk(struct script *script, size_t size)
{
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct script_chunk *chunk = calloc(1, sizeof(*chunk) + room);

    must(chunk != NULL);
    chunk->size = room;
    chunk->next = script->chunks;
    script->chunks = chunk;
    return chunk;
}

void *script_alloc(struct script *script, size_t size)
{
    struct script_chunk *chunk = script->chunks;
    const size_t unit = sizeof(max_align_t);

    size = (size + unit - 1) / unit * unit;
    if (chunk == NULL || chunk->size - chunk->used < size)
        chunk = add_chunk(script, size);
    void *result = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return result;
}

void script_fini(struct script *script)
{
    while (script->chunks != NULL) {
        struct script_chunk *next = script->chunks->next;

        free(script->chunks);
        script->chunks = next;
    }
    memset(script, 0, sizeof(*script));
}
