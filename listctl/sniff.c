#include "listctl/sniff.h"

#include <string.h>

#include "listctl/column_names.h"

enum {
	ROWS_LOOKED_AT = 200,
	LINES_LOOKED_AT = 50,
	CONTROLS_MOST = 50, /* one octet in so many may be a control character */
};

/* ---- what is no text ---- */

static const struct {
	const char *octets;
	size_t len;
	const char *what;
} formats[] = {
	{ "PK\003\004", 4, "is an Excel or LibreOffice workbook, or another zip archive: save its sheet as CSV" },
	{ "\xd0\xcf\x11\xe0", 4, "is an Excel workbook: save its sheet as CSV" },
	{ "%PDF", 4, "is a PDF: export the people as CSV" },
	{ "\x89PNG", 4, "is a picture: export the people as CSV" },
	{ "\xff\xd8\xff", 3, "is a picture: export the people as CSV" },
	{ "GIF8", 4, "is a picture: export the people as CSV" },
	{ "\x1f\x8b", 2, "is packed twice: unpack it" },
	{ "BZh", 3, "is packed by bzip2: unpack it, or pack it by gzip" },
	{ "\xfd"
	  "7zXZ",
	  5, "is packed by xz: unpack it, or pack it by gzip" },
	{ "\x28\xb5\x2f\xfd", 4, "is packed by zstd: unpack it, or pack it by gzip" },
	{ "SQLite format 3", 15, "is a database of SQLite: export the people as CSV" },
};

static bool is_control(char octet)
{
	return ((unsigned char)octet < 0x20 && memchr("\t\n\r", octet, 3) == NULL) || octet == 0x7f;
}

bool sniff_is_text(struct view start, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (view_starts(start, view_from(formats[i].octets, formats[i].len))) {
			buf_addf(why, "%s", formats[i].what);
			return false;
		}
	}
	size_t controls = 0;
	for (size_t i = 0; i < start.len; i++)
		controls += is_control(start.data[i]);
	if (controls <= 2 + start.len / CONTROLS_MOST)
		return true;
	buf_add(why, VIEW_LIT("is no text (it holds many control characters): export the people as CSV"));
	return false;
}

/* ---- lines ---- */

bool sniff_is_address(struct view text)
{
	size_t at = view_find_byte(text, '@');
	if (at == VIEW_NONE || at == 0 || at + 1 == text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (memchr(" \t\"<>(),;|", text.data[i], 10) != NULL)
			return false;
	}
	return true;
}

/* A name in quotation marks, or as a comment (RFC 5322, section 3.2.2): ann@example.org (Ann Lee). */
static struct view without_quotes(struct view name)
{
	static const char marks[][2] = { { '"', '"' }, { '(', ')' } };
	name = view_trim(name);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (name.len >= 2 && name.data[0] == marks[i][0] && name.data[name.len - 1] == marks[i][1])
			return view_trim(view_slice(name, 1, name.len - 1));
	}
	return name;
}

static bool line_in_brackets(struct view line, struct view *ret_address, struct view *ret_name)
{
	/* As letters to several have them, each on a line of its own. */
	if (view_ends(line, VIEW_LIT(",")) || view_ends(line, VIEW_LIT(";")))
		line = view_trim(view_head(line, line.len - 1));
	size_t open = view_find_last_byte(line, '<');
	if (open == VIEW_NONE || !view_ends(line, VIEW_LIT(">")))
		return false;
	struct view name = view_trim(view_head(line, open));
	bool is_quoted = view_starts(name, VIEW_LIT("\"")) && view_ends(name, VIEW_LIT("\"")) && name.len > 1;
	if (!is_quoted && (view_find_byte(name, '"') != VIEW_NONE || view_find_byte(name, '<') != VIEW_NONE))
		return false;
	*ret_address = view_slice(line, open + 1, line.len - 1);
	*ret_name = without_quotes(name);
	return sniff_is_address(*ret_address);
}

bool sniff_line(struct view line, struct view *ret_address, struct view *ret_name)
{
	line = view_trim(line);
	if (line_in_brackets(line, ret_address, ret_name))
		return true;
	size_t blank = 0;
	while (blank < line.len && line.data[blank] != ' ' && line.data[blank] != '\t')
		blank++;
	*ret_address = view_head(line, blank);
	*ret_name = without_quotes(view_skip(line, blank));
	return sniff_is_address(*ret_address) && view_find_byte(*ret_name, '@') == VIEW_NONE &&
	       view_find_byte(*ret_name, '\t') == VIEW_NONE;
}

bool sniff_is_comment(struct view line)
{
	return view_starts(view_trim(line), VIEW_LIT("#"));
}

/* A key of a Sympa dump at the front of a line. */
static bool is_stanza_line(struct view line)
{
	static const char *const keys[] = { "email",
					    "gecos",
					    "date",
					    "update_date",
					    "reception",
					    "visibility",
					    "subscribed",
					    "included",
					    "bounce",
					    "custom_attribute",
					    "suspend",
					    "startdate",
					    "enddate",
					    "topics",
					    "inclusion",
					    "id",
					    "number_messages",
					    "bounce_score",
					    "bounce_address",
					    "inclusion_ext",
					    "inclusion_label",
					    "include_sources" };
	struct view key = view_head(line, view_find_byte(line, ' '));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (view_eq(key, view_of(keys[i])))
			return true;
	}
	return false;
}

/* Ends at LF, CR or both; a last line that the start cuts off counts too. */
static bool next_line(struct view *text, struct view *ret_line)
{
	while (text->len > 0) {
		size_t len = 0;
		while (len < text->len && text->data[len] != '\n' && text->data[len] != '\r')
			len++;
		*ret_line = view_trim(view_head(*text, len));
		*text = view_skip(*text, len + 1);
		if (ret_line->len > 0)
			return true;
	}
	return false;
}

/* Whether a line begins a table: it holds no address, but a column's name or several fields. */
static bool is_table_header(struct view line)
{
	if (view_find_byte(line, '@') != VIEW_NONE)
		return false;
	for (size_t i = 0; i < line.len; i++) {
		if (memchr(",;|\t", line.data[i], 4) != NULL)
			return true;
	}
	return column_name_is_address(without_quotes(line));
}

/* What the lines of the first part are, comments aside. */
struct line_tally {
	size_t lines, comments, addresses, stanza_lines, stanzas;
	bool begins_table;
};

static struct line_tally tally_lines(struct view start)
{
	struct view line, address, name;
	struct line_tally tally = { 0 };
	while (tally.lines < LINES_LOOKED_AT && next_line(&start, &line)) {
		if (sniff_is_comment(line)) {
			tally.comments++;
			continue;
		}
		if (tally.lines++ == 0)
			tally.begins_table = is_table_header(line);
		tally.addresses += sniff_line(line, &address, &name);
		tally.stanza_lines += is_stanza_line(line);
		tally.stanzas +=
		    view_starts(line, VIEW_LIT("email ")) && sniff_is_address(view_trim(view_skip(line, 6)));
	}
	return tally;
}

enum layout sniff_layout(struct view start)
{
	if (view_starts(view_trim(start), VIEW_LIT("{")) && view_find(start, VIEW_LIT("\"email\"")) != VIEW_NONE)
		return LAYOUT_JSON;
	struct line_tally tally = tally_lines(start);
	if (tally.stanzas > 0 && tally.stanza_lines * 10 >= tally.lines * 8)
		return LAYOUT_STANZAS;
	bool is_list =
	    tally.addresses * 2 >= tally.lines && tally.addresses + tally.comments > 0 && !tally.begins_table;
	return is_list ? LAYOUT_LINES : LAYOUT_CSV;
}

/* ---- delimiters ---- */

struct tally {
	size_t rows, alike; /* rows with as many fields as the first one */
	bool has_name;      /* the first row holds the name of an address column */
};

/* The next row of text by this delimiter, as libcsv would part it, roughly. False: the row is not whole. */
static bool next_row(struct view *text, char delimiter, size_t *ret_fields, bool *ret_has_name)
{
	bool in_quotes = false;
	size_t start = 0;
	*ret_fields = 1;
	*ret_has_name = false;
	for (size_t i = 0; i < text->len; i++) {
		char octet = text->data[i];
		bool ends = octet == '\n' || octet == '\r';
		if (octet == '"')
			in_quotes = !in_quotes;
		if (in_quotes || (octet != delimiter && !ends))
			continue;
		*ret_has_name |= column_name_is_address(without_quotes(view_slice(*text, start, i)));
		start = i + 1;
		if (ends) {
			*text = view_skip(*text, i + 1);
			return true;
		}
		(*ret_fields)++;
	}
	*ret_has_name |= column_name_is_address(without_quotes(view_skip(*text, start)));
	*text = view_skip(*text, text->len);
	return false;
}

static struct tally tally_rows(struct view text, char delimiter)
{
	struct tally tally = { 0 };
	size_t first = 0;
	while (text.len > 0 && tally.rows < ROWS_LOOKED_AT) {
		size_t fields, before = text.len;
		bool has_name;
		bool is_whole = next_row(&text, delimiter, &fields, &has_name);
		if (before - text.len == 1 || (!is_whole && tally.rows > 0))
			continue; /* an empty line, or what the start cuts off */
		if (tally.rows++ == 0) {
			first = fields;
			tally.has_name = has_name;
		}
		tally.alike += fields == first && fields > 1;
	}
	return tally;
}

char sniff_delimiter(struct view start, size_t *ret_hint)
{
	static const char candidates[] = { ',', ';', '\t', '|' };
	struct view rest = start, line;
	*ret_hint = 0;
	if (view_cut_line(&rest, &line) && line.len == 5 && view_starts_nocase(line, VIEW_LIT("sep=")) &&
	    memchr(candidates, line.data[4], sizeof(candidates)) != NULL) {
		*ret_hint = (size_t)(rest.len == 0 ? start.len : (size_t)(rest.data - start.data));
		return line.data[4];
	}
	char best = ',';
	size_t best_score = 0;
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		struct tally tally = tally_rows(start, candidates[i]);
		if (tally.alike == 0)
			continue;
		size_t score = tally.alike * 1000 / tally.rows + (tally.has_name ? 500 : 0);
		if (score > best_score) {
			best_score = score;
			best = candidates[i];
		}
	}
	return best;
}
