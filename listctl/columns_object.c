#include <stdlib.h>
#include <string.h>

#include "listctl/columns_private.h"
#include "listctl/json_text.h"
#include "listctl/json_walk.h"

const char columns_hidden_control[] =
    "a text in it holds a control character other than line breaks and tabs; take it out";

/* ---- names ---- */

/* What an attribute of this name is called: in [a-z0-9_] as one from a column, and not as something that templates know. Empty: the name holds none of
 * these. */
static void call_member(struct view raw, char name[COLUMN_NAME_SIZE])
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_CSV_FIELD);
	name[0] = '\0';
	if (!json_walk_text(raw, &text))
		return;
	column_name_normalise(buf_view(&text), name);
	if (!column_name_is_taken(name))
		return;
	memmove(name + 2, name, strlen(name) + 1);
	memcpy(name, "x_", 2);
}

static int by_text(const void *one, const void *other)
{
	return strcmp(one, other);
}

static void gather_names(struct columns *columns, struct view object)
{
	struct json_walk walk = json_walk_of(object);
	struct json_member member;
	char name[COLUMN_NAME_SIZE];
	buf_reset(&columns->members);
	while (json_walk_next(&walk, &member)) {
		memset(name, 0, sizeof(name));
		call_member(member.name, name);
		buf_add(&columns->members, view_from(name, sizeof(name)));
	}
	if (columns->members.len > 0)
		qsort(columns->members.data, columns->members.len / COLUMN_NAME_SIZE, COLUMN_NAME_SIZE, by_text);
}

/* Whether another member would be called so as well. */
static bool is_shared(const struct columns *columns, const char *name)
{
	const char *first = columns->members.data;
	const char *found =
	    first == NULL ? NULL
			  : bsearch(name, first, columns->members.len / COLUMN_NAME_SIZE, COLUMN_NAME_SIZE, by_text);
	if (found == NULL)
		return false;
	const char *next = found + COLUMN_NAME_SIZE;
	return (found > first && strcmp(found - COLUMN_NAME_SIZE, name) == 0) ||
	       (next < first + columns->members.len && strcmp(next, name) == 0);
}

/* A member whose name has no letter of a to z, or would be another one's too (City beside city), keeps its own, and so does what begins with
 * _ and what listctl itself has written. */
static void add_member_key(struct columns *columns, const struct column *column, struct view raw)
{
	char name[COLUMN_NAME_SIZE];
	bool is_own = column->name[0] == '_';
	if (!is_own)
		call_member(raw, name);
	bool is_kept = is_own || name[0] == '\0' || name[0] == '_' || is_shared(columns, name);
	columns_begin_attribute(columns);
	buf_addf(&columns->attributes, "\"" VIEW_FMT "\":", VIEW_ARG(is_kept ? raw : view_of(name)));
}

/* ---- the object ---- */

static bool read_member(struct columns *columns, const struct column *column, const struct json_member *member,
			struct refusal *ret_refusal)
{
	bool is_text = member->kind == JSON_KIND_TEXT;
	/* With its quotation marks. */
	struct view value = is_text ? view_from(member->value.data - 1, member->value.len + 2) : member->value;
	/* In what others write it says that nothing is known; listctl itself writes it where somebody has it. */
	if (member->kind == JSON_KIND_NULL && column->name[0] != '_')
		return true;
	if (is_text && json_text_hides_control(value))
		return columns_refuse(columns, REFUSAL_CONTROL, column->name, columns_hidden_control, ret_refusal);
	add_member_key(columns, column, member->name);
	/* That it is JSON was seen already, as a part of the whole. */
	return field_type_add(FIELD_JSON, columns->date_order, value, &columns->attributes, &columns->text) ||
	       columns_refuse(columns, REFUSAL_VALUE, column->name, NULL, ret_refusal);
}

bool columns_read_object(struct columns *columns, const struct column *column, struct view text,
			 struct refusal *ret_refusal)
{
	AUTO_BUF wrong = buf_with_ceiling(256);
	struct json_member member;
	text = view_trim(text);
	if (text.len == 0)
		return true;
	if (!json_text_check(text, &wrong) || text.data[0] != '{') {
		buf_addf(&columns->text, "it is no JSON object: %s",
			 wrong.len == 0 ? "another value stands there" : buf_text(&wrong));
		return columns_refuse(columns, REFUSAL_VALUE, column->name, NULL, ret_refusal);
	}
	if (column->name[0] != '_')
		gather_names(columns, text);
	struct json_walk walk = json_walk_of(text);
	while (json_walk_next(&walk, &member)) {
		if (!read_member(columns, column, &member, ret_refusal))
			return false;
	}
	return true;
}
