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
	{ "UTF-16 little",
	  BYTES("\xff\xfe"
		"a\0"),
	  ',', ERR_INVALID, NULL, "UTF-16" },
	{ "UTF-16 big", BYTES("\xfe\xff\0a"), ',', ERR_INVALID, NULL, "UTF-16" },
	{ "NUL", BYTES("a\nb\0c\n"), ',', ERR_INVALID, NULL, "f.csv, line 2: there is a NUL octet" },
	{ "quote never closed", BYTES("a\nb,\"c\nd\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2: the row begins a quoted field that never ends" },
	{ "stray quote", BYTES("a\nb\"c\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2, column 2: a quotation mark stands inside a field; quote the whole" },
	{ "stray quote behind others", BYTES("a,b\nk\xc3\xb6nig,5\" disk\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2, column 8: a quotation mark" },
	{ "text behind a closed field", BYTES("a,b\nx,\"y\" z\n"), ',', ERR_INVALID, NULL,
	  "f.csv, line 2, column 5: a quotation mark" },
	{ "quote closed too late", BYTES("a\nb,\"c\nd,\"e\"\n"), ',', ERR_INVALID, NULL,
	  "line 3, column 3: a quotation mark stands inside a field of the row that begins at line 2" },
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
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "256 fields"));
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
	const TTest *const tests[] = { files_in_pieces_of_any_size, ceilings, the_handler_stops_the_reading };
	return suite_of("csv_import", tests, ARRAY_LEN(tests));
}
