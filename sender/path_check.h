/* Before a campaign starts: were the return paths of its relays tested, and did they stand the test (relay.test_before_campaign)? */
#ifndef SENDER_PATH_CHECK_H
#define SENDER_PATH_CHECK_H

#include "base/settings.h"
#include "store/db.h"

bool path_check_is_on(const struct settings *settings);

/* Asks for the tests that due campaigns need and decides about those whose tests are over: cleared to start, cleared with a warning in the
 * log, or held for a person. Never waits. Errors as db_run(). */
enum err path_check_due(const struct settings *settings, struct db *db, struct buf *why) MUST_USE;

#endif
