#include "mail/raised.h"

/* What Unicode has above and below the line. */
static const struct {
	const char *text;
	const char *forms[RAISED_COUNT]; /* NULL: there is none */
} characters[] = {
	{ "0", { "\u2070", "\u2080" } }, { "1", { "\u00b9", "\u2081" } },      { "2", { "\u00b2", "\u2082" } },
	{ "3", { "\u00b3", "\u2083" } }, { "4", { "\u2074", "\u2084" } },      { "5", { "\u2075", "\u2085" } },
	{ "6", { "\u2076", "\u2086" } }, { "7", { "\u2077", "\u2087" } },      { "8", { "\u2078", "\u2088" } },
	{ "9", { "\u2079", "\u2089" } }, { "+", { "\u207a", "\u208a" } },      { "-", { "\u207b", "\u208b" } },
	{ "=", { "\u207c", "\u208c" } }, { "\u2212", { "\u207b", "\u208b" } }, { "(", { "\u207d", "\u208d" } },
	{ ")", { "\u207e", "\u208e" } }, { "n", { "\u207f", NULL } },
};

/* In English, French, Italian, Spanish, Portuguese and Dutch. */
static const char *const ordinals[] = { "st", "nd", "rd", "th", "er", "re", "e", "\u00e8me", "eme", "o", "a", "de" };
static const char *const marks[] = { "TM", "SM" };

static bool is_one_of(struct view text, const char *const *words, size_t count)
{
	bool is = false;
	for (size_t i = 0; i < count; i++)
		is = is || view_eq_nocase(text, view_of(words[i]));
	return is;
}

/* The character's other form, and its length in the text. */
static const char *form_of(enum raised raised, struct view text, size_t *ret_len)
{
	for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
		*ret_len = view_of(characters[i].text).len;
		if (view_starts(text, view_of(characters[i].text)))
			return characters[i].forms[raised];
	}
	return NULL;
}

/* False: it lacks one, and out is as before. */
static bool write_forms(enum raised raised, struct view text, struct buf *out)
{
	size_t before = out->len, len;
	while (text.len > 0) {
		const char *form = form_of(raised, text, &len);
		if (form == NULL) {
			buf_cut(out, before);
			return false;
		}
		buf_add(out, view_of(form));
		text = view_skip(text, len);
	}
	return true;
}

static bool has_letter_or_digit(struct view text)
{
	bool has = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		has = has || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	}
	return has;
}

enum err raised_write(enum raised raised, struct view text, bool is_behind_digit, struct buf *out)
{
	bool is_ordinal = raised == RAISED_UP && is_behind_digit && is_one_of(text, ordinals, ARRAY_LEN(ordinals));
	bool is_mark = is_one_of(text, marks, ARRAY_LEN(marks));
	if (write_forms(raised, text, out))
		return buf_err(out);
	if (is_ordinal || is_mark || !has_letter_or_digit(text))
		return buf_add(out, text);
	buf_add(out, raised == RAISED_UP ? VIEW_LIT("^") : VIEW_LIT("_"));
	if (text.len == 1)
		return buf_add(out, text);
	buf_add_byte(out, '(');
	buf_add(out, text);
	return buf_add_byte(out, ')');
}
