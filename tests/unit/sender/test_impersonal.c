#include "sender/impersonal.h"

#include "base/limits.h"
#include "tests/support/unit.h"

#define ANN "ann.lee+news@example.org"

static const struct {
	const char *label, *said, *address, *left;
} rows[] = {
	{ "nobody", "5.7.1 not like this", ANN, "5.7.1 not like this" },
	{ "nothing", "", ANN, "" },
	{ "as it is", "4.7.1 <ann.lee+news@example.org> too fast", ANN, "4.7.1 <recipient> too fast" },
	{ "in capitals, twice", "ANN.Lee+News@EXAMPLE.org, " ANN, ANN, "recipient, recipient" },
	{ "behind a percent sign", "see x.test/?a=ann.lee+news%40example.org", ANN, "see x.test/?a=recipient" },
	{ "both ways", "ann.lee+news%40example.org " ANN " ann.lee+news%40example.org", ANN,
	  "recipient recipient recipient" },
	{ "somebody else", "lee@example.org", ANN, "lee@example.org" },
	{ "another script", "<j\xc3\xb6@b.example> no", "j\xc3\xb6@b.example", "<recipient> no" },
	{ "no address", "what is it", "", "what is it" },
};

START_TEST(addresses_are_left_out)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			impersonal_add(view_of(rows[i].said), view_of(rows[i].address), &out);
			ck_assert_msg(view_eq(buf_view(&out), view_of(rows[i].left)), "%s: %s", rows[i].label,
				      buf_text(&out));
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { addresses_are_left_out };
	return suite_of("impersonal", tests, ARRAY_LEN(tests));
}
