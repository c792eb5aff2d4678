/* How a process of sender comes to the database: it tries until it succeeds or is told to stop. */
#ifndef SENDER_ENTRY_H
#define SENDER_ENTRY_H

#include "base/clock.h"
#include "sender/setup.h"
#include "store/db.h"

/* A worker does not wait longer than this for PostgreSQL: its relay connections wait meanwhile. */
#define ENTRY_PATIENCE_US (INT64_C(20) * CLOCK_US_PER_SECOND)

/* Once at the start of the process: from now on SIGTERM, SIGINT and SIGHUP are remembered. */
void entry_begin(void);
/* From now on they end the process at once. */
void entry_die_on_signals(void);

bool entry_is_stopped(void);
/* Sleeps a growing while; false when it is time to stop. */
bool entry_wait(void);
/* Sleeps so long, or until a signal. False when it is time to stop. */
bool entry_sleep(int64_t us);

/* Before the first process is made: refuses what would be wrong for ever (not initialised, another instance's keys, a version that does
 * not fit, fsync off, a login that fails). A server that is away is no such thing. */
enum err entry_check_database(const struct setup *setup, struct buf *why) MUST_USE;
/* patience_us as in store/db.h. One log line for each change of what keeps it away. ERR_REFUSED: told to stop. */
enum err entry_open_database(const struct setup *setup, int64_t patience_us, struct db **ret_db) MUST_USE;

#endif
