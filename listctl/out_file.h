/* A file that is written whole or not at all: it has its name only when nothing is missing; until then it stands beside it, under a name of its own
 * that Ctrl-C takes away. A symbolic link of that name is replaced, not followed; the mode is that of the file that was there, or what umask leaves. Or standard output, which gets nothing before
 * the whole text stands, so that it can be written anew from the start. */
#ifndef LISTCTL_OUT_FILE_H
#define LISTCTL_OUT_FILE_H

#include <stdio.h>

#include "base/buf.h"

struct out_file {
	const char *path; /* NULL: standard output, which "-" means too */
	FILE *file;       /* to be written to */
	struct buf part;  /* its name until it is whole */
};

/* ERR_IO with the reason. The path is borrowed. Release with out_file_done(). */
enum err out_file_open(const char *path, struct out_file *ret_out, struct buf *why) MUST_USE;
/* Everything that was written is taken back. */
enum err out_file_restart(struct out_file *out, struct buf *why) MUST_USE;
enum err out_file_write(struct out_file *out, struct view bytes, struct buf *why) MUST_USE;
/* Durable and under its name, or on standard output. */
enum err out_file_commit(struct out_file *out, struct buf *why) MUST_USE;
/* Leaves nothing behind of what was not committed. Accepts a zeroed object and may run twice. */
void out_file_done(struct out_file *out);

#endif
