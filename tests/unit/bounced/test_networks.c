#include "bounced/networks.h"

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *networks, *endpoint;
	bool has;
};

static const struct row rows[] = {
	{ "", "127.0.0.1:25", false },
	{ "127.0.0.1", "127.0.0.1:25", true },
	{ "127.0.0.1", "127.0.0.2:25", false },
	{ "192.0.2.0/24", "192.0.2.255:1", true },
	{ "192.0.2.0/24", "192.0.3.0:1", false },
	{ "192.0.2.128/25", "192.0.2.127:1", false },
	{ "192.0.2.128/25", "192.0.2.128:1", true },
	{ "192.0.2.9/24", "192.0.2.1:1", true },
	{ "0.0.0.0/0", "203.0.113.1:1", true },
	{ "0.0.0.0/0", "[2001:db8::1]:1", false },
	{ "::/0", "[2001:db8::1]:1", true },
	{ "2001:db8::/33", "[2001:db8:7fff::1]:1", true },
	{ "2001:db8::/33", "[2001:db8:8000::1]:1", false },
	{ "192.0.2.1", "[::ffff:192.0.2.1]:1", true },
	{ "198.51.100.0/24  2001:db8::1 ", "[2001:db8::1]:1", true },
	{ "198.51.100.0/24  2001:db8::1 ", "198.51.100.77:1", true },
	{ "198.51.100.0/24  2001:db8::1 ", "[2001:db8::2]:1", false },
};

START_TEST(who_is_in)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct networks *networks = NULL;
			struct endpoint endpoint;
			ck_assert_int_eq(networks_parse(view_of(rows[i].networks), &networks, &why), ERR_OK);
			ck_assert_int_eq(endpoint_parse(view_of(rows[i].endpoint), &endpoint, &why), ERR_OK);
			ck_assert_msg(networks_have(networks, &endpoint) == rows[i].has, "%s in \"%s\"",
				      rows[i].endpoint, rows[i].networks);
			ck_row(rows[i].networks, networks_are_none(networks) == (*rows[i].networks == '\0'));
			networks_done(networks);
		}
	}
END_TEST

START_TEST(what_is_no_network)
	{
		static const char *const bad[] = {
			"mx.example.org", "192.0.2.0/33",
			"192.0.2.0/",     "192.0.2.0/-1",
			"2001:db8::/129", "192.0.2",
			"192.0.2.0/24/8", "/24",
			"127.0.0.1 x",    "1111111111111111111111111111111111111111111111111111111111111111111111111",
		};
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct networks *networks = NULL;
			ck_row(bad[i], networks_parse(view_of(bad[i]), &networks, &why) == ERR_INVALID);
			ck_row(bad[i], why.len > 0 && networks == NULL);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { who_is_in, what_is_no_network };
	return suite_of("networks", tests, ARRAY_LEN(tests));
}
