#include "base/buf.h"

#include "tests/support/unit.h"

START_TEST(grows_up_to_its_ceiling)
	{
		AUTO_BUF buf = buf_with_ceiling(10);
		ck_assert_int_eq(buf_add(&buf, VIEW_LIT("12345")), ERR_OK);
		ck_assert_int_eq(buf_addf(&buf, "%s", "67890"), ERR_OK);
		ck_assert_int_eq(buf_add_byte(&buf, 'x'), ERR_TOO_BIG);
		ck_view_eq(buf_view(&buf), "1234567890");
		ck_assert_str_eq(buf_text(&buf), "1234567890");
	}
END_TEST

START_TEST(its_error_is_sticky_until_reset)
	{
		AUTO_BUF buf = buf_with_ceiling(4);
		buf_add(&buf, VIEW_LIT("12"));
		buf_add(&buf, VIEW_LIT("345"));
		buf_add(&buf, VIEW_LIT("3"));
		ck_assert_int_eq(buf_err(&buf), ERR_TOO_BIG);
		ck_view_eq(buf_view(&buf), "12");
		buf_reset(&buf);
		ck_assert_int_eq(buf_add(&buf, VIEW_LIT("3456")), ERR_OK);
		ck_view_eq(buf_view(&buf), "3456");
	}
END_TEST

START_TEST(drops_and_cuts)
	{
		AUTO_BUF buf = buf_with_ceiling(64);
		buf_add(&buf, VIEW_LIT("abcdef"));
		buf_drop_front(&buf, 2);
		ck_view_eq(buf_view(&buf), "cdef");
		buf_cut(&buf, 3);
		ck_view_eq(buf_view(&buf), "cde");
		buf_drop_front(&buf, 99);
		ck_view_eq(buf_view(&buf), "");
		buf_add_u64(&buf, 0);
		buf_add_u64(&buf, UINT64_MAX);
		ck_view_eq(buf_view(&buf), "018446744073709551615");
	}
END_TEST

START_TEST(done_may_run_twice)
	{
		struct buf buf = buf_with_ceiling(8);
		buf_add(&buf, VIEW_LIT("x"));
		buf_done(&buf);
		buf_done(&buf);
		ck_assert_str_eq(buf_text(&buf), "");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { grows_up_to_its_ceiling, its_error_is_sticky_until_reset, drops_and_cuts,
				       done_may_run_twice };
	return suite_of("buf", tests, ARRAY_LEN(tests));
}
