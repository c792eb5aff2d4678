/* A file, or standard input as "-", read in pieces with a progress bar. What is packed by gzip is unpacked. */
#ifndef LISTCTL_INPUT_H
#define LISTCTL_INPUT_H

#include "listctl/progress.h"

#include "base/buf.h"

struct gunzip;

enum { INPUT_PACKED_ROOM = 32 << 10 };

struct input {
	const char *name; /* for messages */
	int fd;
	uint64_t read; /* octets of the file, packed as they are */
	struct progress progress;
	bool has_begun;
	bool is_over;
	struct gunzip *gunzip; /* NULL: not packed */
	struct view held;      /* what was read and not yet given */
	char octets[INPUT_PACKED_ROOM];
};

/* Refuses a directory, and a terminal as standard input. `why` names the file and the cause. The caller closes it. */
enum err input_open(const char *path, const char *doing, bool quiet, struct input *ret_input, struct buf *why) MUST_USE;
/* Fills room as far as it can; *ret_got 0: the end. ERR_INVALID: a damaged gzip file, or one that is cut off. */
enum err input_read(struct input *input, char *room, size_t size, size_t *ret_got, struct buf *why) MUST_USE;
/* True when the file is packed, once something of it has been read. */
bool input_is_packed(const struct input *input);
void input_close(struct input *input);

#endif
