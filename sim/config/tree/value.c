// The tree of values, and the document that owns its memory.
// SPDX-License-Identifier: MIT
#include "sim/config/tree/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/tree/memory.h"
#include "sim/config/tree/names.h"
#include "stack/base.h"

// Theory of operation
//
// A document is a chain of blocks that only grows and is freed as a whole;
// values, strings and the scenario's own records all come from it, so nothing
// that a mistake leaves half-built needs to be taken apart.

#define BLOCK_SIZE ((size_t)16 * 1024)

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
};

struct document {
    struct block *blocks; // the first one is being filled
};

struct document *document_create(void)
{
    return memory_zeroed(sizeof(struct document));
}

void document_destroy(struct document *document)
{
    if (!document)
        return;
    for (struct block *b = document->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(document);
}

// A large piece gets a block of its own behind the first, which stays open.
static struct block *add_block(struct document *document, size_t size)
{
    size_t room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
    struct block *block = memory_zeroed(sizeof *block + room);
    block->size = room;
    struct block **at = &document->blocks;
    if (room != BLOCK_SIZE && *at)
        at = &(*at)->next;
    block->next = *at;
    *at = block;
    return block;
}

void *document_alloc(struct document *document, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    must(size < SIZE_MAX / 4);
    size = (size + align - 1) & ~(align - 1);
    struct block *block = document->blocks;
    if (!block || block->size - block->used < size)
        block = add_block(document, size);
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

const char *document_string(struct document *document, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(document_alloc(document, size), text, size);
}

const char *document_format(struct document *document, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t size = (size_t)(length < 0 ? 0 : length) + 1;
    char *text = document_alloc(document, size);
    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return text;
}

struct value *value_create(struct document *document, enum value_kind kind,
                           struct place place)
{
    struct value *value = document_alloc(document, sizeof *value);
    value->kind = kind;
    value->place = place;
    value->document = document;
    value->items_end = &value->items;
    return value;
}

struct value *value_scalar(struct document *document, const char *text,
                           struct place place)
{
    struct value *value = value_create(document, VALUE_SCALAR, place);
    value->text = document_string(document, text);
    return value;
}

// Small maps are searched as they are; a map gets an index when it grows.
#define INDEX_FROM 16

static void index_children(struct value *map)
{
    map->index = names_create(map->document);
    for (struct value *v = map->items; v; v = v->next)
        if (!names_find(map->index, v->key))
            names_put(map->index, v->key, v);
}

void value_append(struct value *list_or_map, struct value *child)
{
    *list_or_map->items_end = child;
    list_or_map->items_end = &child->next;
    list_or_map->count++;
    if (list_or_map->kind != VALUE_MAP || list_or_map->count < INDEX_FROM)
        return;
    if (!list_or_map->index)
        index_children(list_or_map);
    else if (!names_find(list_or_map->index, child->key))
        names_put(list_or_map->index, child->key, child);
}

struct value *value_find(const struct value *map, const char *key)
{
    if (map->kind != VALUE_MAP)
        return NULL;
    if (map->index)
        return names_find(map->index, key);
    for (struct value *v = map->items; v; v = v->next)
        if (strcmp(v->key, key) == 0)
            return v;
    return NULL;
}

static struct place copy_place(struct document *document, struct place place)
{
    if (place.file)
        place.file = document_string(document, place.file);
    return place;
}

struct value *value_copy(struct document *document, const struct value *value)
{
    struct value *copy =
        value_create(document, value->kind, copy_place(document, value->place));
    copy->is_quoted = value->is_quoted;
    if (value->text)
        copy->text = document_string(document, value->text);
    if (value->key)
        copy->key = document_string(document, value->key);
    copy->key_place = copy_place(document, value->key_place);
    for (const struct value *v = value->items; v; v = v->next)
        value_append(copy, value_copy(document, v));
    return copy;
}

bool value_is_list(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_NULL ||
           (value->kind == VALUE_MAP && value->count == 0);
}
