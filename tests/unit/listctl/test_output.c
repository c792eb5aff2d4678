#include "listctl/output.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "listctl/csv_guard.h"
#include "tests/support/unit.h"

static const struct output_column columns[] = {
	{ .name = "email" },
	{ .name = "count", .type = OUTPUT_INT },
	{ .name = "rate", .type = OUTPUT_REAL },
	{ .name = "done", .type = OUTPUT_BOOL },
	{ .name = "seen_at", .type = OUTPUT_TIME },
	{ .name = "more", .type = OUTPUT_JSON },
};

static void add_rows(struct output *out)
{
	output_row(out, (struct output_cell[]){ cell_text(VIEW_LIT("a \"b\", c")), cell_int(-3), cell_real(0.25),
						cell_bool(true), cell_time(INT64_C(1700000000000000)),
						cell_text(VIEW_LIT("[1, {\"a\": null}]")) });
	output_row(out, (struct output_cell[]){ cell_null(), cell_null(), cell_null(), cell_null(), cell_null(),
						cell_null() });
}

/* What a list of two rows, then an object, then a document look like. */
static char *write_list(enum output_format format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	AUTO_BUF why = buf_with_ceiling(256);
	struct output *out = output_new(format, file);
	output_begin(out, columns, ARRAY_LEN(columns));
	add_rows(out);
	ck_assert(output_end(out, &why) == ERR_OK);
	output_free(out);
	fclose(file);
	return text;
}

START_TEST(csv)
	{
		char *text = write_list(FORMAT_CSV);
		ck_assert_str_eq(text,
				 "email,count,rate,done,seen_at,more\r\n"
				 "\"a \"\"b\"\", c\",-3,0.25,yes,2023-11-14T22:13:20Z,\"[1, {\"\"a\"\": null}]\"\r\n"
				 ",,,,,\r\n");
		free(text);
	}
END_TEST

START_TEST(json)
	{
		char *text = write_list(FORMAT_JSON);
		json_t *list = json_loads(text, 0, NULL);
		ck_assert_uint_eq(json_array_size(list), 2);
		json_t *row = json_array_get(list, 0);
		ck_assert_str_eq(json_string_value(json_object_get(row, "email")), "a \"b\", c");
		ck_assert_int_eq(json_integer_value(json_object_get(row, "count")), -3);
		ck_assert(json_is_real(json_object_get(row, "rate")));
		ck_assert(json_is_true(json_object_get(row, "done")));
		ck_assert_str_eq(json_string_value(json_object_get(row, "seen_at")), "2023-11-14T22:13:20Z");
		ck_assert_uint_eq(json_array_size(json_object_get(row, "more")), 2);
		for (size_t i = 0; i < ARRAY_LEN(columns); i++)
			ck_row(columns[i].name,
			       json_is_null(json_object_get(json_array_get(list, 1), columns[i].name)));
		json_decref(list);
		free(text);
	}
END_TEST

START_TEST(table)
	{
		char *text = write_list(FORMAT_TABLE);
		ck_assert_ptr_nonnull(strstr(text, "SEEN AT"));
		ck_assert_ptr_nonnull(strstr(text, "2023-11-14 22:13:20Z"));
		ck_assert_ptr_nonnull(strstr(text, "a \"b\", c"));
		free(text);
	}
END_TEST

/* Of a long table the first rows are seen before the last one is known; every row once, under one line of headings, in columns that only grow. */
START_TEST(long_table)
	{
		static const struct output_column two[] = { { .name = "email" },
							    { .name = "count", .type = OUTPUT_INT } };
		static const size_t lengths[] = { 999, 1000, 1001, 2000, 2500 };
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			char *text = NULL;
			size_t size = 0, rows = 0;
			FILE *file = open_memstream(&text, &size);
			AUTO_BUF why = buf_with_ceiling(256);
			struct output *out = output_new(FORMAT_TABLE, file);
			output_begin(out, two, ARRAY_LEN(two));
			for (size_t row = 0; row < lengths[i]; row++) {
				output_row(out,
					   (struct output_cell[]){ cell_text(row % 1000 < 2 ? VIEW_LIT("longer@a.test")
											    : VIEW_LIT("a@a.test")),
								   cell_int((int64_t)row) });
				fflush(file);
				ck_assert_int_eq(size > 0, row >= 999);
			}
			ck_assert(output_end(out, &why) == ERR_OK);
			output_free(out);
			fclose(file);
			struct view rest = view_of(text), line;
			ck_assert(view_cut(&rest, '\n', &line));
			ck_view_eq(line, "EMAIL         COUNT");
			for (size_t width = line.len; view_cut(&rest, '\n', &line); rows++) {
				AUTO_BUF number = buf_with_ceiling(32);
				buf_addf(&number, " %zu", rows);
				ck_assert_uint_eq(line.len, width);
				ck_assert(view_ends(line, buf_view(&number)));
			}
			ck_assert_uint_eq(rows, lengths[i]);
			free(text);
		}
	}
END_TEST

static char *write_document(enum output_format format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	AUTO_BUF why = buf_with_ceiling(256);
	struct output *out = output_new(format, file);
	output_document_begin(out);
	output_section(out, "one", "The one");
	ck_assert(output_object(out, columns, 1, (struct output_cell[]){ cell_text(VIEW_LIT("x")) }, &why) == ERR_OK);
	output_section(out, "none", "No rows");
	output_begin(out, columns, 1);
	ck_assert(output_end(out, &why) == ERR_OK);
	output_section(out, "rows", "Rows");
	output_begin(out, columns, ARRAY_LEN(columns));
	add_rows(out);
	ck_assert(output_end(out, &why) == ERR_OK);
	ck_assert(output_document_end(out, &why) == ERR_OK);
	output_free(out);
	fclose(file);
	return text;
}

START_TEST(documents)
	{
		char *text = write_document(FORMAT_JSON);
		json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		ck_assert_uint_eq(json_object_size(document), 3);
		ck_assert(json_is_object(json_object_get(document, "one")));
		ck_assert_uint_eq(json_array_size(json_object_get(document, "none")), 0);
		ck_assert_uint_eq(json_array_size(json_object_get(document, "rows")), 2);
		json_decref(document);
		free(text);
		text = write_document(FORMAT_TABLE);
		ck_assert_ptr_nonnull(strstr(text, "The one\n"));
		ck_assert_ptr_nonnull(strstr(text, "\nRows\n"));
		free(text);
	}
END_TEST

static const struct csv_cell_row {
	const char *label, *text, *guarded;
} csv_cell_rows[] = {
	{ "plain", "abc", "abc" },
	{ "empty", "", "\"\"" },
	{ "comma", "a,b", "\"a,b\"" },
	{ "quote", "a\"b", "\"a\"\"b\"" },
	{ "line end", "a\r\nb", "\"a\r\nb\"" },
	{ "blank in front", " a", "\" a\"" },
	{ "formula =", "=1+1", "\"'=1+1\"" },
	{ "formula +", "+cmd", "\"'+cmd\"" },
	{ "formula -", "-cmd", "\"'-cmd\"" },
	{ "formula @", "@sum", "\"'@sum\"" },
	{ "formula behind a tab", "\t=1", "\"'\t=1\"" },
	{ "a number below zero", "-12.5", "-12.5" },
	{ "a telephone number", "+4930123456", "+4930123456" },
	{ "a minus alone", "-", "\"'-\"" },
	{ "an apostrophe of its own", "'=1", "\"''=1\"" },
	{ "an apostrophe before a number", "'-5", "\"''-5\"" },
	{ "an apostrophe before a word", "'tis", "'tis" },
	{ "an address", "a@example.org", "a@example.org" },
};

START_TEST(csv_cells_and_back)
	{
		for (size_t i = 0; i < ARRAY_LEN(csv_cell_rows); i++) {
			const struct csv_cell_row *row = &csv_cell_rows[i];
			AUTO_BUF line = buf_with_ceiling(256);
			output_csv_cell(&line, view_of(row->text), true);
			ck_assert_msg(view_eq(buf_view(&line), view_of(row->guarded)), "%s: %s", row->label,
				      buf_text(&line));
			/* What a spreadsheet or import reads, then without the guard, is the text again. */
			AUTO_BUF guarded = buf_with_ceiling(256);
			if (csv_guard_is_needed(view_of(row->text)))
				buf_add_byte(&guarded, '\'');
			buf_add(&guarded, view_of(row->text));
			ck_row(row->label, view_eq(csv_guard_removed(buf_view(&guarded)), view_of(row->text)));
		}
	}
END_TEST

static const struct json_row {
	const char *label, *text, *expected;
} json_rows[] = {
	{ "plain", "abc", "\"abc\"" },
	{ "escapes", "\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
	{ "controls", "\x01\x1b\x7f", "\"\\u0001\\u001b\\u007f\"" },
	{ "UTF-8", "\xc3\xbc\xf0\x9f\x98\x80", "\"\xc3\xbc\xf0\x9f\x98\x80\"" },
	{ "not UTF-8", "a\xff\xc3\xbc\xc3", "\"a\xef\xbf\xbd\xc3\xbc\xef\xbf\xbd\"" },
	{ "not UTF-8, with escapes", "\xff\n\"", "\"\xef\xbf\xbd\\n\\\"\"" },
};

START_TEST(json_strings)
	{
		for (size_t i = 0; i < ARRAY_LEN(json_rows); i++) {
			AUTO_BUF text = buf_with_ceiling(256);
			output_json_string(&text, view_of(json_rows[i].text));
			ck_assert_msg(view_eq(buf_view(&text), view_of(json_rows[i].expected)), "%s: %s",
				      json_rows[i].label, buf_text(&text));
		}
	}
END_TEST

START_TEST(a_full_disk_is_said)
	{
		FILE *full = fopen("/dev/full", "w");
		ck_assert_ptr_nonnull(full);
		AUTO_BUF why = buf_with_ceiling(256);
		struct output *out = output_new(FORMAT_CSV, full);
		output_begin(out, columns, ARRAY_LEN(columns));
		ck_assert(output_end(out, &why) == ERR_IO);
		ck_assert_uint_gt(why.len, 0);
		output_free(out);
		fclose(full);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		csv, json, table, long_table, documents, csv_cells_and_back, json_strings, a_full_disk_is_said
	};
	return suite_of("output", tests, ARRAY_LEN(tests));
}
