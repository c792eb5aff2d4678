#include "listctl/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

enum { COPY_STEP = 64 << 10, MODE = 0600 /* it is full of addresses */ };

static enum err refuse(const struct out_file *out, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot write %s: %s", out->path == NULL ? "the temporary file" : out->path, strerror(code));
	if (out->path == NULL)
		buf_addf(why, "; TMPDIR or --output names another place");
	return ERR_IO;
}

static bool open_part(struct out_file *out)
{
	buf_addf(&out->part, "%s.part", out->path);
	int fd = open(buf_text(&out->part), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE);
	if (fd < 0) {
		buf_reset(&out->part);
		return false;
	}
	out->file = fdopen(fd, "w");
	if (out->file == NULL)
		close(fd);
	return out->file != NULL;
}

enum err out_file_open(const char *path, struct out_file *ret_out, struct buf *why)
{
	struct out_file out = { .path = path, .part = buf_with_ceiling(LIMIT_PATH) };
	if (path == NULL)
		out.file = tmpfile();
	if (out.file == NULL && (path == NULL || !open_part(&out))) {
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

enum err out_file_commit(struct out_file *out, struct buf *why)
{
	if (fflush(out->file) != 0)
		return refuse(out, why);
	if (out->path == NULL)
		return copy_to_stdout(out, why);
	if (fsync(fileno(out->file)) != 0 || rename(buf_text(&out->part), out->path) != 0)
		return refuse(out, why);
	buf_reset(&out->part);
	return ERR_OK;
}

void out_file_done(struct out_file *out)
{
	if (out->file != NULL)
		fclose(out->file);
	out->file = NULL;
	if (out->part.len > 0)
		unlink(buf_text(&out->part));
	buf_done(&out->part);
}
