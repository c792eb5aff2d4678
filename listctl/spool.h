/* What a program gathers while it works and writes beside its input at the end, whole or not at all: an unnamed temporary file until then, so that a
 * program that is interrupted leaves nothing behind. It is written before, and gets its name after, what it tells of is settled. */
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
/* Before the work it tells of is settled: all of it beside path, as path.new and on the disk, so that nothing but a rename is left to do; a device or a
 * pipe is written to. spool_free() removes what has not got its name. */
enum err spool_write(struct spool *spool, struct buf *why) MUST_USE;
/* After it: replaces the file at path, if there is one. ERR_IO: the sentence says where it stands. */
enum err spool_name(struct spool *spool, struct buf *why) MUST_USE;

#endif
