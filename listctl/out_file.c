#include "listctl/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "listctl/interrupt.h"

enum { COPY_STEP = 64 << 10, MODE_FOR_ALL = 0666, MODE_BITS = 0777 };

static enum err refuse(const struct out_file *out, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot write %s: %s", out->path == NULL ? "the temporary file" : out->path, strerror(code));
	if (out->path == NULL)
		buf_addf(why, "; TMPDIR or --output names another place");
	return ERR_IO;
}

/* A new file of this name, whose six X become one that nobody has. */
static bool create(struct out_file *out)
{
	int fd = *buf_text(&out->part) == '\0' ? -1 : mkstemp(out->part.data);
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		buf_reset(&out->part);
		return false;
	}
	out->file = fdopen(fd, "w+");
	if (out->file == NULL)
		close(fd);
	return out->file != NULL;
}

/* What is written to standard output is held in a file without a name. */
static bool open_nameless(struct out_file *out)
{
	const char *folder = getenv("TMPDIR");
	buf_addf(&out->part, "%s/listctl.XXXXXX", folder == NULL || *folder == '\0' ? "/tmp" : folder);
	if (!create(out))
		return false;
	unlink(buf_text(&out->part));
	buf_reset(&out->part);
	return true;
}

/* As a shell would make it, or as it was. */
static mode_t mode_of(const char *path)
{
	struct stat info;
	if (lstat(path, &info) == 0 && S_ISREG(info.st_mode))
		return info.st_mode & MODE_BITS;
	mode_t mask = umask(0);
	umask(mask);
	return MODE_FOR_ALL & ~mask;
}

/* A device or a pipe cannot be replaced by a file: who writes there means its reader. */
static bool may_be_replaced(const char *path)
{
	struct stat info;
	if (stat(path, &info) != 0 || S_ISREG(info.st_mode))
		return true;
	errno = S_ISDIR(info.st_mode) ? EISDIR : ENOTSUP;
	return false;
}

/* Beside the file, where a rename can put it in its place, and under a name that nobody else has. */
static bool open_part(struct out_file *out)
{
	buf_addf(&out->part, "%s.part-XXXXXX", out->path);
	if (!may_be_replaced(out->path)) {
		buf_reset(&out->part);
		return false;
	}
	interrupt_wait();
	bool is_open = create(out);
	if (is_open)
		interrupt_remove(buf_text(&out->part));
	interrupt_say("listctl: interrupted; the file was not written\n");
	return is_open && fchmod(fileno(out->file), mode_of(out->path)) == 0;
}

enum err out_file_open(const char *path, struct out_file *ret_out, struct buf *why)
{
	bool is_named = path != NULL && strcmp(path, "-") != 0;
	struct out_file out = { .path = is_named ? path : NULL, .part = buf_with_ceiling(LIMIT_PATH) };
	if (!(out.path == NULL ? open_nameless(&out) : open_part(&out))) {
		enum err err = refuse(&out, why);
		out_file_done(&out);
		return err;
	}
	*ret_out = out;
	return ERR_OK;
}

enum err out_file_restart(struct out_file *out, struct buf *why)
{
	bool is_empty =
	    fflush(out->file) == 0 && fseek(out->file, 0, SEEK_SET) == 0 && ftruncate(fileno(out->file), 0) == 0;
	return is_empty ? ERR_OK : refuse(out, why);
}

enum err out_file_write(struct out_file *out, struct view bytes, struct buf *why)
{
	return bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, out->file) == bytes.len ? ERR_OK : refuse(out, why);
}

static enum err copy_to_stdout(struct out_file *out, struct buf *why)
{
	char bytes[COPY_STEP];
	size_t got;
	if (fseek(out->file, 0, SEEK_SET) != 0)
		return refuse(out, why);
	while ((got = fread(bytes, 1, sizeof(bytes), out->file)) > 0) {
		if (fwrite(bytes, 1, got, stdout) != got)
			break;
	}
	if (ferror(out->file) == 0 && ferror(stdout) == 0 && fflush(stdout) == 0)
		return ERR_OK;
	buf_addf(why, "the output could not be written whole: %s", strerror(errno));
	return ERR_IO;
}

/* The name itself is durable when its folder is; not every file system can promise it. */
static void sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) != 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
	free(copy);
}

enum err out_file_commit(struct out_file *out, struct buf *why)
{
	if (fflush(out->file) != 0)
		return refuse(out, why);
	if (out->path == NULL)
		return copy_to_stdout(out, why);
	if (fsync(fileno(out->file)) != 0)
		return refuse(out, why);
	interrupt_wait();
	if (rename(buf_text(&out->part), out->path) != 0)
		return refuse(out, why);
	buf_reset(&out->part);
	interrupt_end();
	sync_folder(out->path);
	return ERR_OK;
}

void out_file_done(struct out_file *out)
{
	if (out->file != NULL)
		fclose(out->file);
	out->file = NULL;
	if (out->part.len > 0)
		unlink(buf_text(&out->part));
	if (out->path != NULL)
		interrupt_end();
	buf_done(&out->part);
}
