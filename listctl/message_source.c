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

/* ---- a stream: one message or an mbox ---- */

struct mbox {
	const char *path;
	const struct message_taker *taker;
	struct buf message;
	bool is_mbox, after_blank;
	size_t number;
};

/* The empty line between two messages belongs to the mbox, not to the first of them. */
static void drop_parting_line(struct buf *message)
{
	struct view text = buf_view(message);
	if (view_ends(text, VIEW_LIT("\n\r\n")))
		buf_cut(message, text.len - 2);
	else if (view_ends(text, VIEW_LIT("\n\n")))
		buf_cut(message, text.len - 1);
}

static enum err hand_over(struct mbox *mbox)
{
	AUTO_BUF name = buf_with_ceiling(PATH_ROOM);
	if (mbox->message.len == 0)
		return ERR_OK;
	mbox->number++;
	buf_addf(&name, "%s", mbox->path);
	if (mbox->is_mbox) {
		drop_parting_line(&mbox->message);
		buf_addf(&name, " message %zu", mbox->number);
	}
	enum err err = mbox->taker->take(mbox->taker->user, buf_text(&name), buf_view(&mbox->message));
	buf_reset(&mbox->message);
	return err;
}

/* ">From ", ">>From " ... were quoted when the message went in. */
static bool is_quoted_from(struct view line)
{
	size_t quotes = 0;
	while (quotes < line.len && line.data[quotes] == '>')
		quotes++;
	return quotes > 0 && view_starts(view_skip(line, quotes), VIEW_LIT("From "));
}

/* line with its line end; the first piece of a longer line decides. */
static enum err take_line(struct mbox *mbox, struct view line, bool is_first, bool starts_line)
{
	enum err err = ERR_OK;
	bool parts = starts_line && view_starts(line, VIEW_LIT("From "));
	if (is_first && parts)
		mbox->is_mbox = true;
	if (mbox->is_mbox && parts && (is_first || mbox->after_blank)) {
		err = hand_over(mbox);
	} else {
		if (mbox->is_mbox && starts_line && is_quoted_from(line))
			line = view_skip(line, 1);
		buf_add(&mbox->message, line); /* beyond the ceiling the rest is left away */
	}
	mbox->after_blank = starts_line && view_trim(line).len == 0;
	return err;
}

static enum err read_stream(FILE *stream, const char *path, const struct message_taker *taker, struct buf *why)
{
	enum { PIECE = 16 << 10 };
	char piece[PIECE];
	struct mbox mbox = { .path = path, .taker = taker, .message = buf_with_ceiling(LIMIT_MESSAGE) };
	bool is_first = true, starts_line = true;
	enum err err = ERR_OK;
	size_t len;
	/* getdelim() would hold a line of any length, fgets() would lose NUL octets: so, octet by octet. */
	for (int byte = 0; err == ERR_OK && byte != EOF;) {
		for (len = 0; len < PIECE && (byte = getc(stream)) != EOF;) {
			piece[len++] = (char)byte;
			if (byte == '\n')
				break;
		}
		if (len == 0)
			break;
		err = take_line(&mbox, view_from(piece, len), is_first, starts_line);
		is_first = false;
		starts_line = piece[len - 1] == '\n';
	}
	if (err == ERR_OK && ferror(stream))
		err = explain(path, why);
	if (err == ERR_OK)
		err = hand_over(&mbox);
	buf_done(&mbox.message);
	return err;
}

static enum err read_file(const char *path, const struct message_taker *taker, struct buf *why)
{
	FILE *stream = fopen(path, "re");
	if (stream == NULL)
		return explain(path, why);
	enum err err = read_stream(stream, path, taker, why);
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
		return read_stream(stdin, "stdin", taker, why);
	if (stat(path, &info) != 0)
		return explain(path, why);
	return S_ISDIR(info.st_mode) ? read_maildir(path, taker, why) : read_file(path, taker, why);
}
