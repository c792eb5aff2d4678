#include "listctl/output_table.h"

#include <ctype.h>
#include <stdlib.h>

#include <libsmartcols.h>

struct output_table {
	struct libscols_table *table;
	struct libscols_line *line;
};

/* "sent_at" is shown as "SENT AT". */
static bool add_column(struct libscols_table *table, const char *name, int flags)
{
	char heading[64];
	size_t len = 0;
	for (; name[len] != '\0' && len < sizeof(heading) - 1; len++)
		heading[len] = name[len] == '_' ? ' ' : (char)toupper((unsigned char)name[len]);
	heading[len] = '\0';
	return scols_table_new_column(table, heading, 0, flags) != NULL;
}

static struct output_table *new_table(void)
{
	struct output_table *table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	table->table = scols_new_table();
	if (table->table == NULL) {
		free(table);
		return NULL;
	}
	return table;
}

struct output_table *output_table_new(const struct output_column *columns, size_t count)
{
	struct output_table *table = new_table();
	if (table == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		int flags = columns[i].type == OUTPUT_INT || columns[i].type == OUTPUT_REAL ? SCOLS_FL_RIGHT : 0;
		if (columns[i].wraps)
			flags |= SCOLS_FL_WRAP;
		if (!add_column(table->table, columns[i].name, flags)) {
			output_table_free(table);
			return NULL;
		}
	}
	return table;
}

struct output_table *output_table_new_pairs(void)
{
	struct output_table *table = new_table();
	if (table == NULL)
		return NULL;
	scols_table_enable_noheadings(table->table, 1);
	if (!add_column(table->table, "what", 0) || !add_column(table->table, "value", SCOLS_FL_WRAP)) {
		output_table_free(table);
		return NULL;
	}
	return table;
}

void output_table_free(struct output_table *table)
{
	if (table == NULL)
		return;
	scols_unref_table(table->table);
	free(table);
}

bool output_table_add_row(struct output_table *table)
{
	table->line = scols_table_new_line(table->table, NULL);
	return table->line != NULL;
}

bool output_table_set(struct output_table *table, size_t column, const char *text)
{
	return scols_line_set_data(table->line, column, text) == 0;
}

bool output_table_print(struct output_table *table, FILE *file)
{
	return scols_table_set_stream(table->table, file) == 0 && scols_print_table(table->table) == 0;
}

bool output_table_print_block(struct output_table *table, FILE *file)
{
	if (!output_table_print(table, file))
		return false;
	struct libscols_iter *each = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_column *column;
	bool done = each != NULL;
	while (done && scols_table_next_column(table->table, each, &column) == 0)
		done = scols_column_set_whint(column, (double)scols_column_get_width(column)) == 0;
	scols_free_iter(each);
	scols_table_remove_lines(table->table);
	return scols_table_enable_noheadings(table->table, 1) == 0 && done;
}
