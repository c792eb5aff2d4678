#include "listctl/dkim_output.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static const size_t lengths[] = { 1, 254, 255, 256, 410, 510, 511 };

/* Strings of at most 255 octets that give the record when they are joined. */
START_TEST(strings)
	{
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			char record[600];
			AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
			AUTO_BUF joined = buf_with_ceiling(LIMIT_WHY);
			for (size_t k = 0; k < lengths[i]; k++)
				record[k] = (char)('a' + k % 26);
			ck_assert_int_eq(dkim_output_strings(view_from(record, lengths[i]), &text), ERR_OK);
			struct view rest = buf_view(&text), part;
			for (size_t number = 0; rest.len > 0; number++) {
				ck_assert(number == 0 || view_starts(rest, VIEW_LIT(" ")));
				rest = view_skip(rest, number == 0 ? 1 : 2);
				ck_assert(view_cut(&rest, '"', &part));
				ck_assert_uint_le(part.len, 255);
				ck_assert_uint_gt(part.len, 0);
				buf_add(&joined, part);
			}
			ck_assert(view_eq(buf_view(&joined), view_from(record, lengths[i])));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { strings };
	return suite_of("dkim_output", tests, ARRAY_LEN(tests));
}
