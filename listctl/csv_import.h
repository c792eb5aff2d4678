/* CSV as it comes from spreadsheets (RFC 4180, with any line ends and another delimiter if need be), read in pieces with
 * constant memory. The only door to libcsv. A row that cannot be read is a fault of this row: an octet that its encoding does not have, NUL, a
 * quotation mark inside a field or one that is never closed, fields and rows beyond their ceilings. Pure: no files.
 *
 * Where a quotation mark opens a field that nothing closes rightly, the row's first line is at fault and the lines behind it are read anew, each for
 * itself: no mark swallows the file. */
#ifndef LISTCTL_CSV_IMPORT_H
#define LISTCTL_CSV_IMPORT_H

#include "base/buf.h"
#include "listctl/encoding.h"

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

enum csv_fault_kind {
	CSV_FAULT_QUOTE,    /* a quotation mark inside a field, or one that is never closed */
	CSV_FAULT_BIG,      /* a field, the row or the number of fields */
	CSV_FAULT_ENCODING, /* octets that are no text in the file's encoding */
	CSV_FAULT_NUL,
	CSV_FAULT_JSON, /* of JSON lines: what stands there is no object about a person */
	CSV_FAULT_KIND_COUNT
};

/* A row that could not be read: its text, in UTF-8 as far as it can be told (encoding_add_readable()), also where it could be parted, so that it is no row of the
 * same columns when it comes again as it is. */
struct csv_fault {
	enum csv_fault_kind kind;
	uint64_t line;
	struct view raw;  /* its first LIMIT_CSV_FIELD octets at most */
	bool is_cut;      /* there is more of it */
	const char *text; /* a sentence, without the file's name and line */
};
typedef enum err csv_fault_handler(void *context, const struct csv_fault *fault, struct buf *why);

struct csv_reader;

/* name is what `why` calls the input. It is read as UTF-8, a byte order mark at its front left out, and a fault ends the reading, unless told
 * otherwise below, before the first octet. NULL: no memory. */
struct csv_reader *csv_reader_new(const char *name, char delimiter, csv_handler *handler, void *context);
void csv_reader_free(struct csv_reader *reader); /* accepts NULL */
/* Faults go there, with the same context, and reading goes on. */
void csv_reader_set_faults(struct csv_reader *reader, csv_fault_handler *handler);
/* An encoding that has ASCII in its place, or UTF-16, from which utf16_add() has made what comes. guessed: nobody has said it, so that a row which contradicts it is at fault.
 * ENCODING_AUTO: the first row with an octet beyond ASCII decides between UTF-8 and Windows-1252. */
void csv_reader_set_encoding(struct csv_reader *reader, enum encoding encoding, bool guessed);
/* What it is read as by now. */
enum encoding csv_reader_encoding(const struct csv_reader *reader);

/* ERR_INVALID, ERR_TOO_BIG, ERR_MEMORY or the handler's; no further call but free after a failure. */
enum err csv_reader_feed(struct csv_reader *reader, struct view bytes, struct buf *why) MUST_USE;
/* The last row may lack its line end. */
enum err csv_reader_finish(struct csv_reader *reader, struct buf *why) MUST_USE;

#endif
