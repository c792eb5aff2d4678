#include "mail/clean_text.h"

/* Length of the well-formed UTF-8 sequence at the start (RFC 3629 section 4), 0 for none. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
	size_t len = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
	    (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return len;
}

/* What stands for the character of `len` octets at `at`. */
static struct view safe(const unsigned char *at, size_t len, bool keep_lines)
{
	if (len == 0)
		return VIEW_LIT("\xef\xbf\xbd");
	if (at[0] == '\n' && keep_lines)
		return VIEW_LIT("\n");
	if (at[0] < ' ' || at[0] == 0x7f || (len == 2 && at[0] == 0xc2 && at[1] < 0xa0))
		return VIEW_LIT(" ");
	return view_from(at, len);
}

void clean_text_add(struct view text, bool keep_lines, size_t most, struct buf *out)
{
	const unsigned char *octets = (const unsigned char *)text.data;
	size_t written = 0;
	for (size_t i = 0; i < text.len;) {
		size_t len = sequence_length(octets + i, text.len - i);
		if (octets[i] == '\r' && i + 1 < text.len && octets[i + 1] == '\n') {
			i++;
			continue;
		}
		struct view character =
		    keep_lines && octets[i] == '\r' ? VIEW_LIT("\n") : safe(octets + i, len, keep_lines);
		if (written + character.len > most)
			return;
		buf_add(out, character);
		written += character.len;
		i += len == 0 ? 1 : len;
	}
}
