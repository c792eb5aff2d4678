#include "mail/attachment.h"

#include "base/limits.h"
#include "mail/encode.h"

enum { NAME_LINE = 40 /* octets of a name in a line of its parameter */ };

/* ---- types ---- */

struct mark {
	size_t at;
	const char *octets;
	size_t len;
};
#define MARK(at, octets)                                                                                               \
	{                                                                                                              \
		(at), (octets), sizeof(octets) - 1                                                                     \
	}

enum { MARKS_MOST = 7 };

static const struct type_row {
	const char *ending;
	const char *type;              /* NULL: refused */
	bool is_text;                  /* UTF-8 */
	struct mark marks[MARKS_MOST]; /* one of them; none: anything */
} types[] = {
	{ "png", "image/png", false, { MARK(0, "\x89PNG\r\n\x1a\n") } },
	{ "jpg", "image/jpeg", false, { MARK(0, "\xff\xd8\xff") } },
	{ "jpeg", "image/jpeg", false, { MARK(0, "\xff\xd8\xff") } },
	{ "gif", "image/gif", false, { MARK(0, "GIF87a"), MARK(0, "GIF89a") } },
	{ "webp", "image/webp", false, { MARK(8, "WEBP") } },
	{ "bmp", "image/bmp", false, { MARK(0, "BM") } },
	{ "tif", "image/tiff", false, { MARK(0, "II*\0"), MARK(0, "MM\0*") } },
	{ "tiff", "image/tiff", false, { MARK(0, "II*\0"), MARK(0, "MM\0*") } },
	{ "pdf", "application/pdf", false, { MARK(0, "%PDF-") } },
	{ "txt", "text/plain; charset=utf-8", true, { { 0 } } },
	{ "md", "text/markdown; charset=utf-8", true, { { 0 } } },
	{ "csv", "text/csv; charset=utf-8", true, { { 0 } } },
	{ "tsv", "text/tab-separated-values; charset=utf-8", true, { { 0 } } },
	{ "json", "application/json", true, { { 0 } } },
	{ "ics", "text/calendar; charset=utf-8", true, { MARK(0, "BEGIN:VCALENDAR") } },
	{ "vcf", "text/vcard; charset=utf-8", true, { MARK(0, "BEGIN:VCARD") } },
	{ "rtf", "application/rtf", false, { MARK(0, "{\\rtf") } },
	{ "doc", "application/msword", false, { MARK(0, "\xd0\xcf\x11\xe0") } },
	{ "xls", "application/vnd.ms-excel", false, { MARK(0, "\xd0\xcf\x11\xe0") } },
	{ "ppt", "application/vnd.ms-powerpoint", false, { MARK(0, "\xd0\xcf\x11\xe0") } },
	{ "docx",
	  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	  false,
	  { MARK(0, "PK\x03\x04") } },
	{ "xlsx",
	  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	  false,
	  { MARK(0, "PK\x03\x04") } },
	{ "pptx",
	  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	  false,
	  { MARK(0, "PK\x03\x04") } },
	{ "odt", "application/vnd.oasis.opendocument.text", false, { MARK(0, "PK\x03\x04") } },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet", false, { MARK(0, "PK\x03\x04") } },
	{ "odp", "application/vnd.oasis.opendocument.presentation", false, { MARK(0, "PK\x03\x04") } },
	{ "epub", "application/epub+zip", false, { MARK(0, "PK\x03\x04") } },
	{ "pkpass", "application/vnd.apple.pkpass", false, { MARK(0, "PK\x03\x04") } },
	{ "zip", "application/zip", false, { MARK(0, "PK\x03\x04") } },
	{ "mp3",
	  "audio/mpeg",
	  false,
	  { MARK(0, "ID3"), MARK(0, "\xff\xfb"), MARK(0, "\xff\xfa"), MARK(0, "\xff\xf3"), MARK(0, "\xff\xf2"),
	    MARK(0, "\xff\xe3"), MARK(0, "\xff\xe2") } },
	{ "m4a", "audio/mp4", false, { MARK(4, "ftyp") } },
	{ "wav", "audio/wav", false, { MARK(8, "WAVE") } },
	{ "ogg", "audio/ogg", false, { MARK(0, "OggS") } },
	{ "mp4", "video/mp4", false, { MARK(4, "ftyp") } },
	{ "mov", "video/quicktime", false, { MARK(4, "ftyp"), MARK(4, "moov"), MARK(4, "wide"), MARK(4, "mdat") } },
};

/* What mail providers refuse by name. */
static const char *const program_endings[] = {
	"exe", "com", "bat", "cmd", "scr", "pif", "cpl", "dll", "sys",  "msi",  "msp",  "msc",  "jar", "js",    "jse",
	"vb",  "vbs", "vbe", "ws",  "wsf", "wsh", "ps1", "hta", "lnk",  "reg",  "apk",  "app",  "dmg", "iso",   "img",
	"vhd", "chm", "sh",  "run", "deb", "rpm", "xll", "one", "docm", "xlsm", "pptm", "html", "htm", "xhtml",
};

static const struct mark program_marks[] = {
	MARK(0, "MZ"),
	MARK(0, "\x7f"
		"ELF"),
	MARK(0, "#!"),
	MARK(0, "\xca\xfe\xba\xbe"),
	MARK(0, "\xcf\xfa\xed\xfe"),
};

static bool has_mark(struct view content, const struct mark *mark)
{
	return mark->len > 0 && view_starts(view_skip(content, mark->at), view_from(mark->octets, mark->len));
}

static bool is_program(struct view ending, struct view content)
{
	bool is = false;
	for (size_t i = 0; i < ARRAY_LEN(program_endings); i++)
		is |= view_eq_nocase(ending, view_of(program_endings[i]));
	for (size_t i = 0; i < ARRAY_LEN(program_marks); i++)
		is |= has_mark(content, &program_marks[i]);
	return is;
}

/* A text may begin with a byte order mark. */
static bool is_what_it_says(const struct type_row *row, struct view content)
{
	const struct view byte_order = VIEW_LIT("\xef\xbb\xbf");
	bool is = row->marks[0].len == 0;
	if (row->is_text && view_starts(content, byte_order))
		content = view_skip(content, byte_order.len);
	for (size_t i = 0; i < MARKS_MOST; i++)
		is |= has_mark(content, &row->marks[i]);
	return is;
}

static bool is_utf8_text(struct view content)
{
	return view_is_utf8(content) && view_find_byte(content, '\0') == VIEW_NONE;
}

/* RFC 5546: what an invitation asks of the reader. One that says so is read as an invitation only where its type says it too (RFC 6047). */
static const struct {
	const char *method, *type;
} calendars[] = {
#define CALENDAR(method)                                                                                               \
	{                                                                                                              \
		method, "text/calendar; charset=utf-8; method=" method                                                 \
	}
	CALENDAR("PUBLISH"), CALENDAR("REQUEST"), CALENDAR("REPLY"),   CALENDAR("ADD"),
	CALENDAR("CANCEL"),  CALENDAR("REFRESH"), CALENDAR("COUNTER"), CALENDAR("DECLINECOUNTER"),
#undef CALENDAR
};

/* Of the calendar itself: before its first event. */
static const char *calendar_type(struct view content, const char *otherwise)
{
	const struct view name = VIEW_LIT("METHOD:");
	struct view line;
	for (bool is_first = true; view_cut_line(&content, &line); is_first = false) {
		if (!is_first && view_starts_nocase(line, VIEW_LIT("BEGIN:")))
			break;
		if (!view_starts_nocase(line, name))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(calendars); i++) {
			if (view_eq_nocase(view_trim(view_skip(line, name.len)), view_of(calendars[i].method)))
				return calendars[i].type;
		}
	}
	return otherwise;
}

static enum err refuse_ending(struct buf *why)
{
	buf_add(why, VIEW_LIT("its name's ending is not known; known are "));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		buf_addf(why, "%s.%s", i == 0 ? "" : ", ", types[i].ending);
	return ERR_INVALID;
}

/* ---- names ---- */

/* A name, or what it begins and ends with. */
static const struct litter_row {
	const char *start, *end;
} litter[] = {
	{ "Thumbs.db", "" }, { "ehthumbs.db", "" }, { "desktop.ini", "" }, { ".DS_Store", "" },   { "._", "" },
	{ "~$", "" },        { ".~lock.", "#" },    { "#", "#" },          { "", "~" },           { "", ".swp" },
	{ "", ".swo" },      { "", ".bak" },        { "", ".tmp" },        { "", ".crdownload" }, { "", ".part" },
};

bool attachment_is_litter(struct view name)
{
	bool is = false;
	for (size_t i = 0; i < ARRAY_LEN(litter); i++)
		is |= view_starts_nocase(name, view_of(litter[i].start)) &&
		      view_ends_nocase(name, view_of(litter[i].end));
	return is;
}

/* U+202A to U+202E and U+2066 to U+2069, by which exe.pdf may be shown for what ends otherwise. */
static bool has_direction(struct view name)
{
	for (size_t i = 0; i + 2 < name.len; i++) {
		unsigned char last = (unsigned char)name.data[i + 2];
		struct view rest = view_skip(name, i);
		if ((view_starts(rest, VIEW_LIT("\xe2\x80")) && last >= 0xaa && last <= 0xae) ||
		    (view_starts(rest, VIEW_LIT("\xe2\x81")) && last >= 0xa6 && last <= 0xa9))
			return true;
	}
	return false;
}

enum err attachment_check_name(struct view name, struct buf *why)
{
	if (attachment_is_litter(name)) {
		buf_add(why, VIEW_LIT("it is a file that the system or an editor has left there; take it off"));
		return ERR_INVALID;
	}
	if (has_direction(name)) {
		buf_add(why,
			VIEW_LIT("its name holds an invisible character that turns the direction of text, as names "
				 "have that hide what a file is; rename it"));
		return ERR_INVALID;
	}
	if (name.len == 0 || name.len > LIMIT_FILE_NAME || name.data[0] == '.' || !view_is_utf8(name) ||
	    view_has_control(name)) {
		buf_addf(why,
			 "a file's name is UTF-8 without controls, has 1 to %d octets and no dot in front; rename it",
			 LIMIT_FILE_NAME);
		return ERR_INVALID;
	}
	if (view_find_byte(name, '/') == VIEW_NONE && view_find_byte(name, '\\') == VIEW_NONE)
		return ERR_OK;
	buf_add(why, VIEW_LIT("it is a path; files stand beside the letter, and are named without / and \\"));
	return ERR_INVALID;
}

static enum err check_content(const struct type_row *row, struct view content, const char **ret_type, struct buf *why)
{
	if (!is_what_it_says(row, content)) {
		buf_addf(why, "it is no %s, as its name says (such a file begins otherwise); rename or convert it",
			 row->ending);
		return ERR_INVALID;
	}
	if (row->is_text && !is_utf8_text(content)) {
		buf_addf(why, "it is no %s in UTF-8; save it as such, or convert it, for example with iconv",
			 row->ending);
		return ERR_INVALID;
	}
	bool is_calendar = view_eq(view_of(row->ending), VIEW_LIT("ics"));
	*ret_type = is_calendar ? calendar_type(content, row->type) : row->type;
	return ERR_OK;
}

enum err attachment_check(struct view name, struct view content, const char **ret_type, struct buf *why)
{
	enum err err = attachment_check_name(name, why);
	size_t dot = view_find_last_byte(name, '.');
	struct view ending = dot == VIEW_NONE ? (struct view){ 0 } : view_skip(name, dot + 1);
	if (err != ERR_OK)
		return err;
	if (view_eq_nocase(ending, VIEW_LIT("svg"))) {
		buf_add(why,
			VIEW_LIT("it is SVG, which can hold programs and which Gmail and Outlook do not show; save "
				 "it as png"));
		return ERR_INVALID;
	}
	if (is_program(ending, content)) {
		buf_add(why,
			VIEW_LIT("it is a program, or can hold one, and most receivers refuse those; put it on a web "
				 "page and write a link"));
		return ERR_INVALID;
	}
	if (content.len == 0) {
		buf_add(why, VIEW_LIT("it is empty; take it away"));
		return ERR_INVALID;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!view_eq_nocase(ending, view_of(types[i].ending)))
			continue;
		return check_content(&types[i], content, ret_type, why);
	}
	return refuse_ending(why);
}

bool attachment_is_image(struct view type)
{
	return view_starts(type, VIEW_LIT("image/"));
}

const char *attachment_ending(struct view type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct view its = view_of(types[i].type);
		if (view_eq_nocase(view_head(its, view_find_byte(its, ';')), type))
			return types[i].ending;
	}
	return NULL;
}

/* ---- the part ---- */

/* FNV-1a: it tells contents apart, and protects nothing. */
static uint64_t hash_of(struct view content)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < content.len; i++)
		hash = (hash ^ (unsigned char)content.data[i]) * UINT64_C(1099511628211);
	return hash;
}

enum err attachment_write_id(size_t number, struct view content, struct view domain, struct buf *out)
{
	return buf_addf(out, "file%zu.%016llx@" VIEW_FMT, number, (unsigned long long)hash_of(content),
			VIEW_ARG(domain));
}

/* What needs no encoding in a quoted string. */
static bool is_plain(struct view name)
{
	bool is = name.len <= NAME_LINE;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		is &= c >= ' ' && c <= '~' && c != '"' && c != '\\';
	}
	return is;
}

/* RFC 2231 section 4.1 and 3: attr-char stands for itself, a long name goes over several parameters. */
static void write_name(struct view name, struct buf *out)
{
	static const char others[] = "!#$&+-.^_`|~";
	static const char digits[] = "0123456789ABCDEF";
	if (is_plain(name)) {
		buf_addf(out, ";\r\n filename=\"" VIEW_FMT "\"", VIEW_ARG(name));
		return;
	}
	bool is_long = name.len > NAME_LINE / 3;
	size_t line = 0, number = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (i == 0 || (line + 3 > NAME_LINE && is_long)) {
			buf_add(out, VIEW_LIT(";\r\n filename*"));
			if (is_long)
				buf_addf(out, "%zu*", number++);
			buf_add(out, i == 0 ? VIEW_LIT("=utf-8''") : VIEW_LIT("="));
			line = 0;
		}
		bool is_attr = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			       view_find_byte(view_of(others), c) != VIEW_NONE;
		if (!is_attr) {
			buf_add_byte(out, '%');
			buf_add_byte(out, digits[(unsigned char)c >> 4]);
			c = digits[(unsigned char)c & 15];
		}
		buf_add_byte(out, c);
		line += is_attr ? 1 : 3;
	}
}

enum err attachment_write(const struct attachment *attachment, struct buf *out)
{
	bool is_inline = attachment->content_id.len > 0;
	buf_add(out, VIEW_LIT("Content-Type: "));
	buf_add(out, attachment->type);
	buf_add(out, VIEW_LIT("\r\nContent-Transfer-Encoding: base64\r\n"));
	if (is_inline)
		buf_addf(out, "Content-ID: <" VIEW_FMT ">\r\n", VIEW_ARG(attachment->content_id));
	buf_addf(out, "Content-Disposition: %s", is_inline ? "inline" : "attachment");
	write_name(attachment->name, out);
	buf_add(out, VIEW_LIT("\r\n\r\n"));
	return encode_base64(attachment->content, out);
}
