#include "listctl/attribute_header.h"

#include "base/limits.h"
#include "listctl/field_types.h"
#include "tests/support/unit.h"

static const struct {
	const char *label, *name, *type, *header;
} rows[] = {
	{ "a plain name", "city", "", "attribute:city" },
	{ "with a type", "age", ":number", "attribute:age:number" },
	{ "capitals and blanks", "City Name", "", "attribute:City Name" },
	{ "what looks like a number of a column", "#3", "", "attribute:#3" },
	{ "a hyphen", "-", "", "attribute:-" },
	{ "another script", "\xd0\xba\xd0\xbb", ":json", "attribute:\xd0\xba\xd0\xbb:json" },
	{ "a type's word", "number", "", "attribute:number:text" },
	{ "what looks like a type", "x:number", "", "attribute:x:number:text" },
	{ "that with a type", "x:number", ":json", "attribute:x:number:json" },
	{ "nothing", "", "", "attribute:\"\"" },
	{ "a blank in front", " x", "", "attribute:\" x\"" },
	{ "a blank behind", "x ", ":number", "attribute:\"x \":number" },
	{ "a line break", "a\nb", "", "attribute:\"a\\nb\"" },
	{ "a quotation mark in front", "\"x\"", "", "attribute:\"\\\"x\\\"\"" },
	{ "one inside", "5\" disk", "", "attribute:5\" disk" },
	{ "the prefix itself", "attribute:x", "", "attribute:attribute:x" },
};

/* The name and the type that a header's cell stands for. */
static bool read_back(struct view header, struct buf *name, enum field_type *ret_type)
{
	*ret_type = FIELD_TEXT;
	header = field_type_cut(view_trim(header), ret_type);
	if (!attribute_header_cut(&header))
		return false;
	attribute_header_read(header, name);
	return true;
}

START_TEST(headers_are_written_and_read)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF header = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			AUTO_BUF name = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			enum field_type type, wanted = FIELD_TEXT;
			attribute_header_write(view_of(rows[i].name), rows[i].type, &header);
			ck_assert_msg(view_eq(buf_view(&header), view_of(rows[i].header)), "%s: %s", rows[i].label,
				      buf_text(&header));
			ck_row(rows[i].label, read_back(buf_view(&header), &name, &type));
			ck_row(rows[i].label, view_eq(buf_view(&name), view_of(rows[i].name)));
			if (rows[i].type[0] != '\0')
				ck_row(rows[i].label, field_type_from_name(view_of(rows[i].type + 1), &wanted));
			ck_row(rows[i].label, type == wanted);
		}
	}
END_TEST

static const struct {
	const char *label, *header, *name; /* NULL: no such header */
} others[] = {
	{ "capitals in the prefix", "Attribute:x", "x" },
	{ "a blank behind it", "attribute: x", "x" },
	{ "nothing behind it", "attribute:", NULL },
	{ "blanks behind it", "attribute:  ", NULL },
	{ "no prefix", "attributes:x", NULL },
	{ "a mark that is not closed", "attribute:\"x", "\"x" },
	{ "text behind the mark", "attribute:\"x\" y", "\"x\" y" },
	{ "no JSON", "attribute:\"\\x\"", "\"\\x\"" },
};

START_TEST(headers_that_people_write)
	{
		for (size_t i = 0; i < ARRAY_LEN(others); i++) {
			AUTO_BUF name = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			enum field_type type;
			bool is = read_back(view_of(others[i].header), &name, &type);
			ck_row(others[i].label, is == (others[i].name != NULL));
			ck_row(others[i].label, !is || view_eq(buf_view(&name), view_of(others[i].name)));
		}
	}
END_TEST

/* Whatever the name is, it comes back, and so does the type. */
START_TEST(any_name_comes_back)
	{
		static const char *const pieces[] = {
			"a",          "Z",      "9",    " ",    ":", "\"", "\\", "'", "=",        "#",  "-",
			"attribute:", "number", "json", "text", ",", "\n", "\t", "_", "\xd0\xba", "{}", "null",
		};
		static const char *const types[] = { "", ":number", ":boolean", ":json" };
		static const enum field_type wanted[] = { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOLEAN, FIELD_JSON };
		uint64_t state = 42;
		for (int i = 0; i < 20000; i++) {
			AUTO_BUF name = buf_with_ceiling(256);
			AUTO_BUF header = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			AUTO_BUF again = buf_with_ceiling(LIMIT_OUTPUT_LINE);
			enum field_type type;
			for (int j = i % 6; j > 0; j--) {
				state = state * 6364136223846793005u + 1442695040888963407u;
				buf_add(&name, view_of(pieces[(state >> 33) % ARRAY_LEN(pieces)]));
			}
			size_t kind = (size_t)i % ARRAY_LEN(types);
			attribute_header_write(buf_view(&name), types[kind], &header);
			ck_assert_msg(read_back(buf_view(&header), &again, &type), "%s", buf_text(&header));
			ck_assert_msg(view_eq(buf_view(&again), buf_view(&name)) && type == wanted[kind], "%s",
				      buf_text(&header));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { headers_are_written_and_read, headers_that_people_write, any_name_comes_back };
	return suite_of("attribute_header", tests, ARRAY_LEN(tests));
}
