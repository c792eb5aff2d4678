#include "listctl/mbox.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"

enum { NAME_ROOM = 8192 };

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
	AUTO_BUF name = buf_with_ceiling(NAME_ROOM);
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
	/* Behind what an editor has put before the file. */
	parts = parts || (is_first && view_starts(line, VIEW_LIT("\xef\xbb\xbf"
								 "From ")));
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

enum err mbox_read(FILE *stream, const char *path, const struct message_taker *taker, struct buf *why)
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
	if (err == ERR_OK && ferror(stream)) {
		err = ERR_IO;
		buf_addf(why, "cannot read %s: %s", path, strerror(errno));
	}
	if (err == ERR_OK)
		err = hand_over(&mbox);
	buf_done(&mbox.message);
	return err;
}
