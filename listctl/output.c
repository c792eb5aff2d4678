#include "listctl/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/output_table.h"

enum { WRITE_AT = 32 << 10, TABLE_BLOCK = 1000 };

struct output {
	enum output_format format;
	FILE *file;
	const struct output_column *columns;
	size_t count;
	struct buf line;
	struct output_table *table;
	bool any_rows;    /* of the current table */
	size_t held_rows; /* of a table, not printed yet */
	bool any_block;   /* of it has been */
	bool document, any_sections;
	bool failed;
};

/* ---- cells ---- */

struct output_cell cell_null(void)
{
	return (struct output_cell){ .null = true };
}

struct output_cell cell_text(struct view text)
{
	return (struct output_cell){ .text = text };
}

struct output_cell cell_text_or_null(struct view text)
{
	return (struct output_cell){ .text = text, .null = text.len == 0 };
}

struct output_cell cell_int(int64_t number)
{
	return (struct output_cell){ .number = number };
}

struct output_cell cell_real(double number)
{
	return (struct output_cell){ .real = number };
}

struct output_cell cell_bool(bool yes)
{
	return (struct output_cell){ .number = yes };
}

struct output_cell cell_time(int64_t wall_us)
{
	return (struct output_cell){ .number = wall_us };
}

struct output_cell cell_time_or_null(int64_t wall_us)
{
	return (struct output_cell){ .number = wall_us, .null = wall_us == 0 };
}

bool output_format_from_name(const char *name, enum output_format *ret_format)
{
	static const char *const names[] = {
		[FORMAT_TABLE] = "table",
		[FORMAT_CSV] = "csv",
		[FORMAT_JSON] = "json",
	};
	static_assert(ARRAY_LEN(names) == FORMAT_COUNT, "one name a format");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_format = (enum output_format)i;
			return true;
		}
	}
	return false;
}

/* ---- pieces of text ---- */

static void add_time(struct buf *text, int64_t wall_us, char between)
{
	time_t seconds = (time_t)(wall_us / CLOCK_US_PER_SECOND);
	struct tm parts;
	gmtime_r(&seconds, &parts);
	buf_addf(text, "%04d-%02d-%02d%c%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
		 between, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

void output_time(struct buf *text, int64_t wall_us)
{
	add_time(text, wall_us, 'T');
}

static void csv_cell(struct buf *line, enum output_type type, const struct output_cell *cell)
{
	if (cell->null)
		return;
	switch (type) {
	case OUTPUT_INT:
		buf_addf(line, "%lld", (long long)cell->number);
		return;
	case OUTPUT_REAL:
		buf_addf(line, "%.6g", cell->real);
		return;
	case OUTPUT_BOOL:
		buf_add(line, cell->number != 0 ? VIEW_LIT("yes") : VIEW_LIT("no"));
		return;
	case OUTPUT_TIME:
		add_time(line, cell->number, 'T');
		return;
	case OUTPUT_TEXT:
	case OUTPUT_JSON:
	case OUTPUT_TYPE_COUNT:
		break;
	}
	output_csv_cell(line, cell->text, true);
}

static void json_cell(struct buf *line, enum output_type type, const struct output_cell *cell)
{
	if (cell->null) {
		buf_add(line, VIEW_LIT("null"));
		return;
	}
	switch (type) {
	case OUTPUT_INT:
		buf_addf(line, "%lld", (long long)cell->number);
		return;
	case OUTPUT_REAL:
		buf_addf(line, "%.6g", cell->real);
		return;
	case OUTPUT_BOOL:
		buf_add(line, cell->number != 0 ? VIEW_LIT("true") : VIEW_LIT("false"));
		return;
	case OUTPUT_JSON:
		buf_add(line, cell->text);
		return;
	case OUTPUT_TIME:
		buf_add_byte(line, '"');
		add_time(line, cell->number, 'T');
		buf_add_byte(line, '"');
		return;
	case OUTPUT_TEXT:
	case OUTPUT_TYPE_COUNT:
		break;
	}
	output_json_string(line, cell->text);
}

static void table_cell(struct buf *text, enum output_type type, const struct output_cell *cell)
{
	if (cell->null)
		return;
	switch (type) {
	case OUTPUT_REAL:
		buf_addf(text, "%.2f", cell->real);
		return;
	case OUTPUT_TIME:
		add_time(text, cell->number, ' ');
		return;
	case OUTPUT_TEXT:
	case OUTPUT_JSON:
		buf_add(text, cell->text);
		return;
	case OUTPUT_INT:
	case OUTPUT_BOOL:
	case OUTPUT_TYPE_COUNT:
		break;
	}
	csv_cell(text, type, cell);
}

/* ---- writing ---- */

struct output *output_new(enum output_format format, FILE *file)
{
	struct output *out = calloc(1, sizeof(*out));
	if (out == NULL)
		return NULL;
	out->format = format;
	out->file = file;
	out->line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	return out;
}

void output_free(struct output *out)
{
	if (out == NULL)
		return;
	output_table_free(out->table);
	buf_done(&out->line);
	free(out);
}

enum output_format output_format_of(const struct output *out)
{
	return out->format;
}

static void flush_line(struct output *out)
{
	struct view line = buf_view(&out->line);
	bool written = line.len == 0 || fwrite(line.data, 1, line.len, out->file) == line.len;
	if (buf_err(&out->line) != ERR_OK || !written)
		out->failed = true;
	buf_reset(&out->line);
}

static void csv_names(struct output *out)
{
	for (size_t i = 0; i < out->count; i++) {
		if (i > 0)
			buf_add_byte(&out->line, ',');
		output_csv_cell(&out->line, view_of(out->columns[i].name), true);
	}
	buf_add(&out->line, VIEW_LIT("\r\n"));
}

static void csv_row(struct output *out, const struct output_cell *cells)
{
	for (size_t i = 0; i < out->count; i++) {
		if (i > 0)
			buf_add_byte(&out->line, ',');
		csv_cell(&out->line, out->columns[i].type, &cells[i]);
	}
	buf_add(&out->line, VIEW_LIT("\r\n"));
}

static void json_row(struct output *out, const struct output_cell *cells)
{
	buf_add_byte(&out->line, '{');
	for (size_t i = 0; i < out->count; i++) {
		if (i > 0)
			buf_add(&out->line, VIEW_LIT(", "));
		output_json_string(&out->line, view_of(out->columns[i].name));
		buf_add(&out->line, VIEW_LIT(": "));
		json_cell(&out->line, out->columns[i].type, &cells[i]);
	}
	buf_add_byte(&out->line, '}');
}

static void table_row(struct output *out, const struct output_cell *cells)
{
	if (out->table == NULL || !output_table_add_row(out->table)) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < out->count; i++) {
		buf_reset(&out->line);
		table_cell(&out->line, out->columns[i].type, &cells[i]);
		if (buf_err(&out->line) != ERR_OK || !output_table_set(out->table, i, buf_text(&out->line)))
			out->failed = true;
	}
	buf_reset(&out->line);
	out->held_rows++;
}

/* What is held of a table; one without rows is shown too, unless it is the rest of a longer one. */
static void print_held(struct output *out)
{
	bool is_rest = out->any_block && out->held_rows == 0;
	if (out->table == NULL || (!is_rest && !output_table_print_block(out->table, out->file)))
		out->failed = true;
	out->any_block = true;
	out->held_rows = 0;
}

void output_begin(struct output *out, const struct output_column *columns, size_t count)
{
	out->columns = columns;
	out->count = count;
	out->any_rows = out->any_block = false;
	out->held_rows = 0;
	switch (out->format) {
	case FORMAT_CSV:
		csv_names(out);
		return;
	case FORMAT_JSON:
		buf_add_byte(&out->line, '[');
		return;
	case FORMAT_TABLE:
	case FORMAT_COUNT:
		break;
	}
	out->table = output_table_new(columns, count);
}

static void json_listed_row(struct output *out, const struct output_cell *cells)
{
	buf_add(&out->line, out->any_rows ? VIEW_LIT(",\n  ") : VIEW_LIT("\n  "));
	json_row(out, cells);
}

void output_row(struct output *out, const struct output_cell *cells)
{
	switch (out->format) {
	case FORMAT_CSV:
		csv_row(out, cells);
		break;
	case FORMAT_JSON:
		json_listed_row(out, cells);
		break;
	case FORMAT_TABLE:
	case FORMAT_COUNT:
		table_row(out, cells);
		if (out->held_rows == TABLE_BLOCK)
			print_held(out);
		break;
	}
	out->any_rows = true;
	if (out->line.len > WRITE_AT)
		flush_line(out);
}

static enum err finish(struct output *out, struct buf *why)
{
	flush_line(out);
	if (fflush(out->file) != 0)
		out->failed = true;
	if (!out->failed)
		return ERR_OK;
	buf_addf(why, "the output could not be written whole; is the disk full?");
	return ERR_IO;
}

enum err output_end(struct output *out, struct buf *why)
{
	if (out->format == FORMAT_JSON) {
		buf_add(&out->line, out->any_rows ? VIEW_LIT("\n]") : VIEW_LIT("]"));
		if (!out->document)
			buf_add_byte(&out->line, '\n');
	}
	if (out->format == FORMAT_TABLE) {
		print_held(out);
		output_table_free(out->table);
		out->table = NULL;
	}
	return finish(out, why);
}

/* For people: one line a column. */
static void object_table(struct output *out, const struct output_column *columns, size_t count,
			 const struct output_cell *cells)
{
	out->table = output_table_new_pairs();
	for (size_t i = 0; out->table != NULL && i < count; i++) {
		buf_reset(&out->line);
		table_cell(&out->line, columns[i].type, &cells[i]);
		if (buf_err(&out->line) != ERR_OK || !output_table_add_row(out->table) ||
		    !output_table_set(out->table, 0, columns[i].name) ||
		    !output_table_set(out->table, 1, buf_text(&out->line)))
			out->failed = true;
	}
	buf_reset(&out->line);
	if (out->table == NULL || !output_table_print(out->table, out->file))
		out->failed = true;
	output_table_free(out->table);
	out->table = NULL;
}

enum err output_object(struct output *out, const struct output_column *columns, size_t count,
		       const struct output_cell *cells, struct buf *why)
{
	out->columns = columns;
	out->count = count;
	switch (out->format) {
	case FORMAT_CSV:
		csv_names(out);
		csv_row(out, cells);
		break;
	case FORMAT_JSON:
		json_row(out, cells);
		if (!out->document)
			buf_add_byte(&out->line, '\n');
		break;
	case FORMAT_TABLE:
	case FORMAT_COUNT:
		object_table(out, columns, count, cells);
		break;
	}
	return finish(out, why);
}

/* ---- documents ---- */

void output_document_begin(struct output *out)
{
	out->document = true;
	out->any_sections = false;
	if (out->format == FORMAT_JSON)
		buf_add_byte(&out->line, '{');
}

void output_section(struct output *out, const char *name, const char *title)
{
	switch (out->format) {
	case FORMAT_CSV:
		if (out->any_sections)
			buf_add(&out->line, VIEW_LIT("\r\n"));
		break;
	case FORMAT_JSON:
		buf_add(&out->line, out->any_sections ? VIEW_LIT(",\n") : VIEW_LIT("\n"));
		output_json_string(&out->line, view_of(name));
		buf_add(&out->line, VIEW_LIT(": "));
		break;
	case FORMAT_TABLE:
	case FORMAT_COUNT:
		buf_addf(&out->line, "%s%s\n", out->any_sections ? "\n" : "", title);
		break;
	}
	flush_line(out);
	out->any_sections = true;
}

enum err output_document_end(struct output *out, struct buf *why)
{
	if (out->format == FORMAT_JSON)
		buf_add(&out->line, VIEW_LIT("\n}\n"));
	out->document = false;
	return finish(out, why);
}
