#include "listctl/message_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"

enum { PATH_ROOM = 8192 };

static enum err explain(const char *path, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot read %s: %s", path, strerror(code));
	if (code == ENOENT)
		return ERR_NOT_FOUND;
	return code == EACCES || code == EPERM ? ERR_DENIED : ERR_IO;
}

static enum err read_file(const char *path, const struct message_taker *taker, struct buf *why)
{
	FILE *stream = fopen(path, "re");
	if (stream == NULL)
		return explain(path, why);
	enum err err = mbox_read(stream, path, taker, why);
	fclose(stream);
	return err;
}

/* ---- a Maildir ---- */

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum err read_entry(const char *folder, const char *name, const struct message_taker *taker)
{
	AUTO_BUF path = buf_with_ceiling(PATH_ROOM);
	AUTO_BUF message = buf_with_ceiling(LIMIT_MESSAGE);
	AUTO_BUF trouble = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&path, "%s/%s", folder, name);
	if (file_read(buf_text(&path), &message, &trouble) == ERR_OK)
		return taker->take(taker->user, buf_text(&path), buf_view(&message));
	taker->unreadable(taker->user, buf_text(&trouble));
	return ERR_OK;
}

static enum err read_folder(const char *folder, const struct message_taker *taker, struct buf *why)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, alphasort);
	if (count < 0)
		return explain(folder, why);
	enum err err = ERR_OK;
	for (int i = 0; i < count; i++) {
		if (err == ERR_OK)
			err = read_entry(folder, entries[i]->d_name, taker);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static enum err read_maildir(const char *path, const struct message_taker *taker, struct buf *why)
{
	static const char *const folders[] = { "new", "cur" };
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(folders); i++) {
		AUTO_BUF folder = buf_with_ceiling(PATH_ROOM);
		buf_addf(&folder, "%s/%s", path, folders[i]);
		AUTO_BUF trouble = buf_with_ceiling(LIMIT_WHY);
		err = read_folder(buf_text(&folder), taker, &trouble);
		if (err == ERR_NOT_FOUND)
			buf_addf(why, "%s is a directory without new/ and cur/: no Maildir", path);
		else if (err != ERR_OK)
			buf_add(why, buf_view(&trouble));
	}
	return err;
}

enum err message_source_read(const char *path, const struct message_taker *taker, struct buf *why)
{
	struct stat info;
	if (strcmp(path, "-") == 0)
		return mbox_read(stdin, "stdin", taker, why);
	if (stat(path, &info) != 0)
		return explain(path, why);
	return S_ISDIR(info.st_mode) ? read_maildir(path, taker, why) : read_file(path, taker, why);
}
