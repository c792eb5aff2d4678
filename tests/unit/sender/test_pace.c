#include "sender/pace.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/support/unit.h"

#define SECOND (INT64_C(1) * CLOCK_US_PER_SECOND)
#define START (INT64_C(1000) * SECOND)

enum { ASKS_MOST = 16 };

/* A pace with the group gmail (gmail.com, googlemail.com), the group apple (me.com) and two relays. */
struct fixture {
	struct pace *pace;
	struct pace_relay *relay, *other;
};

static struct fixture begin(void)
{
	struct fixture fixture;
	ck_assert(pace_new(&fixture.pace) == ERR_OK);
	fixture.relay = pace_relay(fixture.pace, VIEW_LIT("one"));
	fixture.other = pace_relay(fixture.pace, VIEW_LIT("two"));
	ck_assert_ptr_nonnull(fixture.relay);
	ck_assert_ptr_eq(fixture.relay, pace_relay(fixture.pace, VIEW_LIT("one")));
	return fixture;
}

/* What is loaded: limits up to the first without a key. */
static void load(struct pace *pace, const struct budget_limit *limits)
{
	static const char *const domains[][2] = { { "gmail.com", "gmail" },
						  { "googlemail.com", "gmail" },
						  { "me.com", "apple" } };
	pace_load_begin(pace);
	for (size_t i = 0; i < ARRAY_LEN(domains); i++)
		ck_assert(pace_load_domain(pace, view_of(domains[i][0]), view_of(domains[i][1])) == ERR_OK);
	for (; limits != NULL && limits->key.len > 0; limits++)
		ck_assert(pace_load_limit(pace, limits) == ERR_OK);
	pace_load_end(pace);
}

#define LIMIT(name, tokens, slots_)                                                                                    \
	{                                                                                                              \
		.key = VIEW_LIT(name), .has_tokens = (tokens), .has_slots = (slots_)                                   \
	}

struct someone {
	struct view address;
	struct pace_mark mark;
};

static struct someone someone_at(const char *address)
{
	return (struct someone){ view_of(address), pace_mark(view_of(address)) };
}

static bool may(struct fixture *fixture, struct someone *someone, int64_t now_us)
{
	return pace_may(fixture->pace, fixture->relay, 1, someone->address, &someone->mark, now_us);
}

static bool try_begin(struct fixture *fixture, struct someone *someone, int64_t now_us)
{
	if (!may(fixture, someone, now_us))
		return false;
	pace_begin(fixture->pace, fixture->relay, someone->address, &someone->mark, now_us);
	return true;
}

static void end(struct fixture *fixture, struct someone *someone, enum pace_end how, int64_t now_us)
{
	pace_end(fixture->pace, fixture->relay, someone->address, &someone->mark, how, VIEW_LIT("421 4.7.28 slow"),
		 now_us);
}

/* So many wait at that address. */
static void plan(struct fixture *fixture, const char *address, size_t count, int64_t now_us)
{
	pace_plan_begin(fixture->pace, 1000);
	for (size_t i = 0; i < count; i++) {
		struct someone someone = someone_at(address);
		pace_plan(fixture->pace, &fixture->relay, 1, 1, someone.address, &someone.mark, now_us);
	}
	pace_plan_end(fixture->pace);
}

/* The question for that key; waiting -1: it was not asked. */
static struct budget_ask asked(struct fixture *fixture, const char *key, int64_t now_us)
{
	struct budget_ask asks[ASKS_MOST], found = { .waiting = -1 };
	ck_assert_uint_le(pace_ask_room(fixture->pace), ASKS_MOST);
	size_t count = pace_ask(fixture->pace, asks, now_us);
	for (size_t i = 0; i < count; i++) {
		if (view_eq(asks[i].key, view_of(key)))
			found = asks[i];
	}
	return found;
}

static void grant(struct fixture *fixture, const char *key, int64_t tokens, int64_t slots, double rate, int64_t now_us)
{
	const struct budget_grant answer = {
		.key = view_of(key), .tokens = tokens, .slots = slots, .rate = rate, .pace = rate
	};
	pace_grant(fixture->pace, &answer, now_us);
}

START_TEST(without_limits_nothing_is_asked)
	{
		struct fixture fixture = begin();
		load(fixture.pace, NULL);
		struct someone someone = someone_at("a@gmail.com");
		ck_assert(pace_is_free(fixture.pace));
		ck_assert(try_begin(&fixture, &someone, START));
		end(&fixture, &someone, PACE_ACCEPTED, START);
		plan(&fixture, "a@gmail.com", 5, START);
		ck_assert(!pace_is_hungry(fixture.pace, START));
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, -1);
		ck_assert_int_eq(pace_relay_slots(fixture.relay, START), INT64_MAX);
		ck_view_eq(pace_group(fixture.pace, someone.address, &someone.mark), "gmail");
		struct someone nobody = someone_at("a@else.test");
		ck_view_eq(pace_group(fixture.pace, nobody.address, &nobody.mark), "");
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(tokens_are_spent_by_the_whole_group_and_end_by_time)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		struct someone a = someone_at("a@gmail.com"), b = someone_at("b@googlemail.com"),
			       c = someone_at("c@me.com");
		ck_assert(!pace_is_free(fixture.pace));
		ck_assert(!try_begin(&fixture, &a, START));
		ck_assert(try_begin(&fixture, &c, START));
		plan(&fixture, "a@gmail.com", 7, START);
		ck_assert(pace_is_hungry(fixture.pace, START));
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, 7);
		ck_assert(!pace_is_hungry(fixture.pace, START));
		grant(&fixture, "group:gmail", 3, -1, 8, START);
		ck_assert(try_begin(&fixture, &a, START));
		ck_assert(try_begin(&fixture, &b, START));
		end(&fixture, &a, PACE_NOT_SENT, START); /* nothing of it went: the token is there again */
		struct budget_ask ask = asked(&fixture, "group:gmail", START);
		ck_assert_int_eq(ask.unspent, 2);
		ck_assert_int_eq(ask.under_way, 1);
		ck_assert(!may(&fixture, &a, START)); /* void since it was asked */
		grant(&fixture, "group:gmail", 1, -1, 8, START);
		ck_assert(!may(&fixture, &a, START + 2 * SECOND));
		ck_assert(try_begin(&fixture, &a, START + 2 * SECOND - 1));
		ck_assert(!may(&fixture, &b, START + SECOND));
		end(&fixture, &a, PACE_ACCEPTED, START);
		end(&fixture, &b, PACE_ACCEPTED, START);
		end(&fixture, &c, PACE_ELSE, START);
		plan(&fixture, "a@gmail.com", 0, START);
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, 0); /* the last word, to give back */
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, -1);
		pace_done(fixture.pace);
	}
END_TEST

struct spread_row {
	const char *label;
	double rate;
	int64_t step_us;  /* between two turns of the worker */
	int64_t stall_us; /* at the tenth second it stands still for so long */
};

static const struct spread_row spread[] = {
	{ "few", 3, 5000, 0 },
	{ "less than one a second", 0.4, 5000, 0 },
	{ "a common rate", 20, 1000, 0 },
	{ "a slow worker", 20, 200000, 0 },
	{ "many", 400, 20000, 0 },
	{ "a worker that stands still for a while", 100, 10000, 700000 },
	{ "one that stands still for longer than a grant lives", 100, 10000, 3300000 },
};

enum { SPREAD_SECONDS = 20, SPREAD_MOST = 10000 };

/* When each was begun. A budget of one worker: a second's worth at each second, and what is unspent goes back. */
static size_t spread_out(const struct spread_row *row, int64_t *begun_us)
{
	struct fixture fixture = begin();
	const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
	size_t count = 0;
	double budget = row->rate;
	load(fixture.pace, limits);
	for (int64_t at_us = 0, ask_us = 0; at_us < SPREAD_SECONDS * SECOND; at_us += row->step_us) {
		if (at_us / SECOND == 10 && (at_us - row->step_us) / SECOND == 9)
			at_us += row->stall_us;
		if (at_us >= ask_us) {
			plan(&fixture, "a@gmail.com", 1000, START + at_us);
			budget += (double)asked(&fixture, "group:gmail", START + at_us).unspent;
			budget = budget > 1.25 * row->rate + 1 ? 1.25 * row->rate + 1 : budget;
			grant(&fixture, "group:gmail", (int64_t)budget, -1, row->rate, START + at_us);
			budget -= (double)(int64_t)budget;
			budget += row->rate;
			ask_us = at_us + SECOND;
		}
		struct someone someone = someone_at("a@gmail.com");
		while (count < SPREAD_MOST && try_begin(&fixture, &someone, START + at_us)) {
			begun_us[count++] = at_us;
			end(&fixture, &someone, PACE_ACCEPTED, START + at_us);
		}
	}
	pace_done(fixture.pace);
	return count;
}

/* By how many too many in the worst span. */
static double excess(const struct spread_row *row, const int64_t *begun_us, size_t count)
{
	double worst = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = i; j < count; j++) {
			double seconds = (double)(begun_us[j] - begun_us[i]) / (double)SECOND;
			double more = (double)(j - i + 1) - (row->rate * (seconds + 0.25) + 1);
			worst = more > worst ? more : worst;
		}
	}
	return worst;
}

START_TEST(a_grant_is_spread_over_its_second)
	{
		static int64_t begun_us[SPREAD_MOST];
		for (size_t k = 0; k < ARRAY_LEN(spread); k++) {
			const struct spread_row *row = &spread[k];
			size_t count = spread_out(row, begun_us);
			double more = excess(row, begun_us, count);
			ck_assert_msg(more < 1e-6, "%s: %f too many", row->label, more);
			double seconds = SPREAD_SECONDS - (double)row->stall_us / (double)SECOND;
			ck_assert_msg((double)count >= 0.95 * row->rate * seconds, "%s: only %zu", row->label, count);
		}
	}
END_TEST

START_TEST(it_is_told_when_the_next_token_may_be_used)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		struct someone a = someone_at("a@gmail.com"), b = someone_at("b@gmail.com");
		ck_assert_int_eq(pace_wait(fixture.pace, START), -1);
		plan(&fixture, "a@gmail.com", 2, START);
		asked(&fixture, "group:gmail", START);
		grant(&fixture, "group:gmail", 2, -1, 0.01, START);
		ck_assert_int_eq(pace_wait(fixture.pace, START), -1); /* at once */
		ck_assert(try_begin(&fixture, &a, START));
		ck_assert(pace_wait(fixture.pace, START) > 99 * SECOND);
		/* It may go faster from now on. */
		asked(&fixture, "group:gmail", START);
		grant(&fixture, "group:gmail", 2, -1, 2, START);
		int64_t wait_us = pace_wait(fixture.pace, START);
		ck_assert_int_ge(wait_us, SECOND / 2);
		ck_assert_int_le(wait_us, SECOND / 2 + 10);
		ck_assert(!may(&fixture, &b, START + SECOND / 2 - 1000));
		ck_assert(try_begin(&fixture, &b, START + wait_us));
		end(&fixture, &a, PACE_ACCEPTED, START + SECOND);
		end(&fixture, &b, PACE_ACCEPTED, START + SECOND);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(slots_are_free_again_when_a_message_ends)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", false, true),
						       LIMIT("relay:one", false, true),
						       { .has_tokens = false } };
		load(fixture.pace, limits);
		struct someone a = someone_at("a@gmail.com"), b = someone_at("b@gmail.com"),
			       c = someone_at("c@gmail.com");
		plan(&fixture, "a@gmail.com", 3, START);
		ck_assert_int_eq(asked(&fixture, "relay:one", START).waiting, 3);
		grant(&fixture, "group:gmail", -1, 2, 0, START);
		grant(&fixture, "relay:one", -1, 4, 0, START);
		ck_assert_int_eq(pace_relay_slots(fixture.relay, START), 4);
		ck_assert_int_eq(pace_relay_slots(fixture.other, START), INT64_MAX);
		pace_relay_holds(fixture.relay, 3);
		ck_assert(try_begin(&fixture, &a, START));
		ck_assert(try_begin(&fixture, &b, START));
		ck_assert(!try_begin(&fixture, &c, START));
		end(&fixture, &a, PACE_ELSE, START);
		ck_assert(try_begin(&fixture, &c, START));
		ck_assert_int_eq(asked(&fixture, "relay:one", START).under_way, 3);
		end(&fixture, &b, PACE_ACCEPTED, START);
		end(&fixture, &c, PACE_ACCEPTED, START);
		grant(&fixture, "group:gmail", -1, 2, 0, START);
		ck_assert(may(&fixture, &a, START + 10 * SECOND - 1));
		ck_assert(!may(&fixture, &a, START + 10 * SECOND));
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(a_warm_up_is_for_its_relay_and_group)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { { .key = VIEW_LIT("warmup:7"),
							 .has_tokens = true,
							 .relay = VIEW_LIT("one"),
							 .group = VIEW_LIT("gmail") },
						       { .has_tokens = false } };
		load(fixture.pace, limits);
		struct someone a = someone_at("a@gmail.com"), c = someone_at("c@me.com");
		ck_assert(!may(&fixture, &a, START));
		ck_assert(may(&fixture, &c, START));
		ck_assert(pace_may(fixture.pace, fixture.other, 1, a.address, &a.mark, START));
		plan(&fixture, "a@gmail.com", 2, START);
		ck_assert_int_eq(asked(&fixture, "warmup:7", START).waiting, 2);
		grant(&fixture, "warmup:7", 1, -1, 0, START);
		ck_assert(try_begin(&fixture, &a, START));
		ck_assert(!may(&fixture, &a, START));
		end(&fixture, &a, PACE_ACCEPTED, START);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(what_refuses_is_learnt_and_others_go_on)
	{
		struct fixture fixture = begin();
		struct pace_news news;
		load(fixture.pace, NULL);
		struct someone slow[4], other = someone_at("x@other.test");
		for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
			slow[i] = someone_at("a@slow.test");
			ck_assert(try_begin(&fixture, &slow[i], START));
		}
		ck_assert(!pace_has_news(fixture.pace));
		end(&fixture, &slow[0], PACE_THROTTLED, START);
		ck_assert(pace_has_news(fixture.pace));
		ck_assert(!may(&fixture, &slow[0], START));
		ck_assert(try_begin(&fixture, &other, START));
		end(&fixture, &slow[1], PACE_ACCEPTED, START); /* begun before anything was known of it */
		end(&fixture, &slow[2], PACE_NOT_SENT, START);
		ck_assert(!may(&fixture, &slow[2], START));
		ck_assert(pace_next_news(fixture.pace, &news));
		ck_view_eq(news.key, "domain:slow.test");
		ck_view_eq(news.reason, "421 4.7.28 slow");
		ck_assert(news.is_throttled && !news.all_refused && !news.is_open);
		ck_assert(news.measured > 3.9 && news.measured < 4.1);
		ck_assert(!pace_next_news(fixture.pace, &news));
		end(&fixture, &slow[3], PACE_ELSE, START);
		end(&fixture, &other, PACE_ACCEPTED, START);
		/* The database does not call it cut any more: it is forgotten. */
		load(fixture.pace, NULL);
		ck_assert(pace_is_free(fixture.pace));
		ck_assert(may(&fixture, &slow[0], START));
		pace_done(fixture.pace);
	}
END_TEST

/* One of the group after the cut is granted a token, is begun, and refused; what the worker has to tell. */
static struct pace_news try_again(struct fixture *fixture, int64_t now_us)
{
	struct pace_news news = { 0 };
	struct someone next = someone_at("b@gmail.com");
	plan(fixture, "b@gmail.com", 1, now_us);
	ck_assert(pace_is_hungry(fixture->pace, now_us));
	ck_assert_int_ge(asked(fixture, "group:gmail", now_us).waiting, 1);
	grant(fixture, "group:gmail", 1, -1, 1, now_us);
	ck_assert(try_begin(fixture, &next, now_us));
	end(fixture, &next, PACE_THROTTLED, now_us + 1);
	ck_assert(pace_next_news(fixture->pace, &news));
	ck_view_eq(news.key, "group:gmail");
	return news;
}

/* What was under way when the first was refused says how fast we were: it cuts once, and closes nothing. */
START_TEST(who_was_under_way_closes_nothing)
	{
		struct fixture fixture = begin();
		struct pace_news news;
		load(fixture.pace, NULL);
		struct someone at[40];
		for (size_t i = 0; i < ARRAY_LEN(at); i++) {
			at[i] = someone_at("a@googlemail.com");
			ck_assert(try_begin(&fixture, &at[i], START));
		}
		for (size_t i = 0; i < ARRAY_LEN(at); i++)
			end(&fixture, &at[i], PACE_THROTTLED, START + (int64_t)i * SECOND / 10);
		/* Not asked for before it is told, lest the old rate be granted, nor within a second. */
		plan(&fixture, "b@gmail.com", 1, START + 4 * SECOND);
		ck_assert_int_eq(asked(&fixture, "group:gmail", START + 4 * SECOND).waiting, -1);
		ck_assert(pace_next_news(fixture.pace, &news));
		ck_view_eq(news.key, "group:gmail");
		ck_assert(news.is_throttled && !news.all_refused);
		ck_assert(!pace_next_news(fixture.pace, &news));
		ck_assert(!pace_is_hungry(fixture.pace, START + SECOND - 1));
		ck_assert_int_eq(asked(&fixture, "group:gmail", START + SECOND - 1).waiting, -1);
		ck_assert(pace_is_hungry(fixture.pace, START + SECOND));
		pace_done(fixture.pace);
	}
END_TEST

/* Whoever tries then closes it again for all. */
START_TEST(what_another_worker_has_closed_is_closed_again_by_one_refusal)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		plan(&fixture, "b@gmail.com", 1, START);
		asked(&fixture, "group:gmail", START);
		struct budget_grant closed = { .key = VIEW_LIT("group:gmail"),
					       .slots = -1,
					       .rate = 0.2,
					       .pace = 0.2,
					       .opens_us = START + 10 * SECOND };
		pace_grant(fixture.pace, &closed, START);
		closed.opens_us = 0;
		closed.tokens = 1;
		pace_grant(fixture.pace, &closed, START + 10 * SECOND);
		struct someone one = someone_at("b@gmail.com");
		struct pace_news news;
		ck_assert(try_begin(&fixture, &one, START + 10 * SECOND));
		end(&fixture, &one, PACE_THROTTLED, START + 11 * SECOND);
		ck_assert(pace_next_news(fixture.pace, &news) && news.all_refused);
		/* Somebody else was accepted. */
		load(fixture.pace, limits);
		ck_assert(!try_again(&fixture, START + 90 * SECOND).all_refused);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(refusals_one_after_the_other_close_and_an_acceptance_opens)
	{
		struct fixture fixture = begin();
		struct pace_news news;
		load(fixture.pace, NULL);
		struct someone early = someone_at("a@gmail.com"), late = early, next = early;
		ck_assert(try_begin(&fixture, &early, START));
		ck_assert(try_begin(&fixture, &late, START));
		end(&fixture, &early, PACE_THROTTLED, START);
		ck_assert(pace_next_news(fixture.pace, &news) && !news.all_refused);
		for (int64_t i = 2; i <= 5; i++)
			ck_assert(try_again(&fixture, START + i * 2 * SECOND).all_refused == (i == 5));
		/* Closed by the worker's own word before the database has answered. */
		int64_t now_us = START + 11 * SECOND;
		pace_plan_begin(fixture.pace, 1000);
		struct pace_plan parked =
		    pace_plan(fixture.pace, &fixture.relay, 1, 1, next.address, &next.mark, now_us);
		pace_plan_end(fixture.pace);
		ck_assert(parked.is_parked);
		ck_assert_int_eq(parked.until_us, START + 70 * SECOND + 1);
		/* Now and then one tries. */
		ck_assert(try_again(&fixture, START + 80 * SECOND).all_refused);
		end(&fixture, &late, PACE_ACCEPTED, START + 81 * SECOND);
		ck_assert(pace_next_news(fixture.pace, &news) && news.is_open && !news.is_throttled);
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		ck_assert(!try_again(&fixture, START + 90 * SECOND).all_refused);
		pace_done(fixture.pace);
	}
END_TEST

/* So many messages to as many domains, begun through the relay; these are refused for now in those words. */
static void refuse_many(struct fixture *fixture, struct someone *those, size_t count, int64_t now_us)
{
	static char addresses[32][32];
	for (size_t i = 0; i < count; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "a@d%zu.test", i);
		those[i] = someone_at(addresses[i]);
		ck_assert(try_begin(fixture, &those[i], now_us));
	}
	for (size_t i = 0; i < count; i++)
		end(fixture, &those[i], PACE_THROTTLED, now_us + 1000);
}

START_TEST(many_domains_that_refuse_at_once_are_the_relays)
	{
		struct fixture fixture = begin();
		struct pace_news news;
		struct someone those[20], accepted = someone_at("a@gmail.com"), later = accepted;
		load(fixture.pace, NULL);
		for (size_t i = 0; i < 4; i++) {
			ck_assert(try_begin(&fixture, &accepted, START));
			end(&fixture, &accepted, PACE_ACCEPTED, START);
		}
		refuse_many(&fixture, those, ARRAY_LEN(those), START);
		ck_assert(pace_next_news(fixture.pace, &news));
		ck_view_eq(news.key, "relay:one");
		ck_assert(news.is_throttled && !news.all_refused);
		ck_assert(news.measured > 3.9 && news.measured < 4.1); /* what it took, not what it was sent */
		ck_assert(!pace_next_news(fixture.pace, &news));
		ck_assert(!may(&fixture, &later, START + 2000));
		ck_assert(pace_may(fixture.pace, fixture.other, 1, those[0].address, &those[0].mark, START + 2000));
		/* Later one is enough, in the same words; in others it is the domain. */
		const struct budget_limit limits[] = { LIMIT("relay:one", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		grant(&fixture, "relay:one", 2, -1, 100, START + 60 * SECOND);
		ck_assert(try_begin(&fixture, &those[0], START + 60 * SECOND));
		ck_assert(try_begin(&fixture, &those[1], START + 60 * SECOND));
		pace_end(fixture.pace, fixture.relay, those[0].address, &those[0].mark, PACE_THROTTLED,
			 VIEW_LIT("4.7.1 other words"), START + 61 * SECOND);
		end(&fixture, &those[1], PACE_THROTTLED, START + 61 * SECOND);
		ck_assert(pace_next_news(fixture.pace, &news));
		ck_view_eq(news.key, "domain:d0.test");
		ck_assert(pace_next_news(fixture.pace, &news));
		ck_view_eq(news.key, "relay:one");
		ck_assert(!pace_next_news(fixture.pace, &news));
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(a_few_domains_are_not_and_an_acceptance_parts_them)
	{
		struct fixture fixture = begin();
		struct pace_news news;
		struct someone those[9], more[9], accepted = someone_at("a@gmail.com");
		size_t domains = 0;
		load(fixture.pace, NULL);
		refuse_many(&fixture, those, ARRAY_LEN(those), START);
		ck_assert(try_begin(&fixture, &accepted, START));
		end(&fixture, &accepted, PACE_ACCEPTED, START);
		for (size_t i = 0; i < ARRAY_LEN(more); i++) {
			static char addresses[9][32];
			snprintf(addresses[i], sizeof(addresses[i]), "a@other%zu.test", i);
			more[i] = someone_at(addresses[i]);
			ck_assert(try_begin(&fixture, &more[i], START + 1));
			end(&fixture, &more[i], PACE_THROTTLED, START + 1);
		}
		for (; pace_next_news(fixture.pace, &news); domains++)
			ck_assert(view_starts(news.key, VIEW_LIT("domain:")));
		ck_assert_uint_eq(domains, 18);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(a_relay_that_throttles_is_cut_by_what_it_took)
	{
		struct fixture fixture = begin();
		struct pace_news news;
		struct someone many[8];
		load(fixture.pace, NULL);
		pace_relay_throttled(fixture.pace, fixture.relay, VIEW_LIT("4.7.0 slow down"), START);
		ck_assert(pace_is_free(fixture.pace)); /* it has taken nothing yet */
		for (size_t i = 0; i < ARRAY_LEN(many); i++) {
			many[i] = someone_at("a@gmail.com");
			ck_assert(try_begin(&fixture, &many[i], START));
		}
		for (size_t i = 0; i < 4; i++)
			end(&fixture, &many[i], PACE_ACCEPTED, START);
		end(&fixture, &many[4], PACE_RELAY_THROTTLED, START);
		pace_relay_throttled(fixture.pace, fixture.relay, VIEW_LIT("4.7.0 slow down"), START + 1000);
		ck_assert(pace_next_news(fixture.pace, &news));
		ck_view_eq(news.key, "relay:one");
		ck_assert(news.measured > 3.9 && news.measured < 4.1);
		ck_assert(!pace_next_news(fixture.pace, &news));
		/* What was begun before there was a limit brings no tokens back. */
		end(&fixture, &many[5], PACE_NOT_SENT, START + 2000);
		ck_assert(!may(&fixture, &many[5], START + 2000));
		ck_assert(pace_may(fixture.pace, fixture.other, 1, many[5].address, &many[5].mark, START + 2000));
		ck_assert(!pace_is_hungry(fixture.pace, START + SECOND - 1));
		pace_relay_throttled(fixture.pace, fixture.relay, VIEW_LIT("4.7.0 slow down"), START + 2 * SECOND);
		ck_assert(pace_next_news(fixture.pace, &news));
		pace_done(fixture.pace);
	}
END_TEST

/* Messages that are under way when what is known changes are ended by what was known when they began. */
START_TEST(changes_while_messages_are_under_way)
	{
		struct fixture fixture = begin();
		struct someone unknown = someone_at("a@late.test"), known = someone_at("a@gmail.com");
		ck_assert(try_begin(&fixture, &unknown, START));
		const struct budget_limit limits[] = { LIMIT("domain:late.test", true, true),
						       LIMIT("group:gmail", true, true),
						       { .has_tokens = false } };
		load(fixture.pace, limits);
		grant(&fixture, "group:gmail", 5, 5, 5, START);
		ck_assert(try_begin(&fixture, &known, START));
		load(fixture.pace, NULL);
		end(&fixture, &unknown, PACE_ACCEPTED, START);
		end(&fixture, &known, PACE_ACCEPTED, START);
		load(fixture.pace, limits);
		plan(&fixture, "a@late.test", 1, START);
		ck_assert_int_eq(asked(&fixture, "domain:late.test", START).under_way, 0);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(a_hold_is_for_one_campaign_and_group)
	{
		struct fixture fixture = begin();
		pace_load_begin(fixture.pace);
		ck_assert(pace_load_domain(fixture.pace, VIEW_LIT("gmail.com"), VIEW_LIT("gmail")) == ERR_OK);
		ck_assert(pace_load_hold(fixture.pace, 1, VIEW_LIT("gmail")) == ERR_OK);
		pace_load_end(fixture.pace);
		struct someone a = someone_at("a@gmail.com"), c = someone_at("c@me.com");
		ck_assert(!pace_is_free(fixture.pace));
		ck_assert(!may(&fixture, &a, START));
		ck_assert(may(&fixture, &c, START));
		ck_assert(pace_may(fixture.pace, fixture.relay, 2, a.address, &a.mark, START));
		pace_plan_begin(fixture.pace, 1000);
		struct pace_plan parked = pace_plan(fixture.pace, &fixture.relay, 1, 1, a.address, &a.mark, START);
		ck_assert(parked.is_parked);
		ck_assert_int_eq(parked.until_us, 0);
		ck_view_eq(parked.waits_for, "hold:gmail");
		ck_assert(!pace_plan(fixture.pace, &fixture.relay, 1, 2, a.address, &a.mark, START).is_parked);
		pace_plan_end(fixture.pace);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(who_would_wait_too_long_is_parked_one_after_the_other)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		plan(&fixture, "a@gmail.com", 40, START); /* nothing is known yet: all wait */
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, 40);
		grant(&fixture, "group:gmail", 2, -1, 2, START);
		size_t waiting = 0;
		int64_t last_us = 0;
		pace_plan_begin(fixture.pace, 1000);
		for (size_t i = 0; i < 40; i++) {
			struct someone someone = someone_at("a@gmail.com");
			struct pace_plan one =
			    pace_plan(fixture.pace, &fixture.relay, 1, 1, someone.address, &someone.mark, START);
			waiting += !one.is_parked;
			if (!one.is_parked)
				continue;
			ck_view_eq(one.waits_for, "group:gmail");
			ck_assert_int_ge(one.until_us, START + 5 * SECOND);
			ck_assert_int_ge(one.until_us, last_us + SECOND / 2);
			last_us = one.until_us;
		}
		pace_plan_end(fixture.pace);
		ck_assert_uint_eq(waiting, 11); /* ten of them within five seconds */
		ck_assert_int_le(last_us, START + 21 * SECOND);
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, 11);
		pace_done(fixture.pace);
	}
END_TEST

/* What is asked for follows what is used, not only what waits at this moment. */
START_TEST(a_fast_destination_asks_for_more)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		plan(&fixture, "a@gmail.com", 10, START);
		ck_assert_int_eq(asked(&fixture, "group:gmail", START).waiting, 10);
		grant(&fixture, "group:gmail", 10, -1, 1000, START);
		struct someone at[10];
		for (size_t i = 0; i < ARRAY_LEN(at); i++) {
			at[i] = someone_at("a@gmail.com");
			ck_assert(try_begin(&fixture, &at[i], START));
		}
		plan(&fixture, "a@gmail.com", 5, START + SECOND);
		ck_assert_int_eq(asked(&fixture, "group:gmail", START + SECOND).waiting, 25);
		plan(&fixture, "a@gmail.com", 5, START + 2 * SECOND);
		ck_assert_int_eq(asked(&fixture, "group:gmail", START + 2 * SECOND).waiting, 5);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(a_crowd_leaves_room_for_others)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = { LIMIT("group:gmail", true, false), { .has_tokens = false } };
		load(fixture.pace, limits);
		plan(&fixture, "a@gmail.com", 40, START);
		asked(&fixture, "group:gmail", START);
		grant(&fixture, "group:gmail", 100, -1, 1000, START); /* fast: nobody has to wait for long */
		size_t waiting = 0;
		pace_plan_begin(fixture.pace, 10);
		for (size_t i = 0; i < 40; i++) {
			struct someone someone = someone_at(i % 2 == 0 ? "a@gmail.com" : "a@else.test");
			struct pace_plan one =
			    pace_plan(fixture.pace, &fixture.relay, 1, 1, someone.address, &someone.mark, START);
			waiting += !one.is_parked;
			ck_assert(!one.is_parked || i % 2 == 0);
		}
		pace_plan_end(fixture.pace);
		ck_assert_uint_eq(waiting, 30);
		pace_done(fixture.pace);
	}
END_TEST

START_TEST(another_relay_may_take_who_would_have_to_wait)
	{
		struct fixture fixture = begin();
		const struct budget_limit limits[] = {
			{ .key = VIEW_LIT("warmup:1"), .has_tokens = true, .relay = VIEW_LIT("one") },
			{ .has_tokens = false }
		};
		struct pace_relay *both[] = { fixture.relay, fixture.other };
		struct someone a = someone_at("a@gmail.com");
		load(fixture.pace, limits);
		plan(&fixture, "a@gmail.com", 1, START);
		asked(&fixture, "warmup:1", START);
		const struct budget_grant none = { .key = VIEW_LIT("warmup:1"),
						   .slots = -1,
						   .opens_us = START + 3600 * SECOND };
		pace_grant(fixture.pace, &none, START);
		pace_plan_begin(fixture.pace, 1000);
		ck_assert(!pace_plan(fixture.pace, both, 2, 1, a.address, &a.mark, START).is_parked);
		struct pace_plan parked = pace_plan(fixture.pace, both, 1, 1, a.address, &a.mark, START);
		pace_plan_end(fixture.pace);
		ck_assert(parked.is_parked);
		ck_view_eq(parked.waits_for, "warmup:1");
		ck_assert_int_eq(parked.until_us, START + 3600 * SECOND);
		pace_done(fixture.pace);
	}
END_TEST

/* One that has no limit may be left alone, or ahead by its weight: the other one is asked for, too, and its day is not over while it is. */
START_TEST(a_warm_up_has_its_part_beside_a_relay_without_a_limit)
	{
		static const struct {
			const char *label, *group, *address;
			int64_t waiting;
		} rows[] = {
			{ "of a relay", "", "a@else.test", 3 },
			{ "of a relay and group", "gmail", "a@gmail.com", 3 },
			{ "of a relay and another group", "gmail", "a@me.com", -1 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct fixture fixture = begin();
			const struct budget_limit limits[] = { { .key = VIEW_LIT("warmup:1"),
								 .has_tokens = true,
								 .relay = VIEW_LIT("two"),
								 .group = view_of(rows[i].group) },
							       { .has_tokens = false } };
			struct pace_relay *both[] = { fixture.relay, fixture.other };
			load(fixture.pace, limits);
			pace_plan_begin(fixture.pace, 1000);
			for (size_t n = 0; n < 3; n++) {
				struct someone one = someone_at(rows[i].address);
				ck_assert(
				    !pace_plan(fixture.pace, both, 2, 1, one.address, &one.mark, START).is_parked);
			}
			pace_plan_end(fixture.pace);
			struct someone one = someone_at(rows[i].address);
			ck_row(rows[i].label, asked(&fixture, "warmup:1", START).waiting == rows[i].waiting);
			grant(&fixture, "warmup:1", 1, -1, 0, START);
			ck_row(rows[i].label, pace_may(fixture.pace, fixture.other, 1, one.address, &one.mark, START));
			pace_begin(fixture.pace, fixture.other, one.address, &one.mark, START);
			ck_row(rows[i].label, pace_may(fixture.pace, fixture.relay, 1, one.address, &one.mark, START));
			ck_row(rows[i].label, pace_may(fixture.pace, fixture.other, 1, one.address, &one.mark, START) ==
						  (rows[i].waiting < 0));
			pace_done(fixture.pace);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = {
		without_limits_nothing_is_asked,
		tokens_are_spent_by_the_whole_group_and_end_by_time,
		a_grant_is_spread_over_its_second,
		it_is_told_when_the_next_token_may_be_used,
		slots_are_free_again_when_a_message_ends,
		a_warm_up_is_for_its_relay_and_group,
		what_refuses_is_learnt_and_others_go_on,
		who_was_under_way_closes_nothing,
		what_another_worker_has_closed_is_closed_again_by_one_refusal,
		refusals_one_after_the_other_close_and_an_acceptance_opens,
		many_domains_that_refuse_at_once_are_the_relays,
		a_few_domains_are_not_and_an_acceptance_parts_them,
		a_relay_that_throttles_is_cut_by_what_it_took,
		changes_while_messages_are_under_way,
		a_hold_is_for_one_campaign_and_group,
		who_would_wait_too_long_is_parked_one_after_the_other,
		a_fast_destination_asks_for_more,
		a_crowd_leaves_room_for_others,
		another_relay_may_take_who_would_have_to_wait,
		a_warm_up_has_its_part_beside_a_relay_without_a_limit,
	};
	return suite_of("pace", tests, ARRAY_LEN(tests));
}
