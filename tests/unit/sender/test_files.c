#include "sender/files.h"

#include <sys/resource.h>

#include "tests/support/unit.h"

START_TEST(files_are_reserved)
	{
		AUTO_BUF why = buf_with_ceiling(1024);
		struct rlimit limit, before;
		ck_assert(getrlimit(RLIMIT_NOFILE, &before) == 0);
		limit = (struct rlimit){ .rlim_cur = 100, .rlim_max = before.rlim_max };
		ck_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		ck_assert(files_reserve(100, &why) == ERR_OK);
		ck_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
		ck_assert(limit.rlim_cur > 100 && limit.rlim_max == before.rlim_max);
		ck_assert(files_reserve(10, &why) == ERR_OK);
		ck_assert_uint_eq(why.len, 0);
		limit = (struct rlimit){ .rlim_cur = 100, .rlim_max = 150 };
		ck_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		ck_assert(files_reserve(149, &why) == ERR_DENIED);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("149 connections")) != VIEW_NONE);
		ck_assert(view_find(buf_view(&why), VIEW_LIT("is 150")) != VIEW_NONE);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { files_are_reserved };
	return suite_of("files", tests, ARRAY_LEN(tests));
}
