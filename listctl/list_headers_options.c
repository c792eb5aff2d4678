#include "listctl/list_headers_options.h"

#include <assert.h>

#include "base/limits.h"

static const char *const field_options[] = {
	[LIST_HELP] = "help-url",
	[LIST_OWNER] = "owner",
	[LIST_ARCHIVE] = "archive-url",
	[LIST_POST] = "post",
};
static_assert(ARRAY_LEN(field_options) == LIST_FIELD_COUNT, "one option a field");

bool list_headers_given(const struct call *call)
{
	bool given = call_has(call, "header");
	for (size_t i = 0; i < ARRAY_LEN(field_options); i++)
		given = given || call_has(call, field_options[i]);
	return given;
}

/* `why` with the option in front. */
static enum err refuse(struct call *call, enum err err, const char *option, struct buf *reason)
{
	return call_refuse(call, err, "--%s: %s", option, reason->len > 0 ? buf_text(reason) : err_name(err));
}

static enum err take_field(struct call *call, enum list_field field, struct buf *lines)
{
	AUTO_BUF value = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	const char *text = call_option(call, field_options[field]);
	enum err err = ERR_OK;
	if (text == NULL)
		return ERR_OK;
	if (*text != '\0')
		err = list_field_value(field, view_of(text), &value, &reason);
	if (err == ERR_OK)
		err = list_headers_set(lines, view_of(list_field_name(field)), buf_view(&value), &reason);
	return err == ERR_OK ? ERR_OK : refuse(call, err, field_options[field], &reason);
}

static enum err take_own(struct call *call, const char *text, struct buf *lines)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	struct view line = view_of(text);
	size_t colon = view_find_byte(line, ':');
	struct view name = view_trim(view_head(line, colon));
	if (colon == VIEW_NONE)
		return call_misused(call, "--header takes \"NAME: VALUE\", or \"NAME:\" to take it away");
	enum err err = list_headers_check_name(name, &reason);
	if (err == ERR_OK)
		err = list_headers_set(lines, name, view_trim(view_skip(line, colon + 1)), &reason);
	return err == ERR_OK ? ERR_OK : refuse(call, err, "header", &reason);
}

enum err list_headers_take(struct call *call, struct buf *lines)
{
	enum err err = ERR_OK;
	const char *text;
	for (size_t i = 0; err == ERR_OK && i < LIST_FIELD_COUNT; i++)
		err = take_field(call, (enum list_field)i, lines);
	for (size_t i = 0; err == ERR_OK && (text = call_option_at(call, "header", i)) != NULL; i++)
		err = take_own(call, text, lines);
	return err;
}

struct view list_headers_shown(struct view lines, enum list_field field)
{
	struct view value = list_headers_get(lines, view_of(list_field_name(field)));
	struct view mailto = VIEW_LIT("mailto:");
	if (view_eq(value, VIEW_LIT("NO")))
		return VIEW_LIT("no");
	value = value.len > 2 ? view_slice(value, 1, value.len - 1) : value;
	return view_starts_nocase(value, mailto) && view_find_byte(value, '?') == VIEW_NONE
		   ? view_skip(value, mailto.len)
		   : value;
}

static bool is_of_rfc_2369(struct view name)
{
	for (size_t i = 0; i < LIST_FIELD_COUNT; i++) {
		if (view_eq_nocase(name, view_of(list_field_name((enum list_field)i))))
			return true;
	}
	return false;
}

void list_headers_json(struct view lines, struct buf *out)
{
	struct view name, value;
	const char *between = "";
	buf_add_byte(out, '{');
	while (list_headers_next(&lines, &name, &value)) {
		if (is_of_rfc_2369(name))
			continue;
		buf_addf(out, "%s", between);
		output_json_string(out, name);
		buf_add_byte(out, ':');
		output_json_string(out, value);
		between = ",";
	}
	buf_add_byte(out, '}');
}
