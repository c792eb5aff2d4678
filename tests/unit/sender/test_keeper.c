#include "sender/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define WORKER "6f1f9a52-8f1c-4c5e-9d5c-0a3a3f0b2a11"

enum { AUDIENCE = 400, SMALL = 2 /* messages that the journal is for */, FOUND_MOST = 1000 };

static char long_reply[LIMIT_REPLY_KEPT];

static const char people[] =
    "INSERT INTO worker (id, host, journal) VALUES ('" WORKER "', 'h', 'j');"
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test');"
    "INSERT INTO subscriber (address, address_key) SELECT 'p' || n || '@x.test', 'p' || n || '@x.test'"
    " FROM generate_series(1, 400) AS n;"
    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, fields)"
    " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 400, now(), '{}');"
    "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids)"
    " SELECT 1, 0, array_agg(id ORDER BY id) FROM subscriber";

/* A worker's keeper with all of an audience in its queue. */
struct world {
	char folder[64], path[96];
	struct db *db;
	struct runs runs;
	struct queue *queue;
	struct journal *journal;
	struct keeper keeper;
};

static uint64_t through_the_first(void *owner, struct run *run, struct view address)
{
	(void)owner, (void)run, (void)address;
	return 1;
}

static void fill_queue(struct world *world)
{
	const struct opening opening = { .worker_id = WORKER,
					 .limit = AUDIENCE,
					 .lease_us = CLOCK_US_PER_SECOND,
					 .terms = { .key_id = 1, .day = 7, .date_us = 1 } };
	const struct queue_router router = { .route = through_the_first };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct openings *openings = NULL;
	static const struct setup setup = { .settings = { .bounce_domain = "b.test", .dkim_dir = "" } };
	ck_assert_msg(db_run_script(world->db, VIEW_LIT(people), &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_msg(openings_claim(world->db, &opening, &openings, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert_msg(runs_open(&world->runs, world->db, 1, openings_get(openings, 0).list_id, &setup, &why) == ERR_OK,
		      "%s", buf_text(&why));
	ck_assert(queue_new(&router, &world->queue) == ERR_OK);
	ck_assert(queue_open(world->queue, openings, &world->runs, 1, 1) == ERR_OK);
}

static void make_world(struct world *world)
{
	memset(long_reply, 'x', sizeof(long_reply));
	*world = (struct world){ .folder = "/tmp/verpost-keeper-XXXXXX", .db = database_open() };
	ck_assert_ptr_nonnull(mkdtemp(world->folder));
	snprintf(world->path, sizeof(world->path), "%s/worker-0.journal", world->folder);
	const struct journal_options options = {
		.path = world->path, .instance = WORKER, .size = journal_least_size(SMALL), .worker_id = WORKER
	};
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_msg(journal_create(&options, &world->journal, &why) == ERR_OK, "%s", buf_text(&why));
	fill_queue(world);
	world->keeper = (struct keeper){ .journal = world->journal, .queue = world->queue };
}

static void clear_world(struct world *world)
{
	queue_done(world->queue);
	runs_done(&world->runs);
	journal_done(world->journal);
	db_close(world->db);
	unlink(world->path);
	rmdir(world->folder);
}

static struct recipient *begin(struct world *world)
{
	const struct queue_gate gate = { .other_relays = 0 };
	bool is_stale = false;
	struct recipient *recipient = queue_begin(world->queue, 0, &gate, &is_stale);
	ck_assert_ptr_nonnull(recipient);
	recipient->row = (struct ledger_row){ .campaign_id = 1,
					      .subscriber_id = recipient->opened.subscriber_id,
					      .outcome = LEDGER_IN_DOUBT,
					      .attempts = 1,
					      .reply = view_from(long_reply, sizeof(long_reply)) };
	return recipient;
}

static void send_one(struct world *world, struct recipient *recipient)
{
	queue_send(world->queue, recipient);
	ck_assert(keeper_note(&world->keeper, JOURNAL_INTENT, &recipient->row));
}

static void settle_one(struct world *world, struct recipient *recipient)
{
	recipient->row.outcome = LEDGER_ACCEPTED;
	recipient->is_journaled = keeper_note(&world->keeper, JOURNAL_OUTCOME, &recipient->row);
	queue_settle(world->queue, recipient);
}

/* ---- what a worn journal keeps ---- */

struct found {
	size_t count;
	enum journal_kind last[AUDIENCE + 1]; /* by subscriber; 0: no record */
};

static enum err on_found(void *owner, const struct journal_record *record)
{
	struct found *found = owner;
	int64_t subscriber = record->row.subscriber_id;
	ck_assert(subscriber >= 1 && subscriber <= AUDIENCE);
	found->last[subscriber] = record->kind;
	ck_assert_uint_lt(++found->count, FOUND_MOST);
	return ERR_OK;
}

/* What a new process would read. */
static struct found read_again(struct world *world)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct found found = { 0 };
	const struct journal_options options = { .path = world->path, .instance = WORKER };
	journal_done(world->journal);
	ck_assert_msg(journal_open(&options, &world->journal, &why) == ERR_OK, "%s", buf_text(&why));
	ck_assert(journal_read(world->journal, on_found, &found) == ERR_OK);
	return found;
}

/* One is begun and taken back again and again, as by a relay that fails: nothing of that matters. */
static void wear(struct world *world, size_t in_hand)
{
	struct recipient *recipient = begin(world);
	while (!journal_is_worn(world->journal, in_hand)) {
		ck_assert(keeper_note(&world->keeper, JOURNAL_INTENT, &recipient->row));
		ck_assert(keeper_note(&world->keeper, JOURNAL_WITHDRAWN, &recipient->row));
	}
	queue_give_back(world->queue, recipient);
}

START_TEST(a_worn_journal_keeps_what_matters)
	{
		struct world world;
		make_world(&world);
		struct recipient *sent[4];
		for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
			sent[i] = begin(&world);
			send_one(&world, sent[i]);
		}
		settle_one(&world, sent[0]);
		settle_one(&world, sent[2]);
		wear(&world, queue_in_hand(world.queue) + 1);
		keeper_rewrite_when_worn(&world.keeper);
		ck_assert(keeper_flush(&world.keeper));
		const struct found found = read_again(&world);
		ck_assert_uint_eq(found.count, ARRAY_LEN(sent));
		for (size_t i = 0; i < ARRAY_LEN(sent); i++)
			ck_assert_int_eq(found.last[sent[i]->row.subscriber_id],
					 i % 2 == 0 ? JOURNAL_OUTCOME : JOURNAL_INTENT);
		clear_world(&world);
	}
END_TEST

/* Whatever the relays do, there is room for the outcome of each that was begun. */
START_TEST(nobody_is_begun_whose_end_has_no_room)
	{
		struct world world;
		make_world(&world);
		size_t begun = 0;
		struct recipient *sent[AUDIENCE];
		while (begun < AUDIENCE && keeper_has_room(&world.keeper)) {
			sent[begun] = begin(&world);
			send_one(&world, sent[begun++]);
			keeper_rewrite_when_worn(&world.keeper);
		}
		ck_assert_uint_ge(begun, SMALL);
		ck_assert_uint_lt(begun, AUDIENCE);
		for (size_t i = 0; i < begun; i++)
			settle_one(&world, sent[i]);
		ck_assert(keeper_flush(&world.keeper));
		ck_assert(!world.keeper.has_failed);
		clear_world(&world);
	}
END_TEST

START_TEST(a_keeper_that_failed_lets_nothing_leave)
	{
		struct world world;
		make_world(&world);
		struct recipient *recipient = begin(&world);
		keeper_give_up(&world.keeper, "journal.failed", VIEW_LIT("the disk is gone"));
		ck_assert(!keeper_note(&world.keeper, JOURNAL_INTENT, &recipient->row));
		ck_assert(!keeper_flush(&world.keeper));
		clear_world(&world);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { a_worn_journal_keeps_what_matters, nobody_is_begun_whose_end_has_no_room,
				       a_keeper_that_failed_lets_nothing_leave };
	return suite_of("keeper", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
