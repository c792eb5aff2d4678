#include "sender/checksum.h"

#include <string.h>

#include "tests/support/unit.h"

START_TEST(known_values)
	{
		/* RFC 3720 appendix B.4. */
		static const char zeros[32] = { 0 };
		ck_assert_uint_eq(checksum_of(VIEW_LIT("123456789")), 0xe3069283);
		ck_assert_uint_eq(checksum_of(view_from(zeros, sizeof(zeros))), 0x8a9136aa);
		ck_assert_uint_eq(checksum_of((struct view){ 0 }), 0);
	}
END_TEST

/* Journals move between processors with and without the instruction. */
START_TEST(both_ways_agree)
	{
		unsigned char bytes[300];
		uint32_t number = 1;
		for (size_t i = 0; i < sizeof(bytes); i++) {
			number = number * 1664525 + 1013904223;
			bytes[i] = (unsigned char)(number >> 24);
		}
		for (size_t from = 0; from < 9; from++) {
			for (size_t len = 0; from + len <= sizeof(bytes); len++) {
				struct view part = view_from(bytes + from, len);
				ck_assert_uint_eq(checksum_of(part), checksum_of_any(part));
			}
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { known_values, both_ways_agree };
	return suite_of("checksum", tests, ARRAY_LEN(tests));
}
