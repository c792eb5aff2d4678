#include "listctl/jsonpath_token.h"

#include <string.h>

static bool is_blank(char byte)
{
	return memchr(" \t\r\n\f", byte, 5) != NULL;
}

/* What ends a name. */
static bool is_mark(char byte)
{
	static const char marks[] = "?%$.[]{}()|&!=<>@#,*:-+/\\\"";
	return is_blank(byte) || memchr(marks, byte, sizeof(marks) - 1) != NULL;
}

static size_t skip_blanks(struct view text, size_t at)
{
	for (;;) {
		while (at < text.len && is_blank(text.data[at]))
			at++;
		if (!view_starts(view_skip(text, at), VIEW_LIT("/*")))
			return at;
		size_t end = view_find(view_skip(text, at), VIEW_LIT("*/"));
		at = end == VIEW_NONE ? text.len : at + end + 2;
	}
}

/* From its quotation mark on, both marks included; 0: it does not end. */
static size_t string_size(struct view rest)
{
	for (size_t i = 1; i < rest.len; i++) {
		if (rest.data[i] == '\\')
			i++;
		else if (rest.data[i] == '"')
			return i + 1;
	}
	return 0;
}

static size_t name_size(struct view rest)
{
	size_t len = 0;
	while (len < rest.len && (!is_mark(rest.data[len]) || rest.data[len] == '\\'))
		len += rest.data[len] == '\\' ? 2 : 1;
	return len < rest.len ? len : rest.len;
}

bool jsonpath_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static size_t number_size(struct view rest)
{
	size_t len = 0;
	while (len < rest.len && (jsonpath_is_digit(rest.data[len]) || rest.data[len] == '.'))
		len++;
	if (len < rest.len && (rest.data[len] == 'e' || rest.data[len] == 'E')) {
		size_t more = len + 1;
		more += more < rest.len && memchr("+-", rest.data[more], 2) != NULL;
		size_t digits = more;
		while (digits < rest.len && jsonpath_is_digit(rest.data[digits]))
			digits++;
		len = digits > more ? digits : len;
	}
	return len;
}

static size_t sign_size(struct view rest)
{
	static const char *const pairs[] = { "&&", "||", "==", "!=", "<>", "<=", ">=", "**" };
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (view_starts(rest, view_of(pairs[i])))
			return 2;
	}
	return 1;
}

struct jsonpath_token jsonpath_token(struct view text, size_t at)
{
	at = skip_blanks(text, at);
	struct view rest = view_skip(text, at);
	struct jsonpath_token token = { .kind = TOKEN_SIGN, .at = at, .text = view_head(rest, 0) };
	if (rest.len == 0) {
		token.kind = TOKEN_END;
		return token;
	}
	size_t size = 1;
	char first = rest.data[0];
	if (first == '"') {
		size = string_size(rest);
		token.kind = size == 0 ? TOKEN_BAD : TOKEN_STRING;
		size = size == 0 ? rest.len : size;
	} else if (jsonpath_is_digit(first) || (first == '.' && rest.len > 1 && jsonpath_is_digit(rest.data[1]))) {
		size = number_size(rest);
		token.kind = TOKEN_NUMBER;
	} else if (first == '$' && rest.len > 1 && (rest.data[1] == '"' || name_size(view_skip(rest, 1)) > 0)) {
		size = 1 + (rest.data[1] == '"' ? string_size(view_skip(rest, 1)) : name_size(view_skip(rest, 1)));
		token.kind = TOKEN_VARIABLE;
	} else if (!is_mark(first) || first == '\\') {
		size = name_size(rest);
		token.kind = TOKEN_NAME;
	} else {
		size = sign_size(rest);
	}
	token.text = view_head(rest, size);
	return token;
}
