#include "listctl/first_rows.h"

#include <stdlib.h>

#include "base/limits.h"
#include "listctl/attribute_header.h"
#include "listctl/csv_guard.h"
#include "listctl/sniff.h"

/* By the number of fields. */
struct tally {
	size_t rows[LIMIT_CSV_COLUMNS + 1];
	size_t address[LIMIT_CSV_COLUMNS + 1]; /* in the first row of so many */
	size_t best;
};

size_t first_rows_address(const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		struct view text = view_trim(csv_guard_removed(row->fields[i].text));
		if (sniff_is_address(text) && !attribute_header_cut(&text))
			return i;
	}
	return row->count;
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct tally *tally = context;
	size_t at = first_rows_address(row);
	(void)why;
	if (at == row->count || row->count > LIMIT_CSV_COLUMNS)
		return ERR_OK;
	if (tally->rows[row->count]++ == 0)
		tally->address[row->count] = at;
	if (tally->best == 0 || tally->rows[row->count] > tally->rows[tally->best])
		tally->best = row->count;
	return ERR_OK;
}

static enum err on_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	(void)context, (void)fault, (void)why;
	return ERR_OK;
}

enum err first_rows_look(struct view start, char delimiter, struct first_rows *ret_rows)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	struct csv_reader *reader = tally == NULL ? NULL : csv_reader_new("", delimiter, on_row, tally);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = ERR_MEMORY;
	if (reader != NULL) {
		csv_reader_set_faults(reader, on_fault);
		csv_reader_set_encoding(reader, ENCODING_AUTO, true);
		err = csv_reader_feed(reader, start, &why);
	}
	if (err == ERR_OK)
		err = csv_reader_finish(reader, &why);
	if (err == ERR_OK)
		*ret_rows = (struct first_rows){ .count = tally->best, .address = tally->address[tally->best] };
	csv_reader_free(reader);
	free(tally);
	return err;
}
