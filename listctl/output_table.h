/* Tables for people; the only door to libsmartcols. Fits the terminal's width when stdout is one; control characters in cells are
 * shown as escapes. */
#ifndef LISTCTL_OUTPUT_TABLE_H
#define LISTCTL_OUTPUT_TABLE_H

#include "listctl/output.h"

struct output_table;

/* NULL: no memory. */
struct output_table *output_table_new(const struct output_column *columns, size_t count);
/* Two columns without headings: what, and its value. */
struct output_table *output_table_new_pairs(void);
void output_table_free(struct output_table *table); /* accepts NULL */
/* False: no memory. The text is copied into the last row. */
bool output_table_add_row(struct output_table *table) MUST_USE;
bool output_table_set(struct output_table *table, size_t column, const char *text) MUST_USE;
bool output_table_print(struct output_table *table, FILE *file) MUST_USE;
/* Prints the rows so far and forgets them: those that follow go without headings, in columns at least as wide. */
bool output_table_print_block(struct output_table *table, FILE *file) MUST_USE;

#endif
