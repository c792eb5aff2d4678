/* What a program gathers while it works and writes beside its input at the end, whole or not at all: an unnamed temporary file until then, so that a
 * program that is interrupted leaves nothing behind. */
#ifndef LISTCTL_SPOOL_H
#define LISTCTL_SPOOL_H

#include "base/buf.h"

struct spool;

/* Refuses at once when path could not be written later; a pipe waits for its reader. what ("rejects file") and option ("rejects") are for messages; all three are borrowed. ERR_IO,
 * ERR_MEMORY. */
enum err spool_new(const char *path, const char *what, const char *option, struct spool **ret_spool,
		   struct buf *why) MUST_USE;
void spool_free(struct spool *spool); /* accepts NULL */
enum err spool_add(struct spool *spool, struct view bytes, struct buf *why) MUST_USE;
/* Removes a file that stands at path, which an earlier run has left: nobody is to take it for this one's. A device or a pipe stays. */
enum err spool_clear(struct spool *spool, struct buf *why) MUST_USE;
/* Replaces the file at path, if there is one; a device or a pipe is written to. */
enum err spool_save(struct spool *spool, struct buf *why) MUST_USE;

#endif
