#include "store/import_batch.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum { SEND_AT = 64 << 10, COLUMNS = 11, PLAIN_COLUMNS = 6 };

/* What a row says in octets, in the order in which they stand behind it. */
enum field { ADDRESS, ADDRESS_KEY, CANONICAL, NAME, ATTRIBUTES, CONSENT_SOURCE, ERASED, FIELD_COUNT };

struct row {
	uint64_t position;
	int64_t consent_us;
	uint32_t lens[FIELD_COUNT];
	bool twice; /* another row here has the same canonical form */
	bool fresh; /* no row of the import before it has its key or its canonical form */
	bool plain; /* see import_batch_mark() */
	char bytes[];
};

struct import_batch {
	char *room; /* the rows, one after the other: LIMIT_IMPORT_BATCH octets */
	size_t used;
	struct row **rows; /* in the order of coming, then sorted */
	size_t count, most;
	bool has_canonicals, has_consents;
};

struct import_batch *import_batch_new(size_t most)
{
	struct import_batch *batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return NULL;
	batch->most = most == 0 || most > LIMIT_IMPORT_ROWS ? LIMIT_IMPORT_ROWS : most;
	batch->room = malloc(LIMIT_IMPORT_BATCH);
	batch->rows = calloc(batch->most, sizeof(*batch->rows));
	if (batch->room != NULL && batch->rows != NULL)
		return batch;
	import_batch_free(batch);
	return NULL;
}

void import_batch_free(struct import_batch *batch)
{
	if (batch == NULL)
		return;
	free(batch->room);
	free(batch->rows);
	free(batch);
}

void import_batch_clear(struct import_batch *batch)
{
	batch->used = batch->count = 0;
	batch->has_canonicals = batch->has_consents = false;
}

size_t import_batch_count(const struct import_batch *batch)
{
	return batch->count;
}

bool import_batch_has_canonicals(const struct import_batch *batch)
{
	return batch->has_canonicals;
}

bool import_batch_has_consents(const struct import_batch *batch)
{
	return batch->has_consents;
}

static size_t aligned(size_t size)
{
	return (size + alignof(struct row) - 1) / alignof(struct row) * alignof(struct row);
}

enum err import_batch_add(struct import_batch *batch, const struct subscriber_row *given, uint64_t position)
{
	const struct view fields[] = {
		[ADDRESS] = given->address,
		[ADDRESS_KEY] = given->address_key,
		[CANONICAL] = view_eq(given->canonical, given->address_key) ? VIEW_LIT("") : given->canonical,
		[NAME] = given->name,
		[ATTRIBUTES] = given->attributes,
		[CONSENT_SOURCE] = given->consent_source,
		[ERASED] = given->erased,
	};
	static_assert(ARRAY_LEN(fields) == FIELD_COUNT, "each field of a row");
	size_t size = sizeof(struct row);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].len > LIMIT_IMPORT_BATCH)
			return ERR_TOO_BIG;
		size += fields[i].len;
	}
	size = aligned(size);
	if (batch->count == batch->most || size > LIMIT_IMPORT_BATCH - batch->used)
		return ERR_TOO_BIG;
	struct row *row = (void *)(batch->room + batch->used);
	*row = (struct row){ .position = position, .consent_us = given->consent_us };
	char *place = row->bytes;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		row->lens[i] = (uint32_t)fields[i].len;
		if (fields[i].len > 0)
			memcpy(place, fields[i].data, fields[i].len);
		place += fields[i].len;
	}
	batch->has_canonicals |= fields[CANONICAL].len > 0;
	batch->has_consents |= fields[CONSENT_SOURCE].len > 0 || given->consent_us != 0;
	batch->rows[batch->count++] = row;
	batch->used += size;
	return ERR_OK;
}

/* ---- the order ---- */

static struct view field_of(const struct row *row, enum field field)
{
	size_t at = 0;
	for (size_t i = 0; i < field; i++)
		at += row->lens[i];
	return view_from(row->bytes + at, row->lens[field]);
}

/* Whose it is. */
static struct view form_of(const struct row *row)
{
	return field_of(row, row->lens[CANONICAL] > 0 ? CANONICAL : ADDRESS_KEY);
}

static int compare_views(struct view one, struct view other)
{
	size_t len = one.len < other.len ? one.len : other.len;
	int order = len == 0 ? 0 : memcmp(one.data, other.data, len);
	return order != 0 ? order : (one.len > other.len) - (one.len < other.len);
}

static int compare_rows(const struct row *one, const struct row *other, int order)
{
	return order != 0 ? order : (one->position > other->position) - (one->position < other->position);
}

static int by_key(const void *left, const void *right)
{
	const struct row *one = *(struct row *const *)left, *other = *(struct row *const *)right;
	return compare_rows(one, other, compare_views(field_of(one, ADDRESS_KEY), field_of(other, ADDRESS_KEY)));
}

static int by_form(const void *left, const void *right)
{
	const struct row *one = *(struct row *const *)left, *other = *(struct row *const *)right;
	return compare_rows(one, other, compare_views(form_of(one), form_of(other)));
}

static bool mark_twice(struct import_batch *batch)
{
	bool any = false;
	for (size_t i = 1; i < batch->count; i++) {
		struct row *before = batch->rows[i - 1], *row = batch->rows[i];
		if (!view_eq(form_of(before), form_of(row)))
			continue;
		before->twice = row->twice = any = true;
	}
	return any;
}

bool import_batch_sort(struct import_batch *batch)
{
	if (batch->count == 0)
		return false;
	qsort(batch->rows, batch->count, sizeof(struct row *), batch->has_canonicals ? by_form : by_key);
	bool any = mark_twice(batch);
	if (batch->has_canonicals)
		qsort(batch->rows, batch->count, sizeof(struct row *), by_key);
	return any;
}

static bool has_met_domain(const struct import_filter *filter, struct view key)
{
	const char *at = key.len == 0 ? NULL : memchr(key.data, '@', key.len);
	return at != NULL && import_filter_may_have(filter, view_from(at + 1, key.len - (size_t)(at + 1 - key.data)));
}

static bool may_be_left_out(const struct row *row, const struct import_filter *filter)
{
	struct view erased = field_of(row, ERASED);
	return has_met_domain(filter, field_of(row, ADDRESS_KEY)) || has_met_domain(filter, field_of(row, CANONICAL)) ||
	       (erased.len > 0 && import_filter_may_have(filter, erased));
}

size_t import_batch_mark(struct import_batch *batch, struct import_filter *filter)
{
	size_t plain = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct row *row = batch->rows[i];
		bool is_met = import_filter_add(filter, field_of(row, ADDRESS_KEY));
		if (row->lens[CANONICAL] > 0)
			is_met |= import_filter_add(filter, field_of(row, CANONICAL));
		row->fresh = !is_met;
		row->plain = row->fresh && !row->twice && row->lens[CONSENT_SOURCE] == 0 && row->consent_us == 0 &&
			     !may_be_left_out(row, filter);
		plain += row->plain;
	}
	return plain;
}

void import_batch_take_back(struct import_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		batch->rows[i]->plain = false;
}

/* The attributes are an object themselves; a bracket inside a text counts too. */
bool import_batch_has_nested(const struct import_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct view attributes = field_of(batch->rows[i], ATTRIBUTES);
		if (attributes.len > 1 && (memchr(attributes.data + 1, '[', attributes.len - 1) != NULL ||
					   memchr(attributes.data + 1, '{', attributes.len - 1) != NULL))
			return true;
	}
	return false;
}

/* ---- on the wire ---- */

static void add_or_null(struct db_tuples *tuples, struct view value)
{
	if (value.len == 0)
		db_tuples_add_null(tuples);
	else
		db_tuples_add_text(tuples, value);
}

static void add_row(struct db_tuples *tuples, const struct row *row)
{
	db_tuples_add_int8(tuples, (int64_t)row->position);
	db_tuples_add_text(tuples, field_of(row, ADDRESS));
	db_tuples_add_text(tuples, field_of(row, ADDRESS_KEY));
	add_or_null(tuples, field_of(row, CANONICAL));
	db_tuples_add_text(tuples, field_of(row, NAME));
	db_tuples_add_json(tuples, field_of(row, ATTRIBUTES));
	add_or_null(tuples, field_of(row, CONSENT_SOURCE));
	if (row->consent_us == 0)
		db_tuples_add_null(tuples);
	else
		db_tuples_add_time(tuples, row->consent_us);
	add_or_null(tuples, field_of(row, ERASED));
	db_tuples_add_bool(tuples, row->twice);
	db_tuples_add_bool(tuples, row->fresh);
}

static void add_plain(struct db_tuples *tuples, const struct row *row, int64_t id)
{
	db_tuples_add_int8(tuples, id);
	db_tuples_add_text(tuples, field_of(row, ADDRESS));
	db_tuples_add_text(tuples, field_of(row, ADDRESS_KEY));
	add_or_null(tuples, field_of(row, CANONICAL));
	db_tuples_add_text(tuples, field_of(row, NAME));
	db_tuples_add_json(tuples, field_of(row, ATTRIBUTES));
}

/* first_id: of the plain ones; 0: the others. */
static enum err send_those(const struct import_batch *batch, int64_t first_id, struct db *db,
			   const struct db_statement *copy, struct buf *why)
{
	bool plain = first_id > 0;
	AUTO_DB_TUPLES tuples = db_tuples_of(plain ? PLAIN_COLUMNS : COLUMNS);
	enum err err = db_copy_begin(db, copy, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < batch->count && err == ERR_OK; i++) {
		if (batch->rows[i]->plain != plain)
			continue;
		if (plain)
			add_plain(&tuples, batch->rows[i], first_id++);
		else
			add_row(&tuples, batch->rows[i]);
		if (tuples.body.len >= SEND_AT || buf_err(&tuples.body) != ERR_OK)
			err = db_copy_some(db, &tuples, false, why);
	}
	if (err == ERR_OK)
		err = db_copy_some(db, &tuples, true, why);
	enum err end = db_copy_end(db, err == ERR_OK, err == ERR_OK ? why : NULL);
	return err == ERR_OK ? end : err;
}

enum err import_batch_send(const struct import_batch *batch, struct db *db, const struct db_statement *copy,
			   struct buf *why)
{
	return send_those(batch, 0, db, copy, why);
}

enum err import_batch_send_plain(const struct import_batch *batch, struct db *db, const struct db_statement *copy,
				 int64_t first_id, struct buf *why)
{
	return send_those(batch, first_id, db, copy, why);
}
