#include "store/instance.h"

#include <assert.h>
#include <string.h>

enum statement { IS_THERE, READ, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[IS_THERE] = { .name = "instance_is_there", .sql = "SELECT to_regclass('verpost.instance') IS NOT NULL" },
	[READ] = { .name = "instance_read",
		   .sql = "SELECT id, schema_version, oldest_program, created_at FROM verpost.instance" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err instance_read(struct db *db, struct instance *ret_instance, struct buf *why)
{
	AUTO_DB_ROWS *found = NULL;
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[IS_THERE], NULL, 0, &found, why);
	if (err != ERR_OK)
		return err;
	if (!db_get_bool(found, 0, 0))
		return ERR_NOT_FOUND;
	err = db_run(db, &statements[READ], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0)
		return ERR_NOT_FOUND;
	struct view id = db_get_text(rows, 0, 0);
	*ret_instance = (struct instance){
		.schema_version = (int)db_get_int(rows, 0, 1),
		.oldest_program = (int)db_get_int(rows, 0, 2),
		.created_us = db_get_time(rows, 0, 3),
	};
	memcpy(ret_instance->id, id.data, id.len < INSTANCE_ID_SIZE ? id.len : INSTANCE_ID_SIZE - 1);
	return ERR_OK;
}
