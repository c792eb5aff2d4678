#include "listctl/columns.h"

#include <stdlib.h>
#include <string.h>

#include "listctl/columns_private.h"
#include "listctl/csv_guard.h"
#include "mail/address.h"

enum { OWN_COLUMNS = 3 /* _line, _column and _reason of a rejects file, which no number counts */ };

bool columns_is_address_name(struct view header)
{
	return column_name_is_address(header);
}

/* ---- wishes ---- */

bool column_map_parse(const char *text, struct column_map *ret_map, struct buf *why)
{
	struct view whole = view_of(text);
	size_t at = view_find_last_byte(whole, '=');
	*ret_map = (struct column_map){ .column = view_head(whole, at), .role = ROLE_ATTRIBUTE };
	if (at == VIEW_NONE || at == 0 || at + 1 == whole.len) {
		buf_addf(why, "--map takes COLUMN=FIELD, such as 'Given=first_name' or '#3=city', not %s", text);
		return false;
	}
	uint64_t number;
	if (text[0] == '#' && view_to_u64(view_slice(whole, 1, at), LIMIT_CSV_COLUMNS, &number) && number > 0)
		ret_map->number = (size_t)number;
	struct view field = view_skip(whole, at + 1);
	ret_map->is_plain = column_name_cut_prefix(&field);
	if (!ret_map->is_plain && column_name_to_role(text + at + 1, &ret_map->role))
		return true;
	column_name_normalise(field, ret_map->name);
	bool is_free = ret_map->is_plain || (ret_map->name[0] != '_' && !column_name_is_taken(ret_map->name));
	if (view_eq(view_of(ret_map->name), field) && is_free)
		return true;
	buf_addf(why,
		 "--map %s: a field is email, name, first_name, last_name, status, consent_source, consent_time, - to "
		 "leave the column out, or an attribute's name in letters a to z, digits and _, with attribute: in "
		 "front where the name would mean something else",
		 text);
	return false;
}

bool column_type_parse(const char *text, struct column_type *ret_type, struct buf *why)
{
	struct view whole = view_of(text);
	size_t at = view_find_last_byte(whole, '=');
	if (at == VIEW_NONE || at == 0 || !field_type_from_name(view_skip(whole, at + 1), &ret_type->type)) {
		buf_addf(why, "--type takes FIELD=number, boolean, date, json, tags or text, not %s", text);
		return false;
	}
	struct view field = view_head(whole, at);
	column_name_cut_prefix(&field);
	column_name_normalise(field, ret_type->name);
	return true;
}

static bool is_meant(const struct column_map *map, struct view header, const struct column *column, size_t number)
{
	char wanted[COLUMN_NAME_SIZE];
	struct view name = map->column;
	bool is_plain = column_name_cut_prefix(&name);
	if (map->number > 0)
		return map->number == number;
	column_name_normalise(name, wanted);
	return view_eq(map->column, header) ||
	       (wanted[0] != '\0' && is_plain == column->is_plain && strcmp(wanted, column->name) == 0);
}

static const struct column_map *wished_map(const struct column_wishes *wishes, struct view header,
					   const struct column *column, size_t number)
{
	for (size_t i = 0; i < wishes->map_count; i++) {
		if (is_meant(&wishes->maps[i], header, column, number))
			return &wishes->maps[i];
	}
	return NULL;
}

/* ---- the header ---- */

static size_t find_role(const struct columns *columns, enum role role, size_t from)
{
	while (from < columns->count && columns->rows[from].role != role)
		from++;
	return from;
}

static bool is_attribute(const struct column *column)
{
	return column->role == ROLE_ATTRIBUTE || column->role == ROLE_FIRST_NAME || column->role == ROLE_LAST_NAME;
}

/* "age:number" is the attribute age, a number. */
static struct view cut_type(struct view header, enum field_type *ret_type)
{
	size_t at = view_find_last_byte(header, ':');
	if (at == VIEW_NONE || at == 0 || !field_type_from_name(view_trim(view_skip(header, at + 1)), ret_type))
		return header;
	return view_head(header, at);
}

static void name_columns(struct columns *columns, const struct csv_row *row)
{
	const char *names[LIMIT_CSV_COLUMNS];
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		struct view header = view_trim(csv_guard_removed(row->fields[i].text));
		struct view name = cut_type(header, &column->type);
		column->is_plain = column_name_cut_prefix(&name);
		column_name_normalise(name, column->name);
		column->role = view_starts(header, VIEW_LIT("#")) ? ROLE_LEFT_OUT : column_name_role(column->name);
		if (column->is_plain && column->role != ROLE_UNNAMED)
			column->role = ROLE_ATTRIBUTE;
		names[i] = column->is_plain ? "" : column->name;
	}
	columns->known = known_export_find(names, columns->count);
}

static void apply_export(struct columns *columns)
{
	for (size_t i = 0; columns->known != NULL && i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		const struct known_column *known = known_export_column(columns->known, column->name);
		if (known == NULL || column->is_plain)
			continue;
		column->role = known->role;
		column->type = known->type;
	}
}

static enum err missing_column(const struct column_map *map, const struct csv_row *row, const char *input_name,
			       struct buf *why)
{
	buf_addf(why, "%s, line %llu: no column is called " VIEW_FMT ", as --map says; there are", input_name,
		 (unsigned long long)row->line, VIEW_ARG(map->column));
	for (size_t i = 0; i < row->count && why->len < LIMIT_WHY - 200; i++)
		buf_addf(why, "%s " VIEW_FMT, i == 0 ? "" : ",", VIEW_ARG(view_head(row->fields[i].text, 60)));
	return ERR_INVALID;
}

static size_t first_counted(const struct columns *columns)
{
	return columns->count > OWN_COLUMNS && strcmp(columns->rows[0].name, "_line") == 0 ? OWN_COLUMNS : 0;
}

static enum err apply_maps(struct columns *columns, const struct csv_row *row, const struct column_wishes *wishes,
			   const char *input_name, struct buf *why)
{
	bool used[COLUMN_WISHES] = { false };
	size_t skipped = first_counted(columns);
	bool maps_address = false;
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		struct view header = view_trim(csv_guard_removed(row->fields[i].text));
		const struct column_map *map = wished_map(wishes, header, column, i >= skipped ? i - skipped + 1 : 0);
		if (map == NULL)
			continue;
		used[map - wishes->maps] = column->is_wished = true;
		column->role = map->role;
		column->is_plain = map->is_plain;
		maps_address |= map->role == ROLE_ADDRESS;
		if (map->role == ROLE_ATTRIBUTE)
			memcpy(column->name, map->name, sizeof(column->name));
	}
	for (size_t i = 0; maps_address && i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		if (!column->is_wished && (column->role == ROLE_ADDRESS || column->role == ROLE_MAYBE_ADDRESS))
			column->role = column_name_is_taken(column->name) ? ROLE_LEFT_OUT : ROLE_ATTRIBUTE;
	}
	for (size_t i = 0; i < wishes->map_count; i++) {
		if (!used[i])
			return missing_column(&wishes->maps[i], row, input_name, why);
	}
	return ERR_OK;
}

static enum err apply_types(struct columns *columns, const struct column_wishes *wishes, const char *input_name,
			    uint64_t line, struct buf *why)
{
	for (size_t i = 0; i < wishes->type_count; i++) {
		bool found = false;
		for (size_t j = 0; j < columns->count; j++) {
			struct column *column = &columns->rows[j];
			if (!is_attribute(column) || strcmp(column->name, wishes->types[i].name) != 0)
				continue;
			column->type = wishes->types[i].type;
			found = true;
		}
		if (!found) {
			buf_addf(why, "%s, line %llu: no column becomes the attribute %s, as --type says", input_name,
				 (unsigned long long)line, wishes->types[i].name);
			return ERR_INVALID;
		}
	}
	return ERR_OK;
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
		      "--map 'NAME=email'");
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

/* --address-column: an older way to say --map NAME=email. */
static enum err apply_address_column(struct columns *columns, const struct csv_row *row, const char *input_name,
				     const char *address_column, struct buf *why)
{
	char wanted[COLUMN_NAME_SIZE];
	bool found = false;
	column_name_normalise(view_of(address_column), wanted);
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		if (strcmp(column->name, wanted) == 0 && !column->is_plain) {
			column->role = ROLE_ADDRESS;
			found = true;
		} else if (column->role == ROLE_ADDRESS || column->role == ROLE_MAYBE_ADDRESS) {
			column->role = ROLE_ATTRIBUTE;
		}
	}
	if (found)
		return ERR_OK;
	buf_addf(why, "%s, line %llu: no column is called %s, as --address-column says", input_name,
		 (unsigned long long)row->line, address_column);
	return ERR_INVALID;
}

static enum err check_name(const struct column *column, size_t i, const struct csv_row *row, const char *input_name,
			   struct buf *why)
{
	if (column->role == ROLE_UNNAMED && view_trim(row->fields[i].text).len > 0) {
		buf_addf(why,
			 "%s, line %llu: the name of column %zu has no letter of a to z; rename it, as it becomes a "
			 "merge field, or say --map '#%zu=NAME'",
			 input_name, (unsigned long long)row->line, i + 1, i + 1);
		return ERR_INVALID;
	}
	if (is_attribute(column) && column_name_is_taken(column->name) && !column->is_plain) {
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
	enum err err = check_name(column, i, row, input_name, why);
	for (size_t j = 0; err == ERR_OK && j < i; j++) {
		const struct column *other = &columns->rows[j];
		bool same_name = is_attribute(column) && is_attribute(other) && strcmp(other->name, column->name) == 0;
		if (!same_name && (other->role != column->role || !is_single(column->role)))
			continue;
		buf_addf(why,
			 "%s, line %llu: columns %zu and %zu both mean %s; rename one of them, or say --map '#%zu=-'",
			 input_name, (unsigned long long)row->line, j + 1, i + 1, column->name, i + 1);
		err = ERR_INVALID;
	}
	return err;
}

/* What rows need at hand. The names of persons keep theirs as attributes, so that a letter can begin with them in whatever language they are. */
static void prepare(struct columns *columns, const struct csv_row *row)
{
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		if (column->role == ROLE_FIRST_NAME)
			memcpy(column->name, "first_name", sizeof("first_name"));
		if (column->role == ROLE_LAST_NAME)
			memcpy(column->name, "last_name", sizeof("last_name"));
		size_t len = strlen(column->name);
		column->key[0] = '"';
		memcpy(column->key + 1, column->name, len);
		memcpy(column->key + 1 + len, "\":", 3);
		column->may_tell_state =
		    column->role == ROLE_ATTRIBUTE && !column->is_plain && standing_is_column_name(column->name);
		if (column->role == ROLE_STATUS || column->role == ROLE_LEFT_AT || column->may_tell_state)
			columns->states[columns->state_count++] = i;
		buf_add(&columns->header, row->fields[i].text);
		buf_add_byte(&columns->header, '\0');
	}
	columns->has_name = find_role(columns, ROLE_NAME, 0) < columns->count;
	columns->first_name = find_role(columns, ROLE_FIRST_NAME, 0);
	columns->last_name = find_role(columns, ROLE_LAST_NAME, 0);
}

static enum err settle(struct columns *columns, const struct csv_row *row, const char *input_name,
		       const struct column_wishes *wishes, struct buf *why)
{
	enum err err = ERR_OK;
	name_columns(columns, row);
	apply_export(columns);
	if (wishes != NULL && wishes->address_column != NULL)
		err = apply_address_column(columns, row, input_name, wishes->address_column, why);
	if (err == ERR_OK && wishes != NULL)
		err = apply_maps(columns, row, wishes, input_name, why);
	if (err == ERR_OK)
		err = settle_address(columns, row, input_name, why);
	if (err == ERR_OK)
		prepare(columns, row);
	for (size_t i = 0; err == ERR_OK && i < columns->count; i++)
		err = check_column(columns, i, row, input_name, why);
	if (err == ERR_OK && wishes != NULL)
		err = apply_types(columns, wishes, input_name, row->line, why);
	return err == ERR_OK ? buf_err(&columns->header) : err;
}

enum err columns_from_header(const struct csv_row *row, const char *input_name, const struct column_wishes *wishes,
			     struct columns **ret_columns, struct buf *why)
{
	struct columns *columns = calloc(1, sizeof(*columns));
	if (columns == NULL)
		return ERR_MEMORY;
	columns->count = row->count;
	columns->date_order = wishes == NULL ? DATE_ORDER_UNKNOWN : wishes->date_order;
	columns->takes_pending = wishes != NULL && wishes->takes_pending;
	columns->header = buf_with_ceiling(LIMIT_CSV_ROW + LIMIT_CSV_COLUMNS);
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
	buf_done(&columns->address);
	buf_done(&columns->key);
	buf_done(&columns->name);
	buf_done(&columns->attributes);
	buf_done(&columns->text);
	buf_done(&columns->consent_source);
	free(columns);
}

const char *columns_address_name(const struct columns *columns)
{
	for (size_t i = 0; i < columns->count; i++) {
		if (columns->rows[i].role == ROLE_ADDRESS)
			return columns->rows[i].name;
	}
	return "";
}

const struct known_export *columns_export(const struct columns *columns)
{
	return columns->known;
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
