#include "mail/header.h"

#include <unistr.h>

#include "base/limits.h"
#include "mail/encode.h"

enum {
	LINE = 76,         /* RFC 2047 section 2: a line that holds an encoded word */
	ENCODED_WORD = 75, /* and the word itself */
	FRAME_LEN = 12,    /* =?utf-8?Q?...?= */
	ESCAPE_LEN = 3,
	WORTHWHILE = 24, /* begin an encoded word on this line only when so much of it fits */
};

/* ---- checking ---- */

static const char *character_refusal(ucs4_t character)
{
	if (character == '\r' || character == '\n')
		return "holds a line end, which would start another header field; remove it";
	if (character == 0)
		return "holds a NUL character; remove it";
	if (character < 0x20 || (character >= 0x7f && character <= 0x9f))
		return "holds a control character; remove it";
	if (character == 0x2028 || character == 0x2029)
		return "holds a line or paragraph separator (U+2028, U+2029); remove it";
	return NULL;
}

/* NULL: fit for a header. */
static const char *text_refusal(struct view text, size_t *ret_characters)
{
	size_t characters = 0;
	if (!view_is_utf8(text))
		return "is not valid UTF-8; correct it";
	for (; text.len > 0; characters++) {
		ucs4_t character = (unsigned char)text.data[0];
		int len = 1;
		if (character >= 0x80)
			len = u8_mbtouc(&character, (const uint8_t *)text.data, text.len);
		const char *refusal = character_refusal(character);
		if (refusal != NULL)
			return refusal;
		text = view_skip(text, (size_t)len);
	}
	*ret_characters = characters;
	return NULL;
}

bool header_takes(struct view text)
{
	size_t characters;
	return text_refusal(text, &characters) == NULL;
}

bool header_takes_lines(struct view text)
{
	while (text.len > 0) {
		size_t len = 0;
		while (len < text.len && text.data[len] != '\t' && text.data[len] != '\r' && text.data[len] != '\n')
			len++;
		if (!header_takes(view_head(text, len)))
			return false;
		text = view_skip(text, len < text.len ? len + 1 : len);
	}
	return true;
}

void header_add_one_line(struct view text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char octet = text.data[i];
		if (octet == '\r' && i + 1 < text.len && text.data[i + 1] == '\n')
			continue;
		buf_add_byte(out, octet == '\t' || octet == '\r' || octet == '\n' ? ' ' : octet);
	}
}

/* What stands behind "=?", such as "utf-8?Q?...?=", without blanks. */
static bool is_encoded_word(struct view text)
{
	size_t end = 0;
	while (end < text.len && (unsigned char)text.data[end] > ' ')
		end++;
	text = view_head(text, end);
	size_t charset = view_find_byte(text, '?');
	if (charset == VIEW_NONE || charset == 0)
		return false;
	text = view_skip(text, charset + 1);
	bool is_encoding =
	    text.len > 2 && text.data[1] == '?' && view_find_byte(VIEW_LIT("BbQq"), text.data[0]) != VIEW_NONE;
	text = view_skip(text, 2);
	return is_encoding && view_starts(view_skip(text, view_find_byte(text, '?')), VIEW_LIT("?="));
}

bool header_has_encoded_word(struct view text)
{
	size_t at;
	if (view_find_byte(text, '?') == VIEW_NONE)
		return false;
	while ((at = view_find(text, VIEW_LIT("=?"))) != VIEW_NONE) {
		text = view_skip(text, at + 2);
		if (is_encoded_word(text))
			return true;
	}
	return false;
}

bool header_fits(struct view value)
{
	size_t characters;
	return text_refusal(value, &characters) == NULL && characters <= LIMIT_HEADER_VALUE;
}

enum err header_check(struct view what, struct view value, struct buf *why)
{
	size_t characters = 0;
	const char *refusal = text_refusal(value, &characters);
	if (refusal != NULL) {
		buf_addf(why, VIEW_FMT " %s", VIEW_ARG(what), refusal);
		return ERR_INVALID;
	}
	if (characters > LIMIT_HEADER_VALUE) {
		buf_addf(why, VIEW_FMT " has %zu characters, more than the %d that a header takes; shorten it",
			 VIEW_ARG(what), characters, LIMIT_HEADER_VALUE);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* ---- lines ---- */

/* A field under way: what is on the present line. */
struct draft {
	struct buf *out;
	size_t start; /* length of out before the field, to take it back */
	size_t column;
};

static struct draft draft_start(struct view name, struct buf *out)
{
	struct draft draft = { .out = out, .start = out->len, .column = name.len + 1 };
	buf_add(out, name);
	buf_add_byte(out, ':');
	return draft;
}

static enum err draft_end(struct draft *draft)
{
	if (buf_add(draft->out, VIEW_LIT("\r\n")) != ERR_OK)
		buf_cut(draft->out, draft->start);
	return buf_err(draft->out);
}

static void add(struct draft *draft, struct view text)
{
	buf_add(draft->out, text);
	draft->column += text.len;
}

static void fold(struct draft *draft)
{
	buf_add(draft->out, VIEW_LIT("\r\n"));
	draft->column = 0;
}

/* A word with the spaces before it; the line folds before the spaces, so that unfolding gives the text back. */
static void add_word(struct draft *draft, struct view spaces, struct view word)
{
	if (draft->column + spaces.len + word.len > LINE)
		fold(draft);
	add(draft, spaces);
	add(draft, word);
}

/* ---- encoded words ---- */

struct encoding {
	char letter;
	size_t group; /* octets that are encoded together */
	size_t (*len)(struct view text);
	void (*write)(struct view text, struct buf *out);
};

/* What may stand for itself in every place of an encoded word (RFC 2047 section 5 (3)). */
static bool is_q_literal(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '!' || c == '*' ||
	       c == '+' || c == '-' || c == '/';
}

static size_t q_len(struct view text)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++)
		len += text.data[i] == ' ' || is_q_literal(text.data[i]) ? 1 : ESCAPE_LEN;
	return len;
}

static void q_write(struct view text, struct buf *out)
{
	static const char hex_digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char value = (unsigned char)text.data[i];
		if (value == ' ') {
			buf_add_byte(out, '_');
		} else if (is_q_literal(text.data[i])) {
			buf_add_byte(out, text.data[i]);
		} else {
			char escape[ESCAPE_LEN] = { '=', hex_digits[value >> 4], hex_digits[value & 15] };
			buf_add(out, view_from(escape, ESCAPE_LEN));
		}
	}
}

static size_t b_len(struct view text)
{
	return (text.len + 2) / 3 * 4;
}

static void b_write(struct view text, struct buf *out)
{
	if (encode_base64_word(text, out) != ERR_OK)
		return; /* out remembers */
}

static const struct encoding q_encoding = { .letter = 'Q', .group = 1, .len = q_len, .write = q_write };
static const struct encoding b_encoding = { .letter = 'B', .group = 3, .len = b_len, .write = b_write };

/* The longest start of text, in whole characters, whose encoding has at most `most` octets. Where the text goes on, whole
 * groups of the encoding are taken if any end there: some readers join base64 words before they decode, and trip over
 * padding in the middle. */
static struct view fitting(const struct encoding *encoding, struct view text, size_t most)
{
	size_t fits = 0, groups = 0;
	while (fits < text.len) {
		int len = u8_mblen((const uint8_t *)text.data + fits, text.len - fits);
		size_t next = fits + (len > 0 ? (size_t)len : 1);
		if (encoding->len(view_head(text, next)) > most)
			break;
		fits = next;
		groups = fits % encoding->group == 0 ? fits : groups;
	}
	return view_head(text, fits < text.len && groups > 0 ? groups : fits);
}

static void add_frame(struct draft *draft, const struct encoding *encoding, struct view text)
{
	size_t before = draft->out->len;
	buf_addf(draft->out, "=?utf-8?%c?", encoding->letter);
	encoding->write(text, draft->out);
	buf_add(draft->out, VIEW_LIT("?="));
	draft->column += draft->out->len - before;
}

/* Encoded words in a row, a space before each; readers drop the spaces between them (RFC 2047 section 6.2). */
static void add_encoded(struct draft *draft, struct view text)
{
	const struct encoding *encoding = q_len(text) <= b_len(text) ? &q_encoding : &b_encoding;
	while (text.len > 0) {
		if (draft->column + 1 + WORTHWHILE > LINE)
			fold(draft);
		size_t most = LINE - draft->column - 1;
		struct view piece = fitting(encoding, text, (most < ENCODED_WORD ? most : ENCODED_WORD) - FRAME_LEN);
		add(draft, VIEW_LIT(" "));
		add_frame(draft, encoding, piece);
		text = view_skip(text, piece.len);
	}
}

/* ---- text ---- */

/* The next word of *text and the spaces before it; false at the end. */
static bool cut_word(struct view *text, struct view *ret_spaces, struct view *ret_word)
{
	size_t spaces = 0;
	while (spaces < text->len && text->data[spaces] == ' ')
		spaces++;
	struct view rest = view_skip(*text, spaces);
	if (rest.len == 0)
		return false;
	size_t end = view_find_byte(rest, ' ');
	*ret_spaces = view_head(*text, spaces);
	*ret_word = view_head(rest, end);
	*text = view_skip(rest, ret_word->len);
	return true;
}

/* Words that could not stand as they are, or that could be taken for an encoded word. */
static bool needs_encoding(struct view spaces, struct view word)
{
	return !view_is_ascii(word) || view_find(word, VIEW_LIT("=?")) != VIEW_NONE || spaces.len + word.len + 1 > LINE;
}

/* From the first to the last word that needs it; empty when none does. */
static struct view part_to_encode(struct view text)
{
	struct view rest = text;
	struct view spaces, word;
	size_t from = text.len, to = 0;
	while (cut_word(&rest, &spaces, &word)) {
		if (!needs_encoding(spaces, word))
			continue;
		/* The space before the first encoded word is the one that separates it; more than one belong to the text. */
		size_t start = text.len - rest.len - word.len - (spaces.len > 1 ? spaces.len - 1 : 0);
		from = start < from ? start : from;
		to = text.len - rest.len;
	}
	return from < to ? view_slice(text, from, to) : view_head(text, 0);
}

static void add_words(struct draft *draft, struct view text)
{
	struct view spaces, word;
	while (cut_word(&text, &spaces, &word))
		add_word(draft, spaces.len == 0 ? VIEW_LIT(" ") : spaces, word);
}

/* Every word goes out with a space before it, the first one's being that after the colon. */
static void add_text(struct draft *draft, struct view text)
{
	struct view encoded = part_to_encode(text);
	if (encoded.len == 0) {
		add_words(draft, text);
		return;
	}
	size_t before = (size_t)(encoded.data - text.data);
	add_words(draft, view_head(text, before));
	add_encoded(draft, encoded);
	add_words(draft, view_skip(text, before + encoded.len));
}

/* ---- display names ---- */

static bool is_escaped(char c)
{
	return c == '"' || c == '\\';
}

static size_t quoted_len(struct view word)
{
	size_t len = word.len;
	for (size_t i = 0; i < word.len; i++)
		len += is_escaped(word.data[i]);
	return len;
}

static bool can_be_quoted(struct view text)
{
	struct view spaces, word;
	while (cut_word(&text, &spaces, &word)) {
		if (needs_encoding(spaces, word) || spaces.len + quoted_len(word) + ARRAY_LEN("\"\"") > LINE)
			return false;
	}
	return true;
}

/* quoted-string of RFC 5322 section 3.2.4; it folds at its spaces. */
static void add_quoted(struct draft *draft, struct view text)
{
	struct view spaces, word;
	struct view opening = VIEW_LIT(" \"");
	while (cut_word(&text, &spaces, &word)) {
		if (draft->column + opening.len + spaces.len + quoted_len(word) > LINE)
			fold(draft);
		add(draft, opening);
		add(draft, spaces);
		for (size_t i = 0; i < word.len; i++) {
			if (is_escaped(word.data[i]))
				add(draft, VIEW_LIT("\\"));
			add(draft, view_slice(word, i, i + 1));
		}
		opening.len = 0;
	}
	add(draft, VIEW_LIT("\""));
}

static void add_phrase(struct draft *draft, struct view text)
{
	if (can_be_quoted(text))
		add_quoted(draft, text);
	else
		add_encoded(draft, text);
}

static struct view trim_spaces(struct view text)
{
	while (text.len > 0 && text.data[0] == ' ')
		text = view_skip(text, 1);
	while (text.len > 0 && text.data[text.len - 1] == ' ')
		text.len--;
	return text;
}

static enum err write_bracketed(struct view name, struct view display, struct view inside, struct buf *out)
{
	struct draft draft = draft_start(name, out);
	if (display.len > 0)
		add_phrase(&draft, display);
	if (draft.column + 3 + inside.len > LINE && display.len > 0)
		fold(&draft);
	add(&draft, VIEW_LIT(" <"));
	add(&draft, inside);
	add(&draft, VIEW_LIT(">"));
	return draft_end(&draft);
}

enum err header_write_text(struct view name, struct view text, struct buf *out)
{
	if (!header_takes(text))
		return ERR_INVALID;
	struct draft draft = draft_start(name, out);
	add_text(&draft, trim_spaces(text));
	return draft_end(&draft);
}

enum err header_write_mailbox(struct view name, struct view display, struct view address, struct buf *out)
{
	struct view shown = trim_spaces(display);
	if (shown.len == 0)
		return header_write_plain(name, address, out);
	if (!header_takes(shown) || !header_takes(address))
		return ERR_INVALID;
	return write_bracketed(name, shown, address, out);
}

enum err header_write_id(struct view name, struct view display, struct view id, struct buf *out)
{
	struct view shown = trim_spaces(display);
	if (!header_takes(shown) || !header_takes(id))
		return ERR_INVALID;
	return write_bracketed(name, shown, id, out);
}

enum err header_write_plain(struct view name, struct view value, struct buf *out)
{
	if (!header_takes(value))
		return ERR_INVALID;
	struct draft draft = draft_start(name, out);
	add(&draft, VIEW_LIT(" "));
	add(&draft, value);
	return draft_end(&draft);
}
