#include "listctl/json_lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/csv_guard.h"
#include "listctl/json_text.h"
#include "listctl/json_walk.h"
#include "listctl/line_cutter.h"

enum { MEMBERS = 6 };

static const struct {
	const char *member; /* as it stands in the object */
	bool is_object;
} members[] = {
	{ "email", false },           { "name", false },          { "attributes", true }, { "_state", false },
	{ "_consent_source", false }, { "_consent_time", false },
};
static_assert(ARRAY_LEN(members) == MEMBERS, "a buf each");

static const struct csv_field header[] = {
	{ .text = { "email", 5 } },
	{ .text = { "name", 4 } },
	{ .text = { "_attributes", 11 } },
	{ .text = { "_state", 6 } },
	{ .text = { "_consent_source", 15 } },
	{ .text = { "_consent_time", 13 } },
};
static_assert(ARRAY_LEN(header) == MEMBERS, "a name each");

struct json_lines {
	csv_handler *handler;
	csv_fault_handler *on_fault;
	void *context;
	struct buf *why;
	uint64_t line;
	struct line_cutter cutter;
	struct buf values[MEMBERS];
	struct buf sentence;
};

struct json_lines *json_lines_new(csv_handler *handler, csv_fault_handler *on_fault, void *context)
{
	struct json_lines *lines = calloc(1, sizeof(*lines));
	if (lines == NULL)
		return NULL;
	lines->handler = handler;
	lines->on_fault = on_fault;
	lines->context = context;
	lines->line = 1;
	lines->cutter = line_cutter_with_ceiling(LIMIT_CSV_ROW);
	lines->sentence = buf_with_ceiling(LIMIT_WHY);
	for (size_t i = 0; i < MEMBERS; i++)
		lines->values[i] = buf_with_ceiling(LIMIT_CSV_ROW);
	return lines;
}

void json_lines_free(struct json_lines *lines)
{
	if (lines == NULL)
		return;
	line_cutter_done(&lines->cutter);
	buf_done(&lines->sentence);
	for (size_t i = 0; i < MEMBERS; i++)
		buf_done(&lines->values[i]);
	free(lines);
}

struct csv_row json_lines_header(void)
{
	return (struct csv_row){ .line = 1, .fields = header, .count = ARRAY_LEN(header) };
}

static enum err fault(struct json_lines *lines, enum csv_fault_kind kind, struct view line)
{
	AUTO_BUF readable = buf_with_ceiling(4 * LIMIT_CSV_FIELD);
	struct view head = encoding_head(line, LIMIT_CSV_FIELD);
	encoding_add_readable(head, &readable);
	return lines->on_fault(lines->context,
			       &(struct csv_fault){ .kind = kind,
						    .row = { .line = lines->line },
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
	for (size_t i = 0; i < MEMBERS; i++) {
		struct buf *value = &lines->values[i];
		if (!view_eq(member->name, view_of(members[i].member)))
			continue;
		buf_reset(value);
		if (member->kind == JSON_KIND_NULL)
			return true;
		if (members[i].is_object && member->kind == JSON_KIND_TREE)
			return buf_add(value, member->value) == ERR_OK;
		if (!members[i].is_object && member->kind == JSON_KIND_TEXT && take_text(member->value, value))
			return true;
		buf_addf(&lines->sentence, "its member %s is no %s", members[i].member,
			 members[i].is_object ? "object" : "text");
		return false;
	}
	if (view_starts(member->name, VIEW_LIT("_")))
		return true; /* as columns whose names begin so are left out */
	buf_addf(&lines->sentence,
		 "nobody knows its member " VIEW_FMT "; attributes stand in an object called attributes",
		 VIEW_ARG(view_head(member->name, 60)));
	return false;
}

static bool take_object(struct json_lines *lines, struct view text)
{
	struct json_walk walk = json_walk_of(text);
	struct json_member member;
	AUTO_BUF wrong = buf_with_ceiling(256);
	for (size_t i = 0; i < MEMBERS; i++)
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
	struct csv_field fields[MEMBERS];
	for (size_t i = 0; i < MEMBERS; i++) {
		struct view value = buf_view(&lines->values[i]);
		fields[i] = (struct csv_field){ .text = value, .absent = value.len == 0 };
	}
	const struct csv_row row = { .line = lines->line, .fields = fields, .count = MEMBERS };
	return lines->handler(lines->context, &row, lines->why);
}

enum err json_lines_feed(struct json_lines *lines, struct view bytes, struct buf *why)
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
	return line_cutter_rest(&lines->cutter, &rest) ? take_line(lines, rest) : ERR_OK;
}
