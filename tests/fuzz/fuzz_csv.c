/* CSV read in one piece and octet by octet gives the same people and the same end; what a person brings is sound. */
#include <stdlib.h>

#include <jansson.h>

#include "base/limits.h"
#include "listctl/columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

/* One reading of the input; seen is a text of all that came out. */
struct reading {
	struct columns *columns;
	struct buf seen, why;
};

static void check_person(const struct person *person)
{
	demand(view_is_utf8(person->address) && !view_has_control(person->address));
	demand(person->address.len <= LIMIT_ADDRESS && person->address_key.len > 0);
	demand(!view_has_control(person->name));
	demand(person->attributes.len <= LIMIT_ATTRIBUTES && !view_has_control(person->attributes));
	json_t *attributes = json_loadb(person->attributes.data, person->attributes.len, JSON_DECODE_INT_AS_REAL, NULL);
	demand(json_is_object(attributes));
	json_decref(attributes);
}

static enum err on_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	struct reading *reading = context;
	(void)why;
	demand(fault->kind < CSV_FAULT_KIND_COUNT && fault->text[0] != '\0' && view_is_utf8(fault->raw));
	demand(fault->line > 0 && view_find_byte(fault->raw, '\0') == VIEW_NONE);
	return buf_addf(&reading->seen, "%llu!%d" VIEW_FMT "\n", (unsigned long long)fault->line, (int)fault->kind,
			VIEW_ARG(fault->raw));
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct reading *reading = context;
	struct person person;
	struct refusal refusal;
	if (reading->columns == NULL)
		return columns_from_header(row, "f.csv", NULL, &reading->columns, why);
	buf_addf(&reading->seen, "%llu:", (unsigned long long)row->line);
	if (!columns_read(reading->columns, row, &person, &refusal)) {
		demand(refusal.text.len > 0 && refusal.kind < REFUSAL_KIND_COUNT && view_is_utf8(refusal.text));
		buf_addf(&reading->seen, "%d\n", (int)refusal.kind);
		return ERR_OK;
	}
	check_person(&person);
	buf_addf(&reading->seen, VIEW_FMT "|" VIEW_FMT "|" VIEW_FMT "\n", VIEW_ARG(person.address_key),
		 VIEW_ARG(person.name), VIEW_ARG(person.attributes));
	return ERR_OK;
}

/* With faults told, or as the end of the reading. */
static struct reading read_in_steps(struct view input, size_t step, bool tells)
{
	struct reading reading = { .seen = buf_with_ceiling(1 << 20), .why = buf_with_ceiling(LIMIT_WHY) };
	struct csv_reader *reader = csv_reader_new("f.csv", ',', on_row, &reading);
	demand(reader != NULL);
	if (tells) {
		csv_reader_set_faults(reader, on_fault);
		csv_reader_set_encoding(reader, ENCODING_AUTO, true);
	}
	enum err err = ERR_OK;
	for (; err == ERR_OK && input.len > 0; input = view_skip(input, step))
		err = csv_reader_feed(reader, view_head(input, step), &reading.why);
	if (err == ERR_OK)
		err = csv_reader_finish(reader, &reading.why);
	demand((err == ERR_OK) == (reading.why.len == 0));
	csv_reader_free(reader);
	columns_free(reading.columns);
	return reading;
}

static void compare(struct view input, bool tells)
{
	struct reading whole = read_in_steps(input, input.len + 1, tells);
	struct reading bytes = read_in_steps(input, 1, tells);
	/* A refused file may have shown more or fewer rows before its fault was met; a good one shows the same. */
	demand((whole.why.len == 0) == (bytes.why.len == 0));
	demand(whole.why.len > 0 || view_eq(buf_view(&whole.seen), buf_view(&bytes.seen)));
	buf_done(&whole.seen);
	buf_done(&whole.why);
	buf_done(&bytes.seen);
	buf_done(&bytes.why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compare(view_from(data, size), false);
	compare(view_from(data, size), true);
	return 0;
}
