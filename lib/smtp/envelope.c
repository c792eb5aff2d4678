#include "smtp/envelope.h"

#include "base/limits.h"

enum { ENVID_MAX = 100 }; /* RFC 3461 section 4.4 */

static bool is_path(struct view address)
{
	for (size_t i = 0; i < address.len; i++) {
		unsigned char c = (unsigned char)address.data[i];
		if (c <= ' ' || c == 127 || c == '<' || c == '>')
			return false;
	}
	return address.len <= LIMIT_ADDRESS;
}

bool envelope_is_valid(const struct smtp_envelope *envelope)
{
	return is_path(envelope->from) && is_path(envelope->to) && envelope->to.len > 0 &&
	       envelope->envid.len <= ENVID_MAX;
}

bool envelope_needs_smtputf8(const struct smtp_envelope *envelope)
{
	return !view_is_ascii(envelope->from) || !view_is_ascii(envelope->to);
}

/* RFC 3461 section 4. */
static void write_xtext(struct view text, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c > ' ' && c < 127 && c != '+' && c != '=') {
			buf_add_byte(out, (char)c);
			continue;
		}
		char escaped[] = { '+', digits[c >> 4], digits[c & 15] };
		buf_add(out, view_from(escaped, sizeof(escaped)));
	}
}

void envelope_write_mail(const struct smtp_envelope *envelope, const struct smtp_offers *offers, struct buf *out)
{
	buf_add(out, VIEW_LIT("MAIL FROM:<"));
	buf_add(out, envelope->from);
	buf_add_byte(out, '>');
	if (offers->has[SMTP_SIZE] && envelope->size > 0) {
		buf_add(out, VIEW_LIT(" SIZE="));
		buf_add_u64(out, envelope->size);
	}
	if (envelope_needs_smtputf8(envelope))
		buf_add(out, VIEW_LIT(" SMTPUTF8"));
	if (offers->has[SMTP_DSN]) {
		buf_add(out, VIEW_LIT(" RET=HDRS"));
		if (envelope->envid.len > 0)
			buf_add(out, VIEW_LIT(" ENVID="));
		write_xtext(envelope->envid, out);
	}
	buf_add(out, VIEW_LIT("\r\n"));
}

void envelope_write_rcpt(const struct smtp_envelope *envelope, const struct smtp_offers *offers, bool notify_delay,
			 struct buf *out)
{
	buf_add(out, VIEW_LIT("RCPT TO:<"));
	buf_add(out, envelope->to);
	buf_add_byte(out, '>');
	if (offers->has[SMTP_DSN]) {
		buf_add(out, notify_delay ? VIEW_LIT(" NOTIFY=FAILURE,DELAY") : VIEW_LIT(" NOTIFY=FAILURE"));
		/* A non-ASCII address would need the type utf-8 (RFC 6533); the relay knows the recipient anyway. */
		if (view_is_ascii(envelope->to)) {
			buf_add(out, VIEW_LIT(" ORCPT=rfc822;"));
			write_xtext(envelope->to, out);
		}
	}
	buf_add(out, VIEW_LIT("\r\n"));
}
