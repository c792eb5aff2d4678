#include "listctl/test_wait.h"

#include <time.h>

#include "base/clock.h"

#define LOOK_US (INT64_C(100) * CLOCK_US_PER_MS)
/* When a person is told that nobody seems to be there. */
#define SILENCE_US (INT64_C(10) * CLOCK_US_PER_SECOND)

enum err test_wait_patience(struct call *call, int64_t *ret_us)
{
	const char *text = call_option(call, "timeout");
	*ret_us = call->settings->relay_test_timeout;
	if (text == NULL)
		return ERR_OK;
	if (!settings_span(view_of(text), ret_us) || *ret_us < CLOCK_US_PER_SECOND || *ret_us > CLOCK_US_PER_DAY)
		return call_misused(call, "--timeout is a time from 1s to 1d, such as 90s or 5m, not %s", text);
	return ERR_OK;
}

enum err test_wait_for(struct call *call, const struct test_wait *wait, const int64_t *ids, size_t count,
		       struct db_rows **ret_rows)
{
	int64_t silent_from_us = clock_boot_us() + SILENCE_US;
	for (;;) {
		struct db_rows *rows = NULL;
		bool any_unseen = false;
		enum err err = wait->find(call, ids, count, &rows);
		if (err != ERR_OK)
			return err;
		if (wait->all_over(rows, &any_unseen)) {
			*ret_rows = rows;
			return ERR_OK;
		}
		db_rows_done(rows);
		if (any_unseen && clock_boot_us() > silent_from_us) {
			call_warn(call, "no sender has taken the test yet: is sender running?");
			silent_from_us = INT64_MAX;
		}
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_US * 1000 }, NULL);
	}
}
