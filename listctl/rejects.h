/* The rows that an import did not take: gathered in an unnamed temporary file, written beside the input at the end. Its columns
 * are _line, _column, _reason and those of the input, so that it can be mended and imported as it is, with the same options. A row that cannot be read
 * stands in the first of those: whole, or its beginning of 64 KB at most, which the reason says; so it is refused again until it is mended. */
#ifndef LISTCTL_REJECTS_H
#define LISTCTL_REJECTS_H

#include "listctl/columns.h"

enum { REJECTS_COLUMNS = 3 /* of its own */ };

struct rejects;

/* Refuses at once when the file could not be written later. path is borrowed; NULL: no file is
 * written, and what is refused is counted only. delimiter parts its fields; mark: it begins with a byte order mark, which says
 * UTF-8 whatever an option says of the encoding. */
enum err rejects_new(const char *path, char delimiter, bool mark, struct rejects **ret_rejects,
		     struct buf *why) MUST_USE;
void rejects_free(struct rejects *rejects); /* accepts NULL */
/* The input's header row, before the first rejects_add(). */
enum err rejects_header(struct rejects *rejects, const struct csv_row *row, struct buf *why) MUST_USE;
enum err rejects_add(struct rejects *rejects, const struct csv_row *row, const struct refusal *refusal,
		     struct buf *why) MUST_USE;
/* Somebody of whom no row is at hand, in the at-th column; counted neither as refused nor as left out. */
enum err rejects_add_person(struct rejects *rejects, size_t at, struct view address, struct view reason,
			    struct buf *why) MUST_USE;
bool rejects_has_file(const struct rejects *rejects);
/* Whether anything stands in it. */
bool rejects_has_any(const struct rejects *rejects);
/* A row that could not be read. */
enum err rejects_fault(struct rejects *rejects, const struct csv_fault *fault, struct buf *why) MUST_USE;
uint64_t rejects_of_kind(const struct rejects *rejects, enum refusal_kind kind);
/* Those with which something is wrong, and those that are merely left out. */
uint64_t rejects_refused(const struct rejects *rejects);
uint64_t rejects_left_out(const struct rejects *rejects);
/* "line 3, column email: the address has no @": of the first refused row; "" when there is none. */
const char *rejects_first(struct rejects *rejects);
/* Takes away what an earlier import has left there. */
enum err rejects_clear(struct rejects *rejects, struct buf *why) MUST_USE;
/* When there are any: writes the file before the import is settled, and gives it its name after that. As spool_write() and spool_name(). */
enum err rejects_write(struct rejects *rejects, struct buf *why) MUST_USE;
enum err rejects_name(struct rejects *rejects, struct buf *why) MUST_USE;

#endif
