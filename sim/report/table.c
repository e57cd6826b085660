// Columns of text that line up.
// SPDX-License-Identifier: MIT
#include "sim/report/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base.h"

struct text_table {
    size_t columns, count, capacity;
    char **cells; // titles first
};

static void add_cell(struct text_table *table, char *text)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        char **cells = realloc(table->cells, capacity * sizeof(*cells));
        must(cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    must(text);
    table->cells[table->count++] = text;
}

struct text_table *text_table_create(const char *const *titles, size_t columns)
{
    struct text_table *table = calloc(1, sizeof(*table));
    must(table);
    table->columns = columns;
    for (size_t i = 0; i < columns; i++)
        add_cell(table, strdup(titles[i]));
    return table;
}

void text_table_cell(struct text_table *table, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    add_cell(table, length < 0 ? NULL : text);
}

static const char *title_text(const char *title)
{
    return *title == '<' ? title + 1 : title;
}

static int column_width(const struct text_table *table, size_t column)
{
    size_t width = strlen(title_text(table->cells[column]));
    for (size_t i = column + table->columns; i < table->count;
         i += table->columns)
        if (strlen(table->cells[i]) > width)
            width = strlen(table->cells[i]);
    return (int)width;
}

static void print_row(const struct text_table *table, size_t row,
                      const int *widths, FILE *out)
{
    char **cells = table->cells + row * table->columns;
    for (size_t i = 0; i < table->columns; i++) {
        const char *text = row == 0 ? title_text(cells[i]) : cells[i];
        bool is_left = i == 0 || *table->cells[i] == '<';
        bool is_last = i + 1 == table->columns;
        fputs("  ", out);
        if (is_left && is_last)
            fputs(text, out);
        else
            fprintf(out, is_left ? "%-*s" : "%*s", widths[i], text);
    }
    fputc('\n', out);
}

void text_table_print(struct text_table *table, int bold, FILE *out)
{
    size_t rows = table->count / table->columns;
    int *widths = calloc(table->columns, sizeof(*widths));
    must(widths && table->count % table->columns == 0);
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    for (size_t row = 0; rows > 1 && row < rows; row++) {
        fputs(row == 0 && bold ? "\033[1m" : "", out);
        print_row(table, row, widths, out);
        fputs(row == 0 && bold ? "\033[0m" : "", out);
    }
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(widths);
    free(table);
}
