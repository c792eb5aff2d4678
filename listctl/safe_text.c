#include "listctl/safe_text.h"

#include "base/limits.h"

/* The octets of the UTF-8 character at the start of text; 0 when there is none. */
static size_t character(struct view text)
{
	for (size_t len = 1; len <= 4 && len <= text.len; len++) {
		if (view_is_utf8(view_head(text, len)))
			return len;
	}
	return 0;
}

static uint32_t code_point(struct view octets)
{
	static const unsigned char lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)octets.data[0] & lead_mask[octets.len];
	for (size_t i = 1; i < octets.len; i++)
		code = code << 6 | ((unsigned char)octets.data[i] & 0x3f);
	return code;
}

struct range {
	uint32_t first, last;
};

/* C0 and C1 controls, and the characters that reorder a line (Unicode TR 36, bidirectional text spoofing). */
static const struct range unsafe[] = {
	{ 0x00, 0x08 },     { 0x0b, 0x1f },     { 0x7f, 0x9f },     { 0x061c, 0x061c }, { 0x200e, 0x200f },
	{ 0x2028, 0x2029 }, { 0x202a, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff },
};

static bool is_safe(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(unsafe); i++) {
		if (code >= unsafe[i].first && code <= unsafe[i].last)
			return false;
	}
	return true;
}

enum err safe_text_add(struct view text, struct buf *out)
{
	while (text.len > 0) {
		size_t len = character(text);
		if (view_starts(text, VIEW_LIT("\r\n"))) {
			text = view_skip(text, 1);
			continue;
		}
		size_t taken = len == 0 ? 1 : len;
		if (len > 0 && is_safe(code_point(view_head(text, len)))) {
			buf_add(out, view_head(text, len));
		} else {
			for (size_t i = 0; i < taken; i++)
				buf_addf(out, "\\x%02X", (unsigned)(unsigned char)text.data[i]);
		}
		text = view_skip(text, taken);
	}
	return out->err;
}

void safe_text_print(struct view text, FILE *out)
{
	struct view line;
	while (view_cut_line(&text, &line)) {
		AUTO_BUF safe = buf_with_ceiling(LIMIT_MESSAGE);
		safe_text_add(line, &safe);
		fwrite(safe.data == NULL ? "" : safe.data, 1, safe.len, out);
		fputc('\n', out);
	}
}
