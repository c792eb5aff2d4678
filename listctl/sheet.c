#include "listctl/sheet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/attribute_header.h"
#include "listctl/json_walk.h"
#include "listctl/known_exports.h"
#include "listctl/output.h"
#include "listctl/standing.h"
#include "mail/header.h"

/* Texts that import takes as they are, and other kinds of values. */
enum kind { KIND_TEXT, KIND_NUMBER, KIND_BOOLEAN, KIND_OTHER, KIND_COUNT };

static const char *const suffixes[] = {
	[KIND_TEXT] = "",
	[KIND_NUMBER] = ":number",
	[KIND_BOOLEAN] = ":boolean",
	[KIND_OTHER] = ":json",
};
static_assert(ARRAY_LEN(suffixes) == KIND_COUNT, "one a kind");

enum { NO_COLUMN = SHEET_COLUMNS_MOST };

struct column {
	struct buf raw;              /* the name as JSON writes it */
	struct buf name;             /* as it is */
	char read[COLUMN_NAME_SIZE]; /* as import would read it */
	bool needs_prefix;           /* import would take it for something else, or call it otherwise */
	enum kind kind;              /* of all its values; KIND_OTHER when they differ */
	size_t next;                 /* the column whose member came behind this one's last time */
};

struct cell {
	bool is_there;
	struct json_member member;
};

struct sheet {
	struct column columns[SHEET_COLUMNS_MOST];
	struct cell cells[SHEET_COLUMNS_MOST]; /* of the row in hand */
	size_t count, first;
	struct buf text;
};

struct sheet *sheet_new(void)
{
	struct sheet *sheet = calloc(1, sizeof(*sheet));
	if (sheet != NULL)
		sheet->text = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	return sheet;
}

void sheet_free(struct sheet *sheet)
{
	if (sheet == NULL)
		return;
	for (size_t i = 0; i < sheet->count; i++) {
		buf_done(&sheet->columns[i].raw);
		buf_done(&sheet->columns[i].name);
	}
	buf_done(&sheet->text);
	free(sheet);
}

/* The text into sheet->text; false when import would refuse it as a cell, so that JSON has to carry it. */
static bool read_text(struct sheet *sheet, struct view raw)
{
	buf_reset(&sheet->text);
	if (!json_walk_text(raw, &sheet->text))
		return false;
	struct view text = buf_view(&sheet->text);
	return header_takes_lines(text) && !header_has_encoded_word(text);
}

static enum kind kind_of(struct sheet *sheet, const struct json_member *member)
{
	static const enum kind kinds[] = {
		[JSON_KIND_TEXT] = KIND_TEXT,  [JSON_KIND_NUMBER] = KIND_NUMBER, [JSON_KIND_BOOLEAN] = KIND_BOOLEAN,
		[JSON_KIND_NULL] = KIND_OTHER, [JSON_KIND_TREE] = KIND_OTHER,
	};
	enum kind kind = kinds[member->kind];
	return kind == KIND_TEXT && !read_text(sheet, member->value) ? KIND_OTHER : kind;
}

/* Objects of one list name their members in the same order, mostly: after one column comes the one that came after it before. */
static size_t find(const struct sheet *sheet, size_t guess, struct view raw)
{
	if (guess < sheet->count && view_eq(buf_view(&sheet->columns[guess].raw), raw))
		return guess;
	for (size_t i = 0; i < sheet->count; i++) {
		if (view_eq(buf_view(&sheet->columns[i].raw), raw))
			return i;
	}
	return NO_COLUMN;
}

static enum err add_column(struct sheet *sheet, const struct json_member *member, enum kind kind, struct buf *why)
{
	if (sheet->count == SHEET_COLUMNS_MOST) {
		buf_addf(why, "there are more than %d different attributes; --format json writes any number",
			 SHEET_COLUMNS_MOST);
		return ERR_TOO_BIG;
	}
	struct column *column = &sheet->columns[sheet->count++];
	*column = (struct column){ .kind = kind,
				   .next = NO_COLUMN,
				   .raw = buf_with_ceiling(LIMIT_ATTRIBUTES),
				   .name = buf_with_ceiling(LIMIT_ATTRIBUTES) };
	buf_add(&column->raw, member->name);
	if (!json_walk_text(member->name, &column->name))
		return ERR_INVALID;
	column_name_normalise(buf_view(&column->name), column->read);
	return buf_err(&column->raw);
}

static enum err not_json(struct buf *why)
{
	buf_addf(why, "attributes in the database are no JSON object");
	return ERR_INVALID;
}

enum err sheet_learn(struct sheet *sheet, struct view object, struct buf *why)
{
	struct json_walk walk = json_walk_of(object);
	struct json_member member;
	enum err err = ERR_OK;
	while (err == ERR_OK && json_walk_next(&walk, &member)) {
		enum kind kind = kind_of(sheet, &member);
		size_t at = find(sheet, NO_COLUMN, member.name);
		if (at == NO_COLUMN)
			err = add_column(sheet, &member, kind, why);
		else if (sheet->columns[at].kind != kind)
			sheet->columns[at].kind = KIND_OTHER;
	}
	return err == ERR_OK && walk.is_broken ? not_json(why) : err;
}

static int by_name(const void *a, const void *b)
{
	struct view one = buf_view(&((const struct column *)a)->name),
		    other = buf_view(&((const struct column *)b)->name);
	size_t len = one.len < other.len ? one.len : other.len;
	int order = len == 0 ? 0 : memcmp(one.data, other.data, len);
	return order != 0 ? order : (one.len > other.len) - (one.len < other.len);
}

/* Beside the columns email and name, an address of another kind is an attribute, and so are first and last name under these names. */
static bool is_more_than_attribute(const char *name)
{
	enum role role = column_name_role(name);
	bool is_own = strcmp(name, "first_name") == 0 || strcmp(name, "last_name") == 0;
	return column_name_is_taken(name) || state_column_of(name) != STATE_COLUMN_NONE ||
	       (role != ROLE_ATTRIBUTE && role != ROLE_MAYBE_ADDRESS && !is_own);
}

/* The names that make the file look like an export of another list manager. False: it looks like none. */
static bool hide_export(struct sheet *sheet)
{
	const char *names[SHEET_COLUMNS_MOST + 2] = { "email", "name" };
	bool is_hidden = false;
	for (size_t i = 0; i < sheet->count; i++)
		names[i + 2] = sheet->columns[i].needs_prefix ? "" : sheet->columns[i].read;
	const struct known_export *known = known_export_find(names, sheet->count + 2);
	for (size_t i = 0; known != NULL && i < sheet->count; i++) {
		struct column *column = &sheet->columns[i];
		if (column->needs_prefix || known_export_column(known, VIEW_LIT(""), column->read) == NULL)
			continue;
		column->needs_prefix = is_hidden = true;
	}
	return is_hidden;
}

void sheet_arrange(struct sheet *sheet)
{
	qsort(sheet->columns, sheet->count, sizeof(sheet->columns[0]), by_name);
	for (size_t i = 0; i < sheet->count; i++) {
		struct column *column = &sheet->columns[i];
		column->next = NO_COLUMN;
		column->needs_prefix =
		    !view_eq(buf_view(&column->name), view_of(column->read)) || is_more_than_attribute(column->read);
	}
	while (hide_export(sheet))
		;
	sheet->first = NO_COLUMN;
}

void sheet_header(const struct sheet *sheet, bool guard, struct buf *line)
{
	for (size_t i = 0; i < sheet->count; i++) {
		const struct column *column = &sheet->columns[i];
		AUTO_BUF name = buf_with_ceiling(LIMIT_OUTPUT_LINE);
		if (column->needs_prefix)
			attribute_header_write(buf_view(&column->name), suffixes[column->kind], &name);
		else
			buf_addf(&name, VIEW_FMT "%s", VIEW_ARG(buf_view(&column->name)), suffixes[column->kind]);
		buf_add_byte(line, ',');
		output_csv_cell(line, buf_view(&name), guard);
	}
}

/* Puts each member where its column is. */
static bool place_members(struct sheet *sheet, struct view object)
{
	struct json_walk walk = json_walk_of(object);
	struct json_member member;
	size_t *guess = &sheet->first;
	for (size_t i = 0; i < sheet->count; i++)
		sheet->cells[i].is_there = false;
	while (json_walk_next(&walk, &member)) {
		size_t at = find(sheet, *guess, member.name);
		if (at == NO_COLUMN)
			return false;
		*guess = at;
		guess = &sheet->columns[at].next;
		sheet->cells[at] = (struct cell){ .is_there = true, .member = member };
	}
	return !walk.is_broken;
}

static void add_json(const struct json_member *member, bool guard, struct buf *line)
{
	if (member->kind != JSON_KIND_TEXT) {
		output_csv_cell(line, member->value, guard);
		return;
	}
	AUTO_BUF quoted = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_addf(&quoted, "\"" VIEW_FMT "\"", VIEW_ARG(member->value));
	output_csv_cell(line, buf_view(&quoted), guard);
}

static bool add_cell(struct sheet *sheet, enum kind column_kind, const struct json_member *member, bool guard,
		     struct buf *line)
{
	if (column_kind == KIND_OTHER) {
		add_json(member, guard, line);
		return true;
	}
	if (kind_of(sheet, member) != column_kind)
		return false;
	output_csv_cell(line, column_kind == KIND_TEXT ? buf_view(&sheet->text) : member->value, guard);
	return true;
}

bool sheet_row(struct sheet *sheet, struct view object, bool guard, struct buf *line)
{
	size_t before = line->len;
	bool fits = place_members(sheet, object);
	for (size_t i = 0; fits && i < sheet->count; i++) {
		buf_add_byte(line, ',');
		if (sheet->cells[i].is_there)
			fits = add_cell(sheet, sheet->columns[i].kind, &sheet->cells[i].member, guard, line);
	}
	if (!fits)
		buf_cut(line, before);
	return fits;
}
