/* The octets of a journal's file: its head, which is written once, and whole reads and writes. See sender/journal.h. */
#ifndef SENDER_JOURNAL_FILE_H
#define SENDER_JOURNAL_FILE_H

#include <sys/types.h>

#include "base/view.h"
#include "sender/journal.h"

struct journal_head {
	uint64_t size;                                                /* of the file */
	char worker_id[JOURNAL_UUID + 1], instance[JOURNAL_UUID + 1]; /* with NUL */
};

/* All of it, or false with errno. */
bool journal_file_write(int fd, struct view bytes, off_t at) MUST_USE;
bool journal_file_read(int fd, void *room, size_t size, off_t at) MUST_USE;

/* False: it was removed or replaced since it was opened. */
bool journal_file_is_at(int fd, const char *path);

bool journal_file_write_head(int fd, const struct journal_head *head) MUST_USE;
/* NULL, or what is wrong with it: the rest of a sentence that begins with the journal. */
const char *journal_file_read_head(int fd, struct journal_head *ret_head);

/* Appends the system's boot and the file's number: where it is, in words that no other boot and no other file has. Nothing when they cannot be
 * told. */
void journal_file_place(int fd, struct buf *out);

/* Whose journal that is, also when it cannot be used but for its head. False: that cannot be told. */
bool journal_file_owner(const char *path, char ret_worker_id[JOURNAL_UUID + 1]);

#endif
