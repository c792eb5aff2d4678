#include "listctl/rejects.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "listctl/output.h"

enum { COPY_STEP = 64 << 10 };

struct rejects {
	const char *path;
	FILE *spool;
	struct buf line;
	uint64_t counts[REFUSAL_KIND_COUNT];
};

static enum err refuse(const struct rejects *rejects, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot write the rejects file %s: %s; --rejects PATH names another", rejects->path,
		 strerror(code));
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

enum err rejects_new(const char *path, struct rejects **ret_rejects, struct buf *why)
{
	struct rejects *rejects = calloc(1, sizeof(*rejects));
	if (rejects == NULL)
		return ERR_MEMORY;
	rejects->path = path;
	rejects->line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	if (!is_writable(path) || (rejects->spool = tmpfile()) == NULL) {
		enum err err = refuse(rejects, why);
		rejects_free(rejects);
		return err;
	}
	*ret_rejects = rejects;
	return ERR_OK;
}

void rejects_free(struct rejects *rejects)
{
	if (rejects == NULL)
		return;
	if (rejects->spool != NULL)
		fclose(rejects->spool);
	buf_done(&rejects->line);
	free(rejects);
}

static enum err write_line(struct rejects *rejects, const struct csv_row *row, struct buf *why)
{
	for (size_t i = 0; i < row->count; i++) {
		buf_add_byte(&rejects->line, ',');
		if (!row->fields[i].absent)
			output_csv_cell(&rejects->line, row->fields[i].text, true);
	}
	buf_add(&rejects->line, VIEW_LIT("\r\n"));
	struct view line = buf_view(&rejects->line);
	bool written = buf_err(&rejects->line) == ERR_OK && fwrite(line.data, 1, line.len, rejects->spool) == line.len;
	enum err err = written ? ERR_OK : refuse(rejects, why);
	buf_reset(&rejects->line);
	return err;
}

enum err rejects_header(struct rejects *rejects, const struct csv_row *row, struct buf *why)
{
	buf_add(&rejects->line, VIEW_LIT("_line,_column,_reason"));
	return write_line(rejects, row, why);
}

enum err rejects_add(struct rejects *rejects, const struct csv_row *row, const struct refusal *refusal, struct buf *why)
{
	rejects->counts[refusal->kind]++;
	buf_addf(&rejects->line, "%llu,", (unsigned long long)row->line);
	if (refusal->column[0] != '\0')
		output_csv_cell(&rejects->line, view_of(refusal->column), true);
	buf_add_byte(&rejects->line, ',');
	output_csv_cell(&rejects->line, refusal->text, true);
	return write_line(rejects, row, why);
}

uint64_t rejects_total(const struct rejects *rejects)
{
	uint64_t total = 0;
	for (size_t i = 0; i < ARRAY_LEN(rejects->counts); i++)
		total += rejects->counts[i];
	return total;
}

uint64_t rejects_of_kind(const struct rejects *rejects, enum refusal_kind kind)
{
	return rejects->counts[kind];
}

static bool copy_spool(struct rejects *rejects, FILE *to)
{
	char bytes[COPY_STEP];
	size_t got;
	if (fseek(rejects->spool, 0, SEEK_SET) != 0)
		return false;
	while ((got = fread(bytes, 1, sizeof(bytes), rejects->spool)) > 0) {
		if (fwrite(bytes, 1, got, to) != got)
			return false;
	}
	return ferror(rejects->spool) == 0;
}

enum err rejects_save(struct rejects *rejects, struct buf *why)
{
	if (rejects_total(rejects) == 0)
		return ERR_OK;
	AUTO_BUF fresh = buf_with_ceiling(PATH_MAX);
	buf_addf(&fresh, "%s.new", rejects->path);
	if (buf_err(&fresh) != ERR_OK)
		return refuse(rejects, why);
	FILE *file = fopen(buf_text(&fresh), "we");
	if (file == NULL)
		return refuse(rejects, why);
	bool written = copy_spool(rejects, file);
	written = fclose(file) == 0 && written;
	if (written && rename(buf_text(&fresh), rejects->path) == 0)
		return ERR_OK;
	enum err err = refuse(rejects, why);
	unlink(buf_text(&fresh));
	return err;
}
