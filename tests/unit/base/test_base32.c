#include "base/base32.h"

#include <string.h>

#include "tests/support/unit.h"

struct row {
	const char *label, *bytes, *text;
};

/* The vectors of RFC 4648 section 10 without padding. */
static const struct row vectors[] = {
	{ "empty", "", "" },
	{ "one", "f", "my" },
	{ "two", "fo", "mzxq" },
	{ "three", "foo", "mzxw6" },
	{ "four", "foob", "mzxw6yq" },
	{ "five", "fooba", "mzxw6ytb" },
	{ "six", "foobar", "mzxw6ytboi" },
};

START_TEST(vectors_both_ways)
	{
		for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
			const struct row *row = &vectors[i];
			AUTO_BUF text = buf_with_ceiling(64);
			char bytes[8];
			ck_row(row->label, base32_encode(view_of(row->bytes), &text) == ERR_OK);
			ck_view_eq(buf_view(&text), row->text);
			ck_row(row->label, base32_decode(view_of(row->text), bytes, strlen(row->bytes)));
			ck_row(row->label, memcmp(bytes, row->bytes, strlen(row->bytes)) == 0);
		}
	}
END_TEST

START_TEST(one_spelling_only)
	{
		char bytes[8];
		ck_assert(base32_decode(view_of("MZXW6YTBOI"), bytes, 6));
		ck_assert_msg(!base32_decode(view_of("mz"), bytes, 1), "spare bits must be zero");
		ck_assert_msg(!base32_decode(view_of("mzxw6ytbo"), bytes, 6), "too short");
		ck_assert_msg(!base32_decode(view_of("mzxw6ytboia"), bytes, 6), "too long");
		ck_assert_msg(!base32_decode(view_of("mzxw1ytboi"), bytes, 6), "1 is not in the alphabet");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { vectors_both_ways, one_spelling_only };
	return suite_of("base32", tests, ARRAY_LEN(tests));
}
