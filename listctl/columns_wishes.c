#include <string.h>

#include "listctl/attribute_header.h"
#include "listctl/columns_private.h"
#include "listctl/csv_guard.h"

enum { OWN_COLUMNS = 3 /* _line, _column and _reason of a rejects file, which no number counts */ };

/* ---- their texts ---- */

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
	ret_map->is_plain = attribute_header_cut(&field);
	if (ret_map->is_plain ? view_is_utf8(field) && !view_has_control(field)
			      : column_name_to_role(text + at + 1, &ret_map->role)) {
		ret_map->exact = field;
		return true;
	}
	column_name_normalise(field, ret_map->name);
	bool is_free = ret_map->name[0] != '_' && !column_name_is_taken(ret_map->name);
	if (view_eq(view_of(ret_map->name), field) && is_free)
		return true;
	buf_addf(why,
		 "--map %s: a field is email, name, first_name, last_name, status, consent_source, consent_time, - to "
		 "leave the column out, or an attribute's name in letters a to z, digits and _; attribute:NAME is "
		 "an attribute of any name",
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
	ret_type->exact = attribute_header_cut(&field) ? field : VIEW_LIT("");
	column_name_normalise(field, ret_type->name);
	return true;
}

/* ---- whom they mean ---- */

/* Whether the column is the attribute that is written so, without the prefix. */
static bool is_exactly(const struct columns *columns, const struct column *column, struct view written)
{
	AUTO_BUF name = buf_with_ceiling(LIMIT_CSV_FIELD);
	attribute_header_read(written, &name);
	return column->is_plain && view_eq(column_exact(columns, column), buf_view(&name));
}

static bool is_meant(const struct columns *columns, const struct column_map *map, struct view header,
		     const struct column *column, size_t number)
{
	char wanted[COLUMN_NAME_SIZE];
	struct view name = map->column;
	if (map->number > 0)
		return map->number == number;
	if (view_eq(map->column, header))
		return true;
	if (attribute_header_cut(&name))
		return is_exactly(columns, column, name);
	column_name_normalise(name, wanted);
	return wanted[0] != '\0' && !column->is_plain && strcmp(wanted, column->name) == 0;
}

static const struct column_map *wished_map(const struct columns *columns, const struct column_wishes *wishes,
					   struct view header, const struct column *column, size_t number)
{
	for (size_t i = 0; i < wishes->map_count; i++) {
		if (is_meant(columns, &wishes->maps[i], header, column, number))
			return &wishes->maps[i];
	}
	return NULL;
}

/* ---- a header ---- */

static enum err missing_column(const struct column_map *map, const struct csv_row *row, const char *input_name,
			       struct buf *why)
{
	buf_addf(why, "%s, line %llu: no column is called " VIEW_FMT ", as --map says; there are", input_name,
		 (unsigned long long)row->line, VIEW_ARG(map->column));
	for (size_t i = 0; i < row->count && why->len < LIMIT_WHY - 200; i++)
		buf_addf(why, "%s " VIEW_FMT, i == 0 ? "" : ",", VIEW_ARG(view_head(row->fields[i].text, 60)));
	return ERR_INVALID;
}

size_t columns_first_counted(const struct columns *columns)
{
	return columns->count > OWN_COLUMNS && strcmp(columns->rows[0].name, "_line") == 0 ? OWN_COLUMNS : 0;
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

enum err columns_apply_maps(struct columns *columns, const struct csv_row *row, const struct column_wishes *wishes,
			    const char *input_name, struct buf *why)
{
	bool used[COLUMN_WISHES] = { false };
	size_t skipped = columns_first_counted(columns);
	bool maps_address = false;
	if (wishes->address_column != NULL) {
		enum err err = apply_address_column(columns, row, input_name, wishes->address_column, why);
		if (err != ERR_OK)
			return err;
	}
	for (size_t i = 0; i < columns->count; i++) {
		struct column *column = &columns->rows[i];
		struct view header = view_trim(csv_guard_removed(row->fields[i].text));
		const struct column_map *map =
		    wished_map(columns, wishes, header, column, i >= skipped ? i - skipped + 1 : 0);
		if (map == NULL)
			continue;
		used[map - wishes->maps] = column->is_wished = true;
		column->role = map->role;
		column->is_plain = map->is_plain;
		maps_address |= map->role == ROLE_ADDRESS;
		if (map->is_plain)
			columns_name_plain(columns, column, map->exact);
		else if (map->role == ROLE_ATTRIBUTE)
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

static bool is_typed(const struct columns *columns, const struct column *column, const struct column_type *type)
{
	if (!column_is_attribute(column))
		return false;
	return type->exact.len > 0 ? is_exactly(columns, column, type->exact) : strcmp(column->name, type->name) == 0;
}

enum err columns_apply_types(struct columns *columns, const struct column_wishes *wishes, const char *input_name,
			     uint64_t line, struct buf *why)
{
	for (size_t i = 0; i < wishes->type_count; i++) {
		bool found = false;
		for (size_t j = 0; j < columns->count; j++) {
			struct column *column = &columns->rows[j];
			if (!is_typed(columns, column, &wishes->types[i]))
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
