#include "listctl/csv_import.h"

#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "base/limits.h"
#include "listctl/line_cutter.h"

enum {
	FIELD_ROOM = 1024,          /* what libcsv's buffer has beyond a field: it grows by blocks */
	RAW_MOST = LIMIT_CSV_FIELD, /* of a row that cannot be parted, for its owner to find it */
	SLICE = 64 << 10,
	MARK = 3,                      /* octets of a byte order mark */
	TEXT_MOST = 3 * LIMIT_CSV_ROW, /* an octet becomes three at most */
	OPTIONS = CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL,
};

/* Lines come whole to libcsv, so that every row's text and line are known. A row of several lines is held until it is over. */
struct csv_reader {
	const char *name;
	char delimiter;
	enum encoding encoding;
	bool is_guessed;
	csv_handler *handler;
	csv_fault_handler *on_fault; /* NULL: a fault ends the reading */
	void *context;
	struct csv_parser parser;
	bool has_parser;
	struct buf *why; /* of the call in progress, for libcsv's callbacks */
	enum err err;
	bool has_started; /* beyond a byte order mark */
	uint64_t line;    /* the one that comes next */
	uint64_t row_line;
	bool in_row;
	struct line_cutter lines;
	struct buf mark;  /* what may become a byte order mark */
	struct buf raw;   /* the lines of the row in progress that libcsv has taken, when there are several */
	struct view last; /* the line that libcsv has in hand */
	struct buf again; /* lines to be read anew, from again_at on */
	size_t again_at;
	bool is_rereading;
	struct buf sentence;
	struct buf utf8;     /* the row's fields, decoded */
	struct buf readable; /* what is told of a fault */
	struct buf text;     /* the row's fields, one after the other */
	const char *fault;   /* what is wrong with the row in hand, found in a callback */
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	size_t ends[LIMIT_CSV_COLUMNS];
	size_t count;
};

/* libcsv grows one buffer for the field in hand; this is its ceiling. */
static void *grow(void *old, size_t size)
{
	return size > LIMIT_CSV_FIELD + FIELD_ROOM ? NULL : realloc(old, size);
}

static bool parser_start(struct csv_reader *reader)
{
	if (reader->has_parser)
		csv_free(&reader->parser);
	reader->has_parser = csv_init(&reader->parser, OPTIONS) == 0;
	if (!reader->has_parser)
		return false;
	csv_set_realloc_func(&reader->parser, grow);
	csv_set_delim(&reader->parser, (unsigned char)reader->delimiter);
	return true;
}

struct csv_reader *csv_reader_new(const char *name, char delimiter, csv_handler *handler, void *context)
{
	struct csv_reader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return NULL;
	reader->delimiter = delimiter;
	if (!parser_start(reader)) {
		free(reader);
		return NULL;
	}
	reader->name = name;
	reader->encoding = ENCODING_UTF_8;
	reader->handler = handler;
	reader->context = context;
	reader->line = reader->row_line = 1;
	reader->lines = line_cutter_with_ceiling(LIMIT_CSV_ROW);
	reader->mark = buf_with_ceiling(MARK);
	reader->raw = buf_with_ceiling(2 * LIMIT_CSV_ROW);
	reader->again = buf_with_ceiling(2 * LIMIT_CSV_ROW);
	reader->text = buf_with_ceiling(LIMIT_CSV_ROW);
	reader->utf8 = buf_with_ceiling(TEXT_MOST);
	reader->readable = buf_with_ceiling(TEXT_MOST);
	reader->sentence = buf_with_ceiling(LIMIT_WHY);
	return reader;
}

void csv_reader_free(struct csv_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->has_parser)
		csv_free(&reader->parser);
	line_cutter_done(&reader->lines);
	buf_done(&reader->mark);
	buf_done(&reader->raw);
	buf_done(&reader->again);
	buf_done(&reader->text);
	buf_done(&reader->utf8);
	buf_done(&reader->readable);
	buf_done(&reader->sentence);
	free(reader);
}

void csv_reader_set_faults(struct csv_reader *reader, csv_fault_handler *handler)
{
	reader->on_fault = handler;
}

void csv_reader_set_encoding(struct csv_reader *reader, enum encoding encoding, bool guessed)
{
	reader->encoding = encoding;
	reader->is_guessed = guessed;
}

enum encoding csv_reader_encoding(const struct csv_reader *reader)
{
	return reader->encoding;
}

/* ---- faults ---- */

static enum err tell(struct csv_reader *reader, const struct csv_fault *fault)
{
	if (reader->on_fault != NULL)
		return reader->on_fault(reader->context, fault, reader->why);
	buf_addf(reader->why, "%s, line %llu: %s", reader->name, (unsigned long long)fault->line, fault->text);
	return fault->kind == CSV_FAULT_BIG ? ERR_TOO_BIG : ERR_INVALID;
}

/* The row could not be parted: it is told with its text. */
static enum err fault_raw(struct csv_reader *reader, enum csv_fault_kind kind, struct view raw, const char *text)
{
	buf_reset(&reader->readable);
	while (raw.len > 0 && memchr("\r\n", raw.data[raw.len - 1], 2) != NULL)
		raw.len--;
	struct view head = encoding_head(raw, RAW_MOST);
	encoding_add_readable(reader->encoding == ENCODING_AUTO ? ENCODING_WINDOWS_1252 : reader->encoding, head,
			      &reader->readable);
	reader->err = tell(reader, &(struct csv_fault){ .kind = kind,
							.line = reader->row_line,
							.raw = buf_view(&reader->readable),
							.is_cut = head.len < raw.len,
							.text = text });
	return reader->err;
}

/* ---- rows ---- */

/* libcsv gives NULL for an unquoted empty field. */
static void on_field(void *data, size_t len, void *context)
{
	struct csv_reader *reader = context;
	if (reader->fault != NULL)
		return;
	if (reader->count == LIMIT_CSV_COLUMNS)
		reader->fault = "the row has more than 1,024 fields; is the delimiter right?";
	else if (len > LIMIT_CSV_FIELD)
		reader->fault = "a field is longer than 64 KB";
	else if (buf_add(&reader->text, view_from(data, data == NULL ? 0 : len)) != ERR_OK)
		reader->fault = "the row is longer than 1 MB";
	if (reader->fault != NULL)
		return;
	reader->fields[reader->count].absent = data == NULL;
	reader->ends[reader->count++] = reader->text.len;
}

static bool are_utf8(const struct csv_reader *reader)
{
	for (size_t i = 0; i < reader->count; i++) {
		if (!view_is_utf8(reader->fields[i].text))
			return false;
	}
	return true;
}

static enum err convert(struct csv_reader *reader)
{
	struct view parts[LIMIT_CSV_COLUMNS];
	size_t ends[LIMIT_CSV_COLUMNS];
	buf_reset(&reader->utf8);
	for (size_t i = 0; i < reader->count; i++) {
		if (encoding_to_utf8(reader->encoding, reader->fields[i].text, &reader->utf8) != ERR_OK)
			return ERR_INVALID;
		ends[i] = reader->utf8.len;
	}
	for (size_t i = 0; i < reader->count; i++)
		parts[i] = view_slice(buf_view(&reader->utf8), i == 0 ? 0 : ends[i - 1], ends[i]);
	for (size_t i = 0; i < reader->count; i++)
		reader->fields[i].text = parts[i];
	return ERR_OK;
}

/* NULL: the fields are UTF-8 now. Else what is wrong. */
static const char *decode(struct csv_reader *reader)
{
	const char *what = encoding_judge(&reader->encoding, reader->is_guessed, are_utf8(reader));
	bool is_octets = reader->encoding == ENCODING_WINDOWS_1252 || reader->encoding == ENCODING_LATIN_1;
	if (what == NULL && is_octets && convert(reader) != ERR_OK)
		what = "the text holds an octet that the encoding does not have; see whether --encoding is right, or "
		       "write the row anew";
	return what;
}

/* The row's text: its earlier lines and the one in hand. Both are one piece of memory only when there is one line. */
static struct view whole_row(struct csv_reader *reader)
{
	if (reader->raw.len == 0)
		return reader->last;
	buf_add(&reader->raw, reader->last);
	return buf_view(&reader->raw);
}

static void deliver(struct csv_reader *reader)
{
	struct view text = buf_view(&reader->text);
	size_t start = 0;
	for (size_t i = 0; i < reader->count; i++) {
		reader->fields[i].text = view_slice(text, start, reader->ends[i]);
		start = reader->ends[i];
	}
	const char *what = view_is_ascii(text) ? NULL : decode(reader);
	if (what != NULL) {
		fault_raw(reader, CSV_FAULT_ENCODING, whole_row(reader), what);
	} else if (view_find_byte(text, '\0') != VIEW_NONE) {
		fault_raw(reader, CSV_FAULT_NUL, whole_row(reader),
			  "there is a NUL octet; take it out, or export the file anew as CSV in UTF-8");
	} else {
		const struct csv_row row = { .line = reader->row_line,
					     .fields = reader->fields,
					     .count = reader->count };
		reader->err = reader->handler(reader->context, &row, reader->why);
	}
}

static void forget_row(struct csv_reader *reader)
{
	reader->count = 0;
	reader->fault = NULL;
	reader->in_row = false;
	buf_reset(&reader->text);
	buf_reset(&reader->raw);
}

static void on_row(int end, void *context)
{
	struct csv_reader *reader = context;
	(void)end;
	if (reader->err != ERR_OK)
		return;
	if (reader->fault != NULL)
		fault_raw(reader, CSV_FAULT_BIG, whole_row(reader), reader->fault);
	else
		deliver(reader);
	forget_row(reader);
}

/* ---- lines ---- */

static uint64_t characters_of(struct view text)
{
	uint64_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

/* libcsv stopped behind `good`: at the mark itself in a field without quotation, else at what follows the mark that closed it. */
static void describe_mark(struct csv_reader *reader, struct view good)
{
	struct view closed = view_trim(good);
	if (closed.len > 0 && closed.data[closed.len - 1] == '"')
		good = view_head(good, (size_t)(closed.data - good.data) + closed.len - 1);
	buf_reset(&reader->sentence);
	buf_addf(&reader->sentence, "at character %llu a quotation mark stands inside a field",
		 (unsigned long long)characters_of(good) + 1);
	if (reader->line == reader->row_line)
		buf_addf(&reader->sentence,
			 "; quote the whole field and write the mark twice, as in \"5\"\" disk\", or take it out");
	else
		buf_addf(&reader->sentence,
			 " of line %llu; the row begins a quoted field that does not end in its line: close it, or "
			 "write the mark twice",
			 (unsigned long long)reader->line);
}

static const char *describe(struct csv_reader *reader, size_t taken, enum csv_fault_kind *ret_kind)
{
	int code = csv_error(&reader->parser);
	*ret_kind = CSV_FAULT_BIG;
	if (code == CSV_ENOMEM || code == CSV_ETOOBIG)
		return "a field is longer than 64 KB; is its closing quotation mark missing?";
	*ret_kind = CSV_FAULT_QUOTE;
	if (code != CSV_EPARSE)
		return csv_strerror(code);
	describe_mark(reader, view_head(reader->last, taken));
	return buf_text(&reader->sentence);
}

/* libcsv passes over such a line without a row. */
static bool is_blank(const struct csv_reader *reader, struct view line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (memchr(" \t\r\n", line.data[i], 4) == NULL || line.data[i] == reader->delimiter)
			return false;
	}
	return true;
}

/* The first line of the row in hand cannot be read: it is told, and the lines behind it are to be read anew. */
static enum err refuse_first_line(struct csv_reader *reader, enum csv_fault_kind kind, const char *text)
{
	struct view row = whole_row(reader);
	size_t first = line_cutter_end(row, true);
	struct view rest = view_skip(row, first == VIEW_NONE ? row.len : first);
	enum err err = fault_raw(reader, kind, view_head(row, row.len - rest.len), text);
	if (reader->is_rereading) {
		reader->again_at -= rest.len;
	} else {
		buf_reset(&reader->again);
		buf_add(&reader->again, rest);
		reader->again_at = 0;
	}
	if (err == ERR_OK)
		err = buf_err(&reader->again);
	reader->line = reader->row_line + 1;
	forget_row(reader);
	if (err == ERR_OK && !parser_start(reader))
		err = ERR_MEMORY;
	return err;
}

static enum err feed_line(struct csv_reader *reader, struct view line)
{
	if (!reader->in_row) {
		if (is_blank(reader, line)) {
			reader->line++;
			return ERR_OK;
		}
		reader->row_line = reader->line;
		reader->in_row = true;
	}
	reader->last = line;
	size_t taken = csv_parse(&reader->parser, line.data, line.len, on_field, on_row, reader);
	if (reader->err != ERR_OK)
		return reader->err;
	if (taken < line.len) {
		enum csv_fault_kind kind;
		const char *text = describe(reader, taken, &kind);
		return refuse_first_line(reader, kind, text);
	}
	if (reader->in_row && reader->raw.len + line.len > LIMIT_CSV_ROW)
		return refuse_first_line(reader, CSV_FAULT_BIG,
					 "the row is longer than 1 MB; is a closing quotation mark missing?");
	reader->line++;
	return reader->in_row ? buf_add(&reader->raw, line) : ERR_OK;
}

/* What a row at fault had swallowed. */
static enum err reread(struct csv_reader *reader)
{
	enum err err = ERR_OK;
	reader->is_rereading = true;
	while (err == ERR_OK && reader->again_at < reader->again.len) {
		struct view rest = view_skip(buf_view(&reader->again), reader->again_at);
		size_t end = line_cutter_end(rest, true);
		struct view line = view_head(rest, end == VIEW_NONE ? rest.len : end);
		reader->again_at += line.len;
		err = feed_line(reader, line);
	}
	reader->is_rereading = false;
	return err;
}

static enum err take_line(struct csv_reader *reader, struct view line)
{
	enum err err = feed_line(reader, line);
	return err == ERR_OK && reader->again_at < reader->again.len ? reread(reader) : err;
}

/* A line that is longer than any row may be: first whatever row was open is at fault, then the line itself. */
static enum err refuse_long_line(struct csv_reader *reader, struct view line)
{
	static const char *const text =
	    "the row is longer than 1 MB; is a line end or a closing quotation mark missing?";
	enum err err = ERR_OK;
	reader->last = (struct view){ 0 };
	while (err == ERR_OK && reader->in_row) {
		err = refuse_first_line(reader, CSV_FAULT_BIG, text);
		if (err == ERR_OK)
			err = reread(reader);
		reader->last = (struct view){ 0 };
	}
	if (err != ERR_OK)
		return err;
	reader->row_line = reader->line++;
	return fault_raw(reader, CSV_FAULT_BIG, line, text);
}

static enum err feed_bytes(struct csv_reader *reader, struct view bytes)
{
	enum err err = ERR_OK;
	struct view line = { 0 };
	while (err == ERR_OK) {
		switch (line_cutter_next(&reader->lines, &bytes, &line)) {
		case LINE_NONE:
			return ERR_OK;
		case LINE_WHOLE:
			err = take_line(reader, line);
			break;
		case LINE_LONG:
			err = refuse_long_line(reader, line);
			break;
		case LINE_NO_MEMORY:
			return ERR_MEMORY;
		}
	}
	return err;
}

/* A byte order mark can come in pieces too. */
static enum err feed_start(struct csv_reader *reader, struct view bytes)
{
	static const char mark[MARK] = { '\xef', '\xbb', '\xbf' };
	while (bytes.len > 0 && reader->mark.len < MARK && bytes.data[0] == mark[reader->mark.len]) {
		if (buf_add_byte(&reader->mark, bytes.data[0]) != ERR_OK)
			return ERR_MEMORY;
		bytes = view_skip(bytes, 1);
	}
	if (reader->mark.len < MARK && bytes.len == 0)
		return ERR_OK;
	reader->has_started = true;
	enum err err = reader->mark.len == MARK ? ERR_OK : feed_bytes(reader, buf_view(&reader->mark));
	return err == ERR_OK ? feed_bytes(reader, bytes) : err;
}

/* In slices, so that no line reaches far beyond its ceiling before that is seen. */
enum err csv_reader_feed(struct csv_reader *reader, struct view bytes, struct buf *why)
{
	enum err err = ERR_OK;
	reader->why = why;
	for (; err == ERR_OK && bytes.len > 0; bytes = view_skip(bytes, SLICE)) {
		struct view slice = view_head(bytes, SLICE);
		err = reader->has_started ? feed_bytes(reader, slice) : feed_start(reader, slice);
	}
	return err;
}

enum err csv_reader_finish(struct csv_reader *reader, struct buf *why)
{
	enum err err = ERR_OK;
	struct view rest;
	reader->why = why;
	if (!reader->has_started)
		err = feed_bytes(reader, buf_view(&reader->mark));
	if (err == ERR_OK && line_cutter_rest(&reader->lines, &rest))
		err = take_line(reader, rest);
	reader->last = (struct view){ 0 };
	while (err == ERR_OK && csv_fini(&reader->parser, on_field, on_row, reader) != 0) {
		err =
		    refuse_first_line(reader, CSV_FAULT_QUOTE,
				      "the row begins a quoted field that never ends; add its closing quotation mark");
		if (err == ERR_OK)
			err = reread(reader);
		reader->last = (struct view){ 0 };
	}
	return err == ERR_OK ? reader->err : err;
}
