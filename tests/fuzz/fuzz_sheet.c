/* What Jansson takes for a JSON object, json_walk takes apart into the same members, and a sheet that has learned it writes a row of it;
 * nothing else does any harm. */
#include <stdlib.h>

#include <jansson.h>

#include "base/limits.h"
#include "listctl/json_walk.h"
#include "listctl/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static bool is_same(const json_t *value, const struct json_member *member)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	switch (member->kind) {
	case JSON_KIND_TEXT:
		return json_is_string(value) && json_walk_text(member->value, &text) &&
		       view_eq(buf_view(&text), view_from(json_string_value(value), json_string_length(value)));
	case JSON_KIND_NUMBER:
		return json_is_number(value);
	case JSON_KIND_BOOLEAN:
		return json_is_boolean(value);
	case JSON_KIND_NULL:
		return json_is_null(value);
	case JSON_KIND_TREE:
		return json_is_object(value) || json_is_array(value);
	}
	return false;
}

static void compare(const json_t *object, struct view text)
{
	struct json_walk walk = json_walk_of(text);
	struct json_member member;
	size_t count = 0;
	while (json_walk_next(&walk, &member)) {
		AUTO_BUF name = buf_with_ceiling(LIMIT_OUTPUT_LINE);
		demand(json_walk_text(member.name, &name));
		demand(is_same(
		    json_object_getn(object, buf_view(&name).data == NULL ? "" : buf_view(&name).data, name.len),
		    &member));
		count++;
	}
	demand(!walk.is_broken && count == json_object_size(object));
}

static void write_row(struct view text, bool is_object)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	struct sheet *sheet = sheet_new();
	demand(sheet != NULL);
	enum err err = sheet_learn(sheet, text, &why);
	demand(!is_object || err == ERR_OK || err == ERR_TOO_BIG);
	sheet_arrange(sheet);
	sheet_header(sheet, true, &line);
	buf_reset(&line);
	bool fits = sheet_row(sheet, text, true, &line);
	demand(!is_object || err != ERR_OK || fits);
	sheet_free(sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > LIMIT_ATTRIBUTES)
		return 0;
	const char *text = size == 0 ? "" : (const char *)data;
	json_t *object =
	    json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	if (json_is_object(object))
		compare(object, view_from(text, size));
	write_row(view_from(text, size), json_is_object(object));
	json_decref(object);
	return 0;
}
