#include "listctl/jsonpath.h"
#include "listctl/jsonpath_token.h"

/* ---- for people ---- */

static size_t characters_of(struct view text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

void jsonpath_explain(struct view text, const struct jsonpath_slip *slip, struct buf *why)
{
	struct view before = view_head(text, slip->at);
	size_t line = 1, start = 0;
	for (size_t i = 0; i < before.len; i++) {
		if (before.data[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	struct view shown = view_skip(text, start);
	size_t end = view_find_byte(shown, '\n');
	shown = view_head(shown, end == VIEW_NONE ? shown.len : end);
	size_t column = characters_of(view_skip(before, start));
	buf_addf(why, "line %zu, column %zu: %s%s%s", line, column + 1, slip->what, slip->remedy[0] == '\0' ? "" : "; ",
		 slip->remedy);
	buf_addf(why, "\n    " VIEW_FMT "\n    %*s^", VIEW_ARG(shown), (int)column, "");
}

bool jsonpath_part(struct view text, size_t *at, struct jsonpath_slip *ret_place, struct view *ret_question)
{
	for (struct jsonpath_token token = jsonpath_token(text, *at); token.kind != TOKEN_END;
	     token = jsonpath_token(text, *at)) {
		size_t start = token.at, end = token.at + token.text.len;
		bool is_regex = token.kind == TOKEN_NAME && view_eq_nocase(token.text, VIEW_LIT("like_regex"));
		*at = end;
		if (is_regex) {
			token = jsonpath_token(text, end);
			end = token.at + token.text.len;
			struct jsonpath_token flag = jsonpath_token(text, end),
					      flags = jsonpath_token(text, flag.at + flag.text.len);
			if (view_eq_nocase(flag.text, VIEW_LIT("flag")) && flags.kind == TOKEN_STRING)
				end = flags.at + flags.text.len;
			*at = end;
		}
		if (token.kind != TOKEN_STRING && token.kind != TOKEN_NUMBER)
			continue;
		*ret_place = (struct jsonpath_slip){ .at = token.at, .len = token.text.len, .remedy = "" };
		*ret_question = view_slice(text, start, end);
		return true;
	}
	return false;
}

/* What stands behind "$.": a method is none, and what a name with escapes is called only the server knows. */
static bool is_field(struct view text, const struct jsonpath_token *name)
{
	bool is_method =
	    name->kind == TOKEN_NAME && view_eq(jsonpath_token(text, name->at + name->text.len).text, VIEW_LIT("("));
	return (name->kind == TOKEN_NAME || name->kind == TOKEN_STRING) && !is_method &&
	       view_find_byte(name->text, '\\') == VIEW_NONE;
}

bool jsonpath_field(struct view text, size_t *at, struct view *ret_field)
{
	for (struct jsonpath_token token = jsonpath_token(text, *at); token.kind != TOKEN_END;
	     token = jsonpath_token(text, *at)) {
		*at = token.at + token.text.len;
		struct jsonpath_token point = jsonpath_token(text, *at);
		if (!view_eq(token.text, VIEW_LIT("$")) || !view_eq(point.text, VIEW_LIT(".")))
			continue;
		struct jsonpath_token name = jsonpath_token(text, point.at + 1);
		*at = name.at + name.text.len;
		if (!is_field(text, &name))
			continue;
		*ret_field = name.kind == TOKEN_STRING ? view_slice(name.text, 1, name.text.len - 1) : name.text;
		return true;
	}
	return false;
}
