#include "listctl/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err refuse(const char *name, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot read %s: %s", name, strerror(code));
	if (code == ENOENT)
		return ERR_NOT_FOUND;
	return code == EACCES ? ERR_DENIED : ERR_IO;
}

static enum err check_kind(const struct input *input, uint64_t *ret_size, struct buf *why)
{
	struct stat info;
	if (fstat(input->fd, &info) != 0)
		return refuse(input->name, why);
	if (S_ISDIR(info.st_mode)) {
		buf_addf(why, "%s is a directory; name the CSV file in it", input->name);
		return ERR_INVALID;
	}
	if (isatty(input->fd) == 1) {
		buf_addf(why, "standard input is a terminal; pipe the CSV in, or name a file");
		return ERR_INVALID;
	}
	*ret_size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
	return ERR_OK;
}

enum err input_open(const char *path, const char *doing, bool quiet, struct input *ret_input, struct buf *why)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct input input = { .name = is_stdin ? "standard input" : path };
	input.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (input.fd < 0)
		return refuse(input.name, why);
	uint64_t size;
	enum err err = check_kind(&input, &size, why);
	if (err != ERR_OK) {
		input_close(&input);
		return err;
	}
	input.progress = progress_begin(doing, "octets", size, quiet);
	*ret_input = input;
	return ERR_OK;
}

enum err input_read(struct input *input, char *room, size_t size, size_t *ret_got, struct buf *why)
{
	ssize_t got;
	do {
		got = read(input->fd, room, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return refuse(input->name, why);
	input->read += (uint64_t)got;
	progress_update(&input->progress, input->read);
	*ret_got = (size_t)got;
	return ERR_OK;
}

void input_close(struct input *input)
{
	progress_end(&input->progress);
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	input->fd = -1;
}
