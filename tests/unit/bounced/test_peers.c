#include "bounced/peers.h"

#include "base/limits.h"
#include "tests/support/unit.h"

static struct endpoint at(const char *text)
{
	struct endpoint endpoint;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(endpoint_parse(view_of(text), &endpoint, &why) == ERR_OK, "%s", text);
	return endpoint;
}

static enum peers_verdict enter(struct peers *peers, const char *text)
{
	struct endpoint endpoint = at(text);
	return peers_enter(peers, &endpoint);
}

static void leave(struct peers *peers, const char *text)
{
	struct endpoint endpoint = at(text);
	peers_leave(peers, &endpoint);
}

struct row {
	const char *label, *first, *second;
	bool same_network;
};

static const struct row rows[] = {
	{ "one host", "192.0.2.1:1", "192.0.2.1:2", true },
	{ "one /24", "192.0.2.1:1", "192.0.2.254:1", true },
	{ "the next /24", "192.0.2.1:1", "192.0.3.1:1", false },
	{ "one /48", "[2001:db8:1::1]:1", "[2001:db8:1:ffff::1]:1", true },
	{ "the next /48", "[2001:db8:1::1]:1", "[2001:db8:2::1]:1", false },
	{ "mapped is IPv4", "[::ffff:192.0.2.1]:1", "192.0.2.9:1", true },
	{ "mapped, the next /24", "[::ffff:192.0.2.1]:1", "[::ffff:192.0.3.1]:1", false },
};

START_TEST(networks)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct peers *peers = NULL;
			ck_assert_int_eq(peers_new(10, 1, &peers), ERR_OK);
			ck_row(rows[i].label, enter(peers, rows[i].first) == PEERS_WELCOME);
			enum peers_verdict expected = rows[i].same_network ? PEERS_NETWORK_FULL : PEERS_WELCOME;
			ck_row(rows[i].label, enter(peers, rows[i].second) == expected);
			ck_assert_uint_eq(peers_count(peers), rows[i].same_network ? 1 : 2);
			peers_done(peers);
		}
	}
END_TEST

START_TEST(who_leaves_makes_room)
	{
		struct peers *peers = NULL;
		ck_assert_int_eq(peers_new(3, 2, &peers), ERR_OK);
		ck_assert_int_eq(enter(peers, "192.0.2.1:1"), PEERS_WELCOME);
		ck_assert_int_eq(enter(peers, "192.0.2.2:1"), PEERS_WELCOME);
		ck_assert_int_eq(enter(peers, "192.0.2.3:1"), PEERS_NETWORK_FULL);
		ck_assert_int_eq(enter(peers, "198.51.100.1:1"), PEERS_WELCOME);
		ck_assert_int_eq(enter(peers, "203.0.113.1:1"), PEERS_FULL);
		leave(peers, "192.0.2.1:1");
		ck_assert_int_eq(enter(peers, "203.0.113.1:1"), PEERS_WELCOME);
		leave(peers, "192.0.2.2:1");
		leave(peers, "198.51.100.1:1");
		leave(peers, "203.0.113.1:1");
		leave(peers, "203.0.113.1:1"); /* who is not in changes nothing */
		ck_assert_uint_eq(peers_count(peers), 0);
		peers_done(peers);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { networks, who_leaves_makes_room };
	return suite_of("peers", tests, ARRAY_LEN(tests));
}
