#include "base/limits.h"
#include "mail/reference.h"
#include "mail/template_private.h"

/* Characters that nobody sees and nobody types. */
static const struct invisible_row {
	uint32_t character;
	const char *text;
	bool is_blank;
} invisibles[] = {
	{ 0xa0, "\u00a0", true },    { 0xad, "\u00ad", false },   { 0x200b, "\u200b", false },
	{ 0x200c, "\u200c", false }, { 0x200d, "\u200d", false }, { 0x200e, "\u200e", false },
	{ 0x200f, "\u200f", false }, { 0x2009, "\u2009", true },  { 0x202f, "\u202f", true },
	{ 0x2060, "\u2060", false }, { 0xfeff, "\ufeff", false },
};

/* The one that a text begins with, as it is or as a reference; NULL: none. */
static const struct invisible_row *read_invisible(struct view text, size_t *ret_len)
{
	uint32_t character = 0;
	size_t reference = reference_read(text, &character);
	for (size_t i = 0; i < ARRAY_LEN(invisibles); i++) {
		struct view itself = view_of(invisibles[i].text);
		bool is_reference = reference > 0 && character == invisibles[i].character;
		*ret_len = is_reference ? reference : itself.len;
		if (is_reference || view_starts(text, itself))
			return &invisibles[i];
	}
	return NULL;
}

struct view template_skip_invisible(struct view text)
{
	size_t len;
	while (read_invisible(text, &len) != NULL)
		text = view_skip(text, len);
	return text;
}

/* The length of the one that a text ends with; 0: none. */
static size_t ends_invisible(struct view text)
{
	size_t len, last = view_find_last_byte(text, '&');
	for (size_t i = 0; i < ARRAY_LEN(invisibles); i++) {
		if (view_ends(text, view_of(invisibles[i].text)))
			return view_of(invisibles[i].text).len;
	}
	bool is = last != VIEW_NONE && read_invisible(view_skip(text, last), &len) != NULL && last + len == text.len;
	return is ? len : 0;
}

struct view template_trim_name(struct view name)
{
	size_t before;
	do {
		before = name.len;
		name = view_trim(template_skip_invisible(view_trim(name)));
		name.len -= ends_invisible(name);
	} while (name.len < before);
	return name;
}

/* ---- names that came by pasting ---- */

static bool has_markup(struct view name)
{
	size_t start = view_find_byte(name, '<');
	return start != VIEW_NONE && view_find_byte(view_skip(name, start), '>') != VIEW_NONE &&
	       view_find_byte(name, '{') == VIEW_NONE;
}

/* The name without what came with it; true when something did that nobody sees, the first of which is *ret_invisible. */
static bool purify(struct view name, struct buf *out, uint32_t *ret_invisible)
{
	bool found = false;
	while (name.len > 0) {
		size_t len, markup = name.data[0] == '<' ? view_find_byte(name, '>') : VIEW_NONE;
		const struct invisible_row *invisible = read_invisible(name, &len);
		if (markup != VIEW_NONE) {
			len = markup + 1;
		} else if (invisible == NULL) {
			len = 1;
			buf_add(out, view_head(name, 1));
		} else {
			*ret_invisible = found ? *ret_invisible : invisible->character;
			buf_add(out, view_of(invisible->is_blank ? " " : ""));
			found = true;
		}
		name = view_skip(name, len);
	}
	return found;
}

static void show_tag(const struct template_name *name, struct view plain, struct buf *why)
{
	bool is_triple = name->sigil == '{';
	buf_add(why, VIEW_LIT("{{"));
	buf_add(why, view_from(&name->sigil, name->sigil != '\0'));
	buf_add(why, view_trim(view_head(plain, LIMIT_FIELD_NAME)));
	buf_add(why, is_triple ? VIEW_LIT("}}}") : VIEW_LIT("}}"));
}

/* What other languages of templates have in braces. */
static const struct order_row {
	const char *start, *instead;
} orders[] = {
	{ "if ", "{{#field}}...{{/field}} stands where the field is there" },
	{ "unless ", "{{^field}}...{{/field}} stands where the field is missing or empty" },
	{ "each ", "{{#field}}...{{/field}} stands once for each item" },
	{ "with ", "{{#field}}...{{/field}} stands for an object" },
	{ "else", "{{/field}}{{^field}} begins what stands where the field is missing" },
	{ "if", "a section ends by its field's name, {{/field}}" },
	{ "unless", "a section ends by its field's name, {{/field}}" },
	{ "each", "a section ends by its field's name, {{/field}}" },
};

static const struct order_row *find_order(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct view start = view_of(orders[i].start);
		if (view_eq(name, start) || (view_ends(start, VIEW_LIT(" ")) && view_starts(name, start)))
			return &orders[i];
	}
	return NULL;
}

enum err template_refuse_unknown(struct view source, const struct template_name *name, const struct merge_names *known,
				 struct buf *why)
{
	AUTO_BUF plain = buf_with_ceiling(LIMIT_TEMPLATE);
	uint32_t invisible = 0;
	bool is_formatted = has_markup(name->text);
	bool is_pasted = purify(name->text, &plain, &invisible) || is_formatted;
	if (is_formatted)
		template_refuse(
		    source, name->start, why,
		    "formatting (HTML) stands inside the tag, as it comes by pasting; type the tag anew, in "
		    "one piece: ");
	else if (is_pasted)
		template_refuse(source, name->start, why,
				"the tag holds the invisible character U+%04X, as it comes by pasting; type the tag "
				"anew: ",
				invisible);
	else if (find_order(name->text) != NULL)
		return template_refuse(source, name->start, why, "\"" VIEW_FMT "\" is no field; here %s",
				       VIEW_ARG(name->text), find_order(name->text)->instead);
	else if (view_find(name->text, VIEW_LIT(" or ")) != VIEW_NONE)
		return template_refuse(source, name->start, why,
				       "\"" VIEW_FMT
				       "\" is no field; a text for those who have none stands behind a |: "
				       "{{field|text}}",
				       VIEW_ARG(name->text));
	else
		template_refuse(source, name->start, why, "the field \"" VIEW_FMT "\" is unknown; ",
				VIEW_ARG(name->text));
	if (is_pasted)
		show_tag(name, buf_view(&plain), why);
	else
		merge_names_suggest(known, name->text, why);
	return ERR_INVALID;
}

/* ---- any name ---- */

enum err template_check_name(struct view source, const struct template_name *name, const struct merge_names *known,
			     struct buf *why)
{
	struct view text = name->text;
	if (text.len == 0)
		return template_refuse(source, name->start, why, "the tag names no field; write {{name}}");
	if (has_markup(text) && !merge_names_know(known, text))
		return template_refuse_unknown(source, name, known, why);
	if (text.len > LIMIT_FIELD_NAME)
		return template_refuse(source, name->start, why,
				       "the name of the field has more than %d octets; is a }} missing",
				       LIMIT_FIELD_NAME);
	if (view_has_control(text) || view_find_byte(text, '{') != VIEW_NONE || view_find_byte(text, '}') != VIEW_NONE)
		return template_refuse(source, name->start, why, "the tag that begins here is not closed; add }}");
	if (view_eq(text, VIEW_LIT(".")))
		return ERR_OK;
	if (view_starts(text, VIEW_LIT(".")) || view_ends(text, VIEW_LIT(".")) ||
	    view_find(text, VIEW_LIT("..")) != VIEW_NONE)
		return template_refuse(source, name->start, why, "\"" VIEW_FMT "\" has a dot too many; remove it",
				       VIEW_ARG(text));
	return ERR_OK;
}
