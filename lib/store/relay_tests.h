/* Return-path tests of relays: asked for by a person or before a campaign, sent by sender through the relay to the return path of
 * (campaign 0, the test's id), received by bounced. Nobody waits for anybody: each writes what it knows into the test's row.
 *
 * Errors as db_run() unless said. Views given are borrowed for the call, views returned from the rows. */
#ifndef STORE_RELAY_TESTS_H
#define STORE_RELAY_TESTS_H

#include "mail/reason.h"
#include "store/db.h"

/* The campaign of tests in tokens: no campaign has it. */
enum { RELAY_TESTS_CAMPAIGN = 0 };
/* The name of the relay of the settings, which is used while there is no row. */
#define RELAY_TESTS_DEFAULT "default"
/* The most tests of one relay within an hour: the probe is the only mail that no recipient asked for. */
enum { RELAY_TESTS_AN_HOUR = 30 };

enum relay_test_state {
	RELAY_TEST_ASKED,   /* no sender has seen it */
	RELAY_TEST_TAKEN,   /* a sender has it in hand */
	RELAY_TEST_SENT,    /* the relay has it; not back yet */
	RELAY_TEST_REFUSED, /* by the relay, or it was not reached */
	RELAY_TEST_BACK,
	RELAY_TEST_BOUNCED, /* a report says that it cannot come */
	RELAY_TEST_LATE,    /* not back in time; should it come after all, it is back */
	RELAY_TEST_STATE_COUNT
};
const char *relay_test_state_name(enum relay_test_state state);
/* Nothing more is expected in its time. */
bool relay_test_is_over(enum relay_test_state state);

struct relay_test {
	int64_t id, campaign_id; /* campaign_id 0: asked for by a person */
	struct view relay, from_address;
	enum relay_test_state state;
	bool passes;      /* see relay_tests_terms */
	bool path_passes; /* as far as the return path goes */
	int64_t asked_us, due_us;
	/* sender's word */
	struct view taken_by;
	int64_t taken_us, answered_us; /* 0: not yet */
	bool accepted;
	unsigned code;
	struct view step, reply;
	/* bounced's word */
	int64_t back_us, reported_us; /* 0: not yet */
	struct view mail_from;
	bool path_kept, message_kept;
	struct view changed; /* what the relay modified: "Subject, body"; empty: nothing, or it is not back */
	struct view report_kind, diagnostic;
};

/* How a test is judged: it passes when the message is back as it was sent (lib/mail/seal) and with its return path, or with another
 * sender that is among these addresses (where bounced takes reports) and its Message-ID, by which the recipient is then found. */
struct relay_tests_terms {
	struct view report_addresses; /* lower case, separated by spaces */
};

/* In a word: its state, or, when it is back, "kept", "rewritten" (the return path, and perhaps more) or "modified". */
const char *relay_test_result(const struct relay_test *test);
/* One sentence, without the relay's name: what became of it and, where it did not pass, what to do. */
void relay_test_tell(const struct relay_test *test, struct buf *out);

/* ---- asking ---- */

struct relay_test_wish {
	struct view relay;
	struct view actor;
	int64_t patience_us; /* late after this */
};
/* ERR_REFUSED: RELAY_TESTS_AN_HOUR were asked for. The From line is that of the list made last, for relays that look at it. */
enum err relay_tests_ask(struct db *db, const struct relay_test_wish *wish, int64_t *ret_id, struct buf *why) MUST_USE;
/* The names of the relays in use: one text column, one row at least. */
enum err relay_tests_relays(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* These tests, in the order of their ids. */
enum err relay_tests_find(struct db *db, const int64_t *ids, size_t count, const struct relay_tests_terms *terms,
			  struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* The newest test of each relay that has come to an end: what is known of its return path. In the order of their names. */
enum err relay_tests_newest(struct db *db, const struct relay_tests_terms *terms, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;
void relay_tests_get(const struct db_rows *rows, size_t row, struct relay_test *ret_test);

/* ---- sending ---- */

/* Takes up to limit tests that wait and whose time is not over; nobody else takes them again, unless they are given back. */
enum err relay_tests_take(struct db *db, struct view host, size_t limit, struct db_rows **ret_rows,
			  struct buf *why) MUST_USE;

/* What must survive of its message, before anything of it is handed over: without it the message is not known when it comes back.
 * ERR_NOT_FOUND: nobody has taken such a test, or it has its answer. */
enum err relay_tests_seal(struct db *db, int64_t id, struct view seal, struct buf *why) MUST_USE;
/* One that was taken and, for certain, not sent: it waits again. */
enum err relay_tests_give_back(struct db *db, int64_t id, struct buf *why) MUST_USE;

struct relay_test_answer {
	int64_t id;
	enum { RELAY_ANSWER_TAKEN, RELAY_ANSWER_REFUSED, RELAY_ANSWER_DOUBTFUL } answer;
	struct view step;  /* empty: none */
	unsigned code;     /* 0: none */
	struct view reply; /* UTF-8 without NUL */
};
enum err relay_tests_answer(struct db *db, const struct relay_test_answer *answer, struct buf *why) MUST_USE;

/* ---- receiving; inside the caller's transaction ---- */

struct relay_test_return {
	uint64_t test_id;
	int64_t received_us;
	bool is_report; /* about the test, instead of the test itself */
	/* the test itself */
	struct view mail_from; /* empty: the null sender */
	bool path_kept, message_kept;
	struct view seal;
	/* a report */
	enum bounce_kind kind;
	struct view diagnostic;
};
/* The same return again, and one whose test is gone or was never handed over, change nothing. A final report is not undone by a delay. *ret_stored counts the
 * tests that changed. */
enum err relay_tests_return(struct db *db, const struct relay_test_return *returns, size_t count, size_t *ret_stored,
			    struct buf *why) MUST_USE;

/* ---- before campaigns ---- */

/* Asks for the tests that campaigns need which are due now and not held: one for each relay that the campaign may use, unless a test of it
 * is under way or the last one has passed within ten minutes. Beyond RELAY_TESTS_AN_HOUR none is asked for: the last one decides. */
enum err relay_tests_ask_for_due(struct db *db, int64_t patience_us, const struct relay_tests_terms *terms,
				 struct buf *why) MUST_USE;
/* A due campaign whose tests are all over, with the first that did not pass. */
struct relay_tests_due {
	int64_t campaign_id;
	bool all_pass;
	struct relay_test failed; /* unless all pass */
};
/* One of them, ERR_NOT_FOUND when there is none. The caller releases *ret_rows. */
enum err relay_tests_next_due(struct db *db, const struct relay_tests_terms *terms, struct relay_tests_due *ret_due,
			      struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* It may start. */
enum err relay_tests_clear(struct db *db, int64_t campaign_id, struct buf *why) MUST_USE;
/* It stays scheduled and waits for a person, for that reason. */
enum err relay_tests_hold(struct db *db, int64_t campaign_id, struct view reason, struct buf *why) MUST_USE;

/* ---- forgetting ---- */

/* Deletes the tests that were asked for, and whose time was over, before this instant. What is known of each relay there is, its newest test that
 * has come to an end, stays. */
enum err relay_tests_purge(struct db *db, int64_t before_us, struct buf *why) MUST_USE;

#endif
