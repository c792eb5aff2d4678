/* The row mapper: a header, wishes about its columns and rows under it, whatever stands in them, give people who are sound or a refusal with its reason,
 * and the same again. The first line of the input is the header, the second the wishes (a for --map, t for --type, o for the order of
 * dates), others are rows; TAB parts fields. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "listctl/columns.h"

enum { WISH_SIZE = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static size_t split(struct view line, struct csv_field *fields)
{
	struct view part;
	size_t count = 0;
	while (count < LIMIT_CSV_COLUMNS && view_cut(&line, '\t', &part))
		fields[count++] = (struct csv_field){ .text = part, .absent = part.len == 0 };
	return count;
}

/* A wish keeps the text that it was made of: texts are borrowed. */
static void take_wish(struct column_wishes *wishes, struct view word, char *text)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (word.len < 2 || word.len >= WISH_SIZE || view_find_byte(word, '\0') != VIEW_NONE)
		return;
	memcpy(text, word.data + 1, word.len - 1);
	text[word.len - 1] = '\0';
	if (word.data[0] == 'a' && column_map_parse(text, &wishes->maps[wishes->map_count], &why))
		wishes->map_count++;
	else if (word.data[0] == 't' && column_type_parse(text, &wishes->types[wishes->type_count], &why))
		wishes->type_count++;
	else if (word.data[0] == 'o' && date_order_from_name(view_of(text), &wishes->date_order))
		demand(wishes->date_order != DATE_ORDER_UNKNOWN);
}

static void check_person(const struct person *person)
{
	demand(view_is_utf8(person->address) && !view_has_control(person->address));
	demand(person->address.len <= LIMIT_ADDRESS && person->address_key.len > 0);
	demand(!view_has_control(person->name) && !view_has_control(person->consent_source));
	demand(person->attributes.len <= LIMIT_ATTRIBUTES && !view_has_control(person->attributes));
	demand(person->consent_us >= 0);
	json_t *attributes = json_loadb(person->attributes.data, person->attributes.len, JSON_DECODE_INT_AS_REAL, NULL);
	demand(json_is_object(attributes));
	json_decref(attributes);
}

static void read_row(struct columns *columns, const struct csv_row *row)
{
	struct person person;
	struct refusal refusal;
	AUTO_BUF first = buf_with_ceiling(LIMIT_ATTRIBUTES);
	bool good = columns_read(columns, row, &person, &refusal);
	if (good) {
		check_person(&person);
		buf_add(&first, person.attributes);
	} else {
		demand(refusal.kind < REFUSAL_KIND_COUNT && refusal.text.len > 0 && view_is_utf8(refusal.text));
	}
	demand(columns_read(columns, row, &person, &refusal) == good);
	demand(!good || view_eq(buf_view(&first), person.attributes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char texts[COLUMN_WISHES][WISH_SIZE];
	struct view rest = view_from(data, size), line, word;
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	struct column_wishes *wishes = calloc(1, sizeof(*wishes));
	struct columns *columns = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (wishes == NULL || !view_is_utf8(rest) || !view_cut(&rest, '\n', &line)) {
		free(wishes); /* the reader lets nothing but UTF-8 through */
		return 0;
	}
	struct csv_row row = { .line = 1, .fields = fields, .count = split(line, fields) };
	struct view wished = { 0 };
	if (!view_cut(&rest, '\n', &wished))
		wished = rest;
	for (size_t i = 0; i < COLUMN_WISHES - 1 && view_cut(&wished, '\t', &word); i++)
		take_wish(wishes, word, texts[i]);
	enum err err = columns_from_header(&row, "f.csv", wishes, &columns, &why);
	demand((err == ERR_OK) == (why.len == 0) && (err == ERR_OK) == (columns != NULL));
	while (columns != NULL && view_cut(&rest, '\n', &line)) {
		row.line++;
		row.count = split(line, fields);
		read_row(columns, &row);
	}
	columns_free(columns);
	free(wishes);
	return 0;
}
