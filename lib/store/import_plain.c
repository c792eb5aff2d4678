#include "store/import_plain.h"

#include "base/limits.h"

/* What people are left out for, some at a time. $1 the id that was reached, $2 how many. */
enum { OUTS_TOGETHER = 10000 };
static const struct db_statement look_at_outs = {
	.name = "import_look_at_outs",
	.sql = "SELECT id, CASE WHEN kind = 'erased' THEN decode(value, 'hex') ELSE convert_to(value, 'UTF8') END"
	       " FROM suppression WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint",
};

/* Of those who are new for sure nothing has to be asked, and people take the short way. */
static const struct db_statement mark_plain = { .name = "import_mark_plain", .sql = "SAVEPOINT import_plain" };
static const struct db_statement last_person = {
	.name = "import_last_person",
	.sql = "SELECT coalesce(max(id), 0) FROM subscriber",
};
static const struct db_statement copy_plain = {
	.name = "import_copy_plain",
	.sql = "COPY subscriber (address, address_key, canonical, name, attributes) FROM STDIN (FORMAT binary)",
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

/* Fills in after whom the plain ones come. */
static enum err copy_plain_rows(struct db *db, const struct import_batch *batch, struct import_marks *marks,
				struct buf *why)
{
	AUTO_DB_ROWS *last = NULL;
	enum err err = db_run(db, &mark_plain, NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &last_person, NULL, 0, &last, why);
	if (err != ERR_OK)
		return err;
	marks->plain_after = db_get_int(last, 0, 0);
	return import_batch_send_plain(batch, db, &copy_plain, why);
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
