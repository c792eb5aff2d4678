#include "listctl/json_cells.h"

#include <stdlib.h>

#include "base/limits.h"
#include "listctl/json_lines.h"
#include "listctl/rejects.h"

struct json_cells {
	csv_handler *handler;
	csv_fault_handler *on_fault;
	void *context;
	struct json_lines *lines;
	const struct csv_row *row; /* in hand */
};

bool json_cells_is_header(const struct csv_row *row)
{
	const struct json_lines_member *members = json_lines_people.members;
	size_t count = 0;
	if (row->count <= REJECTS_COLUMNS || !view_eq(row->fields[0].text, VIEW_LIT("_line")))
		return false;
	for (; count < JSON_LINES_MEMBERS && members[count].name != NULL; count++) {
		size_t at = REJECTS_COLUMNS + count;
		if (at >= row->count || !view_eq(view_trim(row->fields[at].text), view_of(members[count].column)))
			return false;
	}
	return row->count == REJECTS_COLUMNS + count;
}

/* A spreadsheet may have put empty cells behind it. */
bool json_cells_is_object(const struct csv_row *row)
{
	for (size_t i = REJECTS_COLUMNS + 1; i < row->count; i++) {
		if (row->fields[i].text.len > 0)
			return false;
	}
	return row->count > REJECTS_COLUMNS && view_starts(view_trim(row->fields[REJECTS_COLUMNS].text), VIEW_LIT("{"));
}

/* The object's cells, behind those that the row has in front of it. */
static enum err on_object(void *context, const struct csv_row *object, struct buf *why)
{
	const struct json_cells *cells = context;
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	size_t count = 0;
	for (size_t i = 0; i < REJECTS_COLUMNS; i++)
		fields[count++] = cells->row->fields[i];
	for (size_t i = 0; i < object->count; i++)
		fields[count++] = object->fields[i];
	const struct csv_row row = { .line = object->line, .fields = fields, .count = count };
	return cells->handler(cells->context, &row, why);
}

static enum err on_no_object(void *context, const struct csv_fault *fault, struct buf *why)
{
	const struct json_cells *cells = context;
	return cells->on_fault(cells->context, fault, why);
}

struct json_cells *json_cells_new(csv_handler *handler, csv_fault_handler *on_fault, void *context)
{
	struct json_cells *cells = calloc(1, sizeof(*cells));
	if (cells == NULL)
		return NULL;
	cells->handler = handler;
	cells->on_fault = on_fault;
	cells->context = context;
	cells->lines = json_lines_new(&json_lines_people, on_object, on_no_object, cells);
	if (cells->lines != NULL)
		return cells;
	free(cells);
	return NULL;
}

void json_cells_free(struct json_cells *cells)
{
	if (cells == NULL)
		return;
	json_lines_free(cells->lines);
	free(cells);
}

enum err json_cells_take(struct json_cells *cells, const struct csv_row *row, struct buf *why)
{
	cells->row = row;
	return json_lines_take(cells->lines, row->line, row->fields[REJECTS_COLUMNS].text, why);
}
