#include "sender/journal_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sender/checksum.h"

enum { FORMAT_VERSION = 1, BYTE_ORDER_MARK = 0x01020304 };

static const char file_magic[8] = { 'v', 'p', 'j', 'o', 'u', 'r', 'n', 'l' };

struct file_head {
	char magic[8];
	uint32_t version, byte_order;
	uint64_t size;
	char worker_id[JOURNAL_UUID + 4], instance[JOURNAL_UUID + 4]; /* NUL-filled */
	uint32_t unused, checksum;                                    /* of all before it */
};
static_assert(sizeof(struct file_head) == 112, "the head has no holes");

bool journal_file_write(int fd, struct view bytes, off_t at)
{
	while (bytes.len > 0) {
		ssize_t put = pwrite(fd, bytes.data, bytes.len, at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes = view_skip(bytes, (size_t)put);
		at += put;
	}
	return true;
}

bool journal_file_read(int fd, void *room, size_t size, off_t at)
{
	char *to = room;
	while (size > 0) {
		ssize_t got = pread(fd, to, size, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		size -= (size_t)got;
		at += got;
	}
	return true;
}

bool journal_file_is_at(int fd, const char *path)
{
	struct stat ours, there;
	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

void journal_file_place(int fd, struct buf *out)
{
	char boot[JOURNAL_UUID];
	struct stat info;
	int boot_fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (boot_fd < 0)
		return;
	/* A file of the kernel, which knows no place in it but its beginning. */
	bool is_known = read(boot_fd, boot, sizeof(boot)) == (ssize_t)sizeof(boot) && fstat(fd, &info) == 0;
	close(boot_fd);
	if (is_known)
		buf_addf(out, "%.*s:%llu:%llu", (int)sizeof(boot), boot, (unsigned long long)info.st_dev,
			 (unsigned long long)info.st_ino);
}

bool journal_file_write_head(int fd, const struct journal_head *head)
{
	struct file_head file = { .version = FORMAT_VERSION, .byte_order = BYTE_ORDER_MARK, .size = head->size };
	memcpy(file.magic, file_magic, sizeof(file.magic));
	memcpy(file.worker_id, head->worker_id, JOURNAL_UUID);
	memcpy(file.instance, head->instance, JOURNAL_UUID);
	file.checksum = checksum_of(view_from(&file, offsetof(struct file_head, checksum)));
	return journal_file_write(fd, view_from(&file, sizeof(file)), 0);
}

const char *journal_file_read_head(int fd, struct journal_head *ret_head)
{
	struct file_head file;
	if (!journal_file_read(fd, &file, sizeof(file), 0) || memcmp(file.magic, file_magic, sizeof(file.magic)) != 0)
		return "does not begin as one";
	if (file.byte_order != BYTE_ORDER_MARK || file.version != FORMAT_VERSION)
		return "is of another format or machine";
	if (file.checksum != checksum_of(view_from(&file, offsetof(struct file_head, checksum))) ||
	    file.worker_id[JOURNAL_UUID] != '\0' || file.instance[JOURNAL_UUID] != '\0')
		return "has a damaged head";
	*ret_head = (struct journal_head){ .size = file.size };
	memcpy(ret_head->worker_id, file.worker_id, sizeof(ret_head->worker_id));
	memcpy(ret_head->instance, file.instance, sizeof(ret_head->instance));
	return NULL;
}

bool journal_file_owner(const char *path, char ret_worker_id[JOURNAL_UUID + 1])
{
	struct journal_head head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_known = journal_file_read_head(fd, &head) == NULL;
	close(fd);
	if (is_known)
		memcpy(ret_worker_id, head.worker_id, sizeof(head.worker_id));
	return is_known;
}
