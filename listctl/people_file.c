#include "listctl/people_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/address_lines.h"
#include "listctl/column_names.h"
#include "listctl/first_rows.h"
#include "listctl/json_cells.h"
#include "listctl/json_lines.h"
#include "listctl/sniff.h"

enum { STEP = 64 << 10, DECODED_MOST = 4 * STEP, NAME_SIZE = 16 };

struct people_file {
	struct input input;
	bool is_open;
	struct people_file_wishes wishes;
	enum encoding encoding; /* as far as the first part tells */
	bool is_guessed;
	struct utf16 utf16;
	enum layout layout;
	bool is_array; /* of JSON */
	char delimiter;
	bool has_hint; /* "sep=;" stands in the first line */
	uint64_t header_line;
	bool has_header;
	struct first_rows first; /* for a header that is made up */
	const struct people_handlers *handlers;
	struct csv_reader *reader;
	struct address_lines *lines;
	struct json_lines *objects;
	struct json_cells *cells; /* of a rejects file of JSON lines; else NULL */
	struct buf decoded;       /* what the octets in hand are, when they come in UTF-16 */
	size_t got;
	char octets[STEP];
};

/* ---- the first part ---- */

static bool is_utf16(enum encoding encoding)
{
	return encoding == ENCODING_UTF_16LE || encoding == ENCODING_UTF_16BE;
}

/* As far as room allows: what is found out must not depend on how a pipe parts it. */
static enum err fill(struct people_file *file, struct buf *why)
{
	size_t got;
	enum err err;
	file->got = 0;
	do {
		err = input_read(&file->input, file->octets + file->got, sizeof(file->octets) - file->got, &got, why);
		file->got += err == ERR_OK ? got : 0;
	} while (err == ERR_OK && got > 0 && file->got < sizeof(file->octets));
	return err;
}

/* A mark at the front says more than a person does: what `listctl` writes begins with one. */
static size_t settle_encoding(struct people_file *file)
{
	size_t mark;
	enum encoding found = encoding_sniff(view_from(file->octets, file->got), &mark);
	bool is_said = file->wishes.encoding != ENCODING_AUTO && mark == 0;
	file->encoding = is_said ? file->wishes.encoding : found;
	file->is_guessed = !is_said && mark == 0;
	file->utf16.is_big = file->encoding == ENCODING_UTF_16BE;
	return mark;
}

/* The octets as text in an encoding that holds ASCII. */
static struct view decode(struct people_file *file, struct view octets)
{
	if (!is_utf16(file->encoding))
		return octets;
	buf_reset(&file->decoded);
	utf16_add(&file->utf16, octets, &file->decoded);
	return buf_view(&file->decoded);
}

/* An array of objects, or of nothing. */
static bool begins_array(struct view start)
{
	start = view_trim(start);
	if (!view_starts(start, VIEW_LIT("[")))
		return false;
	start = view_trim(view_skip(start, 1));
	return view_starts(start, VIEW_LIT("{")) || view_starts(start, VIEW_LIT("]"));
}

static enum err look(struct people_file *file, struct buf *why)
{
	enum err err = fill(file, why);
	if (err != ERR_OK)
		return err;
	AUTO_BUF wrong = buf_with_ceiling(LIMIT_WHY);
	size_t mark = settle_encoding(file), hint = 0;
	struct view start = decode(file, view_skip(view_from(file->octets, file->got), mark));
	if (!sniff_is_text(start, &wrong)) {
		buf_addf(why, "%s %s", file->input.name, buf_text(&wrong));
		return ERR_INVALID;
	}
	bool is_said = file->wishes.delimiter != '\0' || file->wishes.header != HEADER_UNSAID;
	file->layout = is_said ? LAYOUT_CSV : sniff_layout(start);
	if (file->layout == LAYOUT_LINES && file->wishes.names_columns)
		file->layout = LAYOUT_CSV; /* of one column, with a header */
	file->is_array = file->wishes.objects != NULL ? view_starts(view_trim(start), VIEW_LIT("["))
						      : !is_said && begins_array(start);
	if (file->is_array || (file->wishes.objects != NULL && view_starts(view_trim(start), VIEW_LIT("{"))))
		file->layout = LAYOUT_JSON;
	file->delimiter = sniff_delimiter(start, &hint);
	file->has_hint = hint > 0;
	if (file->wishes.delimiter != '\0')
		file->delimiter = file->wishes.delimiter;
	if (file->layout == LAYOUT_CSV && file->wishes.header != HEADER_YES)
		err = first_rows_look(start, file->delimiter, &file->first);
	memmove(file->octets, file->octets + mark, file->got - mark);
	file->got -= mark;
	return err == ERR_OK ? buf_err(&file->decoded) : err;
}

enum err people_file_open(const char *path, const struct people_file_wishes *wishes, bool quiet,
			  struct people_file **ret_file, struct buf *why)
{
	struct people_file *file = calloc(1, sizeof(*file));
	if (file == NULL)
		return ERR_MEMORY;
	file->wishes = *wishes;
	file->decoded = buf_with_ceiling(DECODED_MOST);
	enum err err = input_open(path, "reading", quiet, &file->input, why);
	file->is_open = err == ERR_OK;
	if (err == ERR_OK)
		err = look(file, why);
	if (err != ERR_OK) {
		people_file_free(file);
		return err;
	}
	*ret_file = file;
	return ERR_OK;
}

void people_file_free(struct people_file *file)
{
	if (file == NULL)
		return;
	if (file->is_open)
		input_close(&file->input);
	csv_reader_free(file->reader);
	address_lines_free(file->lines);
	json_lines_free(file->objects);
	json_cells_free(file->cells);
	buf_done(&file->decoded);
	free(file);
}

const char *people_file_name(const struct people_file *file)
{
	return file->input.name;
}

void people_file_count(struct people_file *file, uint64_t rows)
{
	file->input.progress.rows = rows;
}

/* ---- rows ---- */

static bool is_rejects_header(const struct csv_row *row)
{
	return row->count > 0 && view_eq(row->fields[0].text, VIEW_LIT("_line"));
}

/* A row is a header unless an address stands in it, or somebody has said so. */
static bool is_header(const struct people_file *file, const struct csv_row *row)
{
	if (is_rejects_header(row) || file->wishes.header == HEADER_YES)
		return true;
	return file->wishes.header == HEADER_UNSAID && first_rows_address(row) == row->count;
}

/* The names that stand for a header where there is none. */
static enum err give_made_up_header(struct people_file *file, const struct csv_row *row, struct buf *why)
{
	char names[LIMIT_CSV_COLUMNS][NAME_SIZE];
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	size_t count = file->first.count > 0 ? file->first.count : row->count;
	size_t address = file->first.count > 0 ? file->first.address : first_rows_address(row);
	for (size_t i = 0; i < count; i++) {
		size_t number = i + 1;
		size_t at = NAME_SIZE;
		names[i][--at] = '\0';
		for (; number > 0; number /= 10)
			names[i][--at] = (char)('0' + number % 10);
		names[i][--at] = '#';
		struct view name = view_of(names[i] + at);
		if (i == address)
			name = VIEW_LIT("email");
		else if (count == 2 && address < 2)
			name = VIEW_LIT("name");
		fields[i] = (struct csv_field){ .text = name };
	}
	const struct csv_row header = { .line = row->line, .fields = fields, .count = count };
	file->has_header = true;
	return file->handlers->header(file->handlers->context, &header, why);
}

static enum err give_row(struct people_file *file, const struct csv_row *row, struct buf *why)
{
	if (file->cells != NULL && json_cells_is_object(row))
		return json_cells_take(file->cells, row, why);
	return file->handlers->row(file->handlers->context, row, why);
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct people_file *file = context;
	const struct people_handlers *handlers = file->handlers;
	if (file->has_header)
		return give_row(file, row, why);
	if (file->has_hint && row->line == 1)
		return ERR_OK;
	file->has_header = true;
	if (is_header(file, row)) {
		file->header_line = row->line;
		if (json_cells_is_header(row)) {
			file->cells = json_cells_new(handlers->row, handlers->fault, handlers->context);
			if (file->cells == NULL)
				return ERR_MEMORY;
		}
		return handlers->header(handlers->context, row, why);
	}
	enum err err = give_made_up_header(file, row, why);
	return err == ERR_OK ? handlers->row(handlers->context, row, why) : err;
}

/* Nothing can be understood without a header that can be read; where there is none, rows behind this one tell. */
static enum err on_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	struct people_file *file = context;
	enum err err = ERR_OK;
	if (!file->has_header && file->wishes.header == HEADER_NO && file->first.count > 0)
		err = give_made_up_header(file, &(struct csv_row){ .line = fault->line }, why);
	if (file->has_header)
		return err == ERR_OK ? file->handlers->fault(file->handlers->context, fault, why) : err;
	buf_addf(why, "%s, line %llu: %s%s", file->input.name, (unsigned long long)fault->line, fault->text,
		 file->wishes.header == HEADER_UNSAID && file->first.count > 0
		     ? "; or, if that line is no header, --header no"
		     : "");
	return ERR_INVALID;
}

/* ---- reading ---- */

static bool make_reader(struct people_file *file)
{
	const struct people_handlers *handlers = file->handlers;
	switch (file->layout) {
	case LAYOUT_JSON:
		file->objects = json_lines_new(file->wishes.objects != NULL ? file->wishes.objects : &json_lines_people,
					       handlers->row, handlers->fault, handlers->context);
		if (file->objects != NULL && file->is_array)
			json_lines_set_array(file->objects);
		return file->objects != NULL;
	case LAYOUT_LINES:
	case LAYOUT_STANZAS:
		file->lines = address_lines_new(file->layout, file->encoding, file->is_guessed, handlers->row,
						handlers->fault, handlers->context);
		return file->lines != NULL;
	case LAYOUT_CSV:
	case LAYOUT_COUNT:
		break;
	}
	file->reader = csv_reader_new(file->input.name, file->delimiter, on_row, file);
	if (file->reader == NULL)
		return false;
	csv_reader_set_faults(file->reader, on_fault);
	csv_reader_set_encoding(file->reader, file->encoding, file->is_guessed);
	return true;
}

/* What is no CSV has a header of its own. */
static enum err begin(struct people_file *file, struct buf *why)
{
	if (!make_reader(file))
		return ERR_MEMORY;
	if (file->reader != NULL)
		return ERR_OK;
	const struct csv_row header =
	    file->objects != NULL ? json_lines_header(file->objects) : address_lines_header(file->layout);
	file->has_header = true;
	return file->handlers->header(file->handlers->context, &header, why);
}

static enum err feed(struct people_file *file, struct view text, struct buf *why)
{
	if (text.len == 0)
		return buf_err(&file->decoded);
	if (file->reader != NULL)
		return csv_reader_feed(file->reader, text, why);
	return file->objects != NULL ? json_lines_feed(file->objects, text, why)
				     : address_lines_feed(file->lines, text, why);
}

static enum err finish_reader(struct people_file *file, struct buf *why)
{
	if (file->reader != NULL)
		return csv_reader_finish(file->reader, why);
	return file->objects != NULL ? json_lines_finish(file->objects, why) : address_lines_finish(file->lines, why);
}

static enum err finish(struct people_file *file, struct buf *why)
{
	enum err err = ERR_OK;
	if (is_utf16(file->encoding)) {
		buf_reset(&file->decoded);
		utf16_end(&file->utf16, &file->decoded);
		err = feed(file, buf_view(&file->decoded), why);
	}
	if (err == ERR_OK)
		err = finish_reader(file, why);
	if (err == ERR_OK && !file->has_header) {
		buf_addf(why, "%s is empty; its first line names the columns, such as email,name", file->input.name);
		err = ERR_INVALID;
	}
	return err;
}

enum err people_file_read(struct people_file *file, const struct people_handlers *handlers, struct buf *why)
{
	file->handlers = handlers;
	file->utf16 = (struct utf16){ .is_big = file->utf16.is_big };
	enum err err = begin(file, why);
	while (err == ERR_OK && file->got > 0) {
		err = feed(file, decode(file, view_from(file->octets, file->got)), why);
		if (err == ERR_OK)
			err = fill(file, why);
	}
	if (err == ERR_OK)
		err = finish(file, why);
	progress_end(&file->input.progress);
	return err;
}

/* ---- what it was ---- */

static const char *delimiter_name(char delimiter)
{
	static const struct {
		char character;
		const char *name;
	} names[] = { { ',', "commas" }, { ';', "semicolons" }, { '\t', "tabs" }, { '|', "bars" } };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].character == delimiter)
			return names[i].name;
	}
	return NULL;
}

struct people_file_finding people_file_finding(const struct people_file *file)
{
	static const char *const layouts[] = {
		[LAYOUT_CSV] = "CSV",
		[LAYOUT_LINES] = "addresses, one a line",
		[LAYOUT_STANZAS] = "a Sympa dump",
		[LAYOUT_JSON] = "JSON, an object a line",
	};
	enum encoding encoding = file->encoding;
	if (file->reader != NULL)
		encoding = csv_reader_encoding(file->reader);
	else if (file->lines != NULL)
		encoding = address_lines_encoding(file->lines);
	return (struct people_file_finding){
		.encoding = encoding_name(encoding),
		.delimiter = file->layout == LAYOUT_CSV ? delimiter_name(file->delimiter) : NULL,
		.header_line = file->header_line,
		.is_packed = input_is_packed(&file->input),
		.layout = file->is_array ? "JSON, an array" : layouts[file->layout],
	};
}

void people_file_describe(const struct people_file *file, struct buf *out)
{
	struct people_file_finding finding = people_file_finding(file);
	buf_addf(out, "read as %s%s", finding.encoding, finding.is_packed ? ", unpacked" : "");
	if (finding.delimiter == NULL) {
		buf_addf(out, ", %s", finding.layout);
		return;
	}
	buf_addf(out, ", parted by %s", finding.delimiter);
	if (finding.header_line > 0)
		buf_addf(out, ", header in line %llu", (unsigned long long)finding.header_line);
	else
		buf_add(out, VIEW_LIT(", without a header"));
}
