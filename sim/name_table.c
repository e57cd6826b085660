// Open addressing with linear probing over names.
// SPDX-License-Identifier: MIT

#include "sim/name_table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct entry {
    const char *name; // NULL: free
    void *object;
};

struct name_table {
    struct entry *entries;
    size_t count, capacity; // capacity: a power of two
};

static size_t home(const struct name_table *table, const char *name)
{
    return (size_t)XXH3_64bits(name, strlen(name)) & (table->capacity - 1);
}

// Where the name is, or the free place where it would be.
static struct entry *locate(const struct name_table *table, const char *name)
{
    size_t i = home(table, name);

    while (table->entries[i].name != NULL &&
           strcmp(table->entries[i].name, name) != 0)
        i = (i + 1) & (table->capacity - 1);
    return &table->entries[i];
}

struct name_table *name_table_create(void)
{
    struct name_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    table->capacity = 16;
    table->entries = calloc(table->capacity, sizeof(*table->entries));
    if (table->entries == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

void name_table_destroy(struct name_table *table)
{
    if (table == NULL)
        return;
    free(table->entries);
    free(table);
}

static int grow(struct name_table *table)
{
    struct name_table bigger = {.capacity = table->capacity * 2,
                                .count = table->count};

    bigger.entries = calloc(bigger.capacity, sizeof(*bigger.entries));
    if (bigger.entries == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->entries[i].name != NULL)
            *locate(&bigger, table->entries[i].name) = table->entries[i];
    free(table->entries);
    *table = bigger;
    return 0;
}

int name_table_add(struct name_table *table, const char *name, void *object)
{
    if (locate(table, name)->name != NULL)
        return -EEXIST;
    if (table->count * 2 >= table->capacity && grow(table) < 0)
        return -ENOMEM;
    *locate(table, name) = (struct entry){name, object};
    table->count++;
    return 0;
}

void name_table_remove(struct name_table *table, const char *name)
{
    struct entry *hole = locate(table, name);
    size_t mask = table->capacity - 1;
    size_t at = (size_t)(hole - table->entries);

    if (hole->name == NULL)
        return;
    table->count--;
    // Close the gap: whatever follows and would rather be here moves.
    for (size_t i = (at + 1) & mask; table->entries[i].name != NULL;
         i = (i + 1) & mask) {
        size_t wanted = home(table, table->entries[i].name);

        if (((i - wanted) & mask) >= ((i - at) & mask)) {
            table->entries[at] = table->entries[i];
            at = i;
        }
    }
    table->entries[at].name = NULL;
}

void *name_table_find(const struct name_table *table, const char *name)
{
    const struct entry *entry = locate(table, name);

    return entry->name != NULL ? entry->object : NULL;
}
