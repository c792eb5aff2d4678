#include "store/db_private.h"

#include <endian.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

/* ---- values ---- */

struct db_value db_null(void)
{
	return (struct db_value){ .type = DB_NULL };
}

struct db_value db_bool(bool value)
{
	return (struct db_value){ .type = DB_BOOL, .number = value };
}

struct db_value db_int(int64_t value)
{
	return (struct db_value){ .type = DB_INT, .number = value };
}

struct db_value db_text(struct view value)
{
	return (struct db_value){ .type = DB_TEXT, .bytes = value };
}

struct db_value db_text_or_null(struct view value)
{
	return value.len == 0 ? db_null() : db_text(value);
}

struct db_value db_id_or_null(uint64_t id)
{
	return id == 0 ? db_null() : db_int((int64_t)id);
}

struct db_value db_bytes(struct view value)
{
	return (struct db_value){ .type = DB_BYTES, .bytes = value };
}

struct db_value db_time(int64_t wall_us)
{
	return (struct db_value){ .type = DB_TIME, .number = wall_us };
}

struct db_value db_values(const struct db_array *array)
{
	return (struct db_value){ .type = DB_ARRAY, .array = array };
}

/* ---- the wire: big endian ---- */

static void put32(unsigned char *place, uint32_t number)
{
	number = htobe32(number);
	memcpy(place, &number, sizeof number);
}

static void put64(unsigned char *place, uint64_t number)
{
	number = htobe64(number);
	memcpy(place, &number, sizeof number);
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

/* ---- arrays: a head (dimensions, nulls, element type, count, lower bound), then length and bytes of each element ---- */

enum { ARRAY_HEAD = 20, NULL_LENGTH = -1 };

struct array_row {
	Oid element, array;
};

static const struct array_row array_types[] = {
	[DB_NULL] = { 0, 0 },
	[DB_BOOL] = { OID_BOOL, OID_BOOL_ARRAY },
	[DB_INT] = { OID_INT8, OID_INT8_ARRAY },
	[DB_TEXT] = { OID_TEXT, OID_TEXT_ARRAY },
	[DB_BYTES] = { OID_BYTEA, OID_BYTEA_ARRAY },
	[DB_TIME] = { OID_TIMESTAMPTZ, OID_TIMESTAMPTZ_ARRAY },
	[DB_ARRAY] = { 0, 0 },
};

struct db_array db_array_of(enum db_type type)
{
	return (struct db_array){ .type = type, .body = buf_with_ceiling(LIMIT_DB_PARAMETER) };
}

void db_array_done(struct db_array *array)
{
	buf_done(&array->body);
	array->count = 0;
}

/* The place for one element of len bytes behind its length; NULL when the ceiling is reached. The room for the head is taken with
 * the first element, so that the array is sent from where it stands. */
static unsigned char *element_room(struct db_array *array, int32_t len)
{
	size_t head = array->count == 0 ? ARRAY_HEAD : 0;
	size_t size = head + 4 + (len > 0 ? (size_t)len : 0);
	unsigned char *place = (unsigned char *)buf_room(&array->body, size);
	if (place == NULL)
		return NULL;
	memset(place, 0, head);
	put32(place + head, (uint32_t)len);
	buf_grown(&array->body, size);
	array->count++;
	return place + head + 4;
}

void db_array_add_int(struct db_array *array, int64_t value)
{
	unsigned char *place = element_room(array, array->type == DB_BOOL ? 1 : 8);
	if (place == NULL)
		return;
	if (array->type == DB_BOOL)
		*place = value != 0;
	else
		put64(place, (uint64_t)(array->type == DB_TIME ? value - DB_EPOCH_US : value));
}

void db_array_add_bytes(struct db_array *array, struct view value)
{
	/* A value beyond 32 bits meets the ceiling, not the cast. */
	if (value.len > LIMIT_DB_PARAMETER) {
		if (array->body.err == ERR_OK)
			array->body.err = ERR_TOO_BIG;
		return;
	}
	unsigned char *place = element_room(array, (int32_t)value.len);
	if (place != NULL && value.len > 0)
		memcpy(place, value.data, value.len);
}

void db_array_add_null(struct db_array *array)
{
	array->has_null = true;
	element_room(array, NULL_LENGTH);
}

/* ---- binding ---- */

/* A parameter in its text form, which every type can read; kept in scratch behind a terminator. */
struct text_place {
	struct buf *scratch;
	struct binding *binding;
	size_t index;
};

static void text_begin(const struct text_place *place)
{
	place->binding->in_scratch[place->index] = true;
	place->binding->offsets[place->index] = place->scratch->len;
	place->binding->formats[place->index] = 0;
}

static void text_end(const struct text_place *place)
{
	buf_add_byte(place->scratch, '\0');
}

static void bind_binary(struct binding *binding, size_t index, const void *bytes, size_t len)
{
	binding->values[index] = bytes != NULL ? bytes : "";
	binding->lengths[index] = (int)len;
	binding->formats[index] = 1;
}

static bool fits(int64_t number, Oid type)
{
	switch (type) {
	case OID_INT2:
		return number >= INT16_MIN && number <= INT16_MAX;
	case OID_INT4:
		return number >= INT32_MIN && number <= INT32_MAX;
	default:
		return true;
	}
}

static enum err bind_int(Oid type, int64_t number, const struct text_place *place, struct buf *why)
{
	unsigned char *bytes = place->binding->numbers[place->index];
	if (!fits(number, type)) {
		db_whyf(why, "the number %" PRId64 " is too large for its column", number);
		return ERR_INVALID;
	}
	if (type == OID_INT8) {
		put64(bytes, (uint64_t)number);
		bind_binary(place->binding, place->index, bytes, 8);
	} else if (type == OID_INT4) {
		put32(bytes, (uint32_t)number);
		bind_binary(place->binding, place->index, bytes, 4);
	} else {
		text_begin(place);
		buf_addf(place->scratch, "%" PRId64, number);
		text_end(place);
	}
	return ERR_OK;
}

static enum err bind_bool(Oid type, bool value, const struct text_place *place)
{
	unsigned char *bytes = place->binding->numbers[place->index];
	if (type != OID_BOOL)
		return bind_int(type, value, place, NULL);
	*bytes = value;
	bind_binary(place->binding, place->index, bytes, 1);
	return ERR_OK;
}

static enum err bind_time(Oid type, int64_t wall_us, const struct text_place *place, struct buf *why)
{
	unsigned char *bytes = place->binding->numbers[place->index];
	if (type != OID_TIMESTAMPTZ) {
		db_whyf(why, "a time was given where the statement takes type %u", type);
		return ERR_INVALID;
	}
	put64(bytes, (uint64_t)(wall_us - DB_EPOCH_US));
	bind_binary(place->binding, place->index, bytes, 8);
	return ERR_OK;
}

static enum err bind_text(Oid type, struct view text, const struct text_place *place, struct buf *why)
{
	switch (type) {
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_BPCHAR:
	case OID_NAME:
	case OID_JSON:
	case OID_BYTEA:
		bind_binary(place->binding, place->index, text.data, text.len);
		return ERR_OK;
	default:
		break;
	}
	if (view_find_byte(text, '\0') != VIEW_NONE) {
		db_whyf(why, "a text holds a NUL");
		return ERR_INVALID;
	}
	text_begin(place);
	buf_add(place->scratch, text);
	text_end(place);
	return ERR_OK;
}

/* An element inside {...}: NULL and numbers bare, texts quoted. False for a text that holds a NUL. */
static bool add_element(enum db_type type, struct view bytes, bool is_null, struct buf *out)
{
	if (is_null) {
		buf_add(out, VIEW_LIT("NULL"));
		return true;
	}
	if (type == DB_INT) {
		buf_addf(out, "%" PRId64, (int64_t)get64(bytes.data));
		return true;
	}
	buf_add_byte(out, '"');
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] == '\0')
			return false;
		if (bytes.data[i] == '"' || bytes.data[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, bytes.data[i]);
	}
	buf_add_byte(out, '"');
	return true;
}

/* The text form of an array, for element types that are sent by their text (enum, uuid, jsonb, int4 ...). */
static enum err bind_array_text(const struct db_array *array, const struct text_place *place, struct buf *why)
{
	struct view rest = view_skip(buf_view(&array->body), ARRAY_HEAD);
	bool good = array->count == 0 || array->type == DB_INT || array->type == DB_TEXT;
	text_begin(place);
	buf_add_byte(place->scratch, '{');
	for (size_t i = 0; i < array->count && good; i++) {
		uint32_t len = get32(rest.data);
		bool is_null = len == (uint32_t)NULL_LENGTH;
		if (i > 0)
			buf_add_byte(place->scratch, ',');
		rest = view_skip(rest, 4);
		good = add_element(array->type, view_head(rest, len), is_null, place->scratch);
		rest = view_skip(rest, is_null ? 0 : len);
	}
	buf_add_byte(place->scratch, '}');
	text_end(place);
	if (good)
		return ERR_OK;
	db_whyf(why, "an array's element cannot have the type that the statement takes");
	return ERR_INVALID;
}

static enum err bind_array(Oid type, const struct db_array *array, const struct text_place *place, struct buf *why)
{
	enum err err = buf_err(&array->body);
	if (err != ERR_OK) {
		db_whyf(why, "too much was put into one statement");
		return err;
	}
	if (array->count == 0 || type != array_types[array->type].array)
		return bind_array_text(array, place, why);
	unsigned char *head = (unsigned char *)array->body.data;
	put32(head, 1);
	put32(head + 4, array->has_null);
	put32(head + 8, array_types[array->type].element);
	put32(head + 12, (uint32_t)array->count);
	put32(head + 16, 1);
	bind_binary(place->binding, place->index, head, array->body.len);
	return ERR_OK;
}

static enum err bind_one(Oid type, const struct db_value *value, const struct text_place *place, struct buf *why)
{
	switch (value->type) {
	case DB_NULL:
		return ERR_OK;
	case DB_BOOL:
		return bind_bool(type, value->number != 0, place);
	case DB_INT:
		return bind_int(type, value->number, place, why);
	case DB_TIME:
		return bind_time(type, value->number, place, why);
	case DB_TEXT:
	case DB_BYTES:
		return bind_text(type, value->bytes, place, why);
	case DB_ARRAY:
		return bind_array(type, value->array, place, why);
	}
	return ERR_INVALID;
}

enum err db_bind(const Oid *types, const struct db_value *values, size_t count, struct buf *scratch,
		 struct binding *ret_binding, struct buf *why)
{
	*ret_binding = (struct binding){ 0 };
	buf_reset(scratch);
	for (size_t i = 0; i < count; i++) {
		struct text_place place = { .scratch = scratch, .binding = ret_binding, .index = i };
		enum err err = bind_one(types[i], &values[i], &place, why);
		if (err != ERR_OK)
			return err;
	}
	if (buf_err(scratch) != ERR_OK)
		return buf_err(scratch);
	/* Only now does scratch stand still. */
	for (size_t i = 0; i < count; i++)
		if (ret_binding->in_scratch[i])
			ret_binding->values[i] = scratch->data + ret_binding->offsets[i];
	return ERR_OK;
}
