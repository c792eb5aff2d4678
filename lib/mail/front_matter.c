#include "mail/front_matter.h"

#include <assert.h>

#include "mail/template.h"

static enum err take_text(struct view text, const char **ret_wish);
static enum err take_yes_or_no(struct view text, const char **ret_wish);
static enum err take_names(struct view text, const char **ret_wish);

static const struct key_row {
	const char *name;
	/* ERR_INVALID: *ret_wish says what it takes. */
	enum err (*check)(struct view text, const char **ret_wish);
} keys[] = {
	[FRONT_SUBJECT] = { "subject", take_text },   [FRONT_FROM] = { "from", take_text },
	[FRONT_REPLY_TO] = { "reply-to", take_text }, [FRONT_PREHEADER] = { "preheader", take_text },
	[FRONT_HTML] = { "html", take_yes_or_no },    [FRONT_ATTACHMENTS] = { "attachments", take_names },
};
static_assert(ARRAY_LEN(keys) == FRONT_KEY_COUNT, "one row per key");

const char *front_key_name(enum front_key key)
{
	return keys[key].name;
}

static enum err take_text(struct view text, const char **ret_wish)
{
	if (!view_has_control(text))
		return ERR_OK;
	*ret_wish = "a text without control characters";
	return ERR_INVALID;
}

static enum err take_yes_or_no(struct view text, const char **ret_wish)
{
	if (view_eq(text, VIEW_LIT("yes")) || view_eq(text, VIEW_LIT("no")))
		return ERR_OK;
	*ret_wish = "yes or no";
	return ERR_INVALID;
}

static bool cut_quoted(struct view *text, struct view *ret_name)
{
	struct view rest = view_skip(*text, 1);
	size_t end = view_find_byte(rest, text->data[0]);
	struct view behind = end == VIEW_NONE ? rest : view_trim(view_skip(rest, end + 1));
	if (end == VIEW_NONE || (behind.len > 0 && behind.data[0] != ','))
		return false;
	*ret_name = view_head(rest, end);
	*text = view_skip(behind, 1);
	return true;
}

bool front_matter_cut_name(struct view *text, struct view *ret_name)
{
	*text = view_trim(*text);
	if (text->len > 0 && (text->data[0] == '"' || text->data[0] == '\''))
		return cut_quoted(text, ret_name);
	bool is_cut = view_cut(text, ',', ret_name);
	*ret_name = is_cut ? view_trim(*ret_name) : *ret_name;
	return is_cut;
}

static enum err take_names(struct view text, const char **ret_wish)
{
	struct view name;
	*ret_wish = "names of files with commas between; one that holds a comma stands in quotes, each in its own";
	if (view_has_control(text))
		return ERR_INVALID;
	while (front_matter_cut_name(&text, &name)) {
		if (name.len == 0)
			return ERR_INVALID;
	}
	return text.len > 0 ? ERR_INVALID : ERR_OK;
}

struct reader {
	struct view source;
	struct front_matter *front;
	struct buf *why;
};

static size_t place_of(const struct reader *reader, struct view part)
{
	return (size_t)(part.data - reader->source.data);
}

static enum err refuse_key(const struct reader *reader, struct view key)
{
	template_refuse(reader->source, place_of(reader, key), reader->why,
			"the key \"" VIEW_FMT "\" is unknown; known are ", VIEW_ARG(view_head(key, 64)));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		buf_addf(reader->why, "%s%s", i == 0 ? "" : ", ", keys[i].name);
	return ERR_INVALID;
}

/* A list's names have quotes of their own; brackets around all of it are YAML's. */
static enum err unquote(const struct reader *reader, size_t key, struct view *text)
{
	bool is_sender = key == FRONT_FROM || key == FRONT_REPLY_TO;
	if (key == FRONT_ATTACHMENTS) {
		if (view_starts(*text, VIEW_LIT("[")) && view_ends(*text, VIEW_LIT("]")))
			*text = view_trim(view_slice(*text, 1, text->len - 1));
		return ERR_OK;
	}
	char quote = text->len > 0 ? text->data[0] : '\0';
	if (quote != '"' && quote != '\'')
		return ERR_OK;
	size_t last = view_find_last_byte(*text, quote);
	if (is_sender && quote == '"' && last > 0 && view_starts(view_trim(view_skip(*text, last + 1)), VIEW_LIT("<")))
		return ERR_OK; /* quotes around the name only, as in a message */
	if (last == 0 || last != text->len - 1)
		return template_refuse(reader->source, place_of(reader, *text), reader->why,
				       "the quote that begins here does not end the line; put all of the value in "
				       "the other kind of quotes");
	*text = view_slice(*text, 1, last);
	if (view_find_byte(*text, quote) == VIEW_NONE)
		return ERR_OK;
	return template_refuse(reader->source, place_of(reader, *text), reader->why,
			       "the value holds the quotes that stand around it; take the other kind around it");
}

static enum err read_line(const struct reader *reader, struct view line)
{
	if (view_trim(line).len == 0 || line.data[0] == '#')
		return ERR_OK;
	if (line.data[0] == ' ' || line.data[0] == '\t')
		return template_refuse(reader->source, place_of(reader, line), reader->why,
				       "the line begins with a blank; a value stands on one line, behind its key");
	size_t colon = view_find_byte(line, ':');
	if (colon == VIEW_NONE)
		return template_refuse(reader->source, place_of(reader, line), reader->why,
				       "here is no \"key: value\"; write it so, or end the front matter with ---");
	struct view key = view_trim(view_head(line, colon));
	size_t index = 0;
	while (index < ARRAY_LEN(keys) && !view_eq_nocase(key, view_of(keys[index].name)))
		index++;
	if (index == ARRAY_LEN(keys))
		return refuse_key(reader, key.len > 0 ? key : line);
	struct front_value *value = &reader->front->values[index];
	if (value->line > 0)
		return template_refuse(reader->source, place_of(reader, key), reader->why,
				       "%s stands in line %zu already; remove one", keys[index].name, value->line);
	struct view text = view_trim(view_skip(line, colon + 1));
	enum err err = unquote(reader, index, &text);
	if (err != ERR_OK)
		return err;
	const char *wish = NULL;
	if (keys[index].check(text, &wish) != ERR_OK)
		return template_refuse(reader->source, place_of(reader, text), reader->why, "%s takes %s",
				       keys[index].name, wish);
	struct template_place place = template_place(reader->source, (size_t)(text.data - reader->source.data));
	*value = (struct front_value){ .text = text, .line = place.line, .column = place.column };
	return ERR_OK;
}

/* A line of three dashes, perhaps with blanks behind. */
static bool is_fence(struct view line)
{
	return view_starts(line, VIEW_LIT("---")) && view_trim(view_skip(line, 3)).len == 0;
}

static enum err read_lines(struct reader *reader, struct view rest)
{
	struct view line;
	size_t number = 1;
	while (view_cut(&rest, '\n', &line)) {
		number++;
		if (is_fence(line)) {
			reader->front->body = rest;
			reader->front->body_line = number + 1;
			return ERR_OK;
		}
		enum err err = read_line(reader, line);
		if (err != ERR_OK)
			return err;
	}
	return template_refuse(reader->source, place_of(reader, reader->source), reader->why,
			       "the front matter that begins here does not end; add a line --- behind it");
}

/* ---- front matter that does not begin the file ---- */

static bool is_known_key(struct view line)
{
	size_t colon = view_find_byte(line, ':');
	struct view key = view_trim(view_head(line, colon));
	bool is = false;
	for (size_t i = 0; colon != VIEW_NONE && i < ARRAY_LEN(keys); i++)
		is = is || view_eq_nocase(key, view_of(keys[i].name));
	return is;
}

/* Whether the first line that says something is of front matter. */
static bool begins_with_key(struct view rest)
{
	struct view line;
	while (view_cut(&rest, '\n', &line)) {
		if (view_trim(line).len > 0 && line.data[0] != '#')
			return is_known_key(line);
	}
	return false;
}

/* In Markdown it would become a rule and a heading, for everybody to read. */
static enum err check_beginning(const struct reader *reader)
{
	struct view rest = reader->source, line = { 0 };
	size_t before = 0;
	while (view_cut(&rest, '\n', &line) && view_trim(line).len == 0)
		before++;
	if (!is_fence(view_trim(line)) || !begins_with_key(rest))
		return ERR_OK;
	return template_refuse(reader->source, place_of(reader, line), reader->why,
			       "%s stands before the front matter, which would go out as text; remove it",
			       before > 0 ? "an empty line" : "a blank");
}

enum err front_matter_read(struct view source, struct front_matter *ret_front, struct buf *why)
{
	struct front_matter front = { .body = source, .body_line = 1 };
	struct reader reader = { .source = source, .front = &front, .why = why };
	struct view rest = source, first = { 0 };
	enum err err = ERR_OK;
	if (view_cut(&rest, '\n', &first) && is_fence(first))
		err = read_lines(&reader, rest);
	else
		err = check_beginning(&reader);
	if (err == ERR_OK)
		*ret_front = front;
	return err;
}
