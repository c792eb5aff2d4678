/* Canonical bodies and fields beside a simple-minded second implementation, and a signer that takes whatever message it is given. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/dkim.h"
#include "mail/dkim_canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool collect(void *context, struct view piece)
{
	return buf_add(context, piece) == ERR_OK;
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

static bool ends_line(struct view text, size_t at)
{
	return view_starts(view_skip(text, at), VIEW_LIT("\r\n"));
}

/* One octet after the other. */
static void canon_slowly(struct view body, struct buf *out)
{
	size_t lines = 0;
	bool space = false;
	for (size_t at = 0; at < body.len; at++) {
		char c = body.data[at];
		if (ends_line(body, at)) {
			lines++;
			space = false;
			at++;
			continue;
		}
		if (is_wsp(c)) {
			space = true;
			continue;
		}
		for (; lines > 0; lines--)
			buf_add(out, VIEW_LIT("\r\n"));
		if (space)
			buf_add_byte(out, ' ');
		buf_add_byte(out, c);
		space = false;
	}
	if (out->len > 0)
		buf_add(out, VIEW_LIT("\r\n"));
}

static void check_body(struct view body)
{
	AUTO_BUF fast = buf_with_ceiling(body.len + 2);
	AUTO_BUF slow = buf_with_ceiling(body.len + 2);
	const struct dkim_sink sink = { .context = &fast, .add = collect };
	canon_slowly(body, &slow);
	if (!dkim_canon_body(body, VIEW_LIT(""), &sink) || !view_eq(buf_view(&fast), buf_view(&slow)))
		abort();
}

/* A canonical value has no fold, no tab, no run of spaces, and none at the ends; and it is its own canonical form. */
static void check_field(struct view field)
{
	AUTO_BUF once = buf_with_ceiling(field.len);
	AUTO_BUF twice = buf_with_ceiling(field.len);
	if (view_find_byte(field, ':') == VIEW_NONE)
		return;
	if (dkim_canon_field(field, &once) != ERR_OK || dkim_canon_field(buf_view(&once), &twice) != ERR_OK)
		abort();
	struct view value = view_skip(buf_view(&once), view_find_byte(buf_view(&once), ':') + 1);
	if (!view_eq(buf_view(&once), buf_view(&twice)) || view_find(value, VIEW_LIT("  ")) != VIEW_NONE ||
	    view_find(value, VIEW_LIT("\r\n")) != VIEW_NONE || view_find_byte(value, '\t') != VIEW_NONE ||
	    view_starts(value, VIEW_LIT(" ")) || view_ends(value, VIEW_LIT(" ")))
		abort();
}

static void check_signature(struct view message)
{
	static struct dkim_signer *signer;
	static struct dkim_key *key;
	AUTO_BUF out = buf_with_ceiling(LIMIT_MESSAGE);
	if (signer == NULL && dkim_signer_new(&signer) != ERR_OK)
		abort();
	if (key == NULL && dkim_key_make(DKIM_ED25519, VIEW_LIT("example.org"), VIEW_LIT("s"), &key) != ERR_OK)
		abort();
	enum err err = dkim_sign(signer, &key, 1, message, VIEW_LIT(""), 0, &out);
	if (err == ERR_OK ? out.len == 0 || !view_ends(buf_view(&out), VIEW_LIT("\r\n")) : out.len != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view message = view_from(data, size), body = message, field;
	check_body(message);
	check_signature(message);
	while (dkim_next_field(&body, &field))
		check_field(field);
	check_body(body);
	return 0;
}
