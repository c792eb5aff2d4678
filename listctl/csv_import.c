#include "listctl/csv_import.h"

#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "base/limits.h"

enum { FIELD_ROOM = 1024 }; /* what libcsv's buffer has beyond a field: it grows by blocks */

struct csv_reader {
	const char *name;
	char delimiter;
	csv_handler *handler;
	void *context;
	struct csv_parser parser;
	struct buf *why; /* of the call in progress, for libcsv's callbacks */
	enum err err;
	uint64_t line;     /* of the byte that comes next */
	uint64_t row_line; /* where the row in progress began */
	uint64_t column;   /* characters of the line that came before the piece in hand */
	uint64_t mark;     /* the column of the quotation mark that these end with; 0: they end with none */
	bool in_row;
	bool after_cr;
	bool started; /* beyond a BOM */
	char tail[4]; /* the start of a character whose rest has not come */
	size_t tail_len;
	struct buf text; /* the row's fields, one after the other */
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	size_t ends[LIMIT_CSV_COLUMNS];
	size_t count;
};

/* libcsv grows one buffer for the field in hand; this is its ceiling. */
static void *grow(void *old, size_t size)
{
	return size > LIMIT_CSV_FIELD + FIELD_ROOM ? NULL : realloc(old, size);
}

static enum err refuse(struct csv_reader *reader, enum err err, uint64_t line, const char *what)
{
	buf_addf(reader->why, "%s, line %llu: %s", reader->name, (unsigned long long)line, what);
	reader->err = err;
	return err;
}

/* libcsv gives NULL for an unquoted empty field. */
static void on_field(void *data, size_t len, void *context)
{
	struct csv_reader *reader = context;
	if (reader->err != ERR_OK)
		return;
	if (reader->count == LIMIT_CSV_COLUMNS) {
		refuse(reader, ERR_TOO_BIG, reader->row_line,
		       "the row has more than 256 fields; is the delimiter right?");
		return;
	}
	if (len > LIMIT_CSV_FIELD) {
		refuse(reader, ERR_TOO_BIG, reader->row_line, "a field is longer than 64 KB");
		return;
	}
	if (buf_add(&reader->text, view_from(data, data == NULL ? 0 : len)) != ERR_OK) {
		refuse(reader, buf_err(&reader->text), reader->row_line, "the row is longer than 1 MB");
		return;
	}
	reader->fields[reader->count].absent = data == NULL;
	reader->ends[reader->count++] = reader->text.len;
}

static void on_row(int end, void *context)
{
	struct csv_reader *reader = context;
	(void)end;
	reader->in_row = false;
	if (reader->err != ERR_OK)
		return;
	size_t start = 0;
	for (size_t i = 0; i < reader->count; i++) {
		reader->fields[i].text = view_slice(buf_view(&reader->text), start, reader->ends[i]);
		start = reader->ends[i];
	}
	const struct csv_row row = { .line = reader->row_line, .fields = reader->fields, .count = reader->count };
	reader->err = reader->handler(reader->context, &row, reader->why);
	reader->count = 0;
	buf_reset(&reader->text);
}

struct csv_reader *csv_reader_new(const char *name, char delimiter, csv_handler *handler, void *context)
{
	struct csv_reader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return NULL;
	if (csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0) {
		free(reader);
		return NULL;
	}
	csv_set_realloc_func(&reader->parser, grow);
	csv_set_delim(&reader->parser, (unsigned char)delimiter);
	reader->name = name;
	reader->delimiter = delimiter;
	reader->handler = handler;
	reader->context = context;
	reader->line = reader->row_line = 1;
	reader->text = buf_with_ceiling(LIMIT_CSV_ROW);
	return reader;
}

void csv_reader_free(struct csv_reader *reader)
{
	if (reader == NULL)
		return;
	csv_free(&reader->parser);
	buf_done(&reader->text);
	free(reader);
}

static uint64_t characters_of(struct view text)
{
	uint64_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

/* Where the line up to here ends with a quotation mark, blanks aside: the column of the mark, else 0. */
static uint64_t closing_mark(const struct csv_reader *reader, struct view text)
{
	struct view closed = view_trim(text);
	if (closed.len == 0)
		return reader->mark;
	struct view before = view_head(text, (size_t)(closed.data - text.data) + closed.len - 1);
	return text.data[before.len] == '"' ? reader->column + characters_of(before) + 1 : 0;
}

/* libcsv stopped behind `good`: at the mark itself in a field without quotation, else at what follows the mark that closed it. */
static enum err refuse_mark(struct csv_reader *reader, struct view good)
{
	uint64_t column = closing_mark(reader, good);
	if (column == 0)
		column = reader->column + characters_of(good) + 1;
	buf_addf(reader->why, "%s, line %llu, column %llu: a quotation mark stands inside a field", reader->name,
		 (unsigned long long)reader->line, (unsigned long long)column);
	if (reader->line == reader->row_line)
		buf_addf(reader->why,
			 "; quote the whole field and write the mark twice, as in \"5\"\" disk\", or take it out");
	else
		buf_addf(reader->why,
			 " of the row that begins at line %llu; close the field there, or write the mark twice",
			 (unsigned long long)reader->row_line);
	reader->err = ERR_INVALID;
	return reader->err;
}

static enum err explain_parser(struct csv_reader *reader, struct view good)
{
	switch (csv_error(&reader->parser)) {
	case CSV_ENOMEM:
	case CSV_ETOOBIG:
		return refuse(reader, ERR_TOO_BIG, reader->row_line,
			      "a field is longer than 64 KB; is its closing quotation mark missing?");
	case CSV_EPARSE:
		return refuse_mark(reader, good);
	default:
		return refuse(reader, ERR_IO, reader->line, csv_strerror(csv_error(&reader->parser)));
	}
}

/* libcsv passes over such a line without a row. */
static bool is_blank(const struct csv_reader *reader, struct view piece)
{
	for (size_t i = 0; i < piece.len; i++) {
		if (memchr(" \t\r\n", piece.data[i], 4) == NULL || piece.data[i] == reader->delimiter)
			return false;
	}
	return true;
}

/* Hands libcsv a piece that holds no line end except as its last octet, so that every row's line is known. */
static enum err parse_piece(struct csv_reader *reader, struct view piece)
{
	if (!reader->in_row && !is_blank(reader, piece)) {
		reader->row_line = reader->line;
		reader->in_row = true;
	}
	size_t taken = csv_parse(&reader->parser, piece.data, piece.len, on_field, on_row, reader);
	if (reader->err != ERR_OK)
		return reader->err;
	return taken == piece.len ? ERR_OK : explain_parser(reader, view_head(piece, taken));
}

static enum err parse_lines(struct csv_reader *reader, struct view bytes)
{
	while (bytes.len > 0) {
		if (reader->after_cr && bytes.data[0] == '\n')
			reader->line--; /* CR LF is one line end */
		reader->after_cr = false;
		size_t len = 0;
		while (len < bytes.len && bytes.data[len] != '\n' && bytes.data[len] != '\r' && bytes.data[len] != '\0')
			len++;
		if (len < bytes.len && bytes.data[len] == '\0')
			return refuse(reader, ERR_INVALID, reader->line,
				      "there is a NUL octet; export the file anew as CSV in UTF-8");
		bool ends = len < bytes.len;
		len += ends;
		enum err err = parse_piece(reader, view_head(bytes, len));
		if (err != ERR_OK)
			return err;
		if (ends) {
			reader->line++;
			reader->column = reader->mark = 0;
			reader->after_cr = bytes.data[len - 1] == '\r';
		} else {
			reader->mark = closing_mark(reader, bytes);
			reader->column += characters_of(bytes);
		}
		bytes = view_skip(bytes, len);
	}
	return ERR_OK;
}

/* ---- encoding ---- */

/* How many octets a character has by its first one; 0 when none begins so. */
static size_t expected_size(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The longest start of bytes that ends with a whole character, as far as the last three octets tell. */
static size_t whole_characters(struct view bytes)
{
	for (size_t back = 1; back <= 3 && back <= bytes.len; back++) {
		unsigned char byte = (unsigned char)bytes.data[bytes.len - back];
		if ((byte & 0xc0) == 0x80)
			continue;
		return expected_size(byte) > back ? bytes.len - back : bytes.len;
	}
	return bytes.len;
}

static enum err refuse_encoding(struct csv_reader *reader, struct view bytes)
{
	uint64_t line = reader->line;
	bool after_cr = reader->after_cr;
	struct view good;
	for (struct view rest = bytes; rest.len > 0; rest = view_skip(rest, good.len)) {
		size_t size = expected_size((unsigned char)rest.data[0]);
		good = view_head(rest, size);
		if (size == 0 || !view_is_utf8(good))
			break;
		line += rest.data[0] == '\r' || (rest.data[0] == '\n' && !after_cr);
		after_cr = rest.data[0] == '\r';
	}
	return refuse(reader, ERR_INVALID, line,
		      "the text is not UTF-8; convert the file first, for example with "
		      "`iconv -f WINDOWS-1252 -t UTF-8`");
}

static enum err parse_text(struct csv_reader *reader, struct view bytes)
{
	if (!view_is_utf8(bytes))
		return refuse_encoding(reader, bytes);
	return parse_lines(reader, bytes);
}

/* Joins a character that two pieces share. */
static enum err complete_tail(struct csv_reader *reader, struct view *bytes)
{
	size_t size = expected_size((unsigned char)reader->tail[0]);
	while (reader->tail_len < size && bytes->len > 0) {
		reader->tail[reader->tail_len++] = bytes->data[0];
		*bytes = view_skip(*bytes, 1);
	}
	if (reader->tail_len < size)
		return ERR_OK;
	reader->tail_len = 0;
	return parse_text(reader, view_from(reader->tail, size));
}

static enum err feed_text(struct csv_reader *reader, struct view bytes)
{
	if (reader->tail_len > 0) {
		enum err err = complete_tail(reader, &bytes);
		if (err != ERR_OK)
			return err;
	}
	size_t whole = whole_characters(bytes);
	struct view rest = view_skip(bytes, whole);
	if (rest.len > 0) {
		memcpy(reader->tail, rest.data, rest.len);
		reader->tail_len = rest.len;
	}
	return parse_text(reader, view_head(bytes, whole));
}

/* A BOM (three octets) can come in pieces too. What begins like one is a character, so the tail holds it until it is whole. */
static enum err feed_start(struct csv_reader *reader, struct view bytes)
{
	static const char bom[] = { '\xef', '\xbb', '\xbf' };
	while (!reader->started && bytes.len > 0) {
		reader->tail[reader->tail_len++] = bytes.data[0];
		bytes = view_skip(bytes, 1);
		if (view_eq(view_from(reader->tail, reader->tail_len), view_from("\xff\xfe", 2)) ||
		    view_eq(view_from(reader->tail, reader->tail_len), view_from("\xfe\xff", 2)))
			return refuse(reader, ERR_INVALID, 1,
				      "the text is UTF-16; convert the file first: `iconv -f UTF-16 -t UTF-8`");
		bool like_bom = memcmp(reader->tail, bom, reader->tail_len) == 0;
		bool like_utf16 = reader->tail_len == 1 && (unsigned char)reader->tail[0] >= 0xfe;
		if (like_bom && reader->tail_len == sizeof(bom))
			reader->tail_len = 0;
		else if (like_bom || like_utf16)
			continue;
		reader->started = true;
	}
	if (!reader->started)
		return ERR_OK;
	char start[sizeof(reader->tail)];
	struct view first = view_from(start, reader->tail_len);
	memcpy(start, reader->tail, first.len);
	reader->tail_len = 0;
	enum err err = feed_text(reader, first);
	return err == ERR_OK ? feed_text(reader, bytes) : err;
}

enum err csv_reader_feed(struct csv_reader *reader, struct view bytes, struct buf *why)
{
	reader->why = why;
	return reader->started ? feed_text(reader, bytes) : feed_start(reader, bytes);
}

enum err csv_reader_finish(struct csv_reader *reader, struct buf *why)
{
	reader->why = why;
	if (reader->tail_len > 0)
		return refuse_encoding(reader, view_from(reader->tail, reader->tail_len));
	if (csv_fini(&reader->parser, on_field, on_row, reader) != 0)
		return refuse(reader, ERR_INVALID, reader->row_line,
			      "the row begins a quoted field that never ends; add its closing quotation mark");
	return reader->err;
}
