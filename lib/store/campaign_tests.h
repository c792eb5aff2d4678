/* Copies of a campaign sent to testers: asked for by a person, written, signed and handed to a relay by sender, which writes down what the
 * relay said. Nothing of it touches the ledger (schema/012).
 *
 * Errors as db_run() unless said. Views given are borrowed for the call, views returned from the rows. */
#ifndef STORE_CAMPAIGN_TESTS_H
#define STORE_CAMPAIGN_TESTS_H

#include "store/relay_tests.h"

/* As return-path tests: its tokens are of campaign 0 and the test's id. The link to unsubscribe is of this subscriber, whom nobody is. */
enum { CAMPAIGN_TESTS_LEAVER = 0 };

struct campaign_test_wish {
	uint64_t campaign_id, subscriber_id;
	int64_t list_id;     /* that the copy goes through */
	struct view address; /* who gets it */
	struct view relay;   /* empty: the most specific one in use that fits campaign, list and domain */
	struct view actor;
	bool is_plain;       /* the subject is not marked */
	unsigned variant;    /* 0: the campaign has none */
	int64_t patience_us; /* nobody begins it later */
};
/* ERR_NOT_FOUND: there is no such relay, or none fits. */
enum err campaign_tests_ask(struct db *db, const struct campaign_test_wish *wish, int64_t *ret_id,
			    struct buf *why) MUST_USE;

struct campaign_test {
	int64_t id, campaign_id, subscriber_id, list_id;
	struct view list_name;
	struct view address, relay;
	bool is_plain;
	unsigned variant;
	struct view reader_address, reader_name, reader_attributes; /* whose copy */
	int64_t due_us, taken_us, answered_us;                      /* taken, answered 0: not yet */
	struct view taken_by;
	enum {
		CAMPAIGN_TEST_WAITS,
		CAMPAIGN_TEST_ACCEPTED,
		CAMPAIGN_TEST_REFUSED,
		CAMPAIGN_TEST_DOUBTFUL,
		CAMPAIGN_TEST_LATE
	} state;
	unsigned code; /* 0: none */
	struct view step, reply;
};
/* These tests, in the order of their ids. */
enum err campaign_tests_find(struct db *db, const int64_t *ids, size_t count, struct db_rows **ret_rows,
			     struct buf *why) MUST_USE;
void campaign_tests_get(const struct db_rows *rows, size_t row, struct campaign_test *ret_test);

/* Takes up to limit tests that wait and whose time is not over; nobody else takes them again, unless they are given back. */
enum err campaign_tests_take(struct db *db, struct view host, size_t limit, struct db_rows **ret_rows,
			     struct buf *why) MUST_USE;
/* One that was taken and, for certain, not sent: it waits again. */
enum err campaign_tests_give_back(struct db *db, int64_t id, struct buf *why) MUST_USE;
enum err campaign_tests_answer(struct db *db, const struct relay_test_answer *answer, struct buf *why) MUST_USE;

/* Deletes those that were asked for before this instant. */
enum err campaign_tests_purge(struct db *db, int64_t before_us, struct buf *why) MUST_USE;

#endif
