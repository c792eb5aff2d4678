#include "store/campaign_files.h"

#include <assert.h>
#include <stdlib.h>

enum statement { READ, FORGET, ADD, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	[READ] = { "campaign_files_read", "SELECT name, type, content_id, content FROM campaign_file"
					  " WHERE campaign_id = $1 ORDER BY position" },
	[FORGET] = { "campaign_files_forget",
		     "DELETE FROM campaign_file f USING campaign c WHERE c.name = $1 AND f.campaign_id = c.id" },
	[ADD] = { "campaign_files_add",
		  "INSERT INTO campaign_file (campaign_id, position, name, type, content_id, content)"
		  " SELECT c.id, f.position, f.name, f.type, f.content_id, f.content FROM campaign c CROSS JOIN"
		  " unnest($2::text[], $3::text[], $4::text[], $5::bytea[]) WITH ORDINALITY"
		  " AS f(name, type, content_id, content, position) WHERE c.name = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err campaign_files_read(struct db *db, uint64_t campaign_id, struct campaign_files *ret_files, struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)campaign_id) };
	struct campaign_files files = { 0 };
	*ret_files = files;
	enum err err = db_run(db, &statements[READ], values, ARRAY_LEN(values), &files.rows, why);
	if (err != ERR_OK)
		return err;
	files.count = db_row_count(files.rows);
	files.items = calloc(files.count + 1, sizeof(*files.items));
	for (size_t i = 0; files.items != NULL && i < files.count; i++)
		files.items[i] = (struct attachment){
			.name = db_get_text(files.rows, i, 0),
			.type = db_get_text(files.rows, i, 1),
			.content_id = db_get_text(files.rows, i, 2),
			.content = db_get_text(files.rows, i, 3),
		};
	*ret_files = files;
	return files.items != NULL ? ERR_OK : ERR_MEMORY;
}

void campaign_files_done(struct campaign_files *files)
{
	free(files->items);
	db_rows_done(files->rows);
	*files = (struct campaign_files){ 0 };
}

static enum err add(struct db *db, struct view campaign, const struct attachment *files, size_t count, struct buf *why)
{
	AUTO_DB_ARRAY names = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY types = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY ids = db_array_of(DB_TEXT);
	AUTO_DB_ARRAY contents = db_array_of(DB_BYTES);
	for (size_t i = 0; i < count; i++) {
		db_array_add_bytes(&names, files[i].name);
		db_array_add_bytes(&types, files[i].type);
		if (files[i].content_id.len > 0)
			db_array_add_bytes(&ids, files[i].content_id);
		else
			db_array_add_null(&ids);
		db_array_add_bytes(&contents, files[i].content);
	}
	const struct db_value values[] = { db_text(campaign), db_values(&names), db_values(&types), db_values(&ids),
					   db_values(&contents) };
	return db_run(db, &statements[ADD], values, ARRAY_LEN(values), NULL, why);
}

enum err campaign_files_replace(struct db *db, struct view campaign, const struct attachment *files, size_t count,
				struct buf *why)
{
	const struct db_value values[] = { db_text(campaign) };
	enum err err = db_run(db, &statements[FORGET], values, ARRAY_LEN(values), NULL, why);
	return err != ERR_OK || count == 0 ? err : add(db, campaign, files, count, why);
}
