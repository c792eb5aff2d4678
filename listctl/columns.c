#include "listctl/columns.h"

#include <stdlib.h>
#include <string.h>

#include "listctl/attribute_header.h"
#include "listctl/columns_private.h"
#include "listctl/csv_guard.h"
#include "listctl/output.h"
#include "mail/address.h"

enum {
	KEYS_MOST = 6 * (2 * LIMIT_CSV_ROW), /* each octet of a name perhaps as \\u0001 */
	MEMBER_LEAST = 4,                    /* octets of a member of a JSON object, with its comma: "":1 */
};

bool columns_is_address_name(struct view header)
{
	return column_name_is_address(header);
}

/* ---- the header ---- */

static size_t find_role(const struct columns *columns, enum role role, size_t from)
{
	while (from < columns->count && columns->rows[from].role != role)
		from++;
	return from;
}

/* For messages: what fits, and no control characters. */
static void show_name(struct view exact, char name[COLUMN_NAME_SIZE])
{
	size_t len = exact.len < COLUMN_NAME_SIZE - 1 ? exact.len : COLUMN_NAME_SIZE - 1;
	while (len > 0 && !view_is_utf8(view_head(exact, len)))
		len--;
	for (size_t i = 0; i < len; i++)
		name[i] = exact.data[i];
	name[len] = '\0';
	if (view_has_control(view_of(name)))
		column_name_normalise(exact, name);
}

/* The column is the attribute that is written so, without the prefix. */
void columns_name_plain(struct columns *columns, struct column *column, struct view written)
{
	column->is_plain = true;
	column->role = ROLE_ATTRIBUTE;
	column->exact_at = columns->exact.len;
	attribute_header_read(written, &columns->exact);
	column->exact_len = columns->exact.len - column->exact_at;
	show_name(column_exact(columns, column), column->name);
}

static void name_column(struct columns *columns, struct column *column, struct view header)
{
	struct view name = field_type_cut(header, &column->type);
	if (attribute_header_cut(&name)) {
		columns_name_plain(columns, column, name);
		return;
	}
	column_name_normalise(name, column->name);
	column->role = view_starts(header, VIEW_LIT("#")) ? ROLE_LEFT_OUT : column_name_role(column->name);
}

static void name_columns(struct columns *columns, const struct csv_row *row)
{
	const char *names[LIMIT_CSV_COLUMNS];
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		name_column(columns, column, view_trim(csv_guard_removed(row->fields[i].text)));
		names[i] = column->is_plain ? "" : column->name;
	}
	columns->known = known_export_find(names, columns->count);
}

static void apply_export(struct columns *columns, const struct csv_row *row)
{
	for (size_t i = 0; columns->known != NULL && i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		const struct known_column *known =
		    known_export_column(columns->known, row->fields[i].text, column->name);
		if (known == NULL || column->is_plain)
			continue;
		column->role = known->role;
		column->type = known->type;
	}
}

/* What probably is wrong when no column is called like an address. */
static enum err no_address_column(const struct csv_row *row, const char *input_name, struct buf *why)
{
	buf_addf(why, "%s, line %llu: ", input_name, (unsigned long long)row->line);
	for (size_t i = 0; i < row->count; i++) {
		if (view_find_byte(row->fields[i].text, '@') != VIEW_NONE) {
			buf_addf(why,
				 "there is no header row, an address stands in its place; add a first line such as "
				 "email,name, or write one address a line");
			return ERR_INVALID;
		}
	}
	buf_addf(why, "no column of the header is called email or the like; rename the one with the addresses, say "
		      "--map 'NAME=email', or, if it is no header, --header no");
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
			 "%s, line %llu: columns %zu and %zu both look like the address; say --map '#%zu=email' or "
			 "--map '#%zu=email'",
			 input_name, (unsigned long long)row->line, first + 1, second + 1, first + 1, second + 1);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < columns->count; i++) {
		if (columns->rows[i].role == ROLE_MAYBE_ADDRESS)
			columns->rows[i].role = ROLE_ATTRIBUTE;
	}
	columns->rows[first].role = ROLE_ADDRESS;
	return ERR_OK;
}

static enum err check_name(const struct columns *columns, size_t i, const struct csv_row *row, const char *input_name,
			   struct buf *why)
{
	const struct column *column = &columns->rows[i];
	if (column->is_plain && view_find_byte(column_exact(columns, column), '\0') != VIEW_NONE) {
		buf_addf(why, "%s, line %llu: the name of column %zu holds NUL, which no attribute has", input_name,
			 (unsigned long long)row->line, i + 1);
		return ERR_INVALID;
	}
	if (column->role == ROLE_UNNAMED && view_trim(row->fields[i].text).len > 0) {
		buf_addf(why,
			 "%s, line %llu: the name of column %zu has no letter of a to z; rename it, as it becomes a "
			 "merge field, say --map '#%zu=NAME', or put attribute: in front to keep the name as it is",
			 input_name, (unsigned long long)row->line, i + 1, i + 1);
		return ERR_INVALID;
	}
	if (column_is_attribute(column) && column_name_is_taken(column->name) && !column->is_plain) {
		buf_addf(why,
			 "%s, line %llu: column %zu is called %s, which templates use for something else; "
			 "rename it, or say --map '#%zu=NAME'",
			 input_name, (unsigned long long)row->line, i + 1, column->name, i + 1);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* Some meanings stand once in a row. */
static bool is_single(enum role role)
{
	return role >= ROLE_NAME && role < ROLE_LEFT_OUT && role != ROLE_LEFT_AT;
}

static enum err check_column(const struct columns *columns, size_t i, const struct csv_row *row, const char *input_name,
			     struct buf *why)
{
	const struct column *column = &columns->rows[i];
	enum err err = check_name(columns, i, row, input_name, why);
	for (size_t j = 0; err == ERR_OK && j < i; j++) {
		const struct column *other = &columns->rows[j];
		bool same_name = column_is_attribute(column) && column_is_attribute(other) &&
				 view_eq(column_key(columns, column), column_key(columns, other));
		if (!same_name && (other->role != column->role || !is_single(column->role)))
			continue;
		buf_addf(why,
			 "%s, line %llu: columns %zu and %zu both mean %s; rename one of them, or say --map '#%zu=-'",
			 input_name, (unsigned long long)row->line, j + 1, i + 1, column->name, i + 1);
		err = ERR_INVALID;
	}
	return err;
}

/* False: it tells nothing of who is written to. */
static bool prepare_state(struct column *column, bool is_known)
{
	enum state_column state = state_column_of(column->name);
	bool tells = column->role == ROLE_STATUS || column->role == ROLE_RECEPTION;
	column->may_tell_state = column->role == ROLE_ATTRIBUTE && !column->is_plain && state != STATE_COLUMN_NONE;
	column->tells_state = column->may_tell_state && is_known;
	if (column->role == ROLE_RECEPTION)
		state = STATE_COLUMN_RECEPTION;
	else if (tells && state == STATE_COLUMN_NONE)
		state = STATE_COLUMN_WORD;
	column->state = state;
	return tells || column->role == ROLE_LEFT_AT || column->may_tell_state;
}

/* What rows need at hand. The names of persons keep theirs as attributes, so that a letter can begin with them in whatever language they are. */
static void prepare(struct columns *columns, const struct csv_row *row, const struct column_wishes *wishes)
{
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		if (column->role == ROLE_FIRST_NAME)
			memcpy(column->name, "first_name", sizeof("first_name"));
		if (column->role == ROLE_LAST_NAME)
			memcpy(column->name, "last_name", sizeof("last_name"));
		column->key_at = columns->keys.len;
		output_json_string(&columns->keys,
				   column->is_plain ? column_exact(columns, column) : view_of(column->name));
		buf_add_byte(&columns->keys, ':');
		column->key_len = columns->keys.len - column->key_at;
		if (prepare_state(column, wishes != NULL && wishes->states != NULL && wishes->states[i]))
			columns->states[columns->state_count++] = i;
		buf_add(&columns->header, row->fields[i].text);
		buf_add_byte(&columns->header, '\0');
	}
	columns->has_name = find_role(columns, ROLE_NAME, 0) < columns->count;
	columns->first_name = find_role(columns, ROLE_FIRST_NAME, 0);
	columns->last_name = find_role(columns, ROLE_LAST_NAME, 0);
	columns->suspended = find_role(columns, ROLE_SUSPENDED, 0);
	columns->suspended_from = find_role(columns, ROLE_SUSPENDED_FROM, 0);
	columns->suspended_until = find_role(columns, ROLE_SUSPENDED_UNTIL, 0);
}

static enum err settle(struct columns *columns, const struct csv_row *row, const char *input_name,
		       const struct column_wishes *wishes, struct buf *why)
{
	enum err err = ERR_OK;
	name_columns(columns, row);
	apply_export(columns, row);
	if (wishes != NULL)
		err = columns_apply_maps(columns, row, wishes, input_name, why);
	if (err == ERR_OK)
		err = settle_address(columns, row, input_name, why);
	if (err == ERR_OK)
		prepare(columns, row, wishes);
	if (columns->known != NULL && (wishes == NULL || !wishes->is_status_said)) {
		columns->file_standing = known_export_standing(columns->known, input_name);
		columns->wants_consent = columns->known->tells_consent;
	}
	for (size_t i = 0; err == ERR_OK && i < columns->count; i++)
		err = check_column(columns, i, row, input_name, why);
	if (err == ERR_OK && wishes != NULL)
		err = columns_apply_types(columns, wishes, input_name, row->line, why);
	if (err == ERR_OK)
		err = buf_err(&columns->header);
	if (err == ERR_OK)
		err = buf_err(&columns->exact);
	return err == ERR_OK ? buf_err(&columns->keys) : err;
}

enum err columns_from_header(const struct csv_row *row, const char *input_name, const struct column_wishes *wishes,
			     struct columns **ret_columns, struct buf *why)
{
	struct columns *columns = calloc(1, sizeof(*columns));
	if (columns == NULL)
		return ERR_MEMORY;
	columns->count = row->count;
	columns->date_order = wishes == NULL ? DATE_ORDER_UNKNOWN : wishes->date_order;
	columns->file_standing = STANDING_UNKNOWN;
	columns->takes_pending = wishes != NULL && wishes->takes_pending;
	columns->now_us = wishes == NULL ? 0 : wishes->now_us;
	columns->header = buf_with_ceiling(LIMIT_CSV_ROW + LIMIT_CSV_COLUMNS);
	columns->exact = buf_with_ceiling(2 * LIMIT_CSV_ROW);
	columns->keys = buf_with_ceiling(KEYS_MOST);
	columns->members = buf_with_ceiling(LIMIT_CSV_FIELD / MEMBER_LEAST * COLUMN_NAME_SIZE);
	columns->address = buf_with_ceiling(LIMIT_ADDRESS);
	columns->key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	columns->name = buf_with_ceiling(2 * LIMIT_CSV_FIELD + 1);
	columns->attributes = buf_with_ceiling(LIMIT_ATTRIBUTES);
	columns->text = buf_with_ceiling(LIMIT_WHY);
	columns->consent_source = buf_with_ceiling(LIMIT_CSV_FIELD);
	enum err err = settle(columns, row, input_name, wishes, why);
	if (err != ERR_OK) {
		columns_free(columns);
		return err;
	}
	*ret_columns = columns;
	return ERR_OK;
}

void columns_free(struct columns *columns)
{
	if (columns == NULL)
		return;
	buf_done(&columns->header);
	buf_done(&columns->exact);
	buf_done(&columns->keys);
	buf_done(&columns->members);
	buf_done(&columns->address);
	buf_done(&columns->key);
	buf_done(&columns->name);
	buf_done(&columns->attributes);
	buf_done(&columns->text);
	buf_done(&columns->consent_source);
	free(columns);
}

size_t columns_address_at(const struct columns *columns)
{
	return find_role(columns, ROLE_ADDRESS, 0);
}

const char *columns_address_name(const struct columns *columns)
{
	size_t at = columns_address_at(columns);
	return at < columns->count ? columns->rows[at].name : "";
}

const struct known_export *columns_export(const struct columns *columns)
{
	return columns->known;
}

void columns_left_out(const struct columns *columns, struct buf *names)
{
	struct view rest = buf_view(&columns->header), field;
	for (size_t i = 0; i < columns->count && view_cut(&rest, '\0', &field); i++) {
		const struct column *column = &columns->rows[i];
		if (column->role == ROLE_LEFT_OUT && !column->is_wished && i >= columns_first_counted(columns))
			buf_addf(names, "%s" VIEW_FMT, names->len == 0 ? "" : ", ", VIEW_ARG(view_head(field, 60)));
	}
}

bool columns_is_header(const struct columns *columns, const struct csv_row *row)
{
	struct view rest = buf_view(&columns->header), field;
	if (row->count != columns->count)
		return false;
	for (size_t i = 0; i < row->count; i++) {
		if (!view_cut(&rest, '\0', &field) || !view_eq(field, row->fields[i].text))
			return false;
	}
	return true;
}
