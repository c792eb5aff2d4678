#include <assert.h>
#include <endian.h>
#include <string.h>

#include "store/db_private.h"

/* COPY's binary format: a head, for each row the number of its fields, for each field its length and bytes, and a trailer. */
static const char head[] =
    "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* with its own NUL: the signature, no flags, no extension */
enum { HEAD_SIZE = 19, COUNT_SIZE = 2, LENGTH_SIZE = 4, NULL_LENGTH = -1, TRAILER = -1 };
static_assert(sizeof(head) == HEAD_SIZE, "11 octets of signature, 4 of flags, 4 of the extension's length");

struct db_tuples db_tuples_of(size_t columns)
{
	return (struct db_tuples){ .columns = columns, .body = buf_with_ceiling(LIMIT_DB_PARAMETER) };
}

void db_tuples_done(struct db_tuples *tuples)
{
	buf_done(&tuples->body);
	tuples->count = 0;
}

static void add16(struct buf *body, int16_t number)
{
	uint16_t bytes = htobe16((uint16_t)number);
	buf_add(body, view_from((const char *)&bytes, sizeof bytes));
}

static char *put32(char *place, int32_t number)
{
	uint32_t bytes = htobe32((uint32_t)number);
	memcpy(place, &bytes, sizeof bytes);
	return place + sizeof bytes;
}

/* The place for a field of len bytes (negative: it is null); NULL when the ceiling is reached. */
static char *field_room(struct db_tuples *tuples, int32_t len)
{
	struct buf *body = &tuples->body;
	if (tuples->count == 0)
		buf_add(body, view_from(head, HEAD_SIZE));
	if (tuples->count % tuples->columns == 0)
		add16(body, (int16_t)tuples->columns);
	tuples->count++;
	size_t size = LENGTH_SIZE + (len > 0 ? (size_t)len : 0);
	char *place = buf_room(body, size);
	if (place == NULL)
		return NULL;
	buf_grown(body, size);
	return put32(place, len);
}

static void add_field(struct db_tuples *tuples, const void *bytes, size_t len)
{
	char *place = field_room(tuples, (int32_t)len);
	if (place != NULL && len > 0)
		memcpy(place, bytes, len);
}

/* A value beyond 32 bits meets the ceiling, not a cast. */
static bool is_too_long(struct db_tuples *tuples, struct view value)
{
	if (value.len <= LIMIT_DB_PARAMETER)
		return false;
	if (tuples->body.err == ERR_OK)
		tuples->body.err = ERR_TOO_BIG;
	return true;
}

void db_tuples_add_int2(struct db_tuples *tuples, int16_t value)
{
	uint16_t bytes = htobe16((uint16_t)value);
	add_field(tuples, &bytes, sizeof bytes);
}

void db_tuples_add_int4(struct db_tuples *tuples, int32_t value)
{
	uint32_t bytes = htobe32((uint32_t)value);
	add_field(tuples, &bytes, sizeof bytes);
}

void db_tuples_add_int8(struct db_tuples *tuples, int64_t value)
{
	uint64_t bytes = htobe64((uint64_t)value);
	add_field(tuples, &bytes, sizeof bytes);
}

void db_tuples_add_time(struct db_tuples *tuples, int64_t wall_us)
{
	db_tuples_add_int8(tuples, wall_us - DB_EPOCH_US);
}

void db_tuples_add_bool(struct db_tuples *tuples, bool value)
{
	const char byte = value;
	add_field(tuples, &byte, sizeof byte);
}

/* jsonb's binary form is its text behind a version. */
void db_tuples_add_json(struct db_tuples *tuples, struct view value)
{
	static const char version = 1;
	if (is_too_long(tuples, value))
		return;
	char *place = field_room(tuples, (int32_t)(value.len + sizeof version));
	if (place == NULL)
		return;
	*place++ = version;
	if (value.len > 0)
		memcpy(place, value.data, value.len);
}

void db_tuples_add_text(struct db_tuples *tuples, struct view value)
{
	if (!is_too_long(tuples, value))
		add_field(tuples, value.data, value.len);
}

void db_tuples_add_null(struct db_tuples *tuples)
{
	field_room(tuples, NULL_LENGTH);
}

enum err db_tuples_end(struct db_tuples *tuples, struct view *ret_body)
{
	assert(tuples->count % tuples->columns == 0);
	if (tuples->count == 0)
		buf_add(&tuples->body, view_from(head, HEAD_SIZE));
	add16(&tuples->body, TRAILER);
	*ret_body = buf_view(&tuples->body);
	return buf_err(&tuples->body);
}
