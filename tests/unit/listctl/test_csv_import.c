#include "listctl/csv_import.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

/* Rows as text: LINE:field|field, an absent field as ~, one row a line. */
static enum err show_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct buf *out = context;
	(void)why;
	buf_addf(out, "%llu:", (unsigned long long)row->line);
	for (size_t i = 0; i < row->count; i++) {
		buf_add(out, i == 0 ? VIEW_LIT("") : VIEW_LIT("|"));
		buf_add(out, row->fields[i].absent ? VIEW_LIT("~") : row->fields[i].text);
	}
	return buf_add(out, VIEW_LIT("\n"));
}

static enum err read_in_steps(struct view input, size_t step, char delimiter, struct buf *out, struct buf *why)
{
	struct csv_reader *reader = csv_reader_new("f.csv", delimiter, show_row, out);
	ck_assert_ptr_nonnull(reader);
	enum err err = ERR_OK;
	for (; err == ERR_OK && input.len > 0; input = view_skip(input, step))
		err = csv_reader_feed(reader, view_head(input, step), why);
	if (err == ERR_OK)
		err = csv_reader_finish(reader, why);
	csv_reader_free(reader);
	return err;
}

/* Octets with their length, as NUL may be among them. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct row {
	const char *label;
	const char *input;
	size_t len;
	char delimiter;
	enum err expected;
	const char *rows; /* NULL: not looked at */
	const char *why;
} rows[] = {
	{ "plain", BYTES("a,b\nc,d\n"), ',', ERR_OK, "1:a|b\n2:c|d\n", "" },
	{ "CR LF and no end", BYTES("a,b\r\nc,d"), ',', ERR_OK, "1:a|b\n2:c|d\n", "" },
	{ "CR alone", BYTES("a\rb\r"), ',', ERR_OK, "1:a\n2:b\n", "" },
	{ "BOM",
	  BYTES("\xef\xbb\xbf"
		"a\n"),
	  ',', ERR_OK, "1:a\n", "" },
	{ "BOM before a quoted field", BYTES("\xef\xbb\xbf\"a\"\n"), ',', ERR_OK, "1:a\n", "" },
	{ "a character that begins like a BOM", BYTES("\xef\xbc\xa1\n"), ',', ERR_OK, "1:\xef\xbc\xa1\n", "" },
	{ "absent and empty", BYTES("a,,\"\"\n"), ',', ERR_OK, "1:a|~|\n", "" },
	{ "quoted delimiter and quote", BYTES("\"a,\"\"b\"\"\"\n"), ',', ERR_OK, "1:a,\"b\"\n", "" },
	{ "blank lines vanish but count", BYTES("a\n\n  \r\n\nb\n"), ',', ERR_OK, "1:a\n5:b\n", "" },
	{ "a row of several lines", BYTES("a\n\"x\ny\r\nz\",1\nb\n"), ',', ERR_OK, "1:a\n2:x\ny\r\nz|1\n5:b\n", "" },
	{ "blanks around fields", BYTES(" a , \"b \" \n"), ',', ERR_OK, "1:a|b \n", "" },
	{ "semicolons", BYTES("a;b,c\n"), ';', ERR_OK, "1:a|b,c\n", "" },
	{ "tabs, a row of empty fields", BYTES("a\tb\n\t\nc\td\n"), '\t', ERR_OK, "1:a|b\n2:~|~\n3:c|d\n", "" },
	{ "UTF-8", BYTES("\xc3\xbc,\xe2\x82\xac,\xf0\x9f\x98\x80\n"), ',', ERR_OK,
	  "1:\xc3\xbc|\xe2\x82\xac|\xf0\x9f\x98\x80\n", "" },
	{ "nothing", BYTES(""), ',', ERR_OK, "", "" },
	{ "Latin-1", BYTES("a\nb\n\xfcx\n"), ',', ERR_INVALID, NULL, "f.csv, line 3: the text is not UTF-8" },
	{ "Latin-1 after CR LF", BYTES("a\r\nb\r\n\xfcx\n"), ',', ERR_INVALID, NULL, "line 3: the text is not" },
	{ "a surrogate", BYTES("a\n\xed\xa0\x80\n"), ',', ERR_INVALID, NULL, "line 2: the text is not UTF-8" },
	{ "ends inside a character", BYTES("a\n\xe2\x82"), ',', ERR_INVALID, NULL, "line 2: the text is not" },
	{ "UTF-16 that nobody has decoded",
	  BYTES("\xff\xfe"
		"a\0"),
	  ',', ERR_INVALID, NULL, "line 1: the text is not UTF-8" },
	{ "NUL", BYTES("a\nb\0c\n"), ',', ERR_INVALID, NULL, "f.csv, line 2: there is a NUL octet" },
	{ "quote never closed", BYTES("a\nb,\"c\nd\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2: the row begins a quoted field that never ends" },
	{ "stray quote", BYTES("a\nb\"c\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2: at character 2 a quotation mark stands inside a field; quote the whole" },
	{ "stray quote behind others", BYTES("a,b\nk\xc3\xb6nig,5\" disk\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2: at character 8 a quotation mark" },
	{ "text behind a closed field", BYTES("a,b\nx,\"y\" z\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2: at character 5 a quotation mark" },
	{ "quote closed too late", BYTES("a\nb,\"c\nd,\"e\"\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2: at character 3 a quotation mark stands inside a field of line 3; the row begins a quoted "
	  "field" },
};

START_TEST(files_in_pieces_of_any_size)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (size_t step = 1; step <= 9; step++) {
				const struct row *row = &rows[i];
				AUTO_BUF out = buf_with_ceiling(4096);
				AUTO_BUF why = buf_with_ceiling(4096);
				enum err err =
				    read_in_steps(view_from(row->input, row->len), step, row->delimiter, &out, &why);
				ck_assert_msg(err == row->expected, "%s, step %zu: %s %s", row->label, step,
					      err_name(err), buf_text(&why));
				if (row->rows != NULL)
					ck_view_eq(buf_view(&out), row->rows);
				ck_assert_msg(strstr(buf_text(&why), row->why) != NULL, "%s, step %zu: %s", row->label,
					      step, buf_text(&why));
			}
		}
	}
END_TEST

/* Faults as LINE!kind:[text of the row]. */
static enum err show_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	static const char *const kinds[] = {
		[CSV_FAULT_QUOTE] = "quote", [CSV_FAULT_BIG] = "big",   [CSV_FAULT_ENCODING] = "encoding",
		[CSV_FAULT_NUL] = "nul",     [CSV_FAULT_JSON] = "json",
	};
	struct buf *out = context;
	(void)why;
	ck_assert(view_is_utf8(fault->raw) && strlen(fault->text) > 0);
	return buf_addf(out, "%llu!%s:[" VIEW_FMT "]\n", (unsigned long long)fault->line, kinds[fault->kind],
			VIEW_ARG(fault->raw));
}

static const struct fault_row {
	const char *label;
	const char *input;
	size_t len;
	enum encoding encoding;
	bool guessed;
	const char *rows;
} fault_rows[] = {
	{ "stray quote", BYTES("a\nb\"c\nd\n"), ENCODING_UTF_8, false, "1:a\n2!quote:[b\"c]\n3:d\n" },
	{ "the first row", BYTES("b\"c\nd\n"), ENCODING_UTF_8, false, "1!quote:[b\"c]\n2:d\n" },
	{ "the last row", BYTES("d\nb\"c"), ENCODING_UTF_8, false, "1:d\n2!quote:[b\"c]\n" },
	{ "a mark that is never closed keeps its line only", BYTES("a,b\nc,\"d\ne,f\ng,h\n"), ENCODING_UTF_8, false,
	  "1:a|b\n2!quote:[c,\"d]\n3:e|f\n4:g|h\n" },
	{ "nor the next quoted field", BYTES("a,\"b\nc,\"d\"\ne,f\n"), ENCODING_UTF_8, false,
	  "1!quote:[a,\"b]\n2:c|d\n3:e|f\n" },
	{ "several of them", BYTES("\"a\n\"b\nc,\"d\"\n\"e\n"), ENCODING_UTF_8, false,
	  "1!quote:[\"a]\n2!quote:[\"b]\n3:c|d\n4!quote:[\"e]\n" },
	{ "CR LF", BYTES("\"a\r\nb,c\r\n\r\nd\r\n"), ENCODING_UTF_8, false, "1!quote:[\"a]\n2:b|c\n4:d\n" },
	{ "CR", BYTES("\"a\rb,c\rd\r"), ENCODING_UTF_8, false, "1!quote:[\"a]\n2:b|c\n3:d\n" },
	{ "NUL in a row of several lines", BYTES("\"a\nb\",c\0\nd\n"), ENCODING_UTF_8, false,
	  "1!nul:[\"a\nb\",c\\x00]\n3:d\n" },
	{ "a row of several lines is none", BYTES("\"a\nb\",c\nd\n"), ENCODING_UTF_8, false, "1:a\nb|c\n3:d\n" },
	{ "mixed line ends", BYTES("a\rb\nc\r\nd"), ENCODING_UTF_8, false, "1:a\n2:b\n3:c\n4:d\n" },
	{ "NUL", BYTES("a\nb,x\0y\nd\n"), ENCODING_UTF_8, false, "1:a\n2!nul:[b,x\\x00y]\n3:d\n" },
	{ "not UTF-8", BYTES("a\nb,\xfc\nd\n"), ENCODING_UTF_8, false, "1:a\n2!encoding:[b,\\xFC]\n3:d\n" },
	{ "no row makes another one whole", BYTES("\xc3,\xbc\nd\n"), ENCODING_UTF_8, false,
	  "1!encoding:[\\xC3,\\xBC]\n2:d\n" },
	{ "Windows-1252", BYTES("a\nM\xfcller \x80,\x93x\x94\n"), ENCODING_WINDOWS_1252, false,
	  "1:a\n2:M\xc3\xbcller \xe2\x82\xac|\xe2\x80\x9cx\xe2\x80\x9d\n" },
	{ "an octet that Windows-1252 has not", BYTES("a\x81\nb\n"), ENCODING_WINDOWS_1252, false,
	  "1!encoding:[a\\x81]\n2:b\n" },
	{ "NUL in Windows-1252", BYTES("\xfc,x\0y\n"), ENCODING_WINDOWS_1252, false, "1!nul:[\xc3\xbc,x\\x00y]\n" },
	{ "Latin-1", BYTES("\xfc\n"), ENCODING_LATIN_1, false, "1:\xc3\xbc\n" },
	{ "the first octet decides: UTF-8", BYTES("a\n\xc3\xbc\n\xfc\n"), ENCODING_AUTO, true,
	  "1:a\n2:\xc3\xbc\n3!encoding:[\\xFC]\n" },
	{ "the first octet decides: Windows-1252", BYTES("a\n\xfc\n\x80\n"), ENCODING_AUTO, true,
	  "1:a\n2:\xc3\xbc\n3:\xe2\x82\xac\n" },
	{ "UTF-8 in a file of Windows-1252 is not garbled", BYTES("\xfc\n\xc3\xbc\n"), ENCODING_AUTO, true,
	  "1:\xc3\xbc\n2!encoding:[\xc3\xbc]\n" },
	{ "unless somebody says so", BYTES("\xc3\xbc\n"), ENCODING_WINDOWS_1252, false, "1:\xc3\x83\xc2\xbc\n" },
	{ "nothing", BYTES(""), ENCODING_AUTO, true, "" },
	{ "a byte order mark alone", BYTES("\xef\xbb\xbf"), ENCODING_UTF_8, false, "" },
	{ "half a byte order mark", BYTES("\xef\xbb"), ENCODING_UTF_8, false, "1!encoding:[\\xEF\\xBB]\n" },
};

START_TEST(faults_in_pieces_of_any_size)
	{
		for (size_t i = 0; i < ARRAY_LEN(fault_rows); i++) {
			for (size_t step = 1; step <= 9; step++) {
				const struct fault_row *row = &fault_rows[i];
				AUTO_BUF out = buf_with_ceiling(4096);
				AUTO_BUF why = buf_with_ceiling(4096);
				struct csv_reader *reader = csv_reader_new("f.csv", ',', show_row, &out);
				csv_reader_set_faults(reader, show_fault);
				csv_reader_set_encoding(reader, row->encoding, row->guessed);
				struct view input = view_from(row->input, row->len);
				for (; input.len > 0; input = view_skip(input, step))
					ck_row(row->label,
					       csv_reader_feed(reader, view_head(input, step), &why) == ERR_OK);
				ck_row(row->label, csv_reader_finish(reader, &why) == ERR_OK);
				ck_assert_msg(strcmp(buf_text(&out), row->rows) == 0, "%s, step %zu: %s", row->label,
					      step, buf_text(&out));
				csv_reader_free(reader);
			}
		}
	}
END_TEST

/* A line, so many times; then a good one. */
static void read_long(const char *start, const char *piece, size_t times, const char *end, struct buf *out)
{
	AUTO_BUF why = buf_with_ceiling(4096);
	AUTO_BUF text = buf_with_ceiling(8 << 20);
	buf_add(&text, view_of(start));
	for (size_t i = 0; i < times; i++)
		buf_add(&text, view_of(piece));
	buf_add(&text, view_of(end));
	struct csv_reader *reader = csv_reader_new("f.csv", ',', show_row, out);
	csv_reader_set_faults(reader, show_fault);
	struct view rest = buf_view(&text);
	for (; rest.len > 0; rest = view_skip(rest, 65536))
		ck_assert(csv_reader_feed(reader, view_head(rest, 65536), &why) == ERR_OK);
	ck_assert(csv_reader_finish(reader, &why) == ERR_OK);
	csv_reader_free(reader);
}

START_TEST(what_is_too_long_is_a_row_of_its_own)
	{
		AUTO_BUF out = buf_with_ceiling(64 << 20);
		read_long("a\n", "x", (size_t)3 << 20, "\r\nb\n", &out);
		ck_assert_ptr_nonnull(strstr(buf_text(&out), "1:a\n2!big:[xxx"));
		ck_assert_msg(view_ends(buf_view(&out), VIEW_LIT("x]\n3:b\n")), "%s", buf_text(&out) + out.len - 20);
		buf_reset(&out);
		read_long("\"", "x", LIMIT_CSV_FIELD + 5000, "\"\nb\n", &out);
		ck_assert_ptr_nonnull(strstr(buf_text(&out), "1!big:[\"xxx"));
		ck_assert(view_ends(buf_view(&out), VIEW_LIT("x]\n2:b\n")));
		buf_reset(&out);
		read_long("a\n", ",", 9999, "\nb\n", &out);
		ck_assert_ptr_nonnull(strstr(buf_text(&out), "1:a\n2!big:[,,,"));
		ck_assert(view_ends(buf_view(&out), VIEW_LIT(",]\n3:b\n")));
		/* A mark that is never closed, and a hundred thousand good lines behind it. */
		buf_reset(&out);
		read_long("a,\"b\n", "c,d\n", 100000, "e,f\n", &out);
		ck_assert(view_starts(buf_view(&out), VIEW_LIT("1!big:[a,\"b]\n2:c|d\n3:c|d\n")));
		ck_assert(view_ends(buf_view(&out), VIEW_LIT("100001:c|d\n100002:e|f\n")));
		/* The same, each line with a mark of its own. */
		buf_reset(&out);
		read_long("", "a,\"b\n", 20000, "e,f\n", &out);
		ck_assert(view_starts(buf_view(&out), VIEW_LIT("1!quote:[a,\"b]\n2!quote:[a,\"b]\n")));
		ck_assert(view_ends(buf_view(&out), VIEW_LIT("20001:e|f\n")));
	}
END_TEST

static enum err read_repeated(const char *piece, size_t times, struct buf *why)
{
	AUTO_BUF out = buf_with_ceiling(8 << 20);
	AUTO_BUF text = buf_with_ceiling(8 << 20);
	buf_add(&text, VIEW_LIT("h\n\""));
	for (size_t i = 0; i < times; i++)
		buf_add(&text, view_of(piece));
	buf_add(&text, VIEW_LIT("\"\n"));
	return read_in_steps(buf_view(&text), 65536, ',', &out, why);
}

START_TEST(ceilings)
	{
		AUTO_BUF why = buf_with_ceiling(4096);
		ck_assert(read_repeated("x", LIMIT_CSV_FIELD, &why) == ERR_OK);
		ck_assert(read_repeated("x", LIMIT_CSV_FIELD + 1, &why) == ERR_TOO_BIG);
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "line 2"));
		buf_reset(&why);
		ck_assert(read_repeated("x\n", 1 << 20, &why) == ERR_TOO_BIG);
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "line 2"));
		buf_reset(&why);
		ck_assert(read_repeated("\",\"", LIMIT_CSV_COLUMNS - 1, &why) == ERR_OK);
		ck_assert(read_repeated("\",\"", LIMIT_CSV_COLUMNS, &why) == ERR_TOO_BIG);
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "1,024 fields"));
	}
END_TEST

static enum err refuse_second(void *context, const struct csv_row *row, struct buf *why)
{
	size_t *seen = context;
	(void)row;
	buf_addf(why, "enough");
	return ++*seen == 2 ? ERR_REFUSED : ERR_OK;
}

START_TEST(the_handler_stops_the_reading)
	{
		size_t seen = 0;
		AUTO_BUF why = buf_with_ceiling(4096);
		struct csv_reader *reader = csv_reader_new("f.csv", ',', refuse_second, &seen);
		ck_assert(csv_reader_feed(reader, VIEW_LIT("a\nb\nc\nd\n"), &why) == ERR_REFUSED);
		ck_assert_uint_eq(seen, 2);
		csv_reader_free(reader);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { files_in_pieces_of_any_size, faults_in_pieces_of_any_size,
				       what_is_too_long_is_a_row_of_its_own, ceilings, the_handler_stops_the_reading };
	return suite_of("csv_import", tests, ARRAY_LEN(tests));
}
