#include "listctl/jsonpath.h"

#include <assert.h>
#include <string.h>

#include "listctl/jsonpath_remedy.h"

/* PostgreSQL 15, section 9.16.2 and its jsonpath_gram.y. What is true or false is a condition, anything else a value, and neither stands in the
 * other's place:
 *
 *   path       = [ "lax" / "strict" ] either
 *   either     = both *( "||" both )                       conditions, or one value
 *   both       = opposite *( "&&" opposite )
 *   opposite   = comparison / "!" ( "exists" "(" value ")" / "(" condition ")" )
 *   comparison = sum [ ( "==" / "!=" / "<>" / "<" / "<=" / ">" / ">=" ) sum / "starts" "with" STRING /
 *                "like_regex" STRING [ "flag" STRING ] ]
 *   sum        = product *( ( "+" / "-" ) product )
 *   product    = sign *( ( "*" / "/" / "%" ) sign )
 *   sign       = *( "+" / "-" ) accessor
 *   accessor   = primary *( "." KEY / "." "*" / "." "**" [ "{" level [ "to" level ] "}" ] / "." METHOD "(" ")" / "[" indices "]" /
 *                "?" "(" condition ")" )
 *   primary    = "$" / "@" / "last" / STRING / NUMBER / "true" / "false" / "null" / "exists" "(" value ")" /
 *                "(" either ")" [ "is" "unknown" ]
 *
 * One method is refused although the server knows it: datetime() raises an error, whatever else is silent, where a time with a zone meets one
 * without, or its template is none. One subscriber's attributes would make the segment fail for all.
 */

/* What a part of a predicate is. */
enum kind { VALUE, CONDITION };

enum { DEPTH_MOST = 50, LEVELS_MOST_DIGITS = 9 };

struct parser {
	struct view text;
	struct jsonpath_token token; /* the one that comes next */
	int depth;
	int filters, subscripts; /* around it */
	bool failed;
	struct jsonpath_slip slip;
};

static void next(struct parser *parser)
{
	parser->token = jsonpath_token(parser->text, parser->token.at + parser->token.text.len);
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

static void fail(struct parser *parser, const char *what, const char *remedy)
{
	if (parser->failed)
		return;
	const char *better = jsonpath_remedy(&parser->token);
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

/* At a place that has been passed. */
static void fail_at(struct parser *parser, const struct jsonpath_token *token, const char *what, const char *remedy)
{
	if (parser->failed)
		return;
	parser->failed = true;
	parser->slip =
	    (struct jsonpath_slip){ .at = token->at, .len = token->text.len, .what = what, .remedy = remedy };
}

/* What began at this token should be a condition, or a value. */
static void demand_kind(struct parser *parser, const struct jsonpath_token *first, enum kind kind, enum kind wanted)
{
	if (kind == wanted)
		return;
	if (jsonpath_remedy(&parser->token) != NULL)
		fail(parser, "this does not follow here", "");
	if (wanted == CONDITION)
		fail_at(parser, first, "a value stands here where something true or false is expected",
			"compare it, as in $.country == \"ID\", or ask exists($.country)");
	else
		fail_at(parser, first, "something true or false stands here where a value is expected",
			"join conditions by && or ||");
}

/* ---- the grammar ---- */

static enum kind either(struct parser *parser);

static void take_string(struct parser *parser, const char *what)
{
	if (parser->token.kind != TOKEN_STRING)
		fail(parser, what, "put it between quotation marks");
	else
		next(parser);
}

static enum kind in_brackets(struct parser *parser)
{
	demand(parser, "(", "an opening bracket is missing here");
	enum kind kind = either(parser);
	demand(parser, ")", "a closing bracket is missing here");
	return kind;
}

static void in_brackets_only(struct parser *parser, enum kind wanted)
{
	demand(parser, "(", "an opening bracket is missing here");
	struct jsonpath_token first = parser->token;
	demand_kind(parser, &first, either(parser), wanted);
	demand(parser, ")", "a closing bracket is missing here");
}

static bool is_constant(const struct parser *parser)
{
	static const char *const words[] = { "true", "false", "null" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (parser->token.kind == TOKEN_NAME && view_eq(parser->token.text, view_of(words[i])))
			return true;
	}
	return parser->token.kind == TOKEN_STRING || parser->token.kind == TOKEN_NUMBER;
}

/* Places where a word or sign means something. */
static void check_place(struct parser *parser)
{
	if (is_sign(parser, "@") && parser->filters == 0)
		fail(parser, "@ stands for what a filter looks at, and this is in none",
		     "write $ for the subscriber's attributes, as in $.country");
	if (is_word(parser, "last") && parser->subscripts == 0)
		fail(parser, "last is the last place of an array, and this is in no [ ]",
		     "write $.a[last], or put a text between quotation marks");
}

/* Behind its word. A closing bracket is the end of it: nothing may follow but a sign that joins. */
static enum kind unknown_or(struct parser *parser, const struct jsonpath_token *first, enum kind kind)
{
	if (!take_word(parser, "is"))
		return kind;
	if (!take_word(parser, "unknown"))
		fail(parser, "only \"is unknown\" may stand behind brackets", "");
	demand_kind(parser, first, kind, CONDITION);
	return CONDITION;
}

static void refuse_primary(struct parser *parser)
{
	if (parser->token.kind == TOKEN_VARIABLE)
		fail(parser, "a field of a subscriber begins with $. here", "write $.country, with a point");
	else if (is_word(parser, "true") || is_word(parser, "false") || is_word(parser, "null"))
		fail(parser, "this word is written small", "write true, false or null");
	else if (parser->token.kind == TOKEN_NAME)
		fail(parser, "a name stands where a field, a text or a number is expected",
		     "a field begins with $. as in $.country, a text stands between quotation marks");
	else
		fail(parser, "a field, a text or a number is expected here", "");
}

/* *ret_goes_on: ways into it may follow. */
static enum kind primary(struct parser *parser, bool *ret_goes_on)
{
	struct jsonpath_token first = parser->token;
	*ret_goes_on = true;
	check_place(parser);
	if (is_sign(parser, "$") || is_sign(parser, "@") || is_word(parser, "last") || is_constant(parser)) {
		next(parser);
		return VALUE;
	}
	if (take_word(parser, "exists")) {
		in_brackets_only(parser, VALUE);
		*ret_goes_on = false;
		return CONDITION;
	}
	if (is_sign(parser, "(")) {
		enum kind kind = in_brackets(parser);
		*ret_goes_on = !is_word(parser, "is");
		return unknown_or(parser, &first, kind);
	}
	refuse_primary(parser);
	return VALUE;
}

static bool is_method(struct view name)
{
	static const char *const methods[] = { "abs", "ceiling", "double", "floor", "keyvalue", "size", "type" };
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (view_eq_nocase(name, view_of(methods[i])))
			return true;
	}
	return false;
}

static void level(struct parser *parser)
{
	struct view text = parser->token.text;
	bool is_number = parser->token.kind == TOKEN_NUMBER && text.len <= LEVELS_MOST_DIGITS;
	for (size_t i = 0; i < text.len; i++)
		is_number = is_number && jsonpath_is_digit(text.data[i]);
	if (!is_number && !is_word(parser, "last"))
		fail(parser, "the number of a level is expected here", "as in {1 to 3} or {last}");
	next(parser);
}

static void levels(struct parser *parser)
{
	level(parser);
	if (take_word(parser, "to"))
		level(parser);
	demand(parser, "}", "a closing bracket } is missing here");
}

static void method(struct parser *parser, const struct jsonpath_token *name)
{
	if (view_eq_nocase(name->text, VIEW_LIT("datetime")))
		fail_at(parser, name,
			"datetime() would fail for all as soon as one subscriber has another kind of time",
			"compare as texts, which puts days and times in order: $.since >= \"2026-01-31\"");
	else if (!is_method(name->text))
		fail_at(parser, name, "there is no such method",
			"there are abs, ceiling, double, floor, keyvalue, size and type");
	next(parser);
	demand(parser, ")", "a closing bracket is missing here");
}

/* Behind a point. */
static void key(struct parser *parser)
{
	struct jsonpath_token name = parser->token;
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
	if (name.kind == TOKEN_NAME && is_sign(parser, "("))
		method(parser, &name);
}

static enum kind sum(struct parser *parser);

static void value(struct parser *parser)
{
	struct jsonpath_token first = parser->token;
	demand_kind(parser, &first, sum(parser), VALUE);
}

static void indices(struct parser *parser)
{
	if (take_sign(parser, "*")) {
		demand(parser, "]", "a closing bracket ] is missing here");
		return;
	}
	parser->subscripts++;
	do {
		value(parser);
		if (!parser->failed && take_word(parser, "to"))
			value(parser);
	} while (!parser->failed && take_sign(parser, ","));
	parser->subscripts--;
	demand(parser, "]", "a closing bracket ] is missing here");
}

static void filter(struct parser *parser)
{
	parser->filters++;
	in_brackets_only(parser, CONDITION);
	parser->filters--;
}

static enum kind accesses(struct parser *parser, enum kind kind)
{
	while (!parser->failed) {
		if (take_sign(parser, "."))
			key(parser);
		else if (take_sign(parser, "["))
			indices(parser);
		else if (take_sign(parser, "?"))
			filter(parser);
		else
			return kind;
		kind = VALUE;
	}
	return kind;
}

/* All that stands in something else passes here: the one place where depth is counted. */
static enum kind accessor(struct parser *parser)
{
	bool goes_on = false;
	enum kind kind = VALUE;
	if (++parser->depth > DEPTH_MOST)
		fail(parser, "brackets stand too deep here", "");
	if (!parser->failed)
		kind = primary(parser, &goes_on);
	if (goes_on)
		kind = accesses(parser, kind);
	parser->depth--;
	return kind;
}

static enum kind sign(struct parser *parser)
{
	if (!is_sign(parser, "+") && !is_sign(parser, "-"))
		return accessor(parser);
	while (is_sign(parser, "+") || is_sign(parser, "-"))
		next(parser);
	struct jsonpath_token first = parser->token;
	demand_kind(parser, &first, accessor(parser), VALUE);
	return VALUE;
}

static bool is_one_of(const struct parser *parser, const char *const *signs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_sign(parser, signs[i]))
			return true;
	}
	return false;
}

/* Parts joined by signs: of this kind, as soon as there is more than one. */
static enum kind joined(struct parser *parser, enum kind (*part)(struct parser *), enum kind wanted,
			const char *const *signs, size_t count)
{
	struct jsonpath_token first = parser->token;
	enum kind kind = part(parser);
	while (!parser->failed && is_one_of(parser, signs, count)) {
		demand_kind(parser, &first, kind, wanted);
		next(parser);
		first = parser->token;
		kind = part(parser);
		demand_kind(parser, &first, kind, wanted);
	}
	return kind;
}

static enum kind product(struct parser *parser)
{
	static const char *const signs[] = { "*", "/", "%" };
	return joined(parser, sign, VALUE, signs, ARRAY_LEN(signs));
}

static enum kind sum(struct parser *parser)
{
	static const char *const signs[] = { "+", "-" };
	return joined(parser, product, VALUE, signs, ARRAY_LEN(signs));
}

/* PostgreSQL's flags but for x, which it does not have. */
static void flags(struct parser *parser)
{
	struct view text = parser->token.text;
	for (size_t i = 1; parser->token.kind == TOKEN_STRING && i + 1 < text.len; i++) {
		if (memchr("imsq", text.data[i], 4) == NULL)
			fail(parser, "there is no such flag",
			     "there are i (either case), s, m and q (no regular expression, the text itself)");
	}
	take_string(parser, "the flags are expected here");
}

/* Behind its first value: whether there was one. */
static bool compare(struct parser *parser)
{
	static const char *const signs[] = { "==", "!=", "<>", "<", "<=", ">", ">=" };
	if (is_one_of(parser, signs, ARRAY_LEN(signs))) {
		next(parser);
		value(parser);
		return true;
	}
	if (take_word(parser, "starts")) {
		if (!take_word(parser, "with"))
			fail(parser, "\"with\" is expected here", "write starts with \"...\"");
		take_string(parser, "the text that it starts with is expected here");
		return true;
	}
	if (take_word(parser, "like_regex")) {
		take_string(parser, "the regular expression is expected here");
		if (take_word(parser, "flag"))
			flags(parser);
		return true;
	}
	return false;
}

static enum kind comparison(struct parser *parser)
{
	struct jsonpath_token first = parser->token;
	enum kind kind = sum(parser);
	if (parser->failed || !compare(parser))
		return kind;
	demand_kind(parser, &first, kind, VALUE);
	return CONDITION;
}

static enum kind opposite(struct parser *parser)
{
	if (!take_sign(parser, "!"))
		return comparison(parser);
	if (take_word(parser, "exists"))
		in_brackets_only(parser, VALUE);
	else if (is_sign(parser, "("))
		in_brackets_only(parser, CONDITION);
	else
		fail(parser, "what is denied stands between brackets", "write !( ... )");
	return CONDITION;
}

static enum kind both(struct parser *parser)
{
	static const char *const signs[] = { "&&" };
	return joined(parser, opposite, CONDITION, signs, ARRAY_LEN(signs));
}

static enum kind either(struct parser *parser)
{
	static const char *const signs[] = { "||" };
	return parser->failed ? VALUE : joined(parser, both, CONDITION, signs, ARRAY_LEN(signs));
}

bool jsonpath_check(struct view text, struct jsonpath_slip *ret_slip)
{
	struct parser parser = { .text = text };
	parser.token = jsonpath_token(text, 0);
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
