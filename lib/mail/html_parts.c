#include "mail/html_parts.h"

#include "base/limits.h"
#include "mail/html_letter.h"

#define NO_BREAK_SPACE VIEW_LIT("\xc2\xa0")

enum err html_parts_is_blank(struct view html, bool *ret_is_blank)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_TEMPLATE);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = html_letter_to_text(html, &text, &reason);
	if (err != ERR_OK)
		return err;
	struct view rest = view_trim(buf_view(&text));
	while (view_starts(rest, NO_BREAK_SPACE))
		rest = view_trim(view_skip(rest, NO_BREAK_SPACE.len));
	*ret_is_blank = rest.len == 0 && view_find_nocase(html, VIEW_LIT("<img")) == VIEW_NONE;
	return ERR_OK;
}

/* ---- two in one ---- */

static size_t find_last(struct view html, struct view what)
{
	size_t last = VIEW_NONE, from = 0, at;
	while ((at = view_find_nocase(view_skip(html, from), what)) != VIEW_NONE) {
		last = from + at;
		from = last + what.len;
	}
	return last;
}

/* Without what stands around its content. */
static struct view inner(struct view html)
{
	size_t end = find_last(html, VIEW_LIT("</body"));
	if (end == VIEW_NONE)
		end = find_last(html, VIEW_LIT("</html"));
	html = view_head(html, end);
	size_t body = view_find_nocase(html, VIEW_LIT("<body"));
	if (body == VIEW_NONE)
		body = view_find_nocase(html, VIEW_LIT("<html"));
	if (body == VIEW_NONE)
		return html;
	html = view_skip(html, body);
	size_t close = view_find_byte(html, '>');
	return close == VIEW_NONE ? html : view_skip(html, close + 1);
}

enum err html_parts_join(struct view html, struct view second, struct buf *out)
{
	size_t end = find_last(html, VIEW_LIT("</body"));
	if (end == VIEW_NONE)
		end = find_last(html, VIEW_LIT("</html"));
	if (end == VIEW_NONE)
		end = html.len;
	buf_add(out, view_head(html, end));
	buf_add(out, inner(second));
	return buf_add(out, view_skip(html, end));
}

/* ---- the character set ---- */

static bool ends_charset(char c)
{
	return c == '"' || c == '\'' || c == ' ' || c == ';' || c == '/' || c == '>' || c == '\n' || c == '\t';
}

/* In a <meta>, with the rest of the text. False: it names none. */
static bool find_charset(struct view meta, size_t *ret_start, size_t *ret_end)
{
	size_t close = view_find_byte(meta, '>');
	struct view tag = view_head(meta, close);
	size_t start = view_find_nocase(tag, VIEW_LIT("charset="));
	if (close == VIEW_NONE || start == VIEW_NONE)
		return false;
	start += sizeof("charset=") - 1;
	if (start < tag.len && (tag.data[start] == '"' || tag.data[start] == '\''))
		start++;
	size_t end = start;
	while (end < tag.len && !ends_charset(tag.data[end]))
		end++;
	*ret_start = start;
	*ret_end = end;
	return end > start;
}

enum err html_parts_say_utf8(struct view html, struct buf *out)
{
	size_t at, start, end;
	while ((at = view_find_nocase(html, VIEW_LIT("<meta"))) != VIEW_NONE) {
		struct view meta = view_skip(html, at);
		if (find_charset(meta, &start, &end)) {
			buf_add(out, view_head(html, at + start));
			buf_add(out, VIEW_LIT("utf-8"));
		} else {
			end = sizeof("<meta") - 1;
			buf_add(out, view_head(html, at + end));
		}
		html = view_skip(html, at + end);
	}
	return buf_add(out, html);
}
