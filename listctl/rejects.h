/* The rows that an import did not take: gathered in an unnamed temporary file, written beside the input at the end. Its columns
 * are _line, _column, _reason and those of the input, so that it can be mended and imported as it is. */
#ifndef LISTCTL_REJECTS_H
#define LISTCTL_REJECTS_H

#include "listctl/columns.h"

struct rejects;

/* Refuses at once when the file could not be written later. path is borrowed. */
enum err rejects_new(const char *path, struct rejects **ret_rejects, struct buf *why) MUST_USE;
void rejects_free(struct rejects *rejects); /* accepts NULL */
/* The input's header row, before the first rejects_add(). */
enum err rejects_header(struct rejects *rejects, const struct csv_row *row, struct buf *why) MUST_USE;
enum err rejects_add(struct rejects *rejects, const struct csv_row *row, const struct refusal *refusal,
		     struct buf *why) MUST_USE;
uint64_t rejects_total(const struct rejects *rejects);
uint64_t rejects_of_kind(const struct rejects *rejects, enum refusal_kind kind);
/* Writes the file when there are any, whole or not at all. */
enum err rejects_save(struct rejects *rejects, struct buf *why) MUST_USE;

#endif
