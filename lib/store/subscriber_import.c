#include "store/subscriber_import.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/import_batch.h"
#include "store/import_lefts.h"
#include "store/import_plain.h"
#include "store/import_steps.h"

/* The first rows are fewer: the server is not to wait for as long as it takes to read many. */
enum { TRIES = 10, FIRST_ROWS = 10000 };

struct subscriber_import {
	struct db *db;
	struct import_terms terms; /* what the statements are told */
	struct import_batch *batch;
	struct import_filter *filter; /* NULL: there were people before, and each row is looked up */
	struct import_filter *former; /* mailboxes that people have moved away from; NULL: none, or not asked for */
	uint64_t rows, merged;
	size_t under_way;          /* rows that the server is merging */
	struct import_marks marks; /* of those */
	bool has_canonicals;
	struct import_lefts lefts;
};

/* Where nobody was before, what the file itself has brought is all there is to know. */
static enum err begin(struct subscriber_import *import, struct buf *why)
{
	enum err err = import_steps_begin(import->db, &import->terms, &import->has_canonicals, why);
	if (err == ERR_OK && import->terms.options.reassigned.len == 0)
		err = former_addresses_load(import->db, &import->former, why);
	if (err == ERR_OK && import->terms.last_id == 0)
		import->filter = import_filter_new();
	return import->filter == NULL ? err : import_plain_load_outs(import->db, import->filter, why);
}

enum err subscriber_import_begin(struct db *db, int64_t list_id, const struct import_options *options,
				 struct subscriber_import **ret_import, struct buf *why)
{
	struct subscriber_import *import = calloc(1, sizeof(*import));
	if (import == NULL)
		return ERR_MEMORY;
	import->db = db;
	import->terms = (struct import_terms){ .list_id = list_id, .options = *options };
	import_lefts_init(&import->lefts);
	import->batch = import_batch_new(options->together);
	enum err err = import->batch == NULL ? ERR_MEMORY : begin(import, why);
	if (err == ERR_OK)
		err = import_steps_prepare(db, why);
	if (err == ERR_OK)
		*ret_import = import;
	else
		subscriber_import_done(import);
	return err;
}

void subscriber_import_done(struct subscriber_import *import)
{
	if (import == NULL)
		return;
	import_lefts_done(&import->lefts);
	import_batch_free(import->batch);
	import_filter_free(import->filter);
	import_filter_free(import->former);
	free(import);
}

uint64_t subscriber_import_merged(const struct subscriber_import *import)
{
	return import->merged;
}

/* Somebody who was no importer has added, or removed, a person between our look and our change: it is looked again. */
static bool is_worth_another_try(const struct db *db)
{
	static const char *const states[] = { "23505", "23514", "40001", "40P01" };
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(db_sqlstate(db), states[i]) == 0)
			return true;
	return false;
}

/* Waits until the server has merged the rows that it was sent. */
static enum err await_merge(struct subscriber_import *import, struct buf *why)
{
	enum err err = ERR_OK;
	for (size_t tries = 0; import->under_way > 0 && tries < TRIES; tries++) {
		AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
		err = db_settle(import->db, &cause);
		if (err == ERR_OK)
			break;
		if (tries + 1 == TRIES || !db_is_connected(import->db) || !is_worth_another_try(import->db)) {
			buf_add(why, buf_view(&cause));
			return err;
		}
		import->marks.doubts = true;
		err = import_steps_take_back(import->db, why);
		if (err == ERR_OK)
			err = import_steps_merge(import->db, &import->terms, &import->marks, why);
		if (err != ERR_OK)
			return err;
	}
	import->merged += import->under_way;
	import->under_way = 0;
	return ERR_OK;
}

/* What can be done with the rows at hand while the server still merges those before them. */
static struct import_marks look_over(struct subscriber_import *import)
{
	struct import_batch *batch = import->batch;
	import->has_canonicals |= import_batch_has_canonicals(batch);
	struct import_marks marks = {
		.twice = import_batch_sort(batch),
		.canonicals = import->has_canonicals,
		.consents = import_batch_has_consents(batch),
		/* With the filter hardly anybody is known. */
		.nested = import->filter != NULL || import_batch_has_nested(batch),
	};
	if (import->filter != NULL)
		marks.plain = import_batch_mark(batch, import->filter);
	return marks;
}

/* The server merges them while we gather the next ones. */
static enum err send_batch(struct subscriber_import *import, struct buf *why)
{
	struct import_marks marks = look_over(import);
	enum err err = await_merge(import, why);
	if (err == ERR_OK && marks.plain > 0)
		err = import_plain_add(import->db, import->batch, &marks, why);
	if (err == ERR_OK)
		err = import_batch_send(import->batch, import->db, import_steps_copy(), why);
	import->marks = marks;
	if (err == ERR_OK)
		err = import_steps_merge(import->db, &import->terms, &import->marks, why);
	import->under_way = import_batch_count(import->batch);
	import_batch_clear(import->batch);
	return err;
}

/* Rarely more than a look into the filter; then the server must have done with what it was sent. */
enum err subscriber_import_find_former(struct subscriber_import *import, const struct subscriber_row *row,
				       struct db_rows **ret_rows, struct former_address *ret_former, struct buf *why)
{
	struct view mailbox = row->canonical.len > 0 ? row->canonical : row->address_key;
	if (import->former == NULL || !import_filter_may_have(import->former, mailbox))
		return ERR_NOT_FOUND;
	enum err err = await_merge(import, why);
	return err == ERR_OK
		   ? former_addresses_find(import->db, row->address_key, row->canonical, ret_rows, ret_former, why)
		   : err;
}

enum err subscriber_import_add(struct subscriber_import *import, const struct subscriber_row *row, struct buf *why)
{
	import->rows++;
	enum err err = import_batch_add(import->batch, row, import->rows);
	if (err == ERR_OK && import->rows == FIRST_ROWS)
		return send_batch(import, why);
	if (err != ERR_TOO_BIG || import_batch_count(import->batch) == 0)
		return err;
	err = send_batch(import, why);
	return err == ERR_OK ? import_batch_add(import->batch, row, import->rows) : err;
}

enum err subscriber_import_leave(struct subscriber_import *import, struct view address_key, struct view canonical,
				 struct buf *why)
{
	if (!import_lefts_add(&import->lefts, address_key, canonical))
		return ERR_OK;
	enum err err = await_merge(import, why);
	return err == ERR_OK ? import_lefts_send(&import->lefts, import->db, why) : err;
}

enum err subscriber_import_merge(struct subscriber_import *import, struct import_counts *ret_counts, struct buf *why)
{
	struct import_counts counts = { .rows = import->rows };
	enum err err = import->rows > 0 ? send_batch(import, why) : ERR_OK;
	if (err == ERR_OK)
		err = await_merge(import, why);
	if (err == ERR_OK)
		err = import_lefts_restore(&import->lefts, import->db, &import->terms, why);
	if (err == ERR_OK && import->rows > 0)
		err = import_steps_count(import->db, &counts, why);
	if (err == ERR_OK)
		err = import_lefts_take_back(&import->lefts, import->db, &import->terms, &counts, why);
	if (err != ERR_OK)
		return err;
	uint64_t people = counts.rows - counts.duplicates - counts.suppressed - counts.erased;
	counts.unchanged = people - counts.back_new - counts.created - counts.updated;
	counts.already = people - counts.taken_back - counts.joined - counts.resubscribed - counts.unsubscribed -
			 counts.disabled - counts.removed;
	*ret_counts = counts;
	return ERR_OK;
}
