#include "listctl/columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/csv_guard.h"
#include "listctl/output.h"
#include "mail/address.h"
#include "mail/header.h"

enum { NAME_SIZE = 64 };

enum role {
	ROLE_ATTRIBUTE,
	ROLE_ADDRESS,
	ROLE_MAYBE_ADDRESS, /* an address column when there is no better one, else an attribute */
	ROLE_NAME,
	ROLE_FIRST_NAME, /* also kept as attributes: letters begin with them */
	ROLE_LAST_NAME,
	ROLE_STATE,
	ROLE_LEFT_OUT,
	ROLE_UNNAMED,
	ROLE_COUNT
};

static const struct known_name {
	const char *name;
	enum role role;
} known_names[] = {
	{ "email", ROLE_ADDRESS },
	{ "e_mail", ROLE_ADDRESS },
	{ "email_address", ROLE_ADDRESS },
	{ "e_mail_address", ROLE_ADDRESS },
	{ "emailaddress", ROLE_ADDRESS },
	{ "mail_address", ROLE_ADDRESS },
	{ "subscriber_email", ROLE_ADDRESS },
	{ "address", ROLE_MAYBE_ADDRESS },
	{ "mail", ROLE_MAYBE_ADDRESS },
	{ "recipient", ROLE_MAYBE_ADDRESS },
	{ "name", ROLE_NAME },
	{ "full_name", ROLE_NAME },
	{ "fullname", ROLE_NAME },
	{ "display_name", ROLE_NAME },
	{ "subscriber_name", ROLE_NAME },
	{ "first_name", ROLE_FIRST_NAME },
	{ "firstname", ROLE_FIRST_NAME },
	{ "given_name", ROLE_FIRST_NAME },
	{ "forename", ROLE_FIRST_NAME },
	{ "last_name", ROLE_LAST_NAME },
	{ "lastname", ROLE_LAST_NAME },
	{ "surname", ROLE_LAST_NAME },
	{ "family_name", ROLE_LAST_NAME },
	{ "_state", ROLE_STATE },
};

/* Words that templates know by themselves. */
static const char *const taken_names[] = { "email", "name", "list", "campaign", "unsubscribe" };

static const char *const refusal_names[] = {
	[REFUSAL_FIELDS] = "wrong number of fields",
	[REFUSAL_ADDRESS] = "bad address",
	[REFUSAL_CONTROL] = "control character",
	[REFUSAL_LONG] = "too long",
	[REFUSAL_UNNAMED] = "value in an unnamed column",
	[REFUSAL_STATE] = "not an active member",
	[REFUSAL_ENCODED] = "encoded word",
};
static_assert(ARRAY_LEN(refusal_names) == REFUSAL_KIND_COUNT, "one name a kind");

struct column {
	enum role role;
	char name[NAME_SIZE];
};

struct columns {
	size_t count;
	struct column rows[LIMIT_CSV_COLUMNS];
	bool has_name; /* a name column makes first and last name plain attributes */
	struct buf address, key, name, attributes, text;
};

const char *refusal_name(enum refusal_kind kind)
{
	return refusal_names[kind];
}

/* ---- the header ---- */

/* "E-Mail Address" becomes e_mail_address. A leading _ is kept: it marks the columns that listctl itself writes. */
static void normalise(struct view header, char name[NAME_SIZE])
{
	size_t len = 0;
	bool gap = false;
	header = view_trim(header);
	if (view_starts(header, VIEW_LIT("_")))
		name[len++] = '_';
	for (size_t i = 0; i < header.len && len < NAME_SIZE - 2; i++) {
		char byte = header.data[i];
		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
		if (letter && gap && len > 0 && name[len - 1] != '_')
			name[len++] = '_';
		gap = !letter;
		if (letter)
			name[len++] = byte;
	}
	name[len] = '\0';
}

static enum role role_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known_names); i++) {
		if (strcmp(known_names[i].name, name) == 0)
			return known_names[i].role;
	}
	if (name[0] == '\0')
		return ROLE_UNNAMED;
	return name[0] == '_' ? ROLE_LEFT_OUT : ROLE_ATTRIBUTE;
}

bool columns_is_address_name(struct view header)
{
	char name[NAME_SIZE];
	normalise(header, name);
	enum role role = role_of(name);
	return role == ROLE_ADDRESS || role == ROLE_MAYBE_ADDRESS;
}

static size_t find_role(const struct columns *columns, enum role role, size_t from)
{
	while (from < columns->count && columns->rows[from].role != role)
		from++;
	return from;
}

/* What probably is wrong when no column is called like an address. */
static enum err no_address_column(const struct csv_row *row, const char *input_name, struct buf *why)
{
	buf_addf(why, "%s, line %llu: ", input_name, (unsigned long long)row->line);
	for (size_t i = 0; i < row->count; i++) {
		if (view_find_byte(row->fields[i].text, '@') != VIEW_NONE) {
			buf_addf(why,
				 "there is no header row, an address stands in its place; add a first line such as "
				 "email,name");
			return ERR_INVALID;
		}
	}
	buf_addf(why, "no column of the header is called email or the like; rename the one with the addresses or say "
		      "--address-column NAME");
	if (row->count == 1 && view_find_byte(row->fields[0].text, ';') != VIEW_NONE)
		buf_addf(why, " (the header holds semicolons: try --delimiter ';')");
	else if (row->count == 1 && view_find_byte(row->fields[0].text, '\t') != VIEW_NONE)
		buf_addf(why, " (the header holds tabs: try --delimiter tab)");
	return ERR_INVALID;
}

/* Chooses the one address column; other candidates become attributes. */
static enum err settle_address(struct columns *columns, const struct csv_row *row, const char *input_name,
			       struct buf *why)
{
	enum role best = find_role(columns, ROLE_ADDRESS, 0) < columns->count ? ROLE_ADDRESS : ROLE_MAYBE_ADDRESS;
	size_t first = find_role(columns, best, 0);
	if (first == columns->count)
		return no_address_column(row, input_name, why);
	size_t second = find_role(columns, best, first + 1);
	if (second < columns->count) {
		buf_addf(why,
			 "%s, line %llu: columns %zu and %zu both look like the address; say --address-column NAME",
			 input_name, (unsigned long long)row->line, first + 1, second + 1);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < columns->count; i++) {
		if (columns->rows[i].role == ROLE_MAYBE_ADDRESS)
			columns->rows[i].role = ROLE_ATTRIBUTE;
	}
	columns->rows[first].role = ROLE_ADDRESS;
	return ERR_OK;
}

/* Roles by names, all but the address if the caller said which it is. */
static enum err give_roles(struct columns *columns, const struct csv_row *row, const char *input_name,
			   const char *address_column, struct buf *why)
{
	char wanted[NAME_SIZE] = "";
	bool found = false;
	if (address_column != NULL)
		normalise(view_of(address_column), wanted);
	for (size_t i = 0; i < row->count; i++) {
		struct column *column = &columns->rows[i];
		normalise(csv_guard_removed(row->fields[i].text), column->name);
		column->role = role_of(column->name);
		if (address_column == NULL)
			continue;
		if (strcmp(column->name, wanted) == 0) {
			column->role = ROLE_ADDRESS;
			found = true;
		} else if (column->role == ROLE_ADDRESS || column->role == ROLE_MAYBE_ADDRESS) {
			column->role = ROLE_ATTRIBUTE;
		}
	}
	if (address_column == NULL || found)
		return ERR_OK;
	buf_addf(why, "%s, line %llu: no column is called %s, as --address-column says", input_name,
		 (unsigned long long)row->line, address_column);
	return ERR_INVALID;
}

static bool is_attribute(const struct column *column)
{
	return column->role == ROLE_ATTRIBUTE || column->role == ROLE_FIRST_NAME || column->role == ROLE_LAST_NAME;
}

static enum err check_column(const struct columns *columns, size_t i, const struct csv_row *row, const char *input_name,
			     struct buf *why)
{
	const struct column *column = &columns->rows[i];
	if (column->role == ROLE_UNNAMED && view_trim(row->fields[i].text).len > 0) {
		buf_addf(why,
			 "%s, line %llu: the name of column %zu has no letter of a to z; rename it, as it becomes a "
			 "merge field",
			 input_name, (unsigned long long)row->line, i + 1);
		return ERR_INVALID;
	}
	for (size_t j = 0; is_attribute(column) && j < ARRAY_LEN(taken_names); j++) {
		if (strcmp(taken_names[j], column->name) == 0) {
			buf_addf(why,
				 "%s, line %llu: column %zu is called %s, which templates use for something else; "
				 "rename it",
				 input_name, (unsigned long long)row->line, i + 1, column->name);
			return ERR_INVALID;
		}
	}
	for (size_t j = 0; j < i; j++) {
		const struct column *other = &columns->rows[j];
		bool same_name = strcmp(other->name, column->name) == 0 && is_attribute(column);
		bool same_role = other->role == column->role && column->role >= ROLE_NAME && column->role <= ROLE_STATE;
		if (same_name || same_role) {
			buf_addf(why, "%s, line %llu: columns %zu and %zu both mean %s; rename one of them", input_name,
				 (unsigned long long)row->line, j + 1, i + 1, column->name);
			return ERR_INVALID;
		}
	}
	return ERR_OK;
}

enum err columns_from_header(const struct csv_row *row, const char *input_name, const char *address_column,
			     struct columns **ret_columns, struct buf *why)
{
	struct columns *columns = calloc(1, sizeof(*columns));
	if (columns == NULL)
		return ERR_MEMORY;
	columns->count = row->count;
	columns->address = buf_with_ceiling(LIMIT_ADDRESS);
	columns->key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	columns->name = buf_with_ceiling(2 * LIMIT_CSV_FIELD + 1);
	columns->attributes = buf_with_ceiling(LIMIT_ATTRIBUTES);
	columns->text = buf_with_ceiling(LIMIT_WHY);
	enum err err = give_roles(columns, row, input_name, address_column, why);
	if (err == ERR_OK)
		err = settle_address(columns, row, input_name, why);
	for (size_t i = 0; err == ERR_OK && i < columns->count; i++)
		err = check_column(columns, i, row, input_name, why);
	if (err != ERR_OK) {
		columns_free(columns);
		return err;
	}
	columns->has_name = find_role(columns, ROLE_NAME, 0) < columns->count;
	*ret_columns = columns;
	return ERR_OK;
}

void columns_free(struct columns *columns)
{
	if (columns == NULL)
		return;
	buf_done(&columns->address);
	buf_done(&columns->key);
	buf_done(&columns->name);
	buf_done(&columns->attributes);
	buf_done(&columns->text);
	free(columns);
}

/* ---- a row ---- */

static bool refuse(struct columns *columns, enum refusal_kind kind, const char *column, const char *text,
		   struct refusal *ret_refusal)
{
	if (text != NULL)
		buf_addf(&columns->text, "%s", text);
	*ret_refusal = (struct refusal){ .kind = kind, .column = column, .text = buf_view(&columns->text) };
	return false;
}

static bool read_address(struct columns *columns, const struct column *column, struct view text,
			 struct refusal *ret_refusal)
{
	if (address_parse(text, &columns->address, &columns->text) != ERR_OK ||
	    address_key(buf_view(&columns->address), &columns->key) != ERR_OK)
		return refuse(columns, REFUSAL_ADDRESS, column->name,
			      columns->text.len == 0 ? "it is not an address" : NULL, ret_refusal);
	return true;
}

static void add_name(struct columns *columns, struct view part)
{
	part = view_trim(part);
	if (columns->name.len > 0 && part.len > 0)
		buf_add_byte(&columns->name, ' ');
	buf_add(&columns->name, part);
}

static void add_attribute(struct columns *columns, const struct column *column, struct view value)
{
	struct buf *json = &columns->attributes;
	if (json->len > 1)
		buf_add_byte(json, ',');
	output_json_string(json, view_of(column->name));
	buf_add_byte(json, ':');
	output_json_string(json, value);
}

static bool read_field(struct columns *columns, const struct column *column, const struct csv_field *field,
		       struct refusal *ret_refusal)
{
	struct view text = csv_guard_removed(field->text);
	bool is_text = column->role != ROLE_LEFT_OUT && column->role != ROLE_ADDRESS;
	/* What no header takes would cost its owner every letter that shows it there, as each To field does. */
	if (is_text && (view_has_control(text) || (view_is_utf8(text) && !header_takes(text))))
		return refuse(
		    columns, REFUSAL_CONTROL, column->name,
		    "the value holds a control character (a line break or a tab, perhaps, or U+0080 to U+009F "
		    "from a file in Windows-1252 that was converted as Latin-1); take it out",
		    ret_refusal);
	if (is_text && header_has_encoded_word(text))
		return refuse(
		    columns, REFUSAL_ENCODED, column->name,
		    "the value holds an encoded word of a mail header, such as =?utf-8?Q?J=C3=B6rg?=; write the "
		    "name itself",
		    ret_refusal);
	switch (column->role) {
	case ROLE_ADDRESS:
		return read_address(columns, column, text, ret_refusal);
	case ROLE_STATE:
		if (text.len == 0 || view_eq_nocase(view_trim(text), VIEW_LIT("active")))
			return true;
		return refuse(columns, REFUSAL_STATE, column->name,
			      "the row says that the person has left or is not to be written to; only active ones are "
			      "imported",
			      ret_refusal);
	case ROLE_UNNAMED:
		if (view_trim(text).len == 0)
			return true;
		return refuse(columns, REFUSAL_UNNAMED, "", "the column has no name in the header; name it or empty it",
			      ret_refusal);
	case ROLE_NAME:
		add_name(columns, text);
		return true;
	case ROLE_ATTRIBUTE:
	case ROLE_FIRST_NAME:
	case ROLE_LAST_NAME:
		if (!field->absent)
			add_attribute(columns, column, text);
		return true;
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
	static const enum role order[] = { ROLE_FIRST_NAME, ROLE_LAST_NAME };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		size_t at = find_role(columns, order[i], 0);
		if (at < columns->count)
			add_name(columns, csv_guard_removed(row->fields[at].text));
	}
}

static bool check_count(struct columns *columns, const struct csv_row *row, struct refusal *ret_refusal)
{
	if (row->count == columns->count)
		return true;
	buf_addf(&columns->text, "the row has %zu fields where the header has %zu%s", row->count, columns->count,
		 row->count > columns->count ? "; does one hold the delimiter without quotation marks?" : "");
	return refuse(columns, REFUSAL_FIELDS, "", NULL, ret_refusal);
}

bool columns_read(struct columns *columns, const struct csv_row *row, struct person *ret_person,
		  struct refusal *ret_refusal)
{
	buf_reset(&columns->address);
	buf_reset(&columns->key);
	buf_reset(&columns->name);
	buf_reset(&columns->attributes);
	buf_reset(&columns->text);
	buf_add_byte(&columns->attributes, '{');
	if (!check_count(columns, row, ret_refusal))
		return false;
	for (size_t i = 0; i < columns->count; i++) {
		if (!read_field(columns, &columns->rows[i], &row->fields[i], ret_refusal))
			return false;
	}
	if (!columns->has_name)
		join_name(columns, row);
	buf_add_byte(&columns->attributes, '}');
	if (buf_err(&columns->attributes) != ERR_OK || buf_err(&columns->name) != ERR_OK)
		return refuse(columns, REFUSAL_LONG, "", "the row holds more than the 64 KB that one person may have",
			      ret_refusal);
	*ret_person = (struct person){
		.address = buf_view(&columns->address),
		.address_key = buf_view(&columns->key),
		.name = buf_view(&columns->name),
		.attributes = buf_view(&columns->attributes),
	};
	return true;
}
