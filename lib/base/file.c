#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum { READ_STEP = 16 << 10 };

static enum err explain(const char *path, const char *verb, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot %s %s: %s", verb, path, strerror(code));
	if (code == ENOENT)
		return ERR_NOT_FOUND;
	return code == EACCES || code == EPERM ? ERR_DENIED : ERR_IO;
}

static enum err read_all(int fd, const char *path, struct buf *ret_content, struct buf *why)
{
	for (;;) {
		size_t left = ret_content->ceiling - ret_content->len;
		char *room = buf_room(ret_content, left < READ_STEP ? left : READ_STEP);
		if (room == NULL)
			return buf_err(ret_content);
		ssize_t got = left == 0 ? 0 : read(fd, room, left < READ_STEP ? left : READ_STEP);
		if (got < 0)
			return explain(path, "read", why);
		if (got == 0)
			return ERR_OK;
		buf_grown(ret_content, (size_t)got);
	}
}

enum err file_read(const char *path, struct buf *ret_content, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return explain(path, "read", why);
	struct stat info;
	enum err err = ERR_OK;
	if (fstat(fd, &info) != 0) {
		err = explain(path, "read", why);
	} else if (!S_ISREG(info.st_mode)) {
		buf_addf(why, "%s is %s, not a file", path,
			 S_ISDIR(info.st_mode) ? "a directory" : "a device or a pipe");
		err = ERR_INVALID;
	} else if ((unsigned long long)info.st_size > ret_content->ceiling - ret_content->len) {
		buf_addf(why, "%s has %lld octets, more than the %zu allowed", path, (long long)info.st_size,
			 ret_content->ceiling);
		err = ERR_TOO_BIG;
	} else {
		err = read_all(fd, path, ret_content, why);
	}
	close(fd);
	return err;
}

static bool write_all(int fd, struct view content)
{
	while (content.len > 0) {
		ssize_t sent = write(fd, content.data, content.len);
		if (sent < 0)
			return false;
		content = view_skip(content, (size_t)sent);
	}
	return true;
}

enum err file_replace(const char *path, struct view content, unsigned mode, struct buf *why)
{
	AUTO_BUF fresh = buf_with_ceiling(4096);
	buf_addf(&fresh, "%s.new", path);
	const char *fresh_path = buf_text(&fresh);
	int fd = open(fresh_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return explain(fresh_path, "create", why);
	enum err err = ERR_OK;
	if (!write_all(fd, content) || fsync(fd) != 0)
		err = explain(fresh_path, "write", why);
	if (close(fd) != 0 && err == ERR_OK)
		err = explain(fresh_path, "write", why);
	if (err == ERR_OK && rename(fresh_path, path) != 0)
		err = explain(path, "replace", why);
	if (err != ERR_OK)
		unlink(fresh_path);
	return err;
}
