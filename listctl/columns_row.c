#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "listctl/columns_private.h"
#include "listctl/csv_guard.h"
#include "listctl/json_text.h"
#include "mail/address.h"
#include "mail/header.h"

enum { CONSENT_SOURCE_MOST = 200, EPOCH_LEAST = 9, EPOCH_MOST = 10 };

static const struct {
	const char *name;
	bool is_harmless;
} refusals[] = {
	[REFUSAL_FIELDS] = { "wrong number of fields", false },
	[REFUSAL_ADDRESS] = { "bad address", false },
	[REFUSAL_CONTROL] = { "control character", false },
	[REFUSAL_LONG] = { "too long", false },
	[REFUSAL_UNNAMED] = { "value in an unnamed column", false },
	[REFUSAL_ENCODED] = { "encoded word", false },
	[REFUSAL_VALUE] = { "value of another type", false },
	[REFUSAL_STATE] = { "unknown state", false },
	[REFUSAL_QUOTE] = { "quotation mark", false },
	[REFUSAL_BIG] = { "too long or too many fields", false },
	[REFUSAL_ENCODING] = { "bad octet", false },
	[REFUSAL_NUL] = { "NUL octet", false },
	[REFUSAL_JSON] = { "no JSON object about a person", false },
	[REFUSAL_RULE] = { "refused by a rule on addresses", false },
	[REFUSAL_LEFT] = { "has left or bounced", true },
	[REFUSAL_PENDING] = { "has not confirmed", true },
	[REFUSAL_NO_MAIL] = { "receives nothing there", true },
	[REFUSAL_NEVER] = { "never subscribed there", true },
	[REFUSAL_DOUBT] = { "not said to be written to", true },
	[REFUSAL_FORMER] = { "former address", true },
};
static_assert(ARRAY_LEN(refusals) == REFUSAL_KIND_COUNT, "one name a kind");

const char *refusal_name(enum refusal_kind kind)
{
	return refusals[kind].name;
}

bool refusal_is_harmless(enum refusal_kind kind)
{
	return refusals[kind].is_harmless;
}

bool columns_refuse(struct columns *columns, enum refusal_kind kind, const char *column, const char *text,
		    struct refusal *ret_refusal)
{
	if (text != NULL)
		buf_addf(&columns->text, "%s", text);
	*ret_refusal = (struct refusal){ .kind = kind, .column = column, .text = buf_view(&columns->text) };
	return false;
}

/* ---- single fields ---- */

static bool read_address(struct columns *columns, const struct column *column, struct view text,
			 struct refusal *ret_refusal)
{
	if (address_parse(text, &columns->address, &columns->text) != ERR_OK ||
	    address_key(buf_view(&columns->address), &columns->key) != ERR_OK)
		return columns_refuse(columns, REFUSAL_ADDRESS, column->name,
				      columns->text.len == 0 ? "it is not an address" : NULL, ret_refusal);
	return true;
}

/* What no header takes would cost its owner every letter that shows it there, as each To field does. */
static bool check_text(struct columns *columns, const struct column *column, struct view text,
		       struct refusal *ret_refusal)
{
	bool may_have_lines = column->role == ROLE_ATTRIBUTE || column->role == ROLE_LEFT_OUT;
	bool is_plain = view_is_ascii(text) && !view_has_control(text);
	if (!is_plain && !(may_have_lines ? header_takes_lines(text) : header_takes(text)))
		return columns_refuse(
		    columns, REFUSAL_CONTROL, column->name,
		    may_have_lines
			? "the value holds a control character other than line breaks and tabs (U+0080 to U+009F, "
			  "perhaps, from a file in Windows-1252 that was converted as Latin-1); take it out"
			: "the value holds a control character (a line break or a tab, perhaps, or U+0080 to U+009F "
			  "from a file in Windows-1252 that was converted as Latin-1); take it out",
		    ret_refusal);
	if (header_has_encoded_word(text))
		return columns_refuse(
		    columns, REFUSAL_ENCODED, column->name,
		    "the value holds an encoded word of a mail header, such as =?utf-8?Q?J=C3=B6rg?=; write the "
		    "name itself",
		    ret_refusal);
	return true;
}

static void add_name(struct columns *columns, struct view part)
{
	part = view_trim(part);
	if (columns->name.len > 0 && part.len > 0)
		buf_add_byte(&columns->name, ' ');
	buf_add(&columns->name, part);
}

void columns_begin_attribute(struct columns *columns)
{
	if (columns->attributes.len > 1)
		buf_add_byte(&columns->attributes, ',');
}

bool columns_read_time(struct view text, enum date_order order, int64_t *ret_us, struct buf *why)
{
	uint64_t seconds;
	struct field_date date;
	text = view_trim(text);
	if (text.len >= EPOCH_LEAST && text.len <= EPOCH_MOST && view_to_u64(text, UINT32_MAX, &seconds)) {
		*ret_us = (int64_t)seconds * 1000000;
		return true;
	}
	if (!field_date_read(text, order, &date, why))
		return false;
	*ret_us = field_date_us(&date);
	if (*ret_us > 0)
		return true;
	buf_add(why, VIEW_LIT("nobody agreed to anything before 1970"));
	return false;
}

static bool read_consent_time(struct columns *columns, const struct column *column, struct view text,
			      struct refusal *ret_refusal)
{
	int64_t *us = column->role == ROLE_CONSENT_TIME ? &columns->consent_us : &columns->opt_in_us;
	if (view_trim(text).len == 0)
		return true;
	if (!columns_read_time(text, columns->date_order, us, &columns->text))
		return columns_refuse(columns, REFUSAL_VALUE, column->name, NULL, ret_refusal);
	/* A day is what clocks and time zones may differ by. */
	if (columns->now_us == 0 || *us <= columns->now_us + CLOCK_US_PER_DAY)
		return true;
	return columns_refuse(columns, REFUSAL_VALUE, column->name,
			      "the time of a consent lies in the future; correct it, or empty the cell", ret_refusal);
}

static bool read_consent_source(struct columns *columns, const struct column *column, struct view text,
				struct refusal *ret_refusal)
{
	text = view_trim(text);
	if (text.len > CONSENT_SOURCE_MOST)
		return columns_refuse(columns, REFUSAL_VALUE, column->name,
				      "the source of a consent has 200 octets at most", ret_refusal);
	buf_add(&columns->consent_source, text);
	return true;
}

/* Other managers' exports have empty cells in quotation marks where nothing is known. */
static bool says_nothing(const struct columns *columns, const struct column *column, const struct csv_field *field,
			 struct view text)
{
	bool may_be_empty = column->type == FIELD_TEXT && columns->known == NULL;
	return field->absent || (!may_be_empty && view_trim(text).len == 0);
}

/* An export tells all tags of everybody: who has lost the last one has an empty cell. */
static bool has_no_tags(const struct columns *columns, const struct column *column, struct view text)
{
	return columns->known != NULL && column->type == FIELD_TAGS && view_trim(text).len == 0;
}

static bool read_attribute(struct columns *columns, const struct column *column, const struct csv_field *field,
			   struct view text, struct refusal *ret_refusal)
{
	bool is_none = has_no_tags(columns, column, text);
	if (!is_none && says_nothing(columns, column, field, text))
		return true;
	if (column->type == FIELD_JSON && json_text_hides_control(view_trim(text)))
		return columns_refuse(columns, REFUSAL_CONTROL, column->name, columns_hidden_control, ret_refusal);
	columns_begin_attribute(columns);
	buf_add(&columns->attributes, column_key(columns, column));
	if (is_none) {
		buf_add(&columns->attributes, VIEW_LIT("[]"));
		return true;
	}
	if (field_type_add(column->type, columns->date_order, text, &columns->attributes, &columns->text))
		return true;
	return columns_refuse(columns, REFUSAL_VALUE, column->name, NULL, ret_refusal);
}

/* ---- a row ---- */

static bool read_field(struct columns *columns, const struct column *column, const struct csv_field *field,
		       struct refusal *ret_refusal)
{
	if (column->role == ROLE_LEFT_OUT)
		return true;
	struct view text = csv_guard_removed(field->text);
	if (column->role == ROLE_ADDRESS)
		return read_address(columns, column, text, ret_refusal);
	bool is_json = column->role == ROLE_OBJECT || column->type == FIELD_JSON;
	if (!is_json && !check_text(columns, column, text, ret_refusal))
		return false;
	switch (column->role) {
	case ROLE_UNNAMED:
		return view_trim(text).len == 0 ||
		       columns_refuse(columns, REFUSAL_UNNAMED, "",
				      "the column has no name in the header; name it or empty it", ret_refusal);
	case ROLE_NAME:
		add_name(columns, text);
		return true;
	case ROLE_ATTRIBUTE:
	case ROLE_FIRST_NAME:
	case ROLE_LAST_NAME:
		return read_attribute(columns, column, field, text, ret_refusal);
	case ROLE_CONSENT_SOURCE:
		return read_consent_source(columns, column, text, ret_refusal);
	case ROLE_CONSENT_TIME:
	case ROLE_OPT_IN_TIME:
		return read_consent_time(columns, column, text, ret_refusal);
	case ROLE_OBJECT:
		return columns_read_object(columns, column, text, ret_refusal);
	case ROLE_STATUS: /* columns_check_states() */
	case ROLE_LEFT_AT:
	case ROLE_RECEPTION:
	case ROLE_SUSPENDED:
	case ROLE_SUSPENDED_FROM:
	case ROLE_SUSPENDED_UNTIL:
	case ROLE_ADDRESS:
	case ROLE_MAYBE_ADDRESS:
	case ROLE_LEFT_OUT:
	case ROLE_COUNT:
		break;
	}
	return true;
}

/* First name before last name, however the columns stand. */
static void join_name(struct columns *columns, const struct csv_row *row)
{
	const size_t order[] = { columns->first_name, columns->last_name };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (order[i] < columns->count)
			add_name(columns, csv_guard_removed(row->fields[order[i]].text));
	}
}

/* Empty fields beyond the last column are what spreadsheets leave there. */
static bool check_count(struct columns *columns, const struct csv_row *row, struct refusal *ret_refusal)
{
	size_t count = row->count;
	while (count > columns->count && row->fields[count - 1].absent)
		count--;
	if (count == columns->count)
		return true;
	size_t own = columns_first_counted(columns);
	if (own > 0 && count == own + 1) {
		buf_addf(&columns->text,
			 "the line stands whole in the first column, as it could not be read; write it into the %zu "
			 "columns behind _reason, or where it was a line of JSON, mend the object in its place",
			 columns->count - own);
		return columns_refuse(columns, REFUSAL_FIELDS, "", NULL, ret_refusal);
	}
	buf_addf(&columns->text, "the row has %zu field%s where the header has %zu%s", count, count == 1 ? "" : "s",
		 columns->count,
		 count > columns->count ? "; does one hold the delimiter without quotation marks?" : "");
	return columns_refuse(columns, REFUSAL_FIELDS, "", NULL, ret_refusal);
}

static void reset(struct columns *columns)
{
	buf_reset(&columns->address);
	buf_reset(&columns->key);
	buf_reset(&columns->name);
	buf_reset(&columns->attributes);
	buf_reset(&columns->text);
	buf_reset(&columns->consent_source);
	columns->consent_us = columns->opt_in_us = 0;
	buf_add_byte(&columns->attributes, '{');
}

bool columns_read(struct columns *columns, const struct csv_row *row, struct person *ret_person,
		  struct refusal *ret_refusal)
{
	reset(columns);
	if (!check_count(columns, row, ret_refusal) || !columns_check_states(columns, row, ret_refusal))
		return false;
	for (size_t i = 0; i < columns->count; i++) {
		if (!read_field(columns, &columns->rows[i], &row->fields[i], ret_refusal))
			return false;
	}
	if (!columns->has_name)
		join_name(columns, row);
	buf_add_byte(&columns->attributes, '}');
	if (buf_err(&columns->attributes) != ERR_OK || buf_err(&columns->name) != ERR_OK)
		return columns_refuse(columns, REFUSAL_LONG, "",
				      "the row holds more than the 64 KB that one person may have", ret_refusal);
	int64_t consent_us = columns->consent_us != 0 ? columns->consent_us : columns->opt_in_us;
	*ret_person = (struct person){
		.address = buf_view(&columns->address),
		.address_key = buf_view(&columns->key),
		.name = buf_view(&columns->name),
		.attributes = buf_view(&columns->attributes),
		.consent_source = buf_view(&columns->consent_source),
		.consent_us = consent_us,
	};
	if (ret_person->consent_source.len == 0 && consent_us != 0 && columns->known != NULL)
		ret_person->consent_source = view_of(columns->known->consent);
	return true;
}

bool columns_read_key(struct columns *columns, const struct csv_row *row, struct view *ret_key)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	for (size_t i = 0; i < columns->count && i < row->count; i++) {
		if (columns->rows[i].role != ROLE_ADDRESS)
			continue;
		buf_reset(&columns->address);
		buf_reset(&columns->key);
		if (address_parse(csv_guard_removed(row->fields[i].text), &columns->address, &why) != ERR_OK ||
		    address_key(buf_view(&columns->address), &columns->key) != ERR_OK)
			return false;
		*ret_key = buf_view(&columns->key);
		return true;
	}
	return false;
}
