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
	struct buf fresh; /* path.new, while it stands there */
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
	*spool = (struct spool){ .path = path, .what = what, .option = option, .fresh = buf_with_ceiling(PATH_MAX) };
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
	if (spool->fresh.len > 0)
		unlink(buf_text(&spool->fresh));
	buf_done(&spool->fresh);
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

/* Nobody else's file of that name is written into, whatever it leads to. */
static FILE *open_fresh(struct spool *spool)
{
	buf_addf(&spool->fresh, "%s.new", spool->path);
	if (buf_err(&spool->fresh) != ERR_OK) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (unlink(buf_text(&spool->fresh)) != 0 && errno != ENOENT)
		return NULL;
	return fopen(buf_text(&spool->fresh), "wxe");
}

enum err spool_write(struct spool *spool, struct buf *why)
{
	if (spool->special != NULL)
		return copy(spool, spool->special) && fflush(spool->special) == 0 ? ERR_OK : refuse(spool, why);
	FILE *file = open_fresh(spool);
	if (file == NULL) {
		enum err err = refuse(spool, why);
		buf_reset(&spool->fresh);
		return err;
	}
	bool is_written = copy(spool, file) && fflush(file) == 0 && fsync(fileno(file)) == 0;
	enum err err = is_written ? ERR_OK : refuse(spool, why);
	return fclose(file) == 0 || err != ERR_OK ? err : refuse(spool, why);
}

enum err spool_name(struct spool *spool, struct buf *why)
{
	if (spool->special != NULL)
		return ERR_OK;
	if (rename(buf_text(&spool->fresh), spool->path) == 0) {
		buf_reset(&spool->fresh);
		return ERR_OK;
	}
	int code = errno;
	buf_addf(why, "the %s could not be given its name %s: %s; it stands whole in %s", spool->what, spool->path,
		 strerror(code), buf_text(&spool->fresh));
	buf_reset(&spool->fresh); /* it stays */
	return ERR_IO;
}
