#include "mail/foreign_tag.h"

#include "mail/spelling.h"
#include "mail/template.h"

enum {
	NAME_MOST = 64,
	SPELT_MOST = 400, /* octets between braces that are spelt otherwise */
	NO_BREAK_SPACE = 0xa0,
};

/* What stands around a name. */
static const struct form_row {
	const char *open, *close;
	bool is_anything;  /* any name will do; else one of the words below */
	bool takes_blanks; /* in the name */
	bool is_spaced;    /* and around it */
} forms[] = {
	{ "*|", "|*", true, true, false },
	{ "<em>|", "|</em>", true, true, false }, /* the same, once Markdown has read it */
	{ "%%", "%%", true, true, false },
	{ "[[", "]]", true, false, false },
	{ "${", "}", true, false, false },
	{ "{$", "}", true, false, false },
	{ "{%", "%}", true, true, true },
	{ "[%", "%]", true, true, true },
	{ "%recipient.", "%", true, false, false },
	{ "%", "%", false, false, false },
	{ "{", "}", false, true, false },
	{ "[", "]", false, true, false },
	{ "\u00ab", "\u00bb", false, true, true },
	{ "&laquo;", "&raquo;", false, true, true },
	{ "<<", ">>", false, true, true },
	{ "&lt;&lt;", "&gt;&gt;", false, true, true },
};

/* The same where a link or HTML spells their characters otherwise; our own too, which nobody fills in then. */
static const struct form_row spelt_forms[] = {
	{ "{{", "}}", true, true, true },
	{ "*|", "|*", true, true, false },
	{ "[[", "]]", true, false, false },
	{ "%%", "%%", true, true, false },
};

/* Names that other programs give to what every list has, in lower case with underscores. */
static const struct word_row {
	const char *word, *field;
} words[] = {
	{ "name", "name" },
	{ "fullname", "name" },
	{ "full_name", "name" },
	{ "fname", "first_name" },
	{ "firstname", "first_name" },
	{ "first_name", "first_name" },
	{ "lname", "last_name" },
	{ "lastname", "last_name" },
	{ "last_name", "last_name" },
	{ "email", "email" },
	{ "emailaddress", "email" },
	{ "email_address", "email" },
	{ "unsub", "unsubscribe" },
	{ "unsubscribe", "unsubscribe" },
	{ "unsubscribeurl", "unsubscribe" },
	{ "unsubscribe_url", "unsubscribe" },
	{ "unsubscribe_link", "unsubscribe" },
	{ "list_name", "list.title" },
	{ "list_company", "list.title" },
	{ "campaign_name", "campaign.name" },
};

/* The beginnings of orders, which have sections here. */
static const struct {
	const char *start, *instead;
} orders[] = {
	{ "if", "{{#field}}...{{/field}}" },
	{ "unless", "{{^field}}...{{/field}}" },
	{ "else", "{{^field}}...{{/field}}" },
	{ "for", "{{#field}}...{{/field}}" },
	{ "end", "{{/field}}" },
	{ "interestif", "{{#field}}...{{/field}}" },
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(struct view name, bool takes_blanks)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool is_good = is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':' || c == '-' ||
			       (c == ' ' && takes_blanks);
		if (!is_good)
			return false;
	}
	return name.len > 0 && is_letter(name.data[0]);
}

/* As a column of that heading would be called. */
static struct view field_of(struct view name, char *room)
{
	size_t len = name.len < NAME_MOST ? name.len : NAME_MOST;
	for (size_t i = 0; i < len; i++) {
		char c = name.data[i];
		bool divides = c == ' ' || c == ':' || c == '-' || c == '.';
		room[i] = divides ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return view_from(room, len);
}

static const char *find_word(struct view name)
{
	char room[NAME_MOST];
	struct view field = field_of(name, room);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (view_eq(field, view_of(words[i].word)))
			return words[i].field;
	}
	return NULL;
}

static bool read_form(const struct form_row *form, struct view text, struct foreign_tag *ret_tag)
{
	struct view open = view_of(form->open), close = view_of(form->close);
	if (!view_starts(text, open))
		return false;
	struct view rest = view_skip(text, open.len);
	size_t len = view_find(view_head(rest, NAME_MOST + close.len), close);
	struct view name = view_head(rest, len);
	name = form->is_spaced ? view_trim(name) : name;
	if (len == VIEW_NONE || !is_name(name, form->takes_blanks) || (!form->is_anything && find_word(name) == NULL))
		return false;
	ret_tag->text = view_head(text, open.len + len + close.len);
	ret_tag->name = name;
	return true;
}

/* The octets of text that stand for mark, whatever their spelling; 0: it does not begin so. */
static size_t spelt_len(struct view text, const char *mark)
{
	size_t at = 0;
	for (; *mark != '\0'; mark++) {
		struct view rest = view_skip(text, at);
		uint32_t character = 0;
		size_t len = spelling_read(rest, &character);
		bool is_itself = rest.len > 0 && rest.data[0] == *mark;
		if (character != (unsigned char)*mark)
			len = is_itself ? 1 : 0;
		if (len == 0)
			return 0;
		at += len;
	}
	return at;
}

static bool read_spelt(const struct form_row *form, struct view text, struct foreign_tag *ret_tag)
{
	size_t open = spelt_len(text, form->open);
	struct view rest = view_skip(text, open);
	for (size_t len = 0; open > 0 && len < rest.len && len <= NAME_MOST; len++) {
		size_t close = spelt_len(view_skip(rest, len), form->close);
		if (close == 0)
			continue;
		struct view name = view_head(rest, len);
		ret_tag->name = form->is_spaced ? view_trim(name) : name;
		ret_tag->text = view_head(text, open + len + close);
		return is_name(ret_tag->name, form->takes_blanks);
	}
	return false;
}

/* {{name | capitalize}} */
static bool is_function(struct view otherwise)
{
	static const char *const names[] = { "capitalize", "capitalise", "upcase", "downcase",   "upper",    "lower",
					     "title",      "titlecase",  "escape", "strip",      "trim",     "safe",
					     "raw",        "html",       "e",      "url_encode", "urlencode" };
	bool is = false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		is |= view_eq(otherwise, view_of(names[i]));
	return is;
}

/* {{name|"you"}}: the quotes would go out. */
static bool is_quoted(struct view otherwise)
{
	char quote = otherwise.len >= 2 ? otherwise.data[0] : '\0';
	return (quote == '"' || quote == '\'') && otherwise.data[otherwise.len - 1] == quote;
}

/* {{name | default: "you"}}, {{name|default:'you'}}, {{name|default("you")}} */
static bool is_filter(struct view otherwise)
{
	struct view rest = view_trim(view_skip(otherwise, sizeof("default") - 1));
	return view_starts(otherwise, VIEW_LIT("default")) && rest.len > 0 &&
	       (rest.data[0] == ':' || rest.data[0] == '(' || rest.data[0] == '=');
}

/* Where what is no text ends that begins here; 0: none begins. */
static size_t skip_hidden(struct view text)
{
	static const struct {
		const char *start, *end;
	} hidden[] = { { "<style", "</style" }, { "<script", "</script" }, { "<!--", "-->" } };
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		if (!view_starts_nocase(text, view_of(hidden[i].start)) || view_starts(text, VIEW_LIT("<!--[")))
			continue;
		size_t end = view_find_nocase(text, view_of(hidden[i].end));
		return end == VIEW_NONE ? text.len : end + view_of(hidden[i].end).len;
	}
	return 0;
}

static bool may_begin(char c)
{
	return c == '*' || c == '%' || c == '[' || c == '$' || c == '{' || c == '<' || c == '&' || c == '\xc2';
}

bool foreign_tag_next(struct view source, bool is_html, size_t *cursor, struct foreign_tag *ret_tag)
{
	struct template_tag own;
	for (size_t at = *cursor, len; at < source.len; at += len) {
		struct view rest = view_skip(source, at);
		struct foreign_tag tag = { .start = at };
		bool found = false;
		size_t behind = 0;
		len = is_html ? skip_hidden(rest) : 0;
		if (len == 0 && view_starts(rest, VIEW_LIT("{{")) && template_next_tag(rest, &behind, &own)) {
			tag.text = view_head(rest, behind);
			tag.name = own.name;
			tag.otherwise = own.otherwise;
			found = is_filter(own.otherwise) || is_function(own.otherwise) || is_quoted(own.otherwise);
			len = behind;
		}
		for (size_t i = 0; len == 0 && !found && may_begin(rest.data[0]) && i < ARRAY_LEN(forms); i++)
			found = read_form(&forms[i], rest, &tag);
		for (size_t i = 0; len == 0 && !found && may_begin(rest.data[0]) && i < ARRAY_LEN(spelt_forms); i++)
			found = read_spelt(&spelt_forms[i], rest, &tag);
		len = found ? tag.text.len : len > 0 ? len : 1;
		*cursor = at + len;
		if (!found)
			continue;
		*ret_tag = tag;
		return true;
	}
	return false;
}

/* What stands in quotes behind default. */
static struct view quoted(struct view otherwise)
{
	size_t start = 0;
	while (start < otherwise.len && otherwise.data[start] != '"' && otherwise.data[start] != '\'')
		start++;
	struct view text = view_skip(otherwise, start < otherwise.len ? start + 1 : start);
	size_t end = start < otherwise.len ? view_find_last_byte(text, otherwise.data[start]) : VIEW_NONE;
	return end == VIEW_NONE ? VIEW_LIT("...") : view_head(text, end);
}

enum err foreign_tag_suggest(const struct foreign_tag *tag, struct buf *out)
{
	char room[NAME_MOST];
	if (is_function(tag->otherwise))
		return buf_addf(out, "{{" VIEW_FMT "}}", VIEW_ARG(tag->name));
	if (tag->otherwise.len > 0)
		return buf_addf(out, "{{" VIEW_FMT "|" VIEW_FMT "}}", VIEW_ARG(tag->name),
				VIEW_ARG(quoted(tag->otherwise)));
	const char *word = find_word(tag->name);
	if (word != NULL)
		return buf_addf(out, "{{%s}}", word);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct view start = view_of(orders[i].start);
		struct view rest = view_skip(tag->name, start.len);
		bool ends_word = rest.len == 0 || !is_letter(rest.data[0]) || view_eq(start, VIEW_LIT("end"));
		if (view_starts_nocase(tag->name, start) && ends_word)
			return buf_add(out, view_of(orders[i].instead));
	}
	return buf_addf(out, "{{" VIEW_FMT "}}", VIEW_ARG(field_of(tag->name, room)));
}

/* ---- our own, spelt otherwise ---- */

/* The same with each character as itself. */
static void unspell(struct view text, struct buf *out)
{
	while (text.len > 0) {
		uint32_t character = 0;
		size_t len = spelling_read(text, &character);
		bool is_octet = character < 0x80 || text.data[0] != '&';
		if (is_octet && character <= UINT8_MAX)
			buf_add_byte(out, (char)character);
		else
			buf_add(out, character == NO_BREAK_SPACE ? VIEW_LIT(" ") : view_head(text, len));
		text = view_skip(text, len);
	}
}

/* Forms encode a blank as a plus. */
static struct view trim_blanks(struct view text)
{
	text = view_trim(text);
	while (view_starts(text, VIEW_LIT("+")))
		text = view_trim(view_skip(text, 1));
	while (view_ends(text, VIEW_LIT("+")))
		text = view_trim(view_head(text, text.len - 1));
	return text;
}

/* Of "name", "#name", "{name", "name|default". */
static struct view name_in(struct view inside)
{
	bool has_sigil = inside.len > 0 && view_find_byte(VIEW_LIT("#^/&{"), inside.data[0]) != VIEW_NONE;
	struct view name = view_skip(inside, has_sigil ? 1 : 0);
	return trim_blanks(view_head(name, view_find_byte(name, '|')));
}

/* Within a section a name may stand for less than its path. */
static bool is_known(const struct merge_names *known, struct view name)
{
	bool is = name.len > 0 && (known->are_some || merge_names_know(known, name));
	for (size_t i = 0; name.len > 0 && !is && i < known->count; i++) {
		struct view path = known->names[i];
		is = view_ends(path, name) && path.len > name.len && path.data[path.len - name.len - 1] == '.';
	}
	return is;
}

/* What stands between braces that are spelt otherwise, one of them at least; *ret_tag is all of it. */
static bool read_own(struct view text, struct view *ret_inside, struct view *ret_tag)
{
	size_t open = spelt_len(text, "{{");
	struct view rest = view_skip(text, open);
	for (size_t len = 0; open > 0 && len < rest.len && len <= SPELT_MOST; len++) {
		size_t close = spelt_len(view_skip(rest, len), "}}");
		if (close == 0)
			continue;
		*ret_inside = view_head(rest, len);
		*ret_tag = view_head(text, open + len + close);
		return true;
	}
	return false;
}

static size_t skip_own(struct view text)
{
	struct template_tag own;
	size_t behind = 0;
	return view_starts(text, VIEW_LIT("{{")) && template_next_tag(text, &behind, &own) ? behind : 0;
}

enum err foreign_tag_refuse_own(struct view source, bool is_html, const struct merge_names *known, struct buf *why)
{
	struct view inside, tag;
	for (size_t at = 0, len; at < source.len; at += len) {
		struct view rest = view_skip(source, at);
		len = is_html ? skip_hidden(rest) : 0;
		len = len > 0 ? len : skip_own(rest);
		bool found = len == 0 && may_begin(rest.data[0]) && read_own(rest, &inside, &tag);
		len = len > 0 ? len : 1;
		if (!found)
			continue;
		AUTO_BUF plain = buf_with_ceiling(SPELT_MOST);
		unspell(inside, &plain);
		struct view text = trim_blanks(buf_view(&plain));
		if (!is_known(known, name_in(text)))
			continue;
		text = view_skip(text, view_starts(text, VIEW_LIT("{")) ? 1 : 0);
		return template_refuse(source, at, why,
				       "the braces of " VIEW_FMT
				       " are encoded, so that it would go out as it stands; write {{" VIEW_FMT "}}",
				       VIEW_ARG(tag), VIEW_ARG(text));
	}
	return ERR_OK;
}
