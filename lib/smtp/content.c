#include "smtp/content.h"

#include <string.h>

#define CRLF VIEW_LIT("\r\n")
#define FINAL_DOT VIEW_LIT(".\r\n")

/* What there is in a text. */
struct sight {
	bool is_broken; /* a bare CR, a bare LF or a NUL */
	bool has_dots;  /* a line begins with a dot */
};

/* Neighbours are compared without branches and in runs of a fixed length, of which the compiler makes vector instructions:
 * this looks at every octet that is ever sent. */
static struct sight look(struct view text)
{
	enum { RUN = 64 };
	const unsigned char *octets = (const unsigned char *)text.data;
	unsigned char broken = 0;
	unsigned char dots = 0;
	unsigned char before = '\n';
	size_t at = 0;
	if (text.len > 0) {
		broken = octets[0] == '\n' || octets[0] == '\0';
		dots = octets[0] == '.';
		at = 1;
	}
	for (; at + RUN <= text.len; at += RUN) {
		const unsigned char *here = octets + at, *behind = here - 1;
		for (size_t i = 0; i < RUN; i++) {
			broken |= (unsigned char)((behind[i] == '\r') ^ (here[i] == '\n'));
			broken |= (unsigned char)(here[i] == '\0');
			dots |= (unsigned char)((behind[i] == '\n') & (here[i] == '.'));
		}
	}
	for (; at < text.len; at++) {
		before = octets[at - 1];
		broken |= (unsigned char)((before == '\r') ^ (octets[at] == '\n'));
		broken |= (unsigned char)(octets[at] == '\0');
		dots |= (unsigned char)((before == '\n') & (octets[at] == '.'));
	}
	bool ends_in_cr = text.len > 0 && octets[text.len - 1] == '\r';
	return (struct sight){ .is_broken = broken != 0 || ends_in_cr, .has_dots = dots != 0 };
}

static bool is_ended(struct view message)
{
	return message.len == 0 || view_ends(message, CRLF);
}

void content_add(struct view message, struct buf *out)
{
	buf_add(out, message);
	if (!is_ended(message))
		buf_add(out, CRLF);
}

bool content_measure(struct view message, size_t *ret_len)
{
	if (look(message).is_broken)
		return false;
	*ret_len = message.len + (is_ended(message) ? 0 : CRLF.len);
	return true;
}

/* Whole runs of lines are copied at once: of the lines of real mail one in hundreds begins with a dot. */
static void add_stuffed(struct view message, struct buf *out)
{
	while (message.len > 0) {
		if (message.data[0] == '.')
			buf_add_byte(out, '.');
		size_t dot = view_find(message, VIEW_LIT("\n."));
		size_t len = dot == VIEW_NONE ? message.len : dot + 1;
		buf_add(out, view_head(message, len));
		message = view_skip(message, len);
	}
}

enum err content_stuff(struct view message, struct buf *out)
{
	size_t start = out->len;
	struct sight sight = look(message);
	if (sight.is_broken)
		return ERR_INVALID;
	if (sight.has_dots)
		add_stuffed(message, out);
	else
		buf_add(out, message);
	if (!is_ended(message))
		buf_add(out, CRLF);
	enum err err = buf_add(out, FINAL_DOT);
	if (err == ERR_OK)
		return ERR_OK;
	/* What stood in out before is whole; the failure was told by the return value. */
	buf_cut(out, start);
	out->err = ERR_OK;
	return err;
}
