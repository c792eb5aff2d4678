#include "sender/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mail/classify.h"
#include "store/relays.h"
#include "tests/support/database.h"
#include "tests/support/unit.h"

#define WORKER "6f1f9a52-8f1c-4c5e-9d5c-0a3a3f0b2a11"

enum { AUDIENCE = 200, ROOM = 400 };

/* No connection to these comes about: their ends are told by the tests. */
static const char people[] =
    "INSERT INTO relay (name, host, port) VALUES ('one', '127.0.0.1', 9), ('two', '127.0.0.1', 9);"
    "INSERT INTO worker (id, host, journal) VALUES ('" WORKER "', 'h', 'j');"
    "INSERT INTO list (name, title, list_id, from_address) VALUES ('a', 'A', 'a.test', 'a@b.test');"
    "INSERT INTO subscriber (address, address_key) SELECT 'p' || n || '@x' || n % 5 || '.test', 'p' || n || '@x' || n "
    "% 5 || '.test'"
    " FROM generate_series(1, 200) AS n;"
    "INSERT INTO membership (list_id, subscriber_id) SELECT 1, id FROM subscriber;"
    "INSERT INTO campaign (name, list_id, subject, from_address, text_body, state, audience, started_at, fields)"
    " VALUES ('c', 1, 's', 'a@b.test', 't', 'running', 200, now(), '{}');"
    "INSERT INTO campaign_chunk (campaign_id, chunk_no, subscriber_ids)"
    " SELECT 1, 0, array_agg(id ORDER BY id) FROM subscriber";

static const char settings[] = "[bounce]\ndomain = b.test\n[dkim]\nrequired = no\n[breaker]\npolicy_share = 0\n";

/* A worker's dispatch between all of an audience and two relays. */
struct world {
	char folder[64], path[96];
	struct setup setup;
	struct classifier *classifier;
	struct db *db;
	struct loop *loop;
	struct runs runs;
	struct queue *queue;
	struct pace *pace;
	struct relays *relays;
	struct journal *journal;
	struct keeper keeper;
	struct dispatch dispatch;
	struct relay_owner owner;
};

static void check(enum err err, struct buf *why)
{
	ck_assert_msg(err == ERR_OK, "%s: %s", err_name(err), buf_text(why));
}

static void make_setup(struct world *world)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	check(settings_parse(view_of(settings), "test", &world->setup.settings, &why), &why);
	check(retry_parse(VIEW_LIT("1h"), CLOCK_US_PER_DAY, &world->setup.retry, &why), &why);
	ck_assert(classifier_new(&world->classifier) == ERR_OK);
}

static void make_journal(struct world *world)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	ck_assert_ptr_nonnull(mkdtemp(world->folder));
	snprintf(world->path, sizeof(world->path), "%s/worker-0.journal", world->folder);
	const struct journal_options options = {
		.path = world->path, .instance = WORKER, .size = journal_least_size(ROOM), .worker_id = WORKER
	};
	check(journal_create(&options, &world->journal, &why), &why);
}

static void make_dispatch(struct world *world)
{
	const struct queue_router router = dispatch_for_queue(&world->dispatch);
	world->owner = dispatch_for_relays(&world->dispatch);
	ck_assert(loop_new(&world->loop) == ERR_OK);
	ck_assert(pace_new(&world->pace) == ERR_OK);
	ck_assert(queue_new(&router, &world->queue) == ERR_OK);
	ck_assert(relays_new(&world->setup, world->loop, &world->owner, ROOM, &world->relays) == ERR_OK);
	world->keeper = (struct keeper){ .journal = world->journal, .queue = world->queue };
	world->dispatch = (struct dispatch){ .setup = &world->setup,
					     .classifier = world->classifier,
					     .keeper = &world->keeper,
					     .queue = world->queue,
					     .pace = world->pace,
					     .runs = &world->runs,
					     .relays = world->relays,
					     .boot_us = CLOCK_US_PER_SECOND,
					     .wall_us = CLOCK_US_PER_DAY };
}

static void open_all(struct world *world)
{
	const struct opening opening = { .worker_id = WORKER,
					 .limit = AUDIENCE,
					 .lease_us = CLOCK_US_PER_SECOND,
					 .terms = { .key_id = 1, .day = 7, .date_us = 1 } };
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct openings *openings = NULL;
	struct db_rows *rows = NULL;
	check(db_run_script(world->db, view_of(people), &why), &why);
	check(relays_load(world->db, &rows, &why), &why);
	ck_assert(relays_set(world->relays, rows, 0) == ERR_OK);
	check(openings_claim(world->db, &opening, &openings, &why), &why);
	check(runs_open(&world->runs, world->db, 1, openings_get(openings, 0).list_id, &world->setup, &why), &why);
	ck_assert(queue_open(world->queue, openings, &world->runs, world->dispatch.wall_us, world->dispatch.boot_us) ==
		  ERR_OK);
}

static void make_world(struct world *world)
{
	*world = (struct world){ .folder = "/tmp/verpost-dispatch-XXXXXX", .db = database_open() };
	make_setup(world);
	make_journal(world);
	make_dispatch(world);
	open_all(world);
}

static void clear_world(struct world *world)
{
	relays_done(world->relays);
	queue_done(world->queue);
	runs_done(&world->runs);
	pace_done(world->pace);
	loop_done(world->loop);
	journal_done(world->journal);
	db_close(world->db);
	classifier_done(world->classifier);
	settings_done(&world->setup.settings);
	unlink(world->path);
	rmdir(world->folder);
}

/* ---- what happens ---- */

enum { ONE, TWO };

/* Both are connecting: they work as far as anybody knows. */
static void connect_both(struct world *world)
{
	relays_feed(world->relays, world->dispatch.boot_us);
	ck_assert_uint_eq(relays_working(world->relays, world->dispatch.boot_us), 3);
}

static void give(struct world *world, struct recipient *recipient, size_t relay)
{
	recipient->through = relays_at(world->relays, relay);
	recipient->pace_relay = pace_relay(world->pace, view_of(relay_terms(recipient->through)->name));
	pace_begin(world->pace, recipient->pace_relay, recipient->opened.address, &recipient->mark,
		   world->dispatch.boot_us);
}

/* The next one for that relay. */
static struct recipient *begin(struct world *world, size_t relay)
{
	const struct queue_gate gate = { .other_relays = relays_working(world->relays, world->dispatch.boot_us) };
	unsigned slot = relay_slot(relays_at(world->relays, relay));
	bool is_stale = false;
	struct recipient *recipient = queue_begin(world->queue, slot, &gate, &is_stale);
	ck_assert_ptr_nonnull(recipient);
	give(world, recipient, relay);
	return recipient;
}

/* He was given back, and stands behind all others. */
static void begin_again(struct world *world, struct recipient *recipient, size_t relay)
{
	ck_assert_int_eq(recipient->state, RECIPIENT_WAITING);
	struct recipient *other;
	while ((other = begin(world, relay)) != recipient)
		queue_give_back(world->queue, other);
}

struct said {
	enum smtp_step step;
	unsigned code;
	const char *text;
};

static const struct said denied = { SMTP_STEP_RCPT, 554, "5.7.1 Relay access denied" };
static const struct said no = { SMTP_STEP_RCPT, 550, "no" };
static const struct said no_data = { SMTP_STEP_DATA, 554, "5.7.1 Not by our policy" };
static const struct said no_content = { SMTP_STEP_FINAL_DOT, 554, "5.7.1 Not by our policy" };
static const struct said unknown = { SMTP_STEP_RCPT, 550, "5.1.1 No such user" };
static const struct said full = { SMTP_STEP_RCPT, 552, "5.2.2 Mailbox full" };
static const struct said later = { SMTP_STEP_RCPT, 450, "4.2.0 Try later" };
static const struct said taken = { SMTP_STEP_FINAL_DOT, 250, "2.0.0 Queued" };

static struct smtp_event event_of(const struct said *said)
{
	return (struct smtp_event){ .type = said->code < 300 ? SMTP_ACCEPTED : SMTP_REFUSED,
				    .step = said->step,
				    .reply = { .code = said->code, .text = view_of(said->text) } };
}

static void hear(struct world *world, struct recipient *recipient, const struct said *said)
{
	const struct smtp_event event = event_of(said);
	world->dispatch.boot_us++;
	world->owner.connection.told(world->owner.connection.owner, recipient, &event, "one #1");
}

static void others_hear(struct world *world, size_t relay, const struct said *said, unsigned count)
{
	while (count-- > 0)
		hear(world, begin(world, relay), said);
}

static void ended(const struct recipient *recipient, enum ledger_outcome outcome, const struct said *said)
{
	ck_assert_int_eq(recipient->state, RECIPIENT_SETTLED);
	ck_assert_int_eq(recipient->row.outcome, outcome);
	ck_assert_uint_eq(recipient->row.code, said->code);
	ck_assert(view_eq(recipient->row.reply, view_of(said->text)));
}

/* ---- tests ---- */

/* What is the end of somebody at the first word, and what is not. */
START_TEST(first_refusals)
	{
		static const struct {
			const char *label;
			const struct said *said;
			bool is_end, proves_nothing;
		} rows[] = {
			{ "no such user", &unknown, true, false }, { "mailbox full", &full, true, false },
			{ "for now", &later, true, false },        { "relay denied", &denied, false, true },
			{ "without a reason", &no, false, true },  { "at DATA", &no_data, false, true },
		};
		struct world world;
		make_world(&world);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct recipient *recipient = begin(&world, ONE);
			const struct smtp_event event = event_of(rows[i].said);
			const struct connection_owner *owner = &world.owner.connection;
			ck_row(rows[i].label, owner->proves_nothing(owner->owner, &event) == rows[i].proves_nothing);
			hear(&world, recipient, rows[i].said);
			ck_row(rows[i].label, (recipient->state == RECIPIENT_SETTLED) == rows[i].is_end);
			ck_row(rows[i].label, (recipient->state == RECIPIENT_WAITING) == !rows[i].is_end);
		}
		clear_world(&world);
	}
END_TEST

/* Refused twice by the only relay that works. */
START_TEST(the_second_refusal)
	{
		static const struct {
			const char *label;
			const struct said *said;
			unsigned answered_before, refused_before, answered_between;
			enum ledger_outcome outcome;
			bool is_awaited; /* another one fits him, and is away */
		} rows[] = {
			{ "nobody was answered", &denied, 0, 0, 0, LEDGER_DEFERRED, false },
			{ "nobody was answered, at DATA", &no_data, 0, 0, 0, LEDGER_DEFERRED, false },
			{ "somebody between", &denied, 0, 0, 1, LEDGER_REFUSED, false },
			{ "somebody between, at DATA", &no_data, 0, 0, 1, LEDGER_REFUSED, false },
			{ "many are refused, and somebody is answered between", &denied, 0, 30, 1, LEDGER_REFUSED,
			  false },
			{ "few are refused behind others", &no, 10, 4, 0, LEDGER_REFUSED, false },
			{ "few are refused behind others, at DATA", &no_data, 10, 4, 0, LEDGER_DEFERRED, false },
			{ "more than half of those", &no, 10, 5, 0, LEDGER_DEFERRED, false },
			{ "too many in a row, behind however many", &no, 100, 19, 0, LEDGER_DEFERRED, false },
			{ "one less", &no, 100, 18, 0, LEDGER_REFUSED, false },
			{ "somebody between, and another one may come back", &denied, 0, 0, 1, LEDGER_DEFERRED, true },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct world world;
			make_world(&world);
			others_hear(&world, ONE, &taken, rows[i].answered_before);
			others_hear(&world, ONE, &denied, rows[i].refused_before);
			struct recipient *recipient = begin(&world, ONE);
			if (!rows[i].is_awaited)
				recipient->relays = UINT64_C(1) << relay_slot(relays_at(world.relays, ONE));
			hear(&world, recipient, rows[i].said);
			others_hear(&world, ONE, &taken, rows[i].answered_between);
			begin_again(&world, recipient, ONE);
			hear(&world, recipient, rows[i].said);
			ck_assert_msg(recipient->row.outcome == rows[i].outcome, "%s", rows[i].label);
			ended(recipient, rows[i].outcome, rows[i].said);
			clear_world(&world);
		}
	}
END_TEST

/* An earlier copy may have come: what is not about the address leaves that open, in whichever way it would end or put off who is in no doubt. */
START_TEST(who_is_in_doubt)
	{
		static const struct {
			const char *label;
			const struct said *said;
			unsigned hearings, answered_between;
			enum ledger_outcome outcome;
		} rows[] = {
			{ "relay denied, and it takes others", &denied, 2, 1, LEDGER_IN_DOUBT },
			{ "relay denied, and nobody knows whether it takes any", &denied, 2, 0, LEDGER_IN_DOUBT },
			{ "at DATA", &no_data, 2, 1, LEDGER_IN_DOUBT },
			{ "the content", &no_content, 1, 0, LEDGER_IN_DOUBT },
			{ "no such user", &unknown, 1, 0, LEDGER_REFUSED },
			{ "for now", &later, 1, 0, LEDGER_DEFERRED },
			{ "accepted", &taken, 1, 0, LEDGER_ACCEPTED },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct world world;
			make_world(&world);
			struct recipient *recipient = begin(&world, ONE);
			recipient->relays = UINT64_C(1) << relay_slot(relays_at(world.relays, ONE));
			recipient->opened.has_doubt = true;
			hear(&world, recipient, rows[i].said);
			if (rows[i].hearings > 1) {
				others_hear(&world, ONE, &taken, rows[i].answered_between);
				begin_again(&world, recipient, ONE);
				hear(&world, recipient, rows[i].said);
			}
			ck_assert_msg(recipient->row.outcome == rows[i].outcome, "%s", rows[i].label);
			ended(recipient, rows[i].outcome, rows[i].said);
			bool is_kept = rows[i].outcome == LEDGER_IN_DOUBT;
			ck_row(rows[i].label,
			       !is_kept || view_eq(recipient->row.connection, VIEW_LIT("one (not taken)")));
			ck_row(rows[i].label, !is_kept || recipient->row.reason.len == 0);
			clear_world(&world);
		}
	}
END_TEST

START_TEST(another_relay_is_asked)
	{
		struct world world;
		make_world(&world);
		connect_both(&world);
		struct recipient *recipient = begin(&world, ONE);
		hear(&world, recipient, &denied);
		ck_assert_msg(recipient->counted_us == 0, "not counted while another one may take him");
		for (unsigned i = 1; i < AUDIENCE; i++)
			ck_assert_msg(begin(&world, ONE) != recipient, "the same one does not get him again");
		begin_again(&world, recipient, TWO);
		hear(&world, recipient, &taken);
		ended(recipient, LEDGER_ACCEPTED, &taken);
		clear_world(&world);
	}
END_TEST

/* Both refuse him, and the second one works for others: so it means him. */
START_TEST(both_refuse_him)
	{
		struct world world;
		make_world(&world);
		connect_both(&world);
		struct recipient *recipient = begin(&world, ONE);
		hear(&world, recipient, &denied);
		begin_again(&world, recipient, TWO);
		hear(&world, recipient, &no);
		ck_assert(recipient->counted_us != 0);
		others_hear(&world, TWO, &taken, 1);
		begin_again(&world, recipient, TWO);
		hear(&world, recipient, &no);
		ended(recipient, LEDGER_REFUSED, &no);
		clear_world(&world);
	}
END_TEST

/* Another relay says no such user: that is his end, whatever the first one said. */
START_TEST(the_other_one_knows)
	{
		struct world world;
		make_world(&world);
		connect_both(&world);
		struct recipient *recipient = begin(&world, ONE);
		hear(&world, recipient, &denied);
		begin_again(&world, recipient, TWO);
		hear(&world, recipient, &unknown);
		ended(recipient, LEDGER_REFUSED, &unknown);
		clear_world(&world);
	}
END_TEST

/* What was under way when his campaign was left is not refused. */
START_TEST(his_campaign_was_left)
	{
		struct world world;
		make_world(&world);
		struct recipient *recipient = begin(&world, ONE);
		run_leave(recipient->run, 0);
		hear(&world, recipient, &denied);
		ck_assert_int_eq(recipient->state, RECIPIENT_WAITING);
		ck_assert(recipient->counted_us == 0);
		clear_world(&world);
	}
END_TEST

/* Neither answers: they work as far as anybody knows, for some seconds. */
START_TEST(those_that_do_not_answer)
	{
		enum { BOTH = 3 };
		struct world world;
		make_world(&world);
		connect_both(&world);
		int64_t begun_us = world.dispatch.boot_us, stuck_us = begun_us + PACE_PATIENCE_US;
		ck_assert_uint_eq(relays_stuck(world.relays, stuck_us - 1), 0);
		ck_assert_uint_eq(relays_not_stuck(world.relays, stuck_us - 1), BOTH);
		ck_assert_uint_eq(relays_stuck(world.relays, stuck_us), BOTH);
		ck_assert_uint_eq(relays_not_stuck(world.relays, stuck_us), 0);
		ck_assert_uint_eq(relays_away(world.relays, stuck_us), BOTH);
		ck_assert_uint_eq(relays_working(world.relays, stuck_us), 0);
		ck_assert_str_eq(relays_name(world.relays, TWO), "two");
		clear_world(&world);
	}
END_TEST

/* Where somebody is tried next whom relay ONE put off at time 100. */
START_TEST(after_a_deferral)
	{
		enum { SOON = 1000, LATE = 20000000, FIRST = 1, SECOND = 2, BOTH = 3 };
		static const struct {
			const char *label;
			int64_t one_accepted, two_accepted; /* 0: nobody yet */
			int64_t now_us;
			uint64_t others, preferred;
		} rows[] = {
			{ "neither has accepted anybody", 0, 0, SOON, BOTH, 0 },
			{ "the other one has", 0, 50, SOON, BOTH, SECOND },
			{ "and this one before", 40, 50, SOON, BOTH, SECOND },
			{ "this one later, but before it put him off", 60, 50, SOON, BOTH, 0 },
			{ "this one since", 150, 200, SOON, BOTH, FIRST },
			{ "long ago, and it has nothing to do", 150, 200, LATE, BOTH, FIRST },
			{ "since, but is left alone", 150, 200, SOON, SECOND, SECOND },
			{ "the other one is left alone", 0, 50, SOON, FIRST, 0 },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct world world;
			make_world(&world);
			struct relay *relays[] = { relays_at(world.relays, ONE), relays_at(world.relays, TWO) };
			const int64_t accepted[] = { rows[i].one_accepted, rows[i].two_accepted };
			for (size_t k = 0; k < ARRAY_LEN(relays); k++) {
				ck_assert_uint_eq(relay_slot(relays[k]), k);
				if (accepted[k] != 0)
					relay_accepted(relays[k], accepted[k]);
			}
			uint64_t preferred = relays_preferred(world.relays, FIRST, 100, rows[i].others, rows[i].now_us);
			ck_row(rows[i].label, preferred == rows[i].preferred);
			clear_world(&world);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { first_refusals,         the_second_refusal, who_is_in_doubt,
				       another_relay_is_asked, both_refuse_him,    the_other_one_knows,
				       his_campaign_was_left,  after_a_deferral,   those_that_do_not_answer };
	return suite_of("dispatch", tests, database_start() ? ARRAY_LEN(tests) : 0);
}
