#include "listctl/json_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/csv_guard.h"
#include "listctl/json_array.h"
#include "listctl/json_text.h"
#include "listctl/json_walk.h"
#include "listctl/line_cutter.h"

const struct json_lines_kind json_lines_people = {
	{
	    { "email", "email", false },
	    { "name", "name", false },
	    { "attributes", "_attributes", true },
	    { "_state", "_state", false },
	    { "_consent_source", "_consent_source", false },
	    { "_consent_time", "_consent_time", false },
	},
	"; attributes stand in an object called attributes",
};

struct json_lines {
	const struct json_lines_kind *kind;
	csv_handler *handler;
	csv_fault_handler *on_fault;
	void *context;
	struct buf *why;
	uint64_t line;
	struct line_cutter cutter;
	struct json_array array;
	bool is_array, is_over;
	struct csv_field header[JSON_LINES_MEMBERS];
	size_t columns;
	struct buf values[JSON_LINES_MEMBERS]; /* of the columns */
	struct buf sentence;
};

/* `columns`: the name is new. */
static size_t column_of(const struct json_lines *lines, const char *name)
{
	size_t at = 0;
	while (at < lines->columns && !view_eq(lines->header[at].text, view_of(name)))
		at++;
	return at;
}

static void lay_out(struct json_lines *lines)
{
	for (size_t i = 0; i < JSON_LINES_MEMBERS && lines->kind->members[i].name != NULL; i++) {
		const char *name = lines->kind->members[i].column;
		if (column_of(lines, name) == lines->columns)
			lines->header[lines->columns++].text = view_of(name);
	}
	for (size_t i = 0; i < lines->columns; i++)
		lines->values[i] = buf_with_ceiling(LIMIT_CSV_ROW);
}

struct json_lines *json_lines_new(const struct json_lines_kind *kind, csv_handler *handler, csv_fault_handler *on_fault,
				  void *context)
{
	struct json_lines *lines = calloc(1, sizeof(*lines));
	if (lines == NULL)
		return NULL;
	lines->kind = kind;
	lines->handler = handler;
	lines->on_fault = on_fault;
	lines->context = context;
	lines->line = 1;
	lines->cutter = line_cutter_with_ceiling(LIMIT_CSV_ROW);
	lines->array = json_array_with_ceiling(LIMIT_CSV_ROW);
	lines->sentence = buf_with_ceiling(LIMIT_WHY);
	lay_out(lines);
	return lines;
}

void json_lines_free(struct json_lines *lines)
{
	if (lines == NULL)
		return;
	line_cutter_done(&lines->cutter);
	json_array_done(&lines->array);
	buf_done(&lines->sentence);
	for (size_t i = 0; i < lines->columns; i++)
		buf_done(&lines->values[i]);
	free(lines);
}

void json_lines_set_array(struct json_lines *lines)
{
	lines->is_array = true;
}

struct csv_row json_lines_header(const struct json_lines *lines)
{
	return (struct csv_row){ .line = 1, .fields = lines->header, .count = lines->columns };
}

static enum err fault(struct json_lines *lines, enum csv_fault_kind kind, struct view line)
{
	AUTO_BUF readable = buf_with_ceiling(4 * LIMIT_CSV_FIELD);
	struct view head = encoding_head(line, LIMIT_CSV_FIELD);
	encoding_add_readable(ENCODING_UTF_8, head, &readable);
	return lines->on_fault(lines->context,
			       &(struct csv_fault){ .kind = kind,
						    .line = lines->line,
						    .raw = buf_view(&readable),
						    .is_cut = head.len < line.len,
						    .text = buf_text(&lines->sentence) },
			       lines->why);
}

/* Cells lose the apostrophe that keeps a spreadsheet from running them; here nobody has put one. */
static bool take_text(struct view raw, struct buf *value)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_CSV_ROW);
	if (!json_walk_text(raw, &text))
		return false;
	if (csv_guard_is_needed(buf_view(&text)))
		buf_add_byte(value, '\'');
	return buf_add(value, buf_view(&text)) == ERR_OK;
}

/* False: the sentence says what is wrong with the member. */
static bool take_member(struct json_lines *lines, const struct json_member *member)
{
	const struct json_lines_member *members = lines->kind->members;
	for (size_t i = 0; i < JSON_LINES_MEMBERS && members[i].name != NULL; i++) {
		struct buf *value = &lines->values[column_of(lines, members[i].column)];
		if (!view_eq(member->name, view_of(members[i].name)))
			continue;
		buf_reset(value);
		if (member->kind == JSON_KIND_NULL)
			return true;
		if (members[i].is_object && member->kind == JSON_KIND_TREE)
			return buf_add(value, member->value) == ERR_OK;
		if (!members[i].is_object && member->kind == JSON_KIND_TEXT && take_text(member->value, value))
			return true;
		buf_addf(&lines->sentence, "its member %s is no %s", members[i].name,
			 members[i].is_object ? "object" : "text");
		return false;
	}
	if (lines->kind->advice == NULL || view_starts(member->name, VIEW_LIT("_")))
		return true; /* as columns whose names begin so are left out */
	buf_addf(&lines->sentence, "nobody knows its member " VIEW_FMT "%s", VIEW_ARG(view_head(member->name, 60)),
		 lines->kind->advice);
	return false;
}

static bool take_object(struct json_lines *lines, struct view text)
{
	struct json_walk walk = json_walk_of(text);
	struct json_member member;
	AUTO_BUF wrong = buf_with_ceiling(256);
	for (size_t i = 0; i < lines->columns; i++)
		buf_reset(&lines->values[i]);
	if (!json_text_check(text, &wrong) || text.data[0] != '{') {
		buf_addf(&lines->sentence, "it is no JSON object: %s",
			 wrong.len == 0 ? "another value stands there" : buf_text(&wrong));
		return false;
	}
	while (json_walk_next(&walk, &member)) {
		if (!take_member(lines, &member))
			return false;
	}
	return true;
}

static enum err take_line(struct json_lines *lines, struct view line)
{
	line = view_trim(line);
	if (line.len == 0)
		return ERR_OK;
	buf_reset(&lines->sentence);
	if (!view_is_utf8(line)) {
		buf_add(&lines->sentence,
			VIEW_LIT("the text is no UTF-8, which JSON always is, or holds half a character of UTF-16"));
		return fault(lines, CSV_FAULT_ENCODING, line);
	}
	if (!take_object(lines, line))
		return fault(lines, CSV_FAULT_JSON, line);
	struct csv_field fields[JSON_LINES_MEMBERS];
	for (size_t i = 0; i < lines->columns; i++) {
		struct view value = buf_view(&lines->values[i]);
		fields[i] = (struct csv_field){ .text = value, .absent = value.len == 0 };
	}
	const struct csv_row row = { .line = lines->line, .fields = fields, .count = lines->columns };
	return lines->handler(lines->context, &row, lines->why);
}

/* Behind it nothing can be told apart any more. */
static enum err end_array(struct json_lines *lines, enum csv_fault_kind kind, const char *sentence, struct view text)
{
	lines->is_over = true;
	lines->line = json_array_line(&lines->array);
	buf_reset(&lines->sentence);
	buf_addf(&lines->sentence, "%s", sentence);
	return fault(lines, kind, text);
}

static enum err feed_array(struct json_lines *lines, struct view bytes)
{
	enum err err = ERR_OK;
	struct view element = { 0 };
	while (err == ERR_OK && !lines->is_over) {
		switch (json_array_next(&lines->array, &bytes, &element)) {
		case ELEMENT_NONE:
			return ERR_OK;
		case ELEMENT_WHOLE:
			lines->line = json_array_line(&lines->array);
			err = take_line(lines, element);
			break;
		case ELEMENT_LONG:
			return end_array(lines, CSV_FAULT_BIG, "an element of the array is longer than 1 MB",
					 VIEW_LIT(""));
		}
	}
	return err;
}

enum err json_lines_feed(struct json_lines *lines, struct view bytes, struct buf *why)
{
	if (lines->is_array) {
		lines->why = why;
		return feed_array(lines, bytes);
	}
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
			buf_reset(&lines->sentence);
			buf_add(&lines->sentence, VIEW_LIT("the line is longer than 1 MB"));
			err = fault(lines, CSV_FAULT_BIG, line);
			break;
		case LINE_NO_MEMORY:
			return ERR_MEMORY;
		}
		lines->line++;
	}
	return err;
}

enum err json_lines_take(struct json_lines *lines, uint64_t line, struct view text, struct buf *why)
{
	lines->line = line;
	lines->why = why;
	return take_line(lines, text);
}

enum err json_lines_finish(struct json_lines *lines, struct buf *why)
{
	struct view rest;
	lines->why = why;
	if (lines->is_array)
		return !lines->is_over && json_array_rest(&lines->array, &rest)
			   ? end_array(lines, CSV_FAULT_JSON,
				       "the array has no end, or something stands behind it; is the file whole?", rest)
			   : ERR_OK;
	return line_cutter_rest(&lines->cutter, &rest) ? take_line(lines, rest) : ERR_OK;
}
