#include "base/wire.h"

#include "tests/support/unit.h"

START_TEST(what_was_written_is_read)
	{
		AUTO_BUF out = buf_with_ceiling(100);
		wire_add_u8(&out, 255);
		wire_add_u16(&out, 65534);
		wire_add_u32(&out, 0x89abcdef);
		wire_add_text(&out, VIEW_LIT("a\0b"));
		wire_add_text(&out, VIEW_LIT(""));
		struct wire wire = { .rest = buf_view(&out) };
		ck_assert_uint_eq(wire_u8(&wire), 255);
		ck_assert_uint_eq(wire_u16(&wire), 65534);
		ck_assert_uint_eq(wire_u32(&wire), 0x89abcdef);
		ck_assert(!wire_is_whole(&wire));
		ck_assert(view_eq(wire_text(&wire, 3), VIEW_LIT("a\0b")));
		ck_assert_uint_eq(wire_text(&wire, 0).len, 0);
		ck_assert(wire_is_whole(&wire));
		ck_assert_uint_eq(wire_u8(&wire), 0);
		ck_assert(wire.broken && !wire_is_whole(&wire));
	}
END_TEST

START_TEST(what_is_too_long_or_missing_breaks_it)
	{
		AUTO_BUF out = buf_with_ceiling(100);
		wire_add_text(&out, VIEW_LIT("four"));
		wire_add_u8(&out, 7);
		struct wire longer = { .rest = buf_view(&out) };
		ck_assert_uint_eq(wire_text(&longer, 3).len, 0);
		ck_assert(longer.broken);
		ck_assert_uint_eq(wire_u8(&longer), 0);
		struct wire cut = { .rest = view_head(buf_view(&out), 5) };
		ck_assert_uint_eq(wire_text(&cut, 100).len, 0);
		ck_assert(cut.broken);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { what_was_written_is_read, what_is_too_long_or_missing_breaks_it };
	return suite_of("wire", tests, ARRAY_LEN(tests));
}
