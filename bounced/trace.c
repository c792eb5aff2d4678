#include "bounced/trace.h"

#include "base/limits.h"
#include "mail/date.h"

/* RFC 3848, and RFC 6531 section 4.3. */
static void add_protocol(const struct trace *trace, struct buf *out)
{
	buf_add(out, trace->is_utf8 ? VIEW_LIT("UTF8") : VIEW_LIT(""));
	if (trace->is_lmtp)
		buf_add(out, VIEW_LIT("LMTP"));
	else
		buf_add(out, trace->is_extended && !trace->is_utf8 ? VIEW_LIT("ESMTP") : VIEW_LIT("SMTP"));
	buf_add(out, trace->is_secure ? VIEW_LIT("S") : VIEW_LIT(""));
}

/* What a stranger calls himself cannot end the word, begin a comment or leave ASCII. */
static void add_word(struct view word, struct buf *out)
{
	for (size_t i = 0; i < word.len; i++) {
		bool is_plain = word.data[i] > ' ' && word.data[i] < 127 &&
				view_find_byte(VIEW_LIT("()<>;\\\""), word.data[i]) == VIEW_NONE;
		buf_add_byte(out, is_plain ? word.data[i] : '?');
	}
}

/* As an address literal (RFC 5321 section 4.1.3). */
static void add_peer(const struct endpoint *peer, struct buf *out)
{
	AUTO_BUF host = buf_with_ceiling(INET6_ADDRSTRLEN);
	if (endpoint_is_unix(peer)) {
		buf_add(out, VIEW_LIT("(local)"));
		return;
	}
	if (endpoint_write_host(peer, &host) != ERR_OK)
		return;
	bool is_ipv6 = view_find_byte(buf_view(&host), ':') != VIEW_NONE;
	buf_addf(out, "([%s" VIEW_FMT "])", is_ipv6 ? "IPv6:" : "", VIEW_ARG(buf_view(&host)));
}

/* The standard names one at most. */
static void add_recipient(struct view recipient, struct buf *out)
{
	if (recipient.len == 0 || recipient.len > LIMIT_ADDRESS)
		return;
	buf_add(out, VIEW_LIT("\r\n\tfor <"));
	add_word(recipient, out);
	buf_add_byte(out, '>');
}

enum err trace_write(const struct trace *trace, struct buf *out)
{
	buf_add(out, VIEW_LIT("Received: from "));
	add_word(trace->helo, out);
	buf_add_byte(out, ' ');
	add_peer(trace->peer, out);
	buf_add(out, VIEW_LIT("\r\n\tby "));
	buf_add(out, trace->hostname);
	buf_add(out, VIEW_LIT(" with "));
	add_protocol(trace, out);
	add_recipient(trace->recipient, out);
	buf_add(out, VIEW_LIT(";\r\n\t"));
	enum err err = date_write(trace->at_us, out);
	if (err != ERR_OK)
		return err;
	buf_add(out, VIEW_LIT("\r\n"));
	return buf_err(out);
}
