// A hash table from names to whatever carries them.
// SPDX-License-Identifier: MIT
#include "sim/config/tree/names.h"

#include <stdint.h>
#include <string.h>

#include "sim/config/tree/value.h"

// Open addressing; a slot whose name is NULL was never used. Nobody walks the
// table, so the order of its slots shows nowhere.
struct slot {
    const char *name;
    void *thing;
};

struct names {
    struct document *document;
    struct slot *slots;
    size_t used, size; // size: a power of two, more than used
};

// FNV-1a.
static uint64_t hash(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

static struct slot *find_slot(struct slot *slots, size_t size, const char *name)
{
    size_t at = (size_t)hash(name) & (size - 1);
    while (slots[at].name && strcmp(slots[at].name, name) != 0)
        at = (at + 1) & (size - 1);
    return &slots[at];
}

struct names *names_create(struct document *document)
{
    struct names *names = document_alloc(document, sizeof *names);
    names->document = document;
    names->size = 16;
    names->slots = document_alloc(document, names->size * sizeof *names->slots);
    return names;
}

static void grow(struct names *names)
{
    size_t size = names->size * 2;
    struct slot *slots = document_alloc(names->document, size * sizeof *slots);
    for (size_t i = 0; i < names->size; i++)
        if (names->slots[i].name)
            *find_slot(slots, size, names->slots[i].name) = names->slots[i];
    names->slots = slots;
    names->size = size;
}

void names_put(struct names *names, const char *name, void *thing)
{
    struct slot *slot = find_slot(names->slots, names->size, name);
    if (!slot->name) {
        if ((names->used + 1) * 2 > names->size) {
            grow(names);
            slot = find_slot(names->slots, names->size, name);
        }
        slot->name = document_string(names->document, name);
        names->used++;
    }
    slot->thing = thing;
}

void *names_find(const struct names *names, const char *name)
{
    return find_slot(names->slots, names->size, name)->thing;
}
