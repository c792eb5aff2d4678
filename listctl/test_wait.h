/* What the verbs share that have sender send a test and wait for what comes of it. */
#ifndef LISTCTL_TEST_WAIT_H
#define LISTCTL_TEST_WAIT_H

#include "listctl/call.h"

/* --timeout, else relay.test_timeout: microseconds. ERR_INVALID: it is no time from 1s to 1d. */
enum err test_wait_patience(struct call *call, int64_t *ret_us) MUST_USE;

/* The tests asked for, as they stand. */
struct test_wait {
	/* Errors as db_run(). */
	enum err (*find)(struct call *call, const int64_t *ids, size_t count, struct db_rows **ret_rows);
	/* *ret_any_unseen: sender has not taken one yet. */
	bool (*all_over)(const struct db_rows *rows, bool *ret_any_unseen);
};

/* Until all are over, which they are at the latest when their own time is; meanwhile a person is told when nobody seems to take them. *ret_rows:
 * the caller's. */
enum err test_wait_for(struct call *call, const struct test_wait *wait, const int64_t *ids, size_t count,
		       struct db_rows **ret_rows) MUST_USE;

#endif
