#include "listctl/spool.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_STEP = 64 << 10 };

struct spool {
	const char *path, *what, *option;
	FILE *file;
	FILE *
	    special; /* a device or a pipe, open from the beginning as a shell would open it; NULL: path is, or will be, a file */
};

static enum err refuse(const struct spool *spool, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot write the %s %s: %s; --%s PATH names another", spool->what, spool->path, strerror(code),
		 spool->option);
	return ERR_IO;
}

static bool is_writable(const char *path)
{
	struct stat info;
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		errno = EISDIR;
		return false;
	}
	char folder[PATH_MAX];
	if (strlen(path) >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(folder, path, strlen(path) + 1);
	return access(dirname(folder), W_OK | X_OK) == 0;
}

static bool is_special(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

static bool open_special(struct spool *spool)
{
	spool->special = fopen(spool->path, "we");
	return spool->special != NULL;
}

static bool open_spool(struct spool *spool)
{
	if (!(is_special(spool->path) ? open_special(spool) : is_writable(spool->path)))
		return false;
	spool->file = tmpfile();
	return spool->file != NULL;
}

enum err spool_new(const char *path, const char *what, const char *option, struct spool **ret_spool, struct buf *why)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	if (spool == NULL)
		return ERR_MEMORY;
	*spool = (struct spool){ .path = path, .what = what, .option = option };
	if (!open_spool(spool)) {
		enum err err = refuse(spool, why);
		spool_free(spool);
		return err;
	}
	*ret_spool = spool;
	return ERR_OK;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->file != NULL)
		fclose(spool->file);
	if (spool->special != NULL)
		fclose(spool->special);
	free(spool);
}

enum err spool_add(struct spool *spool, struct view bytes, struct buf *why)
{
	return fwrite(bytes.data, 1, bytes.len, spool->file) == bytes.len ? ERR_OK : refuse(spool, why);
}

static bool copy(struct spool *spool, FILE *to)
{
	char bytes[COPY_STEP];
	size_t got;
	if (fseek(spool->file, 0, SEEK_SET) != 0)
		return false;
	while ((got = fread(bytes, 1, sizeof(bytes), spool->file)) > 0) {
		if (fwrite(bytes, 1, got, to) != got)
			return false;
	}
	return ferror(spool->file) == 0;
}

enum err spool_clear(struct spool *spool, struct buf *why)
{
	if (spool->special != NULL || unlink(spool->path) == 0 || errno == ENOENT)
		return ERR_OK;
	return refuse(spool, why);
}

enum err spool_save(struct spool *spool, struct buf *why)
{
	AUTO_BUF fresh = buf_with_ceiling(PATH_MAX);
	if (spool->special != NULL)
		return copy(spool, spool->special) && fflush(spool->special) == 0 ? ERR_OK : refuse(spool, why);
	buf_addf(&fresh, "%s.new", spool->path);
	if (buf_err(&fresh) != ERR_OK)
		return refuse(spool, why);
	FILE *file = fopen(buf_text(&fresh), "we");
	if (file == NULL)
		return refuse(spool, why);
	bool written = copy(spool, file);
	written = fclose(file) == 0 && written;
	if (written && rename(buf_text(&fresh), spool->path) == 0)
		return ERR_OK;
	enum err err = refuse(spool, why);
	unlink(buf_text(&fresh));
	return err;
}
