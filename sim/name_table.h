// Finds objects of a simulation by their names.
// SPDX-License-Identifier: MIT
#ifndef SIM_NAME_TABLE_H
#define SIM_NAME_TABLE_H

// Open addressing over the names' hashes. Nothing ever walks the table, so the
// order of the hashes shows nowhere.

struct name_table;

struct name_table *name_table_create(void); // NULL: out of memory
void name_table_destroy(struct name_table *table);
// The name is borrowed and must outlive its entry. -EEXIST, -ENOMEM.
int name_table_add(struct name_table *table, const char *name, void *object);
void name_table_remove(struct name_table *table, const char *name);
void *name_table_find(const struct name_table *table,
                      const char *name); // NULL: none

#endif
