#include "cli/table.h"

#include "base/memory.h"
#include "base/plain.h"

void table_init(struct table *table, size_t columns)
{
    *table = (struct table){.columns = columns, .gap = TABLE_GAP};
}

void table_done(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}

void table_add(struct table *table, const char *cell)
{
    table->cells = memory_resize(table->cells, table->cell_count + 1, sizeof(*table->cells));
    table->cells[table->cell_count++] = memory_string(cell ? cell : "");
}

void table_add_format(struct table *table, const char *format, ...)
{
    cleanup_text struct text cell;
    text_init(&cell, 0);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&cell, format, arguments);
    va_end(arguments);
    table_add(table, cell.data);
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = plain_width(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
}

/* Spaces are owed until something follows them, so that none end a line. */
static void print_row(const struct table *table, size_t first, const size_t *widths, size_t indent,
                      struct text *text)
{
    size_t owed = indent;
    for (size_t column = 0; column < table->columns; column++) {
        const char *cell = first + column < table->cell_count ? table->cells[first + column] : "";
        if (*cell) {
            text_add_char(text, ' ', owed);
            plain_add(text, cell);
            owed = 0;
        }
        owed += widths[column] - plain_width(cell) + table->gap;
    }
    text_add(text, "\n");
}

void table_print(const struct table *table, size_t indent, struct text *text)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    measure(table, widths);
    for (size_t first = 0; first < table->cell_count; first += table->columns)
        print_row(table, first, widths, indent, text);
}
