#include "listctl/jsonpath.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"

/* PostgreSQL 15, section 9.16.2:
 *
 *   path       = [ "lax" / "strict" ] either
 *   either     = both *( "||" both )
 *   both       = opposite *( "&&" opposite )
 *   opposite   = [ "!" ] comparison
 *   comparison = sum [ ( "==" / "!=" / "<>" / "<" / "<=" / ">" / ">=" ) sum / "starts" "with" primary /
 *                "like_regex" STRING [ "flag" STRING ] ]
 *   sum        = product *( ( "+" / "-" ) product )
 *   product    = sign *( ( "*" / "/" / "%" ) sign )
 *   sign       = *( "+" / "-" ) accessor
 *   accessor   = primary *( "." KEY / "." "*" / "." "**" [ "{" levels "}" ] / "." METHOD "(" [ STRING ] ")" / "[" indices "]" /
 *                "?" "(" either ")" )
 *   primary    = "$" / "@" / "last" / STRING / NUMBER / "true" / "false" / "null" / "exists" "(" either ")" /
 *                "(" either ")" [ "is" "unknown" ]
 */

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_VARIABLE, TOKEN_SIGN, TOKEN_BAD };

struct token {
	enum token_kind kind;
	struct view text;
	size_t at;
};

enum { DEPTH_MOST = 50 };

struct parser {
	struct view text;
	struct token token; /* the one that comes next */
	int depth;
	bool failed;
	struct jsonpath_slip slip;
};

/* ---- tokens ---- */

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

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static size_t number_size(struct view rest)
{
	size_t len = 0;
	while (len < rest.len && (is_digit(rest.data[len]) || rest.data[len] == '.'))
		len++;
	if (len < rest.len && (rest.data[len] == 'e' || rest.data[len] == 'E')) {
		size_t more = len + 1;
		more += more < rest.len && memchr("+-", rest.data[more], 2) != NULL;
		size_t digits = more;
		while (digits < rest.len && is_digit(rest.data[digits]))
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

static struct token token_from(struct view text, size_t at)
{
	at = skip_blanks(text, at);
	struct view rest = view_skip(text, at);
	struct token token = { .kind = TOKEN_SIGN, .at = at, .text = view_head(rest, 0) };
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
	} else if (is_digit(first) || (first == '.' && rest.len > 1 && is_digit(rest.data[1]))) {
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

static void next(struct parser *parser)
{
	parser->token = token_from(parser->text, parser->token.at + parser->token.text.len);
}

static bool is_sign(const struct parser *parser, const char *sign)
{
	return parser->token.kind == TOKEN_SIGN && view_eq(parser->token.text, view_of(sign));
}

static bool is_word(const struct parser *parser, const char *word)
{
	return parser->token.kind == TOKEN_NAME && view_eq_nocase(parser->token.text, view_of(word));
}

static bool take_sign(struct parser *parser, const char *sign)
{
	if (!is_sign(parser, sign))
		return false;
	next(parser);
	return true;
}

static bool take_word(struct parser *parser, const char *word)
{
	if (!is_word(parser, word))
		return false;
	next(parser);
	return true;
}

/* ---- what was meant ---- */

struct slip_row {
	const char *token; /* lower case */
	const char *remedy;
};

static const struct slip_row slips[] = {
	{ "=", "compare with ==" },
	{ "and", "write && for and" },
	{ "&", "write && for and" },
	{ "or", "write || for or" },
	{ "|", "write || for or" },
	{ "not", "write !( ... ) for not" },
	{ "like", "write like_regex \"...\" or starts with \"...\"" },
	{ "in", "compare one by one: $.a == \"x\" || $.a == \"y\"" },
	{ "between", "write $.a >= 1 && $.a <= 9" },
	{ "is", "write == null, or ( ... ) is unknown" },
	{ "~", "write like_regex \"...\"" },
	{ ";", "leave the semicolon out" },
};

static const char *remedy_for(const struct token *token)
{
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		if (view_eq_nocase(token->text, view_of(slips[i].token)))
			return slips[i].remedy;
	}
	if (token->kind == TOKEN_NAME && token->text.data[0] == '\'')
		return "put texts between double quotation marks";
	if (token->kind == TOKEN_NAME && (unsigned char)token->text.data[0] == 0xe2)
		return "put texts between plain quotation marks, not typographic ones";
	return NULL;
}

static void fail(struct parser *parser, const char *what, const char *remedy)
{
	if (parser->failed)
		return;
	const char *better = remedy_for(&parser->token);
	parser->failed = true;
	parser->slip = (struct jsonpath_slip){ .at = parser->token.at,
					       .len = parser->token.text.len,
					       .what = what,
					       .remedy = better != NULL ? better : remedy };
	if (parser->token.kind == TOKEN_END)
		parser->slip.what = "something is missing at the end";
	if (parser->token.kind == TOKEN_BAD) {
		parser->slip.what = "this text is not closed";
		parser->slip.remedy = "add its closing quotation mark";
	}
}

static void demand(struct parser *parser, const char *sign, const char *what)
{
	if (!take_sign(parser, sign))
		fail(parser, what, "");
}

/* ---- the grammar ---- */

static void either(struct parser *parser);

static void take_string(struct parser *parser, const char *what)
{
	if (parser->token.kind != TOKEN_STRING)
		fail(parser, what, "put it between quotation marks");
	else
		next(parser);
}

static void in_brackets(struct parser *parser)
{
	demand(parser, "(", "an opening bracket is missing here");
	either(parser);
	demand(parser, ")", "a closing bracket is missing here");
}

static bool is_literal(const struct parser *parser)
{
	return parser->token.kind == TOKEN_STRING || parser->token.kind == TOKEN_NUMBER || is_word(parser, "true") ||
	       is_word(parser, "false") || is_word(parser, "null") || is_word(parser, "last");
}

static void primary(struct parser *parser)
{
	if (parser->token.kind == TOKEN_VARIABLE) {
		fail(parser, "a field of a subscriber begins with $. here", "write $.country, with a point");
	} else if (is_sign(parser, "$") || is_sign(parser, "@") || is_literal(parser)) {
		next(parser);
	} else if (take_word(parser, "exists")) {
		in_brackets(parser);
	} else if (is_sign(parser, "(")) {
		in_brackets(parser);
		if (take_word(parser, "is") && !take_word(parser, "unknown"))
			fail(parser, "only \"is unknown\" may stand behind brackets", "");
	} else if (parser->token.kind == TOKEN_NAME) {
		fail(parser, "a name stands where a field, a text or a number is expected",
		     "a field begins with $. as in $.country, a text stands between quotation marks");
	} else {
		fail(parser, "a field, a text or a number is expected here", "");
	}
}

static bool is_method(struct view name)
{
	static const char *const methods[] = { "abs",   "ceiling",  "datetime", "double",
					       "floor", "keyvalue", "size",     "type" };
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (view_eq_nocase(name, view_of(methods[i])))
			return true;
	}
	return false;
}

static void levels(struct parser *parser)
{
	while (!parser->failed && !take_sign(parser, "}")) {
		if (parser->token.kind != TOKEN_NUMBER && !is_word(parser, "last") && !is_word(parser, "to") &&
		    !is_sign(parser, ","))
			fail(parser, "numbers of levels are expected here", "as in {1 to 3}");
		next(parser);
	}
}

/* Behind a point. */
static void key(struct parser *parser)
{
	struct token name = parser->token;
	if (take_sign(parser, "*"))
		return;
	if (take_sign(parser, "**")) {
		if (take_sign(parser, "{"))
			levels(parser);
		return;
	}
	if (name.kind != TOKEN_NAME && name.kind != TOKEN_STRING) {
		fail(parser, "the name of a field is expected here",
		     "names with blanks, signs or a digit in front stand between quotation marks: $.\"zip code\"");
		return;
	}
	next(parser);
	if (name.kind == TOKEN_STRING || !is_sign(parser, "("))
		return;
	if (!is_method(name.text)) {
		parser->token = name;
		fail(parser, "there is no such method",
		     "there are abs, ceiling, datetime, double, floor, keyvalue, size and type");
		return;
	}
	next(parser);
	if (parser->token.kind == TOKEN_STRING)
		next(parser);
	demand(parser, ")", "a closing bracket is missing here");
}

static void sum(struct parser *parser);

static void indices(struct parser *parser)
{
	if (take_sign(parser, "*")) {
		demand(parser, "]", "a closing bracket ] is missing here");
		return;
	}
	do {
		sum(parser);
		if (take_word(parser, "to"))
			sum(parser);
	} while (!parser->failed && take_sign(parser, ","));
	demand(parser, "]", "a closing bracket ] is missing here");
}

static void accessor(struct parser *parser)
{
	primary(parser);
	while (!parser->failed) {
		if (take_sign(parser, "."))
			key(parser);
		else if (take_sign(parser, "["))
			indices(parser);
		else if (take_sign(parser, "?"))
			in_brackets(parser);
		else
			return;
	}
}

static void sign(struct parser *parser)
{
	while (is_sign(parser, "+") || is_sign(parser, "-"))
		next(parser);
	accessor(parser);
}

static void product(struct parser *parser)
{
	sign(parser);
	while (!parser->failed && (is_sign(parser, "*") || is_sign(parser, "/") || is_sign(parser, "%"))) {
		next(parser);
		sign(parser);
	}
}

static void sum(struct parser *parser)
{
	product(parser);
	while (!parser->failed && (is_sign(parser, "+") || is_sign(parser, "-"))) {
		next(parser);
		product(parser);
	}
}

static bool take_comparison(struct parser *parser)
{
	static const char *const signs[] = { "==", "!=", "<>", "<", "<=", ">", ">=" };
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (take_sign(parser, signs[i]))
			return true;
	}
	return false;
}

static void comparison(struct parser *parser)
{
	sum(parser);
	if (parser->failed)
		return;
	if (take_comparison(parser)) {
		sum(parser);
	} else if (take_word(parser, "starts")) {
		if (!take_word(parser, "with"))
			fail(parser, "\"with\" is expected here", "write starts with \"...\"");
		take_string(parser, "the text that it starts with is expected here");
	} else if (take_word(parser, "like_regex")) {
		take_string(parser, "the regular expression is expected here");
		if (take_word(parser, "flag"))
			take_string(parser, "the flags are expected here");
	}
}

static void opposite(struct parser *parser)
{
	if (take_sign(parser, "!") && !is_sign(parser, "(") && !is_word(parser, "exists"))
		fail(parser, "what is denied stands between brackets", "write !( ... )");
	comparison(parser);
}

static void both(struct parser *parser)
{
	do
		opposite(parser);
	while (!parser->failed && take_sign(parser, "&&"));
}

static void either(struct parser *parser)
{
	if (++parser->depth > DEPTH_MOST)
		fail(parser, "brackets stand too deep here", "");
	do {
		if (!parser->failed)
			both(parser);
	} while (!parser->failed && take_sign(parser, "||"));
	parser->depth--;
}

bool jsonpath_check(struct view text, struct jsonpath_slip *ret_slip)
{
	struct parser parser = { .text = text };
	parser.token = token_from(text, 0);
	if (text.len > JSONPATH_MOST) {
		*ret_slip = (struct jsonpath_slip){ .at = JSONPATH_MOST,
						    .what = "the predicate is longer than 2000 octets",
						    .remedy = "" };
		return false;
	}
	if (!take_word(&parser, "lax") && take_word(&parser, "strict")) {
		/* both are let through; which mode it is does not matter here */
	}
	either(&parser);
	if (!parser.failed && parser.token.kind != TOKEN_END)
		fail(&parser, "this does not follow here", "join two conditions by && or ||");
	if (parser.failed)
		*ret_slip = parser.slip;
	return !parser.failed;
}

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

bool jsonpath_field(struct view text, size_t *at, struct view *ret_field)
{
	for (struct token token = token_from(text, *at); token.kind != TOKEN_END; token = token_from(text, *at)) {
		*at = token.at + token.text.len;
		struct token point = token_from(text, *at);
		if (!view_eq(token.text, VIEW_LIT("$")) || !view_eq(point.text, VIEW_LIT(".")))
			continue;
		struct token name = token_from(text, point.at + 1);
		*at = name.at + name.text.len;
		if (name.kind == TOKEN_STRING)
			name.text = view_slice(name.text, 1, name.text.len - 1);
		if (name.kind != TOKEN_NAME && name.kind != TOKEN_STRING)
			continue;
		*ret_field = name.text;
		return true;
	}
	return false;
}
