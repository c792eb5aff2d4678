#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static char folder[32];

static void make_folder(void)
{
	strcpy(folder, "/tmp/verpost-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *in_folder(struct buf *path, const char *name)
{
	buf_reset(path);
	buf_addf(path, "%s/%s", folder, name);
	return buf_text(path);
}

START_TEST(replaced_whole_and_read_back)
	{
		AUTO_BUF path = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF content = buf_with_ceiling(LIMIT_KEY_FILE);
		struct stat info;
		make_folder();
		const char *file = in_folder(&path, "keys");
		ck_assert_int_eq(file_replace(file, VIEW_LIT("one"), 0600, &why), ERR_OK);
		ck_assert_int_eq(file_replace(file, VIEW_LIT("two"), 0600, &why), ERR_OK);
		ck_assert_int_eq(stat(file, &info), 0);
		ck_assert_uint_eq(info.st_mode & 0777, 0600);
		ck_assert_int_eq(file_read(file, &content, &why), ERR_OK);
		ck_view_eq(buf_view(&content), "two");
		unlink(file);
		rmdir(folder);
	}
END_TEST

START_TEST(what_is_no_file_is_refused_with_its_name)
	{
		AUTO_BUF path = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF content = buf_with_ceiling(2);
		make_folder();
		ck_assert_int_eq(file_read(folder, &content, &why), ERR_INVALID);
		ck_assert(view_ends(buf_view(&why), VIEW_LIT("is a directory, not a file")));
		const char *file = in_folder(&path, "missing");
		ck_assert_int_eq(file_read(file, &content, &why), ERR_NOT_FOUND);
		ck_assert(view_find(buf_view(&why), buf_view(&path)) != VIEW_NONE);
		ck_assert_int_eq(file_replace(file, VIEW_LIT("abc"), 0600, &why), ERR_OK);
		ck_assert_int_eq(file_read(file, &content, &why), ERR_TOO_BIG);
		ck_assert_uint_eq(content.len, 0);
		unlink(file);
		rmdir(folder);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { replaced_whole_and_read_back, what_is_no_file_is_refused_with_its_name };
	return suite_of("file", tests, ARRAY_LEN(tests));
}
