#include "mail/fields.h"

bool fields_cut_line(struct view *text, struct view *ret_line)
{
	if (text->len == 0)
		return false;
	size_t end = 0;
	while (end < text->len && text->data[end] != '\n' && text->data[end] != '\r')
		end++;
	size_t next = end;
	if (next < text->len)
		next += text->data[next] == '\r' && next + 1 < text->len && text->data[next + 1] == '\n' ? 2 : 1;
	*ret_line = view_head(*text, end);
	*text = view_skip(*text, next);
	return true;
}

static bool is_blank(struct view line)
{
	return view_trim(line).len == 0;
}

/* field-name = 1*(printable octets except ":" and space), here also with spaces before the colon. */
static bool split(struct view line, struct field *ret_field)
{
	size_t colon = view_find_byte(line, ':');
	if (colon == VIEW_NONE || colon == 0)
		return false;
	struct view name = view_trim(view_head(line, colon));
	if (name.len == 0 || view_find_byte(name, ' ') != VIEW_NONE || view_has_control(name))
		return false;
	*ret_field = (struct field){ .name = name, .value = view_skip(line, colon + 1) };
	return true;
}

/* Takes the lines that begin with white space into the value. */
static void take_folds(struct view *text, struct field *field)
{
	const char *end = field->value.data + field->value.len;
	while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t')) {
		struct view ahead = *text, line;
		if (!fields_cut_line(&ahead, &line) || is_blank(line))
			break;
		end = line.data + line.len;
		*text = ahead;
	}
	field->value = view_trim(view_from(field->value.data, (size_t)(end - field->value.data)));
}

enum field_step fields_next(struct view *text, struct field *ret_field)
{
	struct view line;
	struct field field;
	while (fields_cut_line(text, &line)) {
		if (is_blank(line)) {
			struct view ahead = *text;
			while (fields_cut_line(&ahead, &line) && is_blank(line))
				*text = ahead;
			return FIELD_GROUP_END;
		}
		if (split(line, &field)) {
			take_folds(text, &field);
			*ret_field = field;
			return FIELD_READ;
		}
	}
	return FIELD_END;
}

bool field_is(const struct field *field, const char *name)
{
	return view_eq_nocase(field->name, view_of(name));
}

void field_unfold(struct view value, struct buf *out)
{
	bool spaced = true;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];
		bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
		if (!is_space || !spaced)
			buf_add_byte(out, is_space ? ' ' : c);
		spaced = is_space;
	}
}
