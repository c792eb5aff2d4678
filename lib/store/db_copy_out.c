#include <endian.h>
#include <string.h>

#include "store/db_private.h"

/* COPY's binary format: a head (a signature of 11 octets, 4 of flags, 4 that say how long its extension is), for each row the number of its
 * fields, for each field its length, -1 for null, and its octets; at the end a row of -1 fields. libpq hands out a row at a time, the first one
 * behind the head. */
enum {
	SIGNATURE_SIZE = 11,
	HEAD_SIZE = 19,
	COUNT_SIZE = 2,
	LENGTH_SIZE = 4,
	TRAILER = -1,
	NULL_LENGTH = -1,
	JSONB_VERSION = 1
};

struct reading {
	db_row_handler *handler;
	void *context;
	bool is_started;
	bool is_whole; /* the trailer has come */
	struct view fields[LIMIT_DB_VALUES];
};

static bool take(struct view *bytes, void *place, size_t size)
{
	if (bytes->len < size)
		return false;
	memcpy(place, bytes->data, size);
	*bytes = view_skip(*bytes, size);
	return true;
}

static bool take16(struct view *bytes, int16_t *ret_number)
{
	uint16_t number;
	if (!take(bytes, &number, sizeof number))
		return false;
	*ret_number = (int16_t)be16toh(number);
	return true;
}

static bool take32(struct view *bytes, int32_t *ret_number)
{
	uint32_t number;
	if (!take(bytes, &number, sizeof number))
		return false;
	*ret_number = (int32_t)be32toh(number);
	return true;
}

static bool skip_head(struct reading *reading, struct view *bytes)
{
	char head[HEAD_SIZE - LENGTH_SIZE];
	int32_t extension;
	if (!take(bytes, head, sizeof head) || memcmp(head, "PGCOPY\n\377\r\n", SIGNATURE_SIZE) != 0 ||
	    !take32(bytes, &extension) || extension < 0 || (size_t)extension > bytes->len)
		return false;
	*bytes = view_skip(*bytes, (size_t)extension);
	reading->is_started = true;
	return true;
}

static bool read_fields(struct reading *reading, struct view *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int32_t len;
		if (!take32(bytes, &len) || len < NULL_LENGTH || (len > 0 && (size_t)len > bytes->len))
			return false;
		reading->fields[i] = len == NULL_LENGTH ? (struct view){ 0 } : view_head(*bytes, (size_t)len);
		*bytes = view_skip(*bytes, len == NULL_LENGTH ? 0 : (size_t)len);
	}
	return true;
}

static enum err garbled(struct buf *why)
{
	db_whyf(why, "PostgreSQL sent rows that cannot be read");
	return ERR_IO;
}

static enum err take_rows(struct reading *reading, struct view bytes, struct buf *why)
{
	if (!reading->is_started && !skip_head(reading, &bytes))
		return garbled(why);
	while (bytes.len > 0) {
		int16_t count;
		if (reading->is_whole || !take16(&bytes, &count))
			return garbled(why);
		if (count == TRAILER) {
			reading->is_whole = true;
			continue;
		}
		if (count < 0 || count > LIMIT_DB_VALUES || !read_fields(reading, &bytes, (size_t)count))
			return garbled(why);
		enum err err = reading->handler(reading->context, reading->fields, (size_t)count, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err read_all(struct db *db, struct reading *reading, struct buf *why)
{
	char *bytes;
	int len;
	while ((len = PQgetCopyData(db->conn, &bytes, 0)) > 0) {
		enum err err = take_rows(reading, view_from(bytes, (size_t)len), why);
		PQfreemem(bytes);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* The COPY's last result: whether all rows have come. */
static enum err end(struct db *db, struct buf *why)
{
	enum err err = ERR_OK;
	PGresult *result;
	while (db->conn != NULL && (result = PQgetResult(db->conn)) != NULL) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK && err == ERR_OK)
			err = db_failed(db, result, why);
		PQclear(result);
	}
	return err;
}

enum err db_copy_out(struct db *db, const struct db_statement *copy, db_row_handler *handler, void *context,
		     struct buf *why)
{
	struct reading reading = { .handler = handler, .context = context };
	enum err err = db_settle(db, why);
	if (err != ERR_OK)
		return err;
	PGresult *result = PQexec(db->conn, copy->sql);
	if (PQresultStatus(result) != PGRES_COPY_OUT) {
		err = db_failed(db, result, why);
		PQclear(result);
		return err;
	}
	PQclear(result);
	err = read_all(db, &reading, why);
	if (err != ERR_OK) {
		/* Whoever gave up does not wait for the rows that are left. */
		db_drop(db);
		return err;
	}
	err = end(db, why);
	return err == ERR_OK && !reading.is_whole ? garbled(why) : err;
}

int64_t db_field_time(struct view field)
{
	uint64_t bytes;
	if (field.len != sizeof bytes)
		return 0;
	memcpy(&bytes, field.data, sizeof bytes);
	return (int64_t)be64toh(bytes) + DB_EPOCH_US;
}

struct view db_field_jsonb(struct view field)
{
	bool is_known = field.len > 0 && field.data[0] == JSONB_VERSION;
	return is_known ? view_skip(field, 1) : VIEW_LIT("");
}
