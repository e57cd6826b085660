// Columns of text that line up, for people's eyes.
// SPDX-License-Identifier: MIT
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdio.h>

// A title row, then rows of cells; the first column is left-aligned, "<" in a
// title makes any other so; the rest are right-aligned.
struct text_table;
struct text_table *text_table_create(const char *const *titles, size_t columns);
// Adds a cell; a row is complete after as many cells as there are columns.
void text_table_cell(struct text_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Prints and frees. Nothing but titles: prints nothing. bold: escape sequences
// around titles.
void text_table_print(struct text_table *table, int bold, FILE *out);

#endif
