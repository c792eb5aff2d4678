#include "mail/phrase_text.h"

struct writer {
	void (*take)(void *context, unsigned char octet);
	void *context;
	bool spaced; /* a space was the last octet */
};

static void put(struct writer *writer, unsigned char octet)
{
	writer->take(writer->context, octet);
	writer->spaced = false;
}

static void put_space(struct writer *writer)
{
	if (!writer->spaced)
		writer->take(writer->context, ' ');
	writer->spaced = true;
}

static bool ends_word(unsigned char octet)
{
	return octet <= ' ' || octet == '<' || octet == '>' || octet == '(' || octet == ')' || octet == '[' ||
	       octet == ']' || octet == ',' || octet == ';' || octet == ':' || octet == '"' || octet == '\'' ||
	       octet == 0x7f;
}

/* Length of the address at the start of the view: a word with an @ within it; 0 when it is none. */
static size_t address_length(struct view text)
{
	size_t at = 0, i = 0;
	for (; i < text.len && !ends_word((unsigned char)text.data[i]); i++) {
		if (text.data[i] == '@')
			at = i;
	}
	return at > 0 && at + 1 < i ? i : 0;
}

/* Two-octet letters with a lower case of the same length: Latin-1 capitals and Cyrillic. */
static void put_pair(struct writer *writer, unsigned char first, unsigned char second)
{
	if (first == 0xc2 && second == 0xa0) {
		put_space(writer);
		return;
	}
	if (first == 0xc3 && second >= 0x80 && second <= 0x9e) {
		second = (unsigned char)(second + 0x20);
	} else if (first == 0xd0 && second >= 0x90 && second <= 0x9f) {
		second = (unsigned char)(second + 0x20);
	} else if (first == 0xd0 && second >= 0xa0 && second <= 0xaf) {
		first = 0xd1;
		second = (unsigned char)(second - 0x20);
	}
	put(writer, first);
	put(writer, second);
}

static bool is_apostrophe(const unsigned char *at, size_t left)
{
	return left >= 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0x98 || at[2] == 0x99);
}

/* Puts what stands at `at`; returns how many octets that were. */
static size_t put_next(struct writer *writer, const unsigned char *at, size_t left)
{
	if (*at <= ' ' || *at == 0x7f) {
		put_space(writer);
		return 1;
	}
	if (*at >= 'A' && *at <= 'Z') {
		put(writer, (unsigned char)(*at - 'A' + 'a'));
		return 1;
	}
	if ((*at == 0xc2 || *at == 0xc3 || *at == 0xd0) && left >= 2) {
		put_pair(writer, at[0], at[1]);
		return 2;
	}
	if (is_apostrophe(at, left)) {
		put(writer, '\'');
		return 3;
	}
	put(writer, *at);
	return 1;
}

void phrase_text_walk(struct view text, void (*take)(void *context, unsigned char octet), void *context)
{
	struct writer writer = { .take = take, .context = context };
	const unsigned char *octets = (const unsigned char *)text.data;
	bool word_starts = true;
	put_space(&writer);
	for (size_t i = 0; i < text.len;) {
		size_t address = word_starts ? address_length(view_skip(text, i)) : 0;
		if (address > 0) {
			put(&writer, '@');
			i += address;
			word_starts = false;
			continue;
		}
		word_starts = ends_word(octets[i]);
		i += put_next(&writer, octets + i, text.len - i);
	}
	put_space(&writer);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

unsigned phrase_text_code(struct view text)
{
	for (size_t i = 0; i + 3 <= text.len; i++) {
		const char *at = text.data + i;
		if ((at[0] != '4' && at[0] != '5') || !is_digit(at[1]) || !is_digit(at[2]) || at[1] > '5')
			continue;
		if (i > 0 &&
		    (is_letter_or_digit(at[-1]) || at[-1] == '.' || at[-1] == '-' || at[-1] == '[' || at[-1] == '/'))
			continue;
		if (i + 3 == text.len || at[3] == ' ' || at[3] == '-' || at[3] == ':' || at[3] == '\n' ||
		    at[3] == '\r' || at[3] == '#')
			return (unsigned)(at[0] - '0') * 100 + (unsigned)(at[1] - '0') * 10 + (unsigned)(at[2] - '0');
	}
	return 0;
}
