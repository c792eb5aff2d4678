#include "store/db_private.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A uuid arrives as 16 bytes and is shown as text; the texts live as long as the rows. */
enum { UUID_BYTES = 16, UUID_TEXT = 36 };

struct db_rows {
	PGresult *result;
	size_t count;
	char *uuids; /* UUID_TEXT for each row and uuid column, in column order; NULL without such a column */
};

static Oid type_of(const struct db_rows *rows, size_t column)
{
	return PQftype(rows->result, (int)column);
}

/* Which column of uuids this is, counted from 0. */
static size_t uuid_rank(const struct db_rows *rows, size_t column)
{
	size_t rank = 0;
	for (size_t i = 0; i < column; i++)
		rank += type_of(rows, i) == OID_UUID;
	return rank;
}

static void write_uuid(const unsigned char *bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
}

static enum err write_uuids(struct db_rows *rows)
{
	size_t columns = (size_t)PQnfields(rows->result);
	size_t uuid_columns = uuid_rank(rows, columns);
	if (uuid_columns == 0 || rows->count == 0)
		return ERR_OK;
	rows->uuids = calloc(rows->count * uuid_columns, UUID_TEXT);
	if (rows->uuids == NULL)
		return ERR_MEMORY;
	char *place = rows->uuids;
	for (size_t row = 0; row < rows->count; row++) {
		for (size_t column = 0; column < columns; column++) {
			if (type_of(rows, column) != OID_UUID)
				continue;
			const char *bytes = PQgetvalue(rows->result, (int)row, (int)column);
			if (!db_is_null(rows, row, column))
				write_uuid((const unsigned char *)bytes, place);
			place += UUID_TEXT;
		}
	}
	return ERR_OK;
}

enum err db_rows_new(PGresult *result, struct db_rows **ret_rows)
{
	struct db_rows *rows = calloc(1, sizeof *rows);
	if (rows == NULL) {
		PQclear(result);
		return ERR_MEMORY;
	}
	rows->result = result;
	rows->count = (size_t)PQntuples(result);
	if (write_uuids(rows) != ERR_OK) {
		db_rows_done(rows);
		return ERR_MEMORY;
	}
	*ret_rows = rows;
	return ERR_OK;
}

void db_rows_done(struct db_rows *rows)
{
	if (rows == NULL)
		return;
	PQclear(rows->result);
	free(rows->uuids);
	free(rows);
}

const char *db_rows_command(const struct db_rows *rows)
{
	return PQcmdStatus(rows->result);
}

size_t db_row_count(const struct db_rows *rows)
{
	return rows->count;
}

size_t db_changed(const struct db_rows *rows)
{
	uint64_t changed = 0;
	bool is_number = view_to_u64(view_of(PQcmdTuples(rows->result)), SIZE_MAX, &changed);
	return is_number ? (size_t)changed : 0;
}

/* Reading a column as what it is not is a mistake of the program, which its first test meets here. */
static _Noreturn void mistyped(const struct db_rows *rows, size_t column, const char *wanted)
{
	fprintf(stderr, "a result's column %zu \"%s\" of type %u was read as %s\n", column,
		PQfname(rows->result, (int)column), type_of(rows, column), wanted);
	abort();
}

bool db_is_null(const struct db_rows *rows, size_t row, size_t column)
{
	return PQgetisnull(rows->result, (int)row, (int)column) == 1;
}

static uint16_t get16(const char *place)
{
	uint16_t number;
	memcpy(&number, place, sizeof number);
	return be16toh(number);
}

static uint32_t get32(const char *place)
{
	uint32_t number;
	memcpy(&number, place, sizeof number);
	return be32toh(number);
}

static uint64_t get64(const char *place)
{
	uint64_t number;
	memcpy(&number, place, sizeof number);
	return be64toh(number);
}

/* numeric, as sum(bigint) is: count, weight, sign and scale, then digits to the base 10,000. */
static double numeric_value(const char *bytes)
{
	enum { NEGATIVE = 0x4000, HEAD = 8 };
	int count = get16(bytes), weight = (int16_t)get16(bytes + 2);
	double value = 0, unit = 1;
	for (int i = 0; i < count; i++)
		value = value * 10000 + get16(bytes + HEAD + 2 * i);
	for (int i = count - 1; i < weight; i++)
		unit *= 10000;
	for (int i = weight; i < count - 1; i++)
		unit /= 10000;
	return get16(bytes + 4) == NEGATIVE ? -value * unit : value * unit;
}

int64_t db_get_int(const struct db_rows *rows, size_t row, size_t column)
{
	const char *bytes = PQgetvalue(rows->result, (int)row, (int)column);
	if (db_is_null(rows, row, column))
		return 0;
	switch (type_of(rows, column)) {
	case OID_INT2:
		return (int16_t)get16(bytes);
	case OID_INT4:
		return (int32_t)get32(bytes);
	case OID_OID:
		return get32(bytes);
	case OID_INT8:
		return (int64_t)get64(bytes);
	default:
		mistyped(rows, column, "a number (cast a numeric to bigint)");
	}
}

bool db_get_bool(const struct db_rows *rows, size_t row, size_t column)
{
	if (type_of(rows, column) != OID_BOOL)
		mistyped(rows, column, "a truth value");
	return !db_is_null(rows, row, column) && *PQgetvalue(rows->result, (int)row, (int)column) != 0;
}

int64_t db_get_time(const struct db_rows *rows, size_t row, size_t column)
{
	if (type_of(rows, column) != OID_TIMESTAMPTZ)
		mistyped(rows, column, "a time");
	if (db_is_null(rows, row, column))
		return 0;
	int64_t us = (int64_t)get64(PQgetvalue(rows->result, (int)row, (int)column));
	/* "infinity" stays the greatest. */
	return us > INT64_MAX - DB_EPOCH_US ? INT64_MAX : us + DB_EPOCH_US;
}

double db_get_double(const struct db_rows *rows, size_t row, size_t column)
{
	const char *bytes = PQgetvalue(rows->result, (int)row, (int)column);
	uint32_t bits32;
	uint64_t bits64;
	float small;
	double value;
	if (db_is_null(rows, row, column))
		return 0;
	switch (type_of(rows, column)) {
	case OID_FLOAT4:
		bits32 = get32(bytes);
		memcpy(&small, &bits32, sizeof small);
		return (double)small;
	case OID_FLOAT8:
		bits64 = get64(bytes);
		memcpy(&value, &bits64, sizeof value);
		return value;
	case OID_NUMERIC:
		return numeric_value(bytes);
	default:
		return (double)db_get_int(rows, row, column);
	}
}

struct db_ints db_get_ints(const struct db_rows *rows, size_t row, size_t column)
{
	enum { HEAD = 20, DIMENSIONS = 0, HAS_NULL = 4, COUNT = 12 };
	const char *bytes = PQgetvalue(rows->result, (int)row, (int)column);
	if (type_of(rows, column) != OID_INT8_ARRAY)
		mistyped(rows, column, "numbers");
	if (db_is_null(rows, row, column) || get32(bytes + DIMENSIONS) == 0)
		return (struct db_ints){ 0 };
	if (get32(bytes + DIMENSIONS) != 1 || get32(bytes + HAS_NULL) != 0)
		mistyped(rows, column, "a row of numbers");
	return (struct db_ints){ .bytes = bytes + HEAD, .count = get32(bytes + COUNT) };
}

int64_t db_int_at(const struct db_ints *ints, size_t at)
{
	enum { LENGTH = 4, ELEMENT = LENGTH + 8 };
	return (int64_t)get64(ints->bytes + at * ELEMENT + LENGTH);
}

struct view db_get_text(const struct db_rows *rows, size_t row, size_t column)
{
	struct view bytes = view_from(PQgetvalue(rows->result, (int)row, (int)column),
				      (size_t)PQgetlength(rows->result, (int)row, (int)column));
	if (db_is_null(rows, row, column))
		return (struct view){ 0 };
	switch (type_of(rows, column)) {
	case OID_UUID: {
		size_t uuid_columns = uuid_rank(rows, (size_t)PQnfields(rows->result));
		size_t index = row * uuid_columns + uuid_rank(rows, column);
		return view_from(rows->uuids + index * UUID_TEXT, UUID_TEXT);
	}
	case OID_JSONB:
		return view_skip(bytes, 1); /* the format's version */
	case OID_BOOL:
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_OID:
	case OID_FLOAT4:
	case OID_FLOAT8:
	case OID_NUMERIC:
	case OID_DATE:
	case OID_TIMESTAMP:
	case OID_TIMESTAMPTZ:
	case OID_INTERVAL:
	case OID_INET:
	case OID_BOOL_ARRAY:
	case OID_BYTEA_ARRAY:
	case OID_INT2_ARRAY:
	case OID_INT4_ARRAY:
	case OID_INT8_ARRAY:
	case OID_TEXT_ARRAY:
	case OID_TIMESTAMPTZ_ARRAY:
	case OID_UUID_ARRAY:
		mistyped(rows, column, "a text (cast it to text)");
	default:
		return bytes; /* text and its kin, bytea, and enums by their label */
	}
}

enum err db_find(struct db *db, const struct db_statement *statement, const struct db_value *values, size_t count,
		 struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	enum err err = db_run(db, statement, values, count, &rows, why);
	if (err == ERR_OK && db_row_count(rows) == 0)
		err = ERR_NOT_FOUND;
	if (err != ERR_OK) {
		db_rows_done(rows);
		rows = NULL;
	}
	*ret_rows = rows;
	return err;
}
