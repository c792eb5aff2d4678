/* Data for stdout: one definition of columns gives a table for people, CSV (RFC 4180) and JSON.
 *
 *     output_begin(out, columns, ARRAY_LEN(columns));
 *     output_row(out, (struct output_cell[]){ cell_text(name), cell_int(count) });
 *     err = output_end(out, call->why);
 *
 * CSV and JSON are written as the rows come. A table's widths depend on its rows: it is held until output_end() or, where it is long, written in blocks,
 * so that nobody waits for the last row to see the first, and memory does not grow. */
#ifndef LISTCTL_OUTPUT_H
#define LISTCTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum output_format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON, FORMAT_COUNT };

enum output_type {
	OUTPUT_TEXT,
	OUTPUT_INT,  /* right-aligned */
	OUTPUT_REAL, /* right-aligned, two decimals in tables */
	OUTPUT_BOOL, /* yes/no, true/false in JSON */
	OUTPUT_TIME, /* microseconds since 1970; RFC 3339 in UTC */
	OUTPUT_JSON, /* a JSON text, written into JSON as it is and into the others as text */
	OUTPUT_TYPE_COUNT
};

struct output_column {
	const char *name; /* JSON and CSV name, lower case with underscores; tables show it in capitals with blanks */
	enum output_type type;
	bool wraps; /* in tables, this column gives way when the terminal is narrow */
};

/* A cell has the type of its column; null is allowed in every column. Text is borrowed during the call. */
struct output_cell {
	bool null;
	int64_t number;
	double real;
	struct view text;
};
struct output_cell cell_null(void);
struct output_cell cell_text(struct view text);
struct output_cell cell_text_or_null(struct view text); /* the empty view is null */
struct output_cell cell_int(int64_t number);
struct output_cell cell_real(double number);
struct output_cell cell_bool(bool yes);
struct output_cell cell_time(int64_t wall_us);
struct output_cell cell_time_or_null(int64_t wall_us); /* 0 is null */

struct output;

/* Writes to file, which stays the caller's. NULL: no memory. */
struct output *output_new(enum output_format format, FILE *file);
void output_free(struct output *out); /* accepts NULL */
bool output_format_from_name(const char *name, enum output_format *ret_format) MUST_USE;
enum output_format output_format_of(const struct output *out);

/* A table of rows: an array of objects in JSON. Columns are borrowed until output_end(). */
void output_begin(struct output *out, const struct output_column *columns, size_t count);
void output_row(struct output *out, const struct output_cell *cells);
enum err output_end(struct output *out, struct buf *why) MUST_USE;

/* One object (show, status): "name  value" lines for people, one row in CSV, one object in JSON. */
enum err output_object(struct output *out, const struct output_column *columns, size_t count,
		       const struct output_cell *cells, struct buf *why) MUST_USE;

/* Several tables and objects in one answer: an object with a member for each in JSON; for people under a title each; in CSV one
 * after the other, parted by an empty line. output_section() stands before each output_begin() or output_object(). */
void output_document_begin(struct output *out);
void output_section(struct output *out, const char *name, const char *title);
enum err output_document_end(struct output *out, struct buf *why) MUST_USE;

/* CSV cells as RFC 4180 quotes them. With guard, text that a spreadsheet would take for a formula (beginning with = + - @ TAB CR,
 * and no plain number) gets an apostrophe in front. */
void output_csv_cell(struct buf *line, struct view text, bool guard);
/* RFC 3339 in UTC, to the second. */
void output_time(struct buf *text, int64_t wall_us);
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void output_json_string(struct buf *text, struct view value);

#endif
