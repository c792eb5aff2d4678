#include "bounced/allowance.h"

#include "base/clock.h"
#include "tests/support/unit.h"

#define MINUTE_US (INT64_C(60) * CLOCK_US_PER_SECOND)
#define DAY_US (INT64_C(86400) * CLOCK_US_PER_SECOND)

enum { PER_COPY = 3, PER_NETWORK = 2 };

static struct allowance *allowance_of(size_t per_copy, size_t per_network)
{
	struct allowance *allowance;
	ck_assert(allowance_new(per_copy, per_network, &allowance) == ERR_OK);
	return allowance;
}

static struct token copy_of(uint64_t campaign, uint64_t subscriber, enum token_purpose purpose)
{
	return (struct token){ .purpose = purpose, .scope_id = campaign, .subscriber_id = subscriber };
}

START_TEST(copies_have_a_measure_each)
	{
		struct allowance *allowance = allowance_of(PER_COPY, PER_NETWORK);
		const struct token copy = copy_of(1, 2, TOKEN_RETURN_PATH);
		const struct token others[] = { copy_of(2, 1, TOKEN_RETURN_PATH), copy_of(1, 3, TOKEN_RETURN_PATH),
						copy_of(1, 2, TOKEN_UNSUBSCRIBE),
						copy_of(1, UINT64_C(2) << 32, TOKEN_RETURN_PATH) };
		for (int i = 0; i < PER_COPY; i++) {
			ck_assert(allowance_has_copy(allowance, &copy, MINUTE_US));
			allowance_note_copy(allowance, &copy, MINUTE_US);
		}
		ck_assert(!allowance_has_copy(allowance, &copy, MINUTE_US + DAY_US - 1));
		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			ck_assert(allowance_has_copy(allowance, &others[i], MINUTE_US));
		ck_assert_msg(allowance_has_copy(allowance, &copy, MINUTE_US + DAY_US), "a day is over");
		allowance_done(allowance);
	}
END_TEST

START_TEST(networks_have_a_measure_each)
	{
		struct allowance *allowance = allowance_of(PER_COPY, PER_NETWORK);
		struct endpoint peer, neighbour, other;
		ck_assert(endpoint_parse_host(view_of("192.0.2.1"), &peer));
		ck_assert(endpoint_parse_host(view_of("192.0.2.9"), &neighbour));
		ck_assert(endpoint_parse_host(view_of("192.0.3.1"), &other));
		allowance_note_network(allowance, &peer, MINUTE_US);
		ck_assert(allowance_has_network(allowance, &neighbour, MINUTE_US));
		allowance_note_network(allowance, &neighbour, MINUTE_US);
		ck_assert(!allowance_has_network(allowance, &peer, MINUTE_US));
		ck_assert(allowance_has_network(allowance, &other, MINUTE_US));
		allowance_done(allowance);
	}
END_TEST

/* Many reports about copies of their own do not make it forget one that is used up. */
START_TEST(a_crowd_hides_nobody)
	{
		struct allowance *allowance = allowance_of(PER_COPY, PER_NETWORK);
		const struct token copy = copy_of(1, 2, TOKEN_RETURN_PATH);
		for (int i = 0; i < PER_COPY; i++)
			allowance_note_copy(allowance, &copy, MINUTE_US);
		for (uint64_t id = 10; id < 100000; id++) {
			const struct token one = copy_of(1, id, TOKEN_RETURN_PATH);
			allowance_note_copy(allowance, &one, MINUTE_US + (int64_t)id);
		}
		ck_assert(!allowance_has_copy(allowance, &copy, 2 * MINUTE_US));
		allowance_done(allowance);
	}
END_TEST

START_TEST(zero_is_no_measure)
	{
		struct allowance *allowance = allowance_of(0, 0);
		const struct token copy = copy_of(1, 2, TOKEN_RETURN_PATH);
		for (int i = 0; i < 1000; i++)
			allowance_note_copy(allowance, &copy, MINUTE_US);
		ck_assert(allowance_has_copy(allowance, &copy, MINUTE_US));
		allowance_done(allowance);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { copies_have_a_measure_each, networks_have_a_measure_each, a_crowd_hides_nobody,
				       zero_is_no_measure };
	return suite_of("allowance", tests, ARRAY_LEN(tests));
}
