#include "mail/converters.h"

#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support/unit.h"

static bool is_listed(const char *name)
{
	for (size_t i = 0; converters_name(i) != NULL; i++) {
		if (strcmp(converters_name(i), name) == 0)
			return true;
	}
	return false;
}

static size_t listed(void)
{
	size_t count = 0;
	while (converters_name(count) != NULL)
		count++;
	return count;
}

/* Whether a file can be opened. */
static void allow_files(bool allowed)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = allowed ? limit.rlim_max : 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	FILE *file = fopen("/dev/null", "r");
	ck_assert((file != NULL) == allowed);
	if (file != NULL)
		fclose(file);
}

START_TEST(all_convert_without_files)
	{
		static const char *const others[] = { "latin2", "windows-1252", "cp1251",  "gb2312",
						      "big5",   "utf-8",        "us-ascii" };
		struct converters *converters;
		ck_assert_int_eq(converters_open(&converters), ERR_OK);
		ck_assert_uint_eq(converters_count(converters), listed());
		allow_files(false);
		for (size_t i = 0; converters_name(i) != NULL; i++) {
			iconv_t converter = iconv_open("UTF-8", converters_name(i));
			ck_row(converters_name(i), converter != (iconv_t)-1);
			iconv_close(converter);
		}
		for (size_t i = 0; i < ARRAY_LEN(others); i++) {
			iconv_t converter = iconv_open("UTF-8", others[i]);
			ck_row(others[i], converter != (iconv_t)-1);
			iconv_close(converter);
		}
		allow_files(true);
		converters_done(converters);
	}
END_TEST

/* Where the C library tells what it has, all of it is listed. */
START_TEST(what_the_library_has_is_listed)
	{
		static const char *const files[] = {
			"/usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
			"/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/gconv-modules-extra.conf",
			"/usr/lib/aarch64-linux-gnu/gconv/gconv-modules",
			"/usr/lib/aarch64-linux-gnu/gconv/gconv-modules.d/gconv-modules-extra.conf",
		};
		for (size_t i = 0; i < ARRAY_LEN(files); i++) {
			FILE *file = fopen(files[i], "r");
			char line[512], from[128], to[128];
			while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
				if (sscanf(line, "module %127s %127s", from, to) != 2 || strcmp(to, "INTERNAL") != 0)
					continue;
				from[strcspn(from, "/")] = '\0';
				ck_row(from, is_listed(from));
			}
			if (file != NULL)
				fclose(file);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { all_convert_without_files, what_the_library_has_is_listed };
	return suite_of("converters", tests, ARRAY_LEN(tests));
}
