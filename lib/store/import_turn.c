#include "store/import_turn.h"

#define TURN "hashtext('verpost import')"

static const struct db_statement try_it = {
	.name = "import_turn_try",
	.sql = "SELECT pg_try_advisory_xact_lock(" TURN ")",
};

static const struct db_statement holder_of_it = {
	.name = "import_turn_holder",
	.sql = "SELECT l.pid, a.xact_start FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)"
	       " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
	       " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	       " AND l.classid::bigint << 32 | l.objid::bigint = " TURN "::bigint LIMIT 1",
};

static const struct db_statement await_it = {
	.name = "import_turn_await",
	.sql = "SELECT pg_advisory_xact_lock(" TURN ")",
};

enum err import_turn_take(struct db *db, import_turn_waits *waits, void *context, struct buf *why)
{
	AUTO_DB_ROWS *tried = NULL;
	AUTO_DB_ROWS *found = NULL;
	struct import_turn_holder holder = { 0 };
	enum err err = db_run(db, &try_it, NULL, 0, &tried, why);
	if (err != ERR_OK || db_get_bool(tried, 0, 0))
		return err;
	err = db_run(db, &holder_of_it, NULL, 0, &found, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(found) > 0)
		holder = (struct import_turn_holder){ db_get_int(found, 0, 0), db_get_time(found, 0, 1) };
	if (waits != NULL)
		waits(context, &holder);
	return db_run(db, &await_it, NULL, 0, NULL, why);
}
