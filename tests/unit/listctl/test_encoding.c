#include "listctl/encoding.h"

#include <string.h>

#include "tests/support/unit.h"

/* Octets with their length, as NUL may be among them. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct sniff_row {
	const char *label;
	const char *start;
	size_t len;
	enum encoding encoding;
	size_t mark;
} sniff_rows[] = {
	{ "nothing", BYTES(""), ENCODING_AUTO, 0 },
	{ "ASCII", BYTES("email\na@example.org\n"), ENCODING_AUTO, 0 },
	{ "UTF-8", BYTES("a\nM\xc3\xbcller\n"), ENCODING_UTF_8, 0 },
	{ "UTF-8 with a mark",
	  BYTES("\xef\xbb\xbf"
		"a\n"),
	  ENCODING_UTF_8, 3 },
	{ "UTF-8 cut off in a character", BYTES("M\xc3\xbcller\nM\xc3"), ENCODING_UTF_8, 0 },
	{ "UTF-8 with one bad line", BYTES("M\xc3\xbcller\n\xfc\nJ\xc3\xb6rg\n"), ENCODING_UTF_8, 0 },
	{ "Windows-1252", BYTES("a\nM\xfcller\n"), ENCODING_WINDOWS_1252, 0 },
	{ "Windows-1252 in one line without an end", BYTES("M\xfcller"), ENCODING_WINDOWS_1252, 0 },
	{ "Windows-1252 with one line in UTF-8", BYTES("\xfc\n\xc3\xbc\n\xe4\n"), ENCODING_WINDOWS_1252, 0 },
	{ "UTF-16 with a mark",
	  BYTES("\xff\xfe"
		"a\0,\0"),
	  ENCODING_UTF_16LE, 2 },
	{ "UTF-16 with the other mark", BYTES("\xfe\xff\0a\0,"), ENCODING_UTF_16BE, 2 },
	{ "UTF-16 without", BYTES("a\0,\0b\0\n\0"), ENCODING_UTF_16LE, 0 },
	{ "UTF-16 without, the other way", BYTES("\0a\0,\0b\0\n"), ENCODING_UTF_16BE, 0 },
	{ "UTF-16, Chinese names", BYTES("\x57\x57\x2c\0\x0b\x4e\x0a\0\x57\x57\x2c\0\x0b\x4e\x0a\0"), ENCODING_UTF_16LE,
	  0 },
	{ "UTF-16, emoji", BYTES("\0a\0,\xd8\x3d\xde\0\0\n\0b\0,\xd8\x3d\xde\0\0\n"), ENCODING_UTF_16BE, 0 },
	{ "UTF-16, emoji, the other way", BYTES("a\0,\0\x3d\xd8\0\xde\n\0b\0,\0\x3d\xd8\0\xde\n\0"), ENCODING_UTF_16LE,
	  0 },
	{ "UTF-16, blanks of Chinese", BYTES("\0a\0@\0b\0,\x57\x57\x30\0\x4e\x0b\0\n"), ENCODING_UTF_16BE, 0 },
	{ "a NUL in UTF-8", BYTES("email,name\na@example.org,x\0y and much more text\n"), ENCODING_AUTO, 0 },
};

START_TEST(starts)
	{
		for (size_t i = 0; i < ARRAY_LEN(sniff_rows); i++) {
			size_t mark = 99;
			enum encoding encoding =
			    encoding_sniff(view_from(sniff_rows[i].start, sniff_rows[i].len), &mark);
			ck_assert_msg(encoding == sniff_rows[i].encoding, "%s: %s", sniff_rows[i].label,
				      encoding_name(encoding));
			ck_row(sniff_rows[i].label, mark == sniff_rows[i].mark);
		}
	}
END_TEST

static const struct text_row {
	const char *label;
	enum encoding encoding;
	const char *text;
	const char *utf8; /* NULL: refused */
} text_rows[] = {
	{ "UTF-8", ENCODING_UTF_8, "\xc3\xbc", "\xc3\xbc" },
	{ "no UTF-8", ENCODING_UTF_8, "\xfc", NULL },
	{ "Windows-1252", ENCODING_WINDOWS_1252, "\x80\x8a\x9f\xa0\xff\x93",
	  "\xe2\x82\xac\xc5\xa0\xc5\xb8\xc2\xa0\xc3\xbf\xe2\x80\x9c" },
	{ "81", ENCODING_WINDOWS_1252, "a\x81", NULL },
	{ "8d", ENCODING_WINDOWS_1252, "a\x8d", NULL },
	{ "8f", ENCODING_WINDOWS_1252, "a\x8f", NULL },
	{ "90", ENCODING_WINDOWS_1252, "a\x90", NULL },
	{ "9d", ENCODING_WINDOWS_1252, "a\x9d", NULL },
	{ "Latin-1", ENCODING_LATIN_1, "\xe9\x80", "\xc3\xa9\xc2\x80" },
};

START_TEST(texts)
	{
		for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
			const struct text_row *row = &text_rows[i];
			AUTO_BUF out = buf_with_ceiling(256);
			buf_add_byte(&out, '>');
			enum err err = encoding_to_utf8(row->encoding, view_of(row->text), &out);
			ck_row(row->label, (err == ERR_OK) == (row->utf8 != NULL));
			ck_view_eq(view_skip(buf_view(&out), 1), row->utf8 == NULL ? "" : row->utf8);
		}
	}
END_TEST

static const struct utf16_row {
	const char *label;
	bool is_big;
	const char *octets;
	size_t len;
	const char *utf8;
} utf16_rows[] = {
	{ "ASCII", false, BYTES("a\0\n\0"), "a\n" },
	{ "the other way", true, BYTES("\0a\0\n"), "a\n" },
	{ "two and three octets", false, BYTES("\xfc\0\xac\x20"), "\xc3\xbc\xe2\x82\xac" },
	{ "a pair of surrogates", false, BYTES("\x3d\xd8\0\xde"), "\xf0\x9f\x98\x80" },
	{ "a pair, the other way", true, BYTES("\xd8\x3d\xde\0"), "\xf0\x9f\x98\x80" },
	{ "a high one alone", false,
	  BYTES("\x3d\xd8"
		"a\0"),
	  "\xff"
	  "a" },
	{ "two high ones", false, BYTES("\x3d\xd8\x3d\xd8\0\xde"), "\xff\xf0\x9f\x98\x80" },
	{ "a low one alone", false,
	  BYTES("\0\xde"
		"a\0"),
	  "\xff"
	  "a" },
	{ "a high one at the end", false, BYTES("a\0\x3d\xd8"), "a\xff" },
	{ "half a unit at the end", false, BYTES("a\0b"), "a\xff" },
};

START_TEST(utf16_in_pieces_of_any_size)
	{
		for (size_t i = 0; i < ARRAY_LEN(utf16_rows); i++) {
			for (size_t step = 1; step <= 5; step++) {
				const struct utf16_row *row = &utf16_rows[i];
				struct utf16 utf16 = { .is_big = row->is_big };
				AUTO_BUF out = buf_with_ceiling(256);
				struct view rest = view_from(row->octets, row->len);
				for (; rest.len > 0; rest = view_skip(rest, step))
					utf16_add(&utf16, view_head(rest, step), &out);
				utf16_end(&utf16, &out);
				ck_assert_msg(strcmp(buf_text(&out), row->utf8) == 0, "%s, step %zu", row->label, step);
			}
		}
	}
END_TEST

static const struct judge_row {
	const char *label;
	enum encoding encoding;
	bool guessed, row_is_utf8;
	const char *why; /* NULL: fits */
	enum encoding after;
} judge_rows[] = {
	{ "the first decides", ENCODING_AUTO, true, true, NULL, ENCODING_UTF_8 },
	{ "the first decides otherwise", ENCODING_AUTO, true, false, NULL, ENCODING_WINDOWS_1252 },
	{ "fits", ENCODING_UTF_8, true, true, NULL, ENCODING_UTF_8 },
	{ "does not", ENCODING_UTF_8, true, false, "elsewhere in the file", ENCODING_UTF_8 },
	{ "does not, as was said", ENCODING_UTF_8, false, false, "iconv", ENCODING_UTF_8 },
	{ "looks otherwise", ENCODING_WINDOWS_1252, true, true, "--encoding windows-1252", ENCODING_WINDOWS_1252 },
	{ "may look otherwise, as was said", ENCODING_WINDOWS_1252, false, true, NULL, ENCODING_WINDOWS_1252 },
	{ "Latin-1 is never guessed", ENCODING_LATIN_1, false, true, NULL, ENCODING_LATIN_1 },
};

static const struct readable_row {
	const char *label;
	enum encoding encoding;
	const char *text;
	size_t len;
	const char *readable;
} readable_rows[] = {
	{ "nothing", ENCODING_UTF_8, BYTES(""), "" },
	{ "UTF-8", ENCODING_UTF_8, BYTES("a\xc3\xbc\xf0\x9f\x98\x80"), "a\xc3\xbc\xf0\x9f\x98\x80" },
	{ "other octets among it", ENCODING_UTF_8, BYTES("\xfc\xc3\xbc\xc3x\xe2\x82"),
	  "\\xFC\xc3\xbc\\xC3x\\xE2\\x82" },
	{ "NUL", ENCODING_UTF_8, BYTES("a\0b"), "a\\x00b" },
	{ "Windows-1252", ENCODING_WINDOWS_1252, BYTES("\x80\xfc\x81\0"), "\xe2\x82\xac\xc3\xbc\\x81\\x00" },
	{ "UTF-8 where it was not expected", ENCODING_WINDOWS_1252, BYTES("\xc3\xbc"), "\xc3\xbc" },
	{ "Latin-1", ENCODING_LATIN_1, BYTES("\xfc"), "\xc3\xbc" },
};

START_TEST(what_cannot_be_read_is_readable)
	{
		for (size_t i = 0; i < ARRAY_LEN(readable_rows); i++) {
			const struct readable_row *row = &readable_rows[i];
			AUTO_BUF out = buf_with_ceiling(100);
			encoding_add_readable(row->encoding, view_from(row->text, row->len), &out);
			ck_assert_msg(strcmp(buf_text(&out), row->readable) == 0, "%s: %s", row->label, buf_text(&out));
		}
	}
END_TEST

START_TEST(rows_are_judged)
	{
		for (size_t i = 0; i < ARRAY_LEN(judge_rows); i++) {
			const struct judge_row *row = &judge_rows[i];
			enum encoding encoding = row->encoding;
			const char *why = encoding_judge(&encoding, row->guessed, row->row_is_utf8);
			ck_row(row->label, (why == NULL) == (row->why == NULL));
			ck_row(row->label, why == NULL || strstr(why, row->why) != NULL);
			ck_row(row->label, encoding == row->after);
		}
	}
END_TEST

START_TEST(names)
	{
		enum encoding encoding;
		for (enum encoding i = 0; i < ENCODING_COUNT; i++)
			ck_assert(encoding_name(i)[0] != '\0');
		ck_assert(encoding_from_name(VIEW_LIT("CP1252"), &encoding) && encoding == ENCODING_WINDOWS_1252);
		ck_assert(encoding_from_name(VIEW_LIT("utf8"), &encoding) && encoding == ENCODING_UTF_8);
		ck_assert(!encoding_from_name(VIEW_LIT("koi8-r"), &encoding));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		starts, texts, utf16_in_pieces_of_any_size, rows_are_judged, what_cannot_be_read_is_readable, names
	};
	return suite_of("encoding", tests, ARRAY_LEN(tests));
}
