#include "store/probe_texts.h"

#include <assert.h>

enum statement { FIND, SET, RESET, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[FIND] = { "probe_texts_find", "SELECT subject, body FROM probe_text WHERE list_id = $1" },
	[SET] = { "probe_texts_set",
		  "INSERT INTO probe_text (list_id, subject, body) VALUES ($1, $2, $3) ON CONFLICT (list_id)"
		  " DO UPDATE SET subject = excluded.subject, body = excluded.body" },
	[RESET] = { "probe_texts_reset", "DELETE FROM probe_text WHERE list_id = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum err probe_texts_find(struct db *db, int64_t list_id, struct db_rows **ret_rows, struct probe_text *ret_text,
			  struct buf *why)
{
	const struct db_value values[] = { db_int(list_id) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[FIND], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	*ret_text = (struct probe_text){ 0 };
	if (db_row_count(rows) > 0)
		*ret_text = (struct probe_text){ db_get_text(rows, 0, 0), db_get_text(rows, 0, 1) };
	*ret_rows = rows;
	return ERR_OK;
}

enum err probe_texts_set(struct db *db, int64_t list_id, const struct probe_text *text, struct buf *why)
{
	if (text == NULL)
		return db_run(db, &statements[RESET], (struct db_value[]){ db_int(list_id) }, 1, NULL, why);
	const struct db_value values[] = { db_int(list_id), db_text(text->subject), db_text(text->body) };
	return db_run(db, &statements[SET], values, ARRAY_LEN(values), NULL, why);
}
