#include "listctl/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listctl/gunzip.h"

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
	struct input *input = ret_input;
	input->name = is_stdin ? "standard input" : path;
	input->read = 0;
	input->has_begun = input->is_over = false;
	input->gunzip = NULL;
	input->held = (struct view){ 0 };
	input->progress = (struct progress){ 0 };
	input->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (input->fd < 0)
		return refuse(input->name, why);
	uint64_t size;
	enum err err = check_kind(input, &size, why);
	if (err != ERR_OK)
		input_close(input);
	else
		input->progress = progress_begin(doing, "octets", size, quiet);
	return err;
}

/* What the file holds, as it is. */
static enum err read_plain(struct input *input, char *room, size_t size, size_t *ret_got, struct buf *why)
{
	ssize_t got;
	do {
		got = read(input->fd, room, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return refuse(input->name, why);
	input->is_over = got == 0;
	input->read += (uint64_t)got;
	progress_update(&input->progress, input->read);
	*ret_got = (size_t)got;
	return ERR_OK;
}

/* Reads the first octets, at least the two that tell a gzip file; a pipe may give one at a time. */
static enum err begin(struct input *input, struct buf *why)
{
	size_t len = 0, got = 0;
	enum err err;
	do {
		err = read_plain(input, input->octets + len, sizeof(input->octets) - len, &got, why);
		len += got;
	} while (err == ERR_OK && got > 0 && len < 2);
	if (err != ERR_OK)
		return err;
	input->has_begun = true;
	input->held = view_from(input->octets, len);
	if (gunzip_is_magic(input->held) && (input->gunzip = gunzip_new()) == NULL)
		return ERR_MEMORY;
	return ERR_OK;
}

static enum err refuse_packed(const struct input *input, enum err err, const char *what, struct buf *why)
{
	if (err == ERR_INVALID)
		buf_addf(why, "%s cannot be unpacked: %s; make or fetch it anew", input->name, what);
	return err;
}

static enum err read_packed(struct input *input, char *room, size_t size, size_t *ret_got, struct buf *why)
{
	AUTO_BUF what = buf_with_ceiling(256);
	*ret_got = 0;
	for (;;) {
		enum err err = gunzip_step(input->gunzip, &input->held, room, size, ret_got, &what);
		if (err != ERR_OK)
			return refuse_packed(input, err, buf_text(&what), why);
		if (*ret_got > 0)
			return ERR_OK;
		size_t got = 0;
		err = read_plain(input, input->octets, sizeof(input->octets), &got, why);
		if (err != ERR_OK)
			return err;
		if (got == 0)
			return gunzip_is_whole(input->gunzip)
				   ? ERR_OK
				   : refuse_packed(input, ERR_INVALID, "its gzip is cut off", why);
		input->held = view_from(input->octets, got);
	}
}

enum err input_read(struct input *input, char *room, size_t size, size_t *ret_got, struct buf *why)
{
	enum err err = input->has_begun ? ERR_OK : begin(input, why);
	if (err != ERR_OK)
		return err;
	if (input->gunzip != NULL)
		return read_packed(input, room, size, ret_got, why);
	if (input->held.len == 0) {
		*ret_got = 0;
		return input->is_over ? ERR_OK : read_plain(input, room, size, ret_got, why);
	}
	size_t len = input->held.len < size ? input->held.len : size;
	memcpy(room, input->held.data, len);
	input->held = view_skip(input->held, len);
	*ret_got = len;
	return ERR_OK;
}

bool input_is_packed(const struct input *input)
{
	return input->gunzip != NULL;
}

void input_close(struct input *input)
{
	progress_end(&input->progress);
	gunzip_free(input->gunzip);
	input->gunzip = NULL;
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	input->fd = -1;
}
