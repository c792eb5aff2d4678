#include "store/relay_logins.h"

#include <assert.h>

enum statement { ASK, TELL, GIVE_UP, CLEAN, FORGET, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	/* Rounded up: who comes too early would have to ask again. */
	[ASK] = { .name = "relay_logins_ask",
		  .sql = "SELECT a.is_known, coalesce(ceil(extract(epoch FROM a.wait) * 1000000)::bigint, 0), a.reply"
			 " FROM relay_login_ask($1, $2, $3, $4) AS a" },
	[TELL] = { .name = "relay_logins_tell", .sql = "SELECT relay_login_tell($1, $2, $3)" },
	[GIVE_UP] = { .name = "relay_logins_give_up",
		      .sql = "UPDATE relay_login SET tried_by = NULL, tried_at = NULL"
			     " WHERE relay = $1 AND fingerprint = $2 AND tried_by = $3" },
	[CLEAN] = { .name = "relay_logins_clean",
		    .sql = "DELETE FROM relay_login WHERE relay = $1 AND fingerprint = $2 AND tried_by IS NULL"
			   " AND taken_at IS NULL AND refused_at IS NULL" },
	[FORGET] = { .name = "relay_logins_forget",
		     .sql = "DELETE FROM relay_login WHERE relay = $1 AND refused_at IS NOT NULL" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err relay_logins_ask(struct db *db, const struct relay_login_ask *ask, struct relay_login_answer *ret_answer,
			  struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = {
		db_text(ask->relay),
		db_text(ask->fingerprint),
		db_text(ask->who),
		db_bool(ask->claims),
	};
	enum err err = db_run(db, &statements[ASK], values, ARRAY_LEN(values), ret_rows, why);
	if (err == ERR_OK)
		*ret_answer = (struct relay_login_answer){
			.is_known = db_get_bool(*ret_rows, 0, 0),
			.wait_us = db_get_int(*ret_rows, 0, 1),
			.reply = db_get_text(*ret_rows, 0, 2),
		};
	return err;
}

enum err relay_logins_tell(struct db *db, struct view relay, struct view fingerprint, struct view refusal,
			   struct buf *why)
{
	const struct db_value values[] = { db_text(relay), db_text(fingerprint), db_text_or_null(refusal) };
	return db_run(db, &statements[TELL], values, ARRAY_LEN(values), NULL, why);
}

enum err relay_logins_give_up(struct db *db, struct view relay, struct view fingerprint, struct view who,
			      struct buf *why)
{
	const struct db_value values[] = { db_text(relay), db_text(fingerprint), db_text(who) };
	enum err err = db_run(db, &statements[GIVE_UP], values, ARRAY_LEN(values), NULL, why);
	return err == ERR_OK ? db_run(db, &statements[CLEAN], values, 2, NULL, why) : err;
}

enum err relay_logins_forget(struct db *db, struct view relay, size_t *ret_count, struct buf *why)
{
	const struct db_value values[] = { db_text(relay) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[FORGET], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_count = db_changed(rows);
	return err;
}
