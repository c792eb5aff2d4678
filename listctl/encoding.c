#include "listctl/encoding.h"

#include <assert.h>

enum { NO_CHARACTER = 0xff, CHARACTER_MOST = 4 /* octets of UTF-8 */ };

static const char *const names[] = {
	[ENCODING_AUTO] = "ASCII",
	[ENCODING_UTF_8] = "UTF-8",
	[ENCODING_WINDOWS_1252] = "Windows-1252",
	[ENCODING_LATIN_1] = "Latin-1",
	[ENCODING_UTF_16LE] = "UTF-16 (little-endian)",
	[ENCODING_UTF_16BE] = "UTF-16 (big-endian)",
};
static_assert(ARRAY_LEN(names) == ENCODING_COUNT, "one name each");

static const struct {
	const char *name;
	enum encoding encoding;
} spellings[] = {
	{ "utf-8", ENCODING_UTF_8 },
	{ "utf8", ENCODING_UTF_8 },
	{ "ascii", ENCODING_UTF_8 },
	{ "us-ascii", ENCODING_UTF_8 },
	{ "windows-1252", ENCODING_WINDOWS_1252 },
	{ "cp1252", ENCODING_WINDOWS_1252 },
	{ "ansi", ENCODING_WINDOWS_1252 },
	{ "latin-1", ENCODING_LATIN_1 },
	{ "latin1", ENCODING_LATIN_1 },
	{ "iso-8859-1", ENCODING_LATIN_1 },
	{ "utf-16", ENCODING_UTF_16LE },
	{ "utf16", ENCODING_UTF_16LE },
	{ "utf-16le", ENCODING_UTF_16LE },
	{ "utf-16be", ENCODING_UTF_16BE },
};

/* The octets 80 to 9F of Windows-1252; 0 stands for nothing. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

const char *encoding_name(enum encoding encoding)
{
	return names[encoding];
}

bool encoding_from_name(struct view name, enum encoding *ret_encoding)
{
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		if (view_eq_nocase(view_of(spellings[i].name), name)) {
			*ret_encoding = spellings[i].encoding;
			return true;
		}
	}
	return false;
}

/* ---- what the start tells ---- */

static const struct {
	const char *octets;
	size_t len;
	enum encoding encoding;
} marks[] = {
	{ "\xef\xbb\xbf", 3, ENCODING_UTF_8 },
	{ "\xff\xfe", 2, ENCODING_UTF_16LE },
	{ "\xfe\xff", 2, ENCODING_UTF_16BE },
};

static bool is_ascii(char octet)
{
	return octet != '\0' && (octet & 0x80) == 0;
}

/* Text for people in UTF-16 holds many characters of ASCII (ends of lines, delimiters, @), each with an octet of zeros on the same side; no text
 * in another encoding has such octets. Some other characters look like one the wrong way round (U+3000, a blank of Chinese; half of an emoji has zeros
 * there too, but no ASCII beside them): they are few. */
static enum encoding sniff_zeros(struct view start)
{
	size_t little = 0, big = 0;
	for (size_t i = 0; i + 1 < start.len; i += 2) {
		little += is_ascii(start.data[i]) && start.data[i + 1] == '\0';
		big += start.data[i] == '\0' && is_ascii(start.data[i + 1]);
	}
	if (little > start.len / 20 && big <= little / 4)
		return ENCODING_UTF_16LE;
	if (big > start.len / 20 && little <= big / 4)
		return ENCODING_UTF_16BE;
	return ENCODING_AUTO;
}

static enum encoding vote(struct view start)
{
	size_t utf8 = 0, other = 0;
	struct view rest = start, line;
	while (view_cut(&rest, '\n', &line)) {
		bool is_cut = line.data + line.len == start.data + start.len;
		if (view_is_ascii(line))
			continue;
		if (view_is_utf8(line))
			utf8++;
		else if (!is_cut || line.len == start.len)
			other++;
	}
	if (utf8 + other == 0)
		return ENCODING_AUTO;
	return utf8 >= other ? ENCODING_UTF_8 : ENCODING_WINDOWS_1252;
}

enum encoding encoding_sniff(struct view start, size_t *ret_mark)
{
	*ret_mark = 0;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (view_starts(start, view_from(marks[i].octets, marks[i].len))) {
			*ret_mark = marks[i].len;
			return marks[i].encoding;
		}
	}
	enum encoding encoding = sniff_zeros(start);
	return encoding == ENCODING_AUTO ? vote(start) : encoding;
}

/* ---- UTF-8 ---- */

static void add_character(struct buf *out, uint32_t character)
{
	char octets[4];
	size_t len = 0;
	if (character < 0x80) {
		octets[len++] = (char)character;
	} else if (character < 0x800) {
		octets[len++] = (char)(0xc0 | character >> 6);
		octets[len++] = (char)(0x80 | (character & 0x3f));
	} else if (character < 0x10000) {
		octets[len++] = (char)(0xe0 | character >> 12);
		octets[len++] = (char)(0x80 | (character >> 6 & 0x3f));
		octets[len++] = (char)(0x80 | (character & 0x3f));
	} else {
		octets[len++] = (char)(0xf0 | character >> 18);
		octets[len++] = (char)(0x80 | (character >> 12 & 0x3f));
		octets[len++] = (char)(0x80 | (character >> 6 & 0x3f));
		octets[len++] = (char)(0x80 | (character & 0x3f));
	}
	buf_add(out, view_from(octets, len));
}

static bool add_octet(enum encoding encoding, unsigned char octet, struct buf *out)
{
	uint32_t character = octet;
	if (encoding == ENCODING_WINDOWS_1252 && octet >= 0x80 && octet <= 0x9f)
		character = windows_1252[octet - 0x80];
	if (character == 0 && octet != 0)
		return false;
	add_character(out, character);
	return true;
}

enum err encoding_to_utf8(enum encoding encoding, struct view text, struct buf *out)
{
	size_t before = out->len;
	bool is_good = true;
	if (encoding != ENCODING_WINDOWS_1252 && encoding != ENCODING_LATIN_1) {
		is_good = view_is_utf8(text);
		if (is_good)
			buf_add(out, text);
	} else {
		for (size_t i = 0; is_good && i < text.len; i++)
			is_good = add_octet(encoding, (unsigned char)text.data[i], out);
	}
	if (!is_good)
		buf_cut(out, before);
	return is_good ? buf_err(out) : ERR_INVALID;
}

/* The first character; empty: none of UTF-8, or NUL. */
static struct view first_character(struct view text)
{
	for (size_t len = 1; len <= CHARACTER_MOST && len <= text.len; len++) {
		if (view_is_utf8(view_head(text, len)))
			return view_head(text, text.data[0] == '\0' ? 0 : len);
	}
	return view_head(text, 0);
}

void encoding_add_readable(enum encoding encoding, struct view text, struct buf *out)
{
	bool is_octets = encoding == ENCODING_WINDOWS_1252 || encoding == ENCODING_LATIN_1;
	bool is_utf8 = !is_octets || view_is_utf8(text);
	while (text.len > 0) {
		struct view character = is_utf8 ? first_character(text) : view_head(text, 0);
		unsigned char octet = (unsigned char)text.data[0];
		if (character.len > 0)
			buf_add(out, character);
		else if (is_utf8 || octet == '\0' || !add_octet(encoding, octet, out))
			buf_addf(out, "\\x%02X", octet);
		text = view_skip(text, character.len > 0 ? character.len : 1);
	}
}

struct view encoding_head(struct view text, size_t most)
{
	size_t len = most;
	if (text.len <= most)
		return text;
	while (len > 0 && most - len < CHARACTER_MOST && ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len--;
	return view_head(text, len);
}

const char *encoding_judge(enum encoding *encoding, bool guessed, bool row_is_utf8)
{
	if (*encoding == ENCODING_AUTO)
		*encoding = row_is_utf8 ? ENCODING_UTF_8 : ENCODING_WINDOWS_1252;
	if ((*encoding == ENCODING_UTF_16LE || *encoding == ENCODING_UTF_16BE) && !row_is_utf8)
		return "a character of the text is only half there, which UTF-16 does not have; write the row anew";
	if (*encoding == ENCODING_UTF_8 && !row_is_utf8)
		return guessed ? "the text is not UTF-8, as it is elsewhere in the file; write the row anew in UTF-8"
			       : "the text is not UTF-8; convert the file first, for example with "
				 "`iconv -f WINDOWS-1252 -t UTF-8`";
	if (*encoding == ENCODING_WINDOWS_1252 && row_is_utf8 && guessed)
		return "the text is UTF-8, where the rest of the file is Windows-1252; convert the row, or say "
		       "--encoding windows-1252 if it is right as it stands";
	return NULL;
}

/* ---- UTF-16 (RFC 2781 section 2) ---- */

static bool is_high(uint16_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(uint16_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static void add_unit(struct utf16 *utf16, uint16_t unit, struct buf *out)
{
	if (utf16->high != 0 && is_low(unit)) {
		add_character(out, 0x10000 + ((uint32_t)(utf16->high - 0xd800) << 10) + (uint32_t)(unit - 0xdc00));
		utf16->high = 0;
		return;
	}
	if (utf16->high != 0)
		buf_add_byte(out, (char)NO_CHARACTER);
	utf16->high = is_high(unit) ? unit : 0;
	if (is_low(unit))
		buf_add_byte(out, (char)NO_CHARACTER);
	else if (!is_high(unit))
		add_character(out, unit);
}

void utf16_add(struct utf16 *utf16, struct view bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char octet = (unsigned char)bytes.data[i];
		if (!utf16->has_half) {
			utf16->half = octet;
			utf16->has_half = true;
			continue;
		}
		utf16->has_half = false;
		unsigned high = utf16->is_big ? utf16->half : octet, low = utf16->is_big ? octet : utf16->half;
		add_unit(utf16, (uint16_t)(high << 8 | low), out);
	}
}

void utf16_end(struct utf16 *utf16, struct buf *out)
{
	if (utf16->high != 0 || utf16->has_half)
		buf_add_byte(out, (char)NO_CHARACTER);
	utf16->high = 0;
	utf16->has_half = false;
}
