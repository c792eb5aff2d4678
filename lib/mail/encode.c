#include "mail/encode.h"

#include <string.h>

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum {
	SOFT_COLUMN = ENCODE_LINE - 1, /* leaves room for the "=" of a soft line break */
	ESCAPE_LEN = 3,
	BASE64_LINE_OCTETS = ENCODE_LINE / 4 * 3,
};

/* ---- quoted-printable ---- */

struct qp qp_start(struct buf *out)
{
	return (struct qp){ .out = out };
}

static void end_line(struct qp *qp)
{
	buf_add(qp->out, VIEW_LIT("\r\n"));
	qp->column = 0;
}

static void make_room(struct qp *qp, size_t len)
{
	if (qp->column + len > SOFT_COLUMN) {
		buf_add(qp->out, VIEW_LIT("=\r\n"));
		qp->column = 0;
	}
}

static void add_escaped(struct qp *qp, char octet)
{
	unsigned char value = (unsigned char)octet;
	char escape[ESCAPE_LEN] = { '=', hex_digits[value >> 4], hex_digits[value & 15] };
	make_room(qp, ESCAPE_LEN);
	buf_add(qp->out, view_from(escape, ESCAPE_LEN));
	qp->column += ESCAPE_LEN;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What may stand for itself; blanks only where something follows. */
static inline bool is_literal(char c)
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

/* At the start of a line: the dot of SMTP, the separator of mbox. A text that ends within "From " counts, for the next
 * piece may complete it. */
static bool is_special_start(struct view text)
{
	if (text.data[0] != 'F')
		return text.data[0] == '.';
	return view_eq(view_head(text, 5), view_head(VIEW_LIT("From "), text.len));
}

/* How many characters of text can be copied into the rest of this line. The last blank before a line end, or before the
 * end of the piece, is not among them: RFC 2045 section 6.7 (3) forbids it at the end of a line. */
static size_t literal_run(const struct qp *qp, struct view text)
{
	size_t most = SOFT_COLUMN - qp->column;
	size_t run = 0;
	if (most > text.len)
		most = text.len;
	while (run < most && is_literal(text.data[run]))
		run++;
	bool line_may_end = run == text.len || text.data[run] == '\r' || text.data[run] == '\n';
	if (run > 0 && line_may_end && is_blank(text.data[run - 1]))
		run--;
	return run;
}

/* Returns how many characters it took. */
static size_t add_some(struct qp *qp, struct view text)
{
	char c = text.data[0];
	if (c == '\n' || c == '\r') {
		end_line(qp);
		return view_starts(text, VIEW_LIT("\r\n")) ? 2 : 1;
	}
	make_room(qp, 1);
	size_t run = qp->column == 0 && is_special_start(text) ? 0 : literal_run(qp, text);
	if (run == 0 && is_blank(c) && text.len == 1)
		qp->held = c;
	else if (run == 0)
		add_escaped(qp, c);
	if (run == 0)
		return 1;
	buf_add(qp->out, view_head(text, run));
	qp->column += run;
	return run;
}

static void release_blank(struct qp *qp, bool line_ends)
{
	char blank = qp->held;
	qp->held = '\0';
	if (line_ends) {
		add_escaped(qp, blank);
		return;
	}
	make_room(qp, 1);
	buf_add_byte(qp->out, blank);
	qp->column++;
}

void qp_add(struct qp *qp, struct view text)
{
	if (text.len > 0 && qp->held != '\0')
		release_blank(qp, text.data[0] == '\r' || text.data[0] == '\n');
	while (text.len > 0)
		text = view_skip(text, add_some(qp, text));
}

void qp_end(struct qp *qp)
{
	if (qp->held != '\0')
		release_blank(qp, true);
}

void qp_add_encoded(struct qp *qp, struct view lines)
{
	buf_add(qp->out, lines);
	qp->column = 0;
}

/* ---- line ends ---- */

static size_t line_len(struct view text)
{
	size_t len = 0;
	while (len < text.len && text.data[len] != '\r' && text.data[len] != '\n')
		len++;
	return len;
}

enum err encode_lines(struct view text, struct buf *out)
{
	while (text.len > 0) {
		size_t len = line_len(text);
		buf_add(out, view_head(text, len));
		text = view_skip(text, len);
		if (text.len == 0)
			break;
		buf_add(out, VIEW_LIT("\r\n"));
		text = view_skip(text, view_starts(text, VIEW_LIT("\r\n")) ? 2 : 1);
	}
	return buf_err(out);
}

/* ---- base64 ---- */

static char digit(uint32_t bits, unsigned shift)
{
	return base64_digits[bits >> shift & 63];
}

enum err encode_base64_word(struct view octets, struct buf *out)
{
	const unsigned char *in = (const unsigned char *)octets.data;
	size_t left = octets.len;
	size_t len = (left + 2) / 3 * 4;
	char *to = buf_room(out, len);
	if (to == NULL)
		return buf_err(out);
	for (; left >= 3; left -= 3, in += 3, to += 4) {
		uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		to[0] = digit(bits, 18);
		to[1] = digit(bits, 12);
		to[2] = digit(bits, 6);
		to[3] = digit(bits, 0);
	}
	if (left > 0) {
		uint32_t bits = (uint32_t)in[0] << 16 | (left == 2 ? (uint32_t)in[1] << 8 : 0);
		to[0] = digit(bits, 18);
		to[1] = digit(bits, 12);
		to[2] = left == 2 ? digit(bits, 6) : '=';
		to[3] = '=';
	}
	buf_grown(out, len);
	return ERR_OK;
}

enum err encode_base64(struct view octets, struct buf *out)
{
	while (octets.len > 0) {
		encode_base64_word(view_head(octets, BASE64_LINE_OCTETS), out);
		buf_add(out, VIEW_LIT("\r\n"));
		octets = view_skip(octets, BASE64_LINE_OCTETS);
	}
	return buf_err(out);
}

size_t encode_base64_len(size_t octets)
{
	size_t lines = (octets + BASE64_LINE_OCTETS - 1) / BASE64_LINE_OCTETS;
	return (octets + 2) / 3 * 4 + 2 * lines;
}
