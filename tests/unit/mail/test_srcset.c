#include "mail/srcset.h"

#include "base/limits.h"
#include "base/buf.h"
#include "tests/support/unit.h"

static const struct {
	const char *candidates, *addresses; /* a line each */
} rows[] = {
	{ "a.png 1x, b.png 2x", "a.png\nb.png\n" },
	{ " a.png,\n\tb.png 480w ,", "a.png\nb.png\n" },
	{ "a.png", "a.png\n" },
	{ "a.png,b.png", "a.png\nb.png\n" },
	{ "https://a.test/x?a=1 2x, c d e", "https://a.test/x?a=1\nc\n" },
	{ "data:image/png;base64,AAAA 1x, b.png", "data:image/png;base64,AAAA\nb.png\n" },
	{ " ,, ", "" },
	{ "", "" },
};

START_TEST(candidates)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
			struct view rest = view_of(rows[i].candidates), address;
			while (srcset_cut(&rest, &address))
				buf_addf(&found, VIEW_FMT "\n", VIEW_ARG(address));
			ck_assert_msg(view_eq(buf_view(&found), view_of(rows[i].addresses)), "%s: %s",
				      rows[i].candidates, buf_text(&found));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { candidates };
	return suite_of("srcset", tests, ARRAY_LEN(tests));
}
