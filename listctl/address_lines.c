#include "listctl/address_lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/line_cutter.h"

enum { EMAIL, NAME, DATE, RECEPTION, SUSPEND, STARTDATE, ENDDATE };

struct address_lines {
	enum layout layout;
	enum encoding encoding;
	bool is_guessed;
	csv_handler *handler;
	csv_fault_handler *on_fault;
	void *context;
	struct buf *why;
	uint64_t line;
	uint64_t row_line; /* of the address in the stanza, or of what comes first in it; 0: nothing has come */
	struct line_cutter cutter;
	struct buf utf8;
	struct buf values[ADDRESS_LINES_FIELDS]; /* of the stanza in progress */
};

static const struct csv_field line_names[] = { { .text = { "email", 5 } }, { .text = { "name", 4 } } };
/* The keys of a Sympa dump that mean something here. */
static const struct csv_field stanza_names[] = {
	[EMAIL] = { .text = { "email", 5 } },     [NAME] = { .text = { "gecos", 5 } },
	[DATE] = { .text = { "date", 4 } },       [RECEPTION] = { .text = { "reception", 9 } },
	[SUSPEND] = { .text = { "suspend", 7 } }, [STARTDATE] = { .text = { "startdate", 9 } },
	[ENDDATE] = { .text = { "enddate", 7 } },
};
static_assert(ARRAY_LEN(stanza_names) == ADDRESS_LINES_FIELDS, "a buf each");

struct csv_row address_lines_header(enum layout layout)
{
	if (layout == LAYOUT_STANZAS)
		return (struct csv_row){ .line = 1, .fields = stanza_names, .count = ARRAY_LEN(stanza_names) };
	return (struct csv_row){ .line = 1, .fields = line_names, .count = ARRAY_LEN(line_names) };
}

struct address_lines *address_lines_new(enum layout layout, enum encoding encoding, bool guessed, csv_handler *handler,
					csv_fault_handler *on_fault, void *context)
{
	struct address_lines *lines = calloc(1, sizeof(*lines));
	if (lines == NULL)
		return NULL;
	lines->layout = layout;
	lines->encoding = encoding;
	lines->is_guessed = guessed;
	lines->handler = handler;
	lines->on_fault = on_fault;
	lines->context = context;
	lines->line = 1;
	lines->cutter = line_cutter_with_ceiling(LIMIT_CSV_FIELD);
	lines->utf8 = buf_with_ceiling(4 * LIMIT_CSV_FIELD);
	for (size_t i = 0; i < ADDRESS_LINES_FIELDS; i++)
		lines->values[i] = buf_with_ceiling(LIMIT_CSV_FIELD);
	return lines;
}

void address_lines_free(struct address_lines *lines)
{
	if (lines == NULL)
		return;
	line_cutter_done(&lines->cutter);
	buf_done(&lines->utf8);
	for (size_t i = 0; i < ADDRESS_LINES_FIELDS; i++)
		buf_done(&lines->values[i]);
	free(lines);
}

enum encoding address_lines_encoding(const struct address_lines *lines)
{
	return lines->encoding;
}

static enum err fault(struct address_lines *lines, enum csv_fault_kind kind, struct view raw, const char *text)
{
	AUTO_BUF readable = buf_with_ceiling(4 * LIMIT_CSV_FIELD);
	encoding_add_readable(lines->encoding == ENCODING_AUTO ? ENCODING_WINDOWS_1252 : lines->encoding, raw,
			      &readable);
	return lines->on_fault(
	    lines->context,
	    &(struct csv_fault){ .kind = kind,
				 .line = lines->line,
				 .raw = buf_view(&readable),
				 .is_cut = kind == CSV_FAULT_BIG, /* the cutter gives no more of it */
				 .text = text },
	    lines->why);
}

static enum err give(struct address_lines *lines, const struct csv_field *fields, size_t count, uint64_t line)
{
	const struct csv_row row = { .line = line, .fields = fields, .count = count };
	return lines->handler(lines->context, &row, lines->why);
}

static enum err give_line(struct address_lines *lines, struct view text)
{
	struct view address = { 0 }, name = { 0 };
	if (!sniff_line(text, &address, &name)) {
		address = view_trim(text);
		name = view_head(name, 0);
	}
	const struct csv_field fields[] = { { .text = address }, { .text = name, .absent = name.len == 0 } };
	return give(lines, fields, ARRAY_LEN(fields), lines->line);
}

/* ---- stanzas ---- */

static enum err end_stanza(struct address_lines *lines)
{
	struct csv_field fields[ADDRESS_LINES_FIELDS];
	bool is_empty = true;
	for (size_t i = 0; i < ADDRESS_LINES_FIELDS; i++) {
		fields[i] =
		    (struct csv_field){ .text = buf_view(&lines->values[i]), .absent = lines->values[i].len == 0 };
		is_empty = is_empty && fields[i].absent;
	}
	enum err err = is_empty ? ERR_OK : give(lines, fields, ADDRESS_LINES_FIELDS, lines->row_line);
	for (size_t i = 0; i < ADDRESS_LINES_FIELDS; i++)
		buf_reset(&lines->values[i]);
	lines->row_line = 0;
	return err;
}

static enum err add_stanza_line(struct address_lines *lines, struct view text)
{
	struct view key = view_head(text, view_find_byte(text, ' '));
	for (size_t i = 0; i < ADDRESS_LINES_FIELDS; i++) {
		if (!view_eq(key, stanza_names[i].text))
			continue;
		if (i == EMAIL && lines->values[EMAIL].len > 0) {
			enum err err = end_stanza(lines); /* the empty line between two was lost */
			if (err != ERR_OK)
				return err;
		}
		if (i == EMAIL || lines->row_line == 0)
			lines->row_line = lines->line;
		buf_reset(&lines->values[i]);
		return buf_add(&lines->values[i], view_trim(view_skip(text, key.len)));
	}
	return ERR_OK;
}

/* ---- lines ---- */

static enum err take_text(struct address_lines *lines, struct view text)
{
	if (lines->layout == LAYOUT_STANZAS)
		return text.len == 0 ? end_stanza(lines) : add_stanza_line(lines, text);
	return text.len == 0 || sniff_is_comment(text) ? ERR_OK : give_line(lines, text);
}

static enum err take_line(struct address_lines *lines, struct view line)
{
	line = view_trim(line);
	if (view_find_byte(line, '\0') != VIEW_NONE)
		return fault(lines, CSV_FAULT_NUL, line, "there is a NUL octet; take it out");
	if (view_is_ascii(line))
		return take_text(lines, line);
	const char *what = encoding_judge(&lines->encoding, lines->is_guessed, view_is_utf8(line));
	buf_reset(&lines->utf8);
	if (what == NULL && encoding_to_utf8(lines->encoding, line, &lines->utf8) != ERR_OK)
		what = "the text holds an octet that the encoding does not have";
	return what == NULL ? take_text(lines, buf_view(&lines->utf8)) : fault(lines, CSV_FAULT_ENCODING, line, what);
}

enum err address_lines_feed(struct address_lines *lines, struct view bytes, struct buf *why)
{
	enum err err = ERR_OK;
	struct view line = { 0 };
	lines->why = why;
	while (err == ERR_OK) {
		switch (line_cutter_next(&lines->cutter, &bytes, &line)) {
		case LINE_NONE:
			return ERR_OK;
		case LINE_WHOLE:
			err = take_line(lines, line);
			break;
		case LINE_LONG:
			err = fault(lines, CSV_FAULT_BIG, line, "the line is longer than 64 KB");
			break;
		case LINE_NO_MEMORY:
			return ERR_MEMORY;
		}
		lines->line++;
	}
	return err;
}

enum err address_lines_finish(struct address_lines *lines, struct buf *why)
{
	enum err err = ERR_OK;
	struct view rest;
	lines->why = why;
	if (line_cutter_rest(&lines->cutter, &rest))
		err = take_line(lines, rest);
	return err == ERR_OK && lines->layout == LAYOUT_STANZAS ? end_stanza(lines) : err;
}
