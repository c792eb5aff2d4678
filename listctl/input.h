/* A file, or standard input as "-", read in pieces with a progress bar. */
#ifndef LISTCTL_INPUT_H
#define LISTCTL_INPUT_H

#include "listctl/progress.h"

#include "base/buf.h"

struct input {
	const char *name; /* for messages */
	int fd;
	uint64_t read;
	struct progress progress;
};

/* Refuses a directory, and a terminal as standard input. `why` names the file and the cause. The caller closes it. */
enum err input_open(const char *path, const char *doing, bool quiet, struct input *ret_input, struct buf *why) MUST_USE;
/* Fills room as far as it can; *ret_got 0: the end. */
enum err input_read(struct input *input, char *room, size_t size, size_t *ret_got, struct buf *why) MUST_USE;
void input_close(struct input *input);

#endif
