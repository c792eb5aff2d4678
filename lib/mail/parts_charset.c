#include "mail/parts_charset.h"

#include <errno.h>
#include <string.h>

#include <gmime/gmime.h>

#include "mail/charset.h"
#include "mail/seven_bit.h"

enum { NAME_MOST = 64, ROOM = 4096 };

/* What is said of octets that nobody has looked at, and ASCII that has high bits. */
#define ANYTHING "windows-1252"

/* Names that neither iconv nor GMime knows, or takes for something narrower. */
static const struct {
	const char *name, *read_as;
} labels[] = {
	{ "us-ascii", ANYTHING },
	{ "ascii", ANYTHING },
	{ "x-ascii", ANYTHING },
	{ "ansi_x3.4", ANYTHING },
	{ "ansi_x3.4-1968", ANYTHING },
	{ "ansi_x3.4-1986", ANYTHING },
	{ "iso646-us", ANYTHING },
	{ "iso_646.irv:1991", ANYTHING },
	{ "646", ANYTHING },
	{ "utf-8", ANYTHING },
	{ "utf8", ANYTHING },
	{ "x-unknown", ANYTHING },
	{ "unknown", ANYTHING },
	{ "unknown-8bit", ANYTHING },
	{ "x-user-defined", ANYTHING },
	{ "8bit", ANYTHING },
	{ "default", ANYTHING },
	{ "latin-1", ANYTHING },
	{ "iso8859-1", ANYTHING },
	{ "iso8859_1", ANYTHING },
	{ "gb_2312-80", "gb18030" },
	{ "csgb2312", "gb18030" },
	{ "euc-cn", "gb18030" },
	{ "cn-gb", "gb18030" },
	{ "cp936", "gb18030" },
	{ "ms936", "gb18030" },
	{ "windows-936", "gb18030" },
	{ "x-mac-simp-chinese", "gb18030" },
	{ "x-mac-chinesesimp", "gb18030" },
	{ "cn-big5", "big5" },
	{ "x-big5", "big5" },
	{ "x-x-big5", "big5" },
	{ "cp950", "big5" },
	{ "ms950", "big5" },
	{ "windows-950", "big5" },
	{ "x-mac-trad-chinese", "big5" },
	{ "x-mac-chinesetrad", "big5" },
	{ "shift_jis", "cp932" },
	{ "shift-jis", "cp932" },
	{ "csshiftjis", "cp932" },
	{ "sjis", "cp932" },
	{ "x-sjis", "cp932" },
	{ "ms_kanji", "cp932" },
	{ "x-ms-cp932", "cp932" },
	{ "x-mac-japanese", "cp932" },
	{ "euc-jp", "euc-jp-ms" },
	{ "eucjp", "euc-jp-ms" },
	{ "x-euc-jp", "euc-jp-ms" },
	{ "ks_c_5601", "cp949" },
	{ "ks_c_5601-1989", "cp949" },
	{ "ksc5601", "cp949" },
	{ "ksc_5601", "cp949" },
	{ "uhc", "cp949" },
	{ "ms949", "cp949" },
	{ "windows-949", "cp949" },
	{ "x-windows-949", "cp949" },
	{ "euckr", "cp949" },
	{ "x-euc-kr", "cp949" },
	{ "x-mac-korean", "cp949" },
	{ "unicode-1-1-utf-7", "utf-7" },
	{ "x-unicode-2-0-utf-7", "utf-7" },
	{ "x-mac-roman", "macintosh" },
	{ "x-mac-ce", "mac-centraleurope" },
	{ "x-mac-centraleurroman", "mac-centraleurope" },
	{ "x-mac-icelandic", "mac-is" },
	{ "x-mac-ukrainian", "mac-uk" },
	{ "iso-8859-8-i", "iso-8859-8" },
	{ "iso-8859-8-e", "iso-8859-8" },
	{ "logical", "iso-8859-8" },
	{ "visual", "iso-8859-8" },
	{ "iso-8859-6-i", "iso-8859-6" },
	{ "iso-8859-6-e", "iso-8859-6" },
	{ "dos-862", "cp862" },
	{ "dos-874", "cp874" },
	{ "x-cp866", "cp866" },
	{ "x-koi8-r", "koi8-r" },
	{ "koi8", "koi8-r" },
};

/* Those of Windows are called cp-1251, win-1251, windows1251, x-cp1251 and more. */
static const char *const windows[] = { "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
				       "cp1255", "cp1256", "cp1257", "cp1258" };
enum { WINDOWS_DIGITS = 4 };

/* ---- names ---- */

/* Without the quotes, brackets and ends of lists that should not be there. */
static struct view undecorated(struct view label)
{
	static const char decoration[] = " \t\r\n\"'`\\<>=?,;";
	while (label.len > 0 && strchr(decoration, label.data[0]) != NULL && label.data[0] != '\0')
		label = view_skip(label, 1);
	size_t len = 0;
	while (len < label.len && label.data[len] != '\0' && strchr(decoration, label.data[len]) == NULL)
		len++;
	return view_head(label, len);
}

static const char *windows_name(struct view label)
{
	bool may_be = view_starts_nocase(label, VIEW_LIT("win")) || view_starts_nocase(label, VIEW_LIT("cp")) ||
		      view_starts_nocase(label, VIEW_LIT("x-cp")) || view_starts_nocase(label, VIEW_LIT("x-win"));
	for (size_t i = 0; may_be && i < ARRAY_LEN(windows); i++) {
		struct view number = view_of(windows[i] + strlen("cp"));
		if (view_ends(label, number))
			return windows[i];
	}
	return NULL;
}

static struct view name_of(struct view label)
{
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		if (view_eq_nocase(label, view_of(labels[i].name)))
			return view_of(labels[i].read_as);
	}
	const char *of_windows = windows_name(label);
	return of_windows != NULL ? view_of(of_windows) : charset_read_as(label);
}

/* ---- converting ---- */

/* As much as fits; false when all is done or nothing more may be added. */
static bool convert_some(iconv_t converter, char **from, size_t *left, struct buf *out)
{
	char *room = buf_room(out, ROOM), *to = room;
	size_t free_octets = ROOM;
	if (room == NULL)
		return false;
	bool is_stuck = iconv(converter, from, left, &to, &free_octets) == (size_t)-1 && errno != E2BIG;
	buf_grown(out, (size_t)(to - room));
	if (is_stuck && *left > 0) {
		buf_add_byte(out, '?');
		++*from;
		--*left;
	}
	return *left > 0;
}

static void convert(iconv_t converter, struct view octets, struct buf *out)
{
	char *from = (char *)(uintptr_t)octets.data;
	size_t left = octets.len;
	while (convert_some(converter, &from, &left, out))
		continue;
}

static iconv_t open_converter(struct view charset)
{
	char name[NAME_MOST + 1];
	iconv_t converter = (iconv_t)-1;
	if (charset.len > 0 && charset.len <= NAME_MOST) {
		memcpy(name, charset.data, charset.len);
		name[charset.len] = '\0';
		converter = g_mime_iconv_open("UTF-8", name);
	}
	return converter != (iconv_t)-1 ? converter : g_mime_iconv_open("UTF-8", ANYTHING);
}

/* Whether what looks like UTF-8, as ASCII does, may be something else. */
static bool has_states(struct view charset, struct view octets)
{
	if (view_starts_nocase(charset, VIEW_LIT("iso-2022-")) || seven_bit_is(charset))
		return view_find_byte(octets, '\x1b') != VIEW_NONE || view_find_byte(octets, '~') != VIEW_NONE;
	if (view_starts_nocase(charset, VIEW_LIT("utf-16")))
		return view_find_byte(octets, '\0') != VIEW_NONE;
	return view_ends_nocase(charset, VIEW_LIT("utf-7")) && view_find_byte(octets, '+') != VIEW_NONE;
}

struct view parts_charset_read(struct view label, struct view octets, struct buf *out)
{
	struct view charset = undecorated(label);
	AUTO_BUF eight_bit = buf_with_ceiling(octets.len * 3 + 1);
	size_t before = out->len;
	if (view_is_utf8(octets) && !has_states(charset, octets))
		return octets;
	if (seven_bit_is(charset)) {
		charset = view_of(seven_bit_undo(charset, octets, &eight_bit));
		octets = buf_view(&eight_bit);
	} else {
		charset = name_of(charset);
	}
	iconv_t converter = open_converter(charset);
	if (converter == (iconv_t)-1)
		return octets;
	convert(converter, octets, out);
	g_mime_iconv_close(converter);
	return view_skip(buf_view(out), before);
}
