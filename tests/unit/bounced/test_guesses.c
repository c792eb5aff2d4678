#include "bounced/guesses.h"

#include <stdio.h>

#include "base/clock.h"
#include "tests/support/unit.h"

#define MINUTE_US (INT64_C(60) * CLOCK_US_PER_SECOND)

static struct endpoint at(const char *host)
{
	struct endpoint endpoint;
	ck_assert(endpoint_parse_host(view_of(host), &endpoint));
	return endpoint;
}

/* So many from there at that time; how long the last one waits, in seconds. */
static int64_t guess(struct guesses *guesses, const char *host, unsigned count, int64_t now_us)
{
	struct endpoint peer = at(host);
	int64_t wait_us = 0;
	for (unsigned i = 0; i < count; i++)
		wait_us = guesses_note(guesses, &peer, GATE_FORGED, now_us);
	return wait_us / CLOCK_US_PER_SECOND;
}

START_TEST(the_waits_grow)
	{
		struct guesses *guesses;
		ck_assert(guesses_new(&guesses) == ERR_OK);
		ck_assert_int_eq(guess(guesses, "192.0.2.1", GUESSES_FREE, MINUTE_US), 0);
		ck_assert_int_eq(guess(guesses, "192.0.2.200", 1, MINUTE_US), 1);
		ck_assert_int_eq(guess(guesses, "192.0.2.1", 1, MINUTE_US), 2);
		ck_assert_int_eq(guess(guesses, "192.0.2.1", 1000, MINUTE_US), GUESSES_SLOWEST_S);
		ck_assert_int_eq(guess(guesses, "192.0.3.1", GUESSES_FREE, MINUTE_US), 0);
		ck_assert_int_eq(guess(guesses, "2001:db8:1:2::1", GUESSES_FREE, MINUTE_US), 0);
		ck_assert_int_eq(guess(guesses, "2001:db8:1:3::1", 1, MINUTE_US), 1);
		ck_assert_int_eq(guess(guesses, "2001:db8:2::1", 1, MINUTE_US), 0);
		guesses_done(guesses);
	}
END_TEST

START_TEST(an_hour_of_quiet_is_enough)
	{
		struct guesses *guesses;
		ck_assert(guesses_new(&guesses) == ERR_OK);
		guess(guesses, "192.0.2.1", GUESSES_FREE, MINUTE_US);
		ck_assert_int_eq(guess(guesses, "192.0.2.1", 1, 60 * MINUTE_US), 1);
		ck_assert_int_eq(guess(guesses, "192.0.2.1", 1, 121 * MINUTE_US), 0);
		guesses_done(guesses);
	}
END_TEST

START_TEST(the_quietest_makes_room)
	{
		struct guesses *guesses;
		ck_assert(guesses_new(&guesses) == ERR_OK);
		guess(guesses, "192.0.2.1", GUESSES_FREE, MINUTE_US);
		guess(guesses, "192.0.3.1", GUESSES_FREE, 2 * MINUTE_US);
		for (unsigned i = 0; i < 1023; i++) {
			char host[20];
			snprintf(host, sizeof(host), "10.%u.%u.1", i / 256, i % 256);
			guess(guesses, host, 1, 3 * MINUTE_US);
		}
		ck_assert_int_eq(guess(guesses, "192.0.3.1", 1, 4 * MINUTE_US), 1);
		ck_assert_int_eq(guess(guesses, "192.0.2.1", 1, 4 * MINUTE_US), 0);
		guesses_done(guesses);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { the_waits_grow, an_hour_of_quiet_is_enough, the_quietest_makes_room };
	return suite_of("guesses", tests, ARRAY_LEN(tests));
}
