/*
 * table.h - aligned columns: "CLUSTER  READY  NODES".
 *
 * Cells are copied and made plain. The last column is not padded, and lines
 * do not end in spaces. The first row may be a head.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/text.h"
#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 12, TABLE_GAP = 2 };

struct table {
    char **cells; /* rows of `columns` each */
    size_t columns, cell_count;
    size_t gap; /* spaces between columns */
};

void table_init(struct table *table, size_t columns);
void table_done(struct table *table);

#define cleanup_table __attribute__((cleanup(table_done)))

/* One cell after the other, row by row; NULL is an empty cell. */
void table_add(struct table *table, const char *cell);
void table_add_format(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Every row with the indentation before it; an unfinished last row counts as finished. */
void table_print(const struct table *table, size_t indent, struct text *text);

#endif
