#include "store/import_plain.h"

#include "base/limits.h"

/* What people are left out for, some at a time. $1 the id that was reached, $2 how many. */
enum { OUTS_TOGETHER = 10000, ID_TRIES = 5 };
static const struct db_statement look_at_outs = {
	.name = "import_look_at_outs",
	.sql = "SELECT id, CASE WHEN kind = 'erased' THEN decode(value, 'hex') ELSE convert_to(value, 'UTF8') END"
	       " FROM suppression WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint",
};

/* Of those who are new for sure nothing has to be asked, and people take the short way. */
static const struct db_statement mark_plain = { .name = "import_mark_plain", .sql = "SAVEPOINT import_plain" };
/* Their ids are taken beforehand, $1 of them, so that they can be joined without being read again. */
static const struct db_statement take_ids = {
	.name = "import_take_ids",
	.sql = "SELECT min(id), max(id) FROM (SELECT nextval((SELECT pg_get_serial_sequence('subscriber', "
	       "'id')::regclass)) AS id"
	       " FROM generate_series(1, $1::bigint) OFFSET 0) AS x",
};
static const struct db_statement copy_plain = {
	.name = "import_copy_plain",
	.sql = "COPY subscriber (id, address, address_key, canonical, name, attributes) FROM STDIN (FORMAT binary)",
};
static const struct db_statement release_plain = { .name = "import_release_plain",
						   .sql = "RELEASE SAVEPOINT import_plain" };
static const struct db_statement take_plain_back = {
	.name = "import_take_plain_back",
	.sql = "ROLLBACK TO SAVEPOINT import_plain",
};

enum err import_plain_load_outs(struct db *db, struct import_filter *filter, struct buf *why)
{
	int64_t reached = 0;
	size_t found;
	do {
		AUTO_DB_ROWS *rows = NULL;
		const struct db_value values[] = { db_int(reached), db_int(OUTS_TOGETHER) };
		enum err err = db_run(db, &look_at_outs, values, ARRAY_LEN(values), &rows, why);
		if (err != ERR_OK)
			return err;
		found = db_row_count(rows);
		for (size_t i = 0; i < found; i++)
			import_filter_add(filter, db_get_text(rows, i, 1));
		if (found > 0)
			reached = db_get_int(rows, found - 1, 0);
	} while (found == OUTS_TOGETHER);
	return ERR_OK;
}

/* ERR_EXISTS: others make people at the same time, and took ids between these, each time. */
static enum err take_ids_in_a_row(struct db *db, struct import_marks *marks, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)marks->plain) };
	for (size_t tries = 0; tries < ID_TRIES; tries++) {
		AUTO_DB_ROWS *taken = NULL;
		enum err err = db_run(db, &take_ids, values, ARRAY_LEN(values), &taken, why);
		if (err != ERR_OK)
			return err;
		marks->plain_first = db_get_int(taken, 0, 0);
		if (db_get_int(taken, 0, 1) - marks->plain_first + 1 == (int64_t)marks->plain)
			return ERR_OK;
	}
	return ERR_EXISTS;
}

static enum err copy_plain_rows(struct db *db, const struct import_batch *batch, struct import_marks *marks,
				struct buf *why)
{
	enum err err = db_run(db, &mark_plain, NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = take_ids_in_a_row(db, marks, why);
	return err == ERR_OK ? import_batch_send_plain(batch, db, &copy_plain, marks->plain_first, why) : err;
}

enum err import_plain_add(struct db *db, struct import_batch *batch, struct import_marks *marks, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = copy_plain_rows(db, batch, marks, &cause);
	if (err == ERR_OK)
		return db_run(db, &release_plain, NULL, 0, NULL, why);
	if (err != ERR_EXISTS) {
		buf_add(why, buf_view(&cause));
		return err;
	}
	import_batch_take_back(batch);
	marks->plain = 0;
	marks->doubts = true;
	return db_run(db, &take_plain_back, NULL, 0, NULL, why);
}
