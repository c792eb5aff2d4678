/* CSV as it comes from spreadsheets (RFC 4180, with a BOM, any line ends and another delimiter if need be), read in pieces with
 * constant memory. The only door to libcsv. What cannot be read as rows of UTF-8 text is refused with line and remedy: wrong
 * encoding, NUL, a quotation mark that is not closed, fields and rows beyond their ceilings. Pure: no files. */
#ifndef LISTCTL_CSV_IMPORT_H
#define LISTCTL_CSV_IMPORT_H

#include "base/buf.h"

/* text is empty both for `,,` and for `,"",`; only the first is absent. */
struct csv_field {
	struct view text;
	bool absent;
};

/* Borrowed for the call of the handler. */
struct csv_row {
	uint64_t line; /* where the row begins, from 1 */
	const struct csv_field *fields;
	size_t count;
};

/* Anything but ERR_OK stops the reading and is returned by csv_reader_feed() or csv_reader_finish(). */
typedef enum err csv_handler(void *context, const struct csv_row *row, struct buf *why);

struct csv_reader;

/* name is what `why` calls the input. NULL: no memory. */
struct csv_reader *csv_reader_new(const char *name, char delimiter, csv_handler *handler, void *context);
void csv_reader_free(struct csv_reader *reader); /* accepts NULL */
/* ERR_INVALID, ERR_TOO_BIG, ERR_MEMORY or the handler's; no further call but free after a failure. */
enum err csv_reader_feed(struct csv_reader *reader, struct view bytes, struct buf *why) MUST_USE;
/* The last row may lack its line end. ERR_INVALID when a quoted field is still open. */
enum err csv_reader_finish(struct csv_reader *reader, struct buf *why) MUST_USE;

#endif
