#include "mail/mime.h"

#include <string.h>

#include "mail/fields.h"

/* ---- header and body ---- */

static bool is_blank(struct view line)
{
	return view_trim(line).len == 0;
}

static bool is_field(struct view line)
{
	struct field field;
	return line.data[0] != ' ' && line.data[0] != '\t' && fields_next(&line, &field) == FIELD_READ;
}

/* Programs that fold a field and forget the blanks are more frequent than those that forget the blank line: a line that is no field ends no
 * header, but one that should be the first means that there is none. */
struct mime_entity mime_split(struct view text)
{
	struct view rest = text, line;
	for (struct view at = text; view_cut_line(&rest, &line); at = rest) {
		struct view header = view_head(text, text.len - at.len);
		if (is_blank(line))
			return (struct mime_entity){ header, rest };
		if (header.len == 0 && !is_field(line))
			return (struct mime_entity){ header, text };
	}
	return (struct mime_entity){ text, view_head(text, 0) };
}

bool mime_field(struct view header, struct view name, struct view *ret_value)
{
	struct field field;
	enum field_step step;
	while ((step = fields_next(&header, &field)) != FIELD_END) {
		if (step == FIELD_READ && view_eq_nocase(field.name, name)) {
			*ret_value = field.value;
			return true;
		}
	}
	return false;
}

/* ---- Content-Type ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks and comments, which may be nested. */
static struct view skip_space(struct view text)
{
	size_t at = 0;
	unsigned depth = 0;
	for (; at < text.len; at++) {
		char c = text.data[at];
		if (c == '\\' && depth > 0)
			at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !is_space(c))
			break;
	}
	return view_skip(text, at);
}

/* Up to a special of RFC 2045 section 5.1, but for those that careless programs put into values. */
static struct view cut_token(struct view *text)
{
	size_t len = 0;
	while (len < text->len && !is_space(text->data[len]) && memchr("()<>@,;\\\"/[]?=", text->data[len], 14) == NULL)
		len++;
	struct view token = view_head(*text, len);
	*text = view_skip(*text, len);
	return token;
}

/* A quoted string, whose backslashes stay, or all up to the next semicolon or blank. */
static struct view cut_value(struct view *text)
{
	struct view value = *text;
	size_t len = 0;
	if (!view_starts(value, VIEW_LIT("\""))) {
		while (len < value.len && !is_space(value.data[len]) && value.data[len] != ';')
			len++;
		*text = view_skip(value, len);
		return view_head(value, len);
	}
	value = view_skip(value, 1);
	while (len < value.len && value.data[len] != '"')
		len += value.data[len] == '\\' ? 2 : 1;
	*text = view_skip(value, len + 1);
	return view_head(value, len);
}

static void take_parameter(struct mime_type *type, struct view name, struct view value)
{
	const struct {
		const char *name;
		struct view *place;
	} known[] = { { "boundary", &type->boundary },
		      { "charset", &type->charset },
		      { "report-type", &type->report_type } };
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].place->len == 0 && view_eq_nocase(name, view_of(known[i].name)))
			*known[i].place = value;
	}
}

static void read_parameters(struct view text, struct mime_type *type)
{
	while ((text = skip_space(text)).len > 0) {
		if (text.data[0] != ';') {
			text = view_skip(text, 1);
			continue;
		}
		text = skip_space(view_skip(text, 1));
		struct view name = cut_token(&text);
		text = skip_space(text);
		if (!view_starts(text, VIEW_LIT("=")))
			continue;
		text = skip_space(view_skip(text, 1));
		take_parameter(type, name, cut_value(&text));
	}
}

struct mime_type mime_type_of(struct view header)
{
	const struct mime_type plain = { .type = VIEW_LIT("text"), .subtype = VIEW_LIT("plain") };
	struct mime_type type = { 0 };
	struct view text;
	if (!mime_field(header, VIEW_LIT("Content-Type"), &text))
		return plain;
	text = skip_space(text);
	type.type = cut_token(&text);
	text = skip_space(text);
	if (type.type.len == 0 || !view_starts(text, VIEW_LIT("/")))
		return plain;
	text = skip_space(view_skip(text, 1));
	type.subtype = cut_token(&text);
	if (type.subtype.len == 0)
		return plain;
	read_parameters(text, &type);
	return type;
}

bool mime_is(const struct mime_type *type, const char *main, const char *subtype)
{
	return view_eq_nocase(type->type, view_of(main)) &&
	       (strcmp(subtype, "*") == 0 || view_eq_nocase(type->subtype, view_of(subtype)));
}

/* ---- parts ---- */

enum delimiter { NO_DELIMITER, OPENS, CLOSES };

static enum delimiter delimiter_of(struct view line, struct view boundary)
{
	if (!view_starts(line, VIEW_LIT("--")) || !view_starts(view_skip(line, 2), boundary))
		return NO_DELIMITER;
	struct view rest = view_skip(line, 2 + boundary.len);
	if (is_blank(rest))
		return OPENS;
	return view_starts(rest, VIEW_LIT("--")) ? CLOSES : NO_DELIMITER;
}

/* Moves *text behind the next delimiter; *ret_before is what stood in front of it, without the line end that belongs to it. */
static enum delimiter find_delimiter(struct view *text, struct view boundary, struct view *ret_before)
{
	struct view all = *text, line;
	for (struct view at = all; view_cut_line(text, &line); at = *text) {
		enum delimiter found = delimiter_of(line, boundary);
		if (found == NO_DELIMITER)
			continue;
		struct view before = view_head(all, all.len - at.len);
		if (view_ends(before, VIEW_LIT("\n")))
			before.len--;
		if (view_ends(before, VIEW_LIT("\r")))
			before.len--;
		*ret_before = before;
		return found;
	}
	*ret_before = all;
	return NO_DELIMITER;
}

bool mime_next_part(struct view *body, struct view boundary, struct view *ret_part)
{
	struct view before;
	if (boundary.len == 0 || body->len == 0)
		return false;
	struct view rest = *body;
	/* What is left begins with a part's delimiter, or with the preamble. */
	if (find_delimiter(&rest, boundary, &before) != OPENS) {
		*body = view_head(*body, 0);
		return false;
	}
	struct view from = rest;
	enum delimiter next = find_delimiter(&rest, boundary, ret_part);
	/* The delimiter of the next one is read once more then. */
	*body = next == OPENS ? view_skip(from, ret_part->len) : view_head(from, 0);
	return true;
}
