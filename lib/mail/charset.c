#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>

#include "base/limits.h"

enum { NAME_MOST = 64, ROOM = 4096 };

/* What is read as something wider. */
static const struct {
	const char *name, *read_as;
} wider[] = {
	{ "iso-8859-1", "windows-1252" }, { "latin1", "windows-1252" }, { "iso_8859-1", "windows-1252" },
	{ "iso-8859-9", "windows-1254" }, { "gb2312", "gb18030" },      { "gbk", "gb18030" },
	{ "x-gbk", "gb18030" },           { "windows-31j", "cp932" },   { "x-mac-cyrillic", "cp10007" },
	{ "ks_c_5601-1987", "cp949" },    { "euc-kr", "cp949" },
};

static bool is_utf8(struct view charset)
{
	return charset.len == 0 || view_eq_nocase(charset, VIEW_LIT("utf-8")) ||
	       view_eq_nocase(charset, VIEW_LIT("utf8")) || view_eq_nocase(charset, VIEW_LIT("us-ascii")) ||
	       view_eq_nocase(charset, VIEW_LIT("ascii"));
}

/* Nothing that iconv takes for more than a name. */
static bool is_name(struct view charset)
{
	bool is = charset.len > 0 && charset.len <= NAME_MOST;
	for (size_t i = 0; i < charset.len; i++) {
		char c = charset.data[i];
		is &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_' || c == '.' || c == ':' || c == '+';
	}
	return is;
}

struct view charset_read_as(struct view charset)
{
	for (size_t i = 0; i < ARRAY_LEN(wider); i++) {
		if (view_eq_nocase(charset, view_of(wider[i].name)))
			return view_of(wider[i].read_as);
	}
	return charset;
}

static iconv_t open_converter(struct view charset)
{
	AUTO_BUF name = buf_with_ceiling(NAME_MOST + 1);
	if (!is_name(charset))
		return (iconv_t)-1;
	buf_add(&name, charset_read_as(charset));
	return iconv_open("UTF-8", buf_text(&name));
}

bool charset_is_known(struct view charset)
{
	if (is_utf8(charset))
		return true;
	iconv_t converter = open_converter(charset);
	if (converter != (iconv_t)-1)
		iconv_close(converter);
	return converter != (iconv_t)-1;
}

/* One step; the last one, without input, writes what a stateful charset still holds. False at octets that are no text. */
static bool convert(iconv_t converter, char **from, size_t *left, struct buf *out, bool *ret_over)
{
	char *room = buf_room(out, ROOM), *to = room;
	size_t free_octets = ROOM;
	if (room == NULL)
		return true;
	size_t done = iconv(converter, *left > 0 ? from : NULL, left, &to, &free_octets);
	int error = errno;
	*ret_over = done != (size_t)-1 && *left == 0;
	buf_grown(out, (size_t)(to - room));
	return done != (size_t)-1 || error == E2BIG;
}

static enum err convert_all(iconv_t converter, struct view octets, struct buf *out, bool *ret_good)
{
	char *from = (char *)(uintptr_t)octets.data;
	size_t left = octets.len;
	bool is_over = left == 0;
	*ret_good = true;
	while (*ret_good && !is_over && buf_err(out) == ERR_OK)
		*ret_good = convert(converter, &from, &left, out, &is_over);
	bool is_flushed;
	if (*ret_good && buf_err(out) == ERR_OK)
		*ret_good = convert(converter, &from, &left, out, &is_flushed);
	return buf_err(out);
}

static enum err refuse(struct view charset, const char *what, struct buf *why)
{
	buf_addf(why, "%s " VIEW_FMT "; write it in UTF-8", what, VIEW_ARG(view_head(charset, NAME_MOST)));
	return ERR_INVALID;
}

enum err charset_to_utf8(struct view charset, struct view octets, struct buf *out, struct buf *why)
{
	size_t before = out->len;
	bool is_good = true;
	if (is_utf8(charset)) {
		if (view_is_utf8(octets))
			return buf_add(out, octets);
		if (charset.len > 0)
			return refuse(charset, "its octets are not those of", why);
		buf_add(why, VIEW_LIT("it names no charset and is not UTF-8; name the charset, or write it in UTF-8"));
		return ERR_INVALID;
	}
	iconv_t converter = open_converter(charset);
	if (converter == (iconv_t)-1)
		return refuse(view_is_ascii(charset) && !view_has_control(charset) ? charset : VIEW_LIT("?"),
			      "there is no charset", why);
	enum err err = convert_all(converter, octets, out, &is_good);
	iconv_close(converter);
	if (err == ERR_OK && (!is_good || !view_is_utf8(view_skip(buf_view(out), before))))
		err = refuse(charset, "its octets are not those of", why);
	if (err != ERR_OK)
		buf_cut(out, before);
	return err;
}
