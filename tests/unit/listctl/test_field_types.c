#include "listctl/field_types.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct row {
	const char *label;
	enum field_type type;
	enum date_order order;
	const char *text;
	const char *json; /* NULL: refused */
} rows[] = {
	{ "an integer", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "42", "42" },
	{ "long, exactly", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "12345678901234567890.12345678901234567890",
	  "12345678901234567890.12345678901234567890" },
	{ "leading zeros", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "007", "7" },
	{ "zero", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "000", "0" },
	{ "signs", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "+5", "5" },
	{ "minus", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "-0.50", "-0.50" },
	{ "no digit before the dot", FIELD_NUMBER, DATE_ORDER_UNKNOWN, ".5", "0.5" },
	{ "none behind it", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "5.", "5.0" },
	{ "blanks around", FIELD_NUMBER, DATE_ORDER_UNKNOWN, " 42 ", "42" },
	{ "an exponent", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1.5E3", "1.5e3" },
	{ "a decimal comma", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1,5", "1.5" },
	{ "a decimal comma behind many digits", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1234,567", "1234.567" },
	{ "a decimal comma behind zero", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "0,125", "0.125" },
	{ "thousands and a decimal comma", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1.234,50", "1234.50" },
	{ "thousands and a decimal dot", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1,234,567.5", "1234567.5" },
	{ "thousands alone, several", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1.234.567", "1234567" },
	{ "thousands alone, with commas", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1,234,567", "1234567" },
	{ "thousands parted by blanks", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1 234 567,5", "1234567.5" },
	{ "by narrow ones", FIELD_NUMBER, DATE_ORDER_UNKNOWN,
	  "1\xe2\x80\xaf"
	  "234",
	  "1234" },
	{ "one dot is the decimal mark", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1.234", "1.234" },
	{ "one comma before three digits may be either", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1,234", NULL },
	{ "groups of two", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1,23,456.7", NULL },
	{ "two decimal marks", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1.2.3", NULL },
	{ "letters", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "12abc", NULL },
	{ "a currency", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "5 EUR", NULL },
	{ "a dot alone", FIELD_NUMBER, DATE_ORDER_UNKNOWN, ".", NULL },
	{ "a sign alone", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "-", NULL },
	{ "infinity", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "inf", NULL },
	{ "hexadecimal", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "0x10", NULL },
	{ "an exponent out of range", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1e5000", NULL },
	{ "as large as letters take it", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "12e298", "12e298" },
	{ "larger", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "12e299", NULL },
	{ "very small", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "12e-999", "12e-999" },
	{ "a half exponent", FIELD_NUMBER, DATE_ORDER_UNKNOWN, "1e", NULL },
	{ "nothing", FIELD_NUMBER, DATE_ORDER_UNKNOWN, " ", "" },

	{ "yes", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "Yes", "true" },
	{ "ja", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "JA", "true" },
	{ "ya", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "ya", "true" },
	{ "si", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "s\xc3\xad", "true" },
	{ "1", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "1", "true" },
	{ "tidak", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "tidak", "false" },
	{ "nein", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "nein", "false" },
	{ "0", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "0", "false" },
	{ "maybe", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "maybe", NULL },
	{ "2", FIELD_BOOLEAN, DATE_ORDER_UNKNOWN, "2", NULL },

	{ "ISO 8601", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04", "\"2025-03-04\"" },
	{ "with slashes", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025/3/4", "\"2025-03-04\"" },
	{ "without marks", FIELD_DATE, DATE_ORDER_UNKNOWN, "20250304", "\"2025-03-04\"" },
	{ "German", FIELD_DATE, DATE_ORDER_UNKNOWN, "4.3.2025", "\"2025-03-04\"" },
	{ "German in an American file", FIELD_DATE, DATE_ORDER_MONTH_FIRST, "4.3.2025", "\"2025-03-04\"" },
	{ "in words", FIELD_DATE, DATE_ORDER_UNKNOWN, "4 March 2025", "\"2025-03-04\"" },
	{ "in short words", FIELD_DATE, DATE_ORDER_UNKNOWN, "4-Mar-2025", "\"2025-03-04\"" },
	{ "in American words", FIELD_DATE, DATE_ORDER_UNKNOWN, "Mar 4, 2025", "\"2025-03-04\"" },
	{ "the day is known by its size", FIELD_DATE, DATE_ORDER_UNKNOWN, "31/12/2024", "\"2024-12-31\"" },
	{ "the same, American", FIELD_DATE, DATE_ORDER_UNKNOWN, "12/31/2024", "\"2024-12-31\"" },
	{ "day and month are alike", FIELD_DATE, DATE_ORDER_UNKNOWN, "03/03/2025", "\"2025-03-03\"" },
	{ "either", FIELD_DATE, DATE_ORDER_UNKNOWN, "03/04/2025", NULL },
	{ "said: day first", FIELD_DATE, DATE_ORDER_DAY_FIRST, "03/04/2025", "\"2025-04-03\"" },
	{ "said: month first", FIELD_DATE, DATE_ORDER_MONTH_FIRST, "03/04/2025", "\"2025-03-04\"" },
	{ "against what was said", FIELD_DATE, DATE_ORDER_MONTH_FIRST, "31/12/2024", NULL },
	{ "with a time", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04 10:20", "\"2025-03-04T10:20:00\"" },
	{ "with all", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04T10:20:30.125+07:00",
	  "\"2025-03-04T10:20:30.125+07:00\"" },
	{ "in UTC", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04T10:20:30Z", "\"2025-03-04T10:20:30Z\"" },
	{ "as Go prints it", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04 10:20:30.5 +0000 UTC",
	  "\"2025-03-04T10:20:30.5Z\"" },
	{ "in the afternoon", FIELD_DATE, DATE_ORDER_UNKNOWN, "12/31/2024 1:05 PM", "\"2024-12-31T13:05:00\"" },
	{ "at midnight", FIELD_DATE, DATE_ORDER_UNKNOWN, "12/31/2024 12:05 am", "\"2024-12-31T00:05:00\"" },
	{ "a leap day", FIELD_DATE, DATE_ORDER_UNKNOWN, "2024-02-29", "\"2024-02-29\"" },
	{ "none in that year", FIELD_DATE, DATE_ORDER_UNKNOWN, "2023-02-29", NULL },
	{ "nor in that century", FIELD_DATE, DATE_ORDER_UNKNOWN, "1900-02-29", NULL },
	{ "no such month", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-13-01", NULL },
	{ "a year of two digits", FIELD_DATE, DATE_ORDER_DAY_FIRST, "4/3/25", NULL },
	{ "no such hour", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04 25:00", NULL },
	{ "no such zone", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04 10:00+99:00", NULL },
	{ "words", FIELD_DATE, DATE_ORDER_UNKNOWN, "yesterday", NULL },
	{ "something behind", FIELD_DATE, DATE_ORDER_UNKNOWN, "2025-03-04x", NULL },

	{ "an object", FIELD_JSON, DATE_ORDER_UNKNOWN, " { \"a\" : [ 1 , \"b c\\\" d\" ] } ",
	  "{\"a\":[1,\"b c\\\" d\"]}" },
	{ "a number too long for a float", FIELD_JSON, DATE_ORDER_UNKNOWN, "12345678901234567890.5",
	  "12345678901234567890.5" },
	{ "a surrogate pair", FIELD_JSON, DATE_ORDER_UNKNOWN, "\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"" },
	{ "half of one", FIELD_JSON, DATE_ORDER_UNKNOWN, "\"\\ud83d\"", NULL },
	{ "U+0000", FIELD_JSON, DATE_ORDER_UNKNOWN, "\"\\u0000\"", NULL },
	{ "DEL", FIELD_JSON, DATE_ORDER_UNKNOWN, "\"a\x7f\"", NULL },
	{ "a comma too many", FIELD_JSON, DATE_ORDER_UNKNOWN, "[1,]", NULL },
	{ "two values", FIELD_JSON, DATE_ORDER_UNKNOWN, "1 2", NULL },
	{ "single quotation marks", FIELD_JSON, DATE_ORDER_UNKNOWN, "{'a':1}", NULL },
	{ "no end", FIELD_JSON, DATE_ORDER_UNKNOWN, "{\"a\":", NULL },
	{ "out of jsonb's range", FIELD_JSON, DATE_ORDER_UNKNOWN, "[1e99999]", NULL },
	{ "a bare word", FIELD_JSON, DATE_ORDER_UNKNOWN, "yes", NULL },

	{ "tags", FIELD_TAGS, DATE_ORDER_UNKNOWN, "\"VIP\", b ,, \"c\"", "[\"VIP\",\"b\",\"c\"]" },
	{ "a text stays one", FIELD_TEXT, DATE_ORDER_UNKNOWN, "007", "\"007\"" },
	{ "an empty text", FIELD_TEXT, DATE_ORDER_UNKNOWN, "", "\"\"" },
};

START_TEST(cells)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(4096);
			AUTO_BUF why = buf_with_ceiling(4096);
			bool good = field_type_add(rows[i].type, rows[i].order, view_of(rows[i].text), &out, &why);
			ck_assert_msg(good == (rows[i].json != NULL), "%s: %s %s", rows[i].label, buf_text(&out),
				      buf_text(&why));
			ck_row(rows[i].label, good == (why.len == 0));
			if (good)
				ck_assert_msg(strcmp(buf_text(&out), rows[i].json) == 0, "%s: %s", rows[i].label,
					      buf_text(&out));
		}
	}
END_TEST

START_TEST(numbers_have_so_many_digits)
	{
		char digits[400];
		memset(digits, '9', sizeof(digits));
		for (size_t len = 299; len <= 302; len++) {
			AUTO_BUF out = buf_with_ceiling(4096);
			AUTO_BUF why = buf_with_ceiling(4096);
			ck_assert_msg(field_type_add(FIELD_NUMBER, DATE_ORDER_UNKNOWN, view_from(digits, len), &out,
						     &why) == (len <= 300),
				      "%zu", len);
			buf_reset(&out);
			ck_assert(field_type_add(FIELD_JSON, DATE_ORDER_UNKNOWN, view_from(digits, len), &out, &why) ==
				  (len <= 300));
		}
	}
END_TEST

START_TEST(nesting_has_an_end)
	{
		AUTO_BUF text = buf_with_ceiling(1 << 20);
		AUTO_BUF out = buf_with_ceiling(1 << 20);
		AUTO_BUF why = buf_with_ceiling(4096);
		for (size_t i = 0; i < 100000; i++)
			buf_add_byte(&text, '[');
		ck_assert(!field_type_add(FIELD_JSON, DATE_ORDER_UNKNOWN, buf_view(&text), &out, &why));
		ck_assert_ptr_nonnull(strstr(buf_text(&why), "too deep"));
	}
END_TEST

static const struct {
	const char *text;
	int64_t seconds;
} times[] = {
	{ "1970-01-01", 0 },
	{ "2000-02-29 12:00", 951825600 },
	{ "2024-01-02T03:04:05Z", 1704164645 },
	{ "2024-01-02T10:04:05+07:00", 1704164645 },
	{ "2024-01-01T22:04:05-05:00", 1704164645 },
	{ "9999-12-31 23:59:59", 253402300799 },
};

START_TEST(instants)
	{
		for (size_t i = 0; i < ARRAY_LEN(times); i++) {
			AUTO_BUF why = buf_with_ceiling(4096);
			struct field_date date;
			ck_row(times[i].text, field_date_read(view_of(times[i].text), DATE_ORDER_UNKNOWN, &date, &why));
			ck_row(times[i].text, field_date_us(&date) == times[i].seconds * 1000000);
		}
	}
END_TEST

START_TEST(names)
	{
		for (enum field_type type = 0; type < FIELD_TYPE_COUNT; type++) {
			enum field_type again;
			ck_assert(field_type_from_name(view_of(field_type_name(type)), &again) && again == type);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { cells, numbers_have_so_many_digits, nesting_has_an_end, instants, names };
	return suite_of("field_types", tests, ARRAY_LEN(tests));
}
