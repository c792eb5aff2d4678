#include "mail/seven_bit.h"

/* How the next octets are to be read. */
enum set { SET_ASCII, SET_KANA, SET_PAIRS, SET_PAIRS_MORE };

struct switch_row {
	const char *sequence;
	enum set set;
	const char *stands_for; /* as text */
};

/* RFC 1843: ~~ is a tilde, and one at the end of a line hides it. */
static const struct switch_row hz_switches[] = {
	{ "~{", SET_PAIRS, "" },  { "~}", SET_ASCII, "" },    { "~~", SET_ASCII, "~" },
	{ "~\n", SET_ASCII, "" }, { "~\r\n", SET_ASCII, "" },
};

static const struct switch_row iso_2022_jp_switches[] = {
	{ "\x1b(B", SET_ASCII, "" },       { "\x1b(J", SET_ASCII, "" }, { "\x1b(I", SET_KANA, "" },
	{ "\x1b$B", SET_PAIRS, "" },       { "\x1b$@", SET_PAIRS, "" }, { "\x1b$(@", SET_PAIRS, "" },
	{ "\x1b$(D", SET_PAIRS_MORE, "" },
};

static const struct scheme {
	const struct switch_row *switches;
	size_t count;
	const char *eight_bit;
} hz = { hz_switches, ARRAY_LEN(hz_switches), "gb18030" },
  iso_2022_jp = { iso_2022_jp_switches, ARRAY_LEN(iso_2022_jp_switches), "euc-jp-ms" };

static const struct {
	const char *charset;
	const struct scheme *scheme;
} names[] = {
	{ "hz-gb-2312", &hz },           { "hz", &hz },
	{ "iso-2022-jp", &iso_2022_jp }, { "iso-2022-jp-ms", &iso_2022_jp },
	{ "csiso2022jp", &iso_2022_jp }, { "cp50220", &iso_2022_jp },
	{ "cp50221", &iso_2022_jp },     { "cp50222", &iso_2022_jp },
};

static const struct scheme *scheme_of(struct view charset)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_eq_nocase(charset, view_of(names[i].charset)))
			return names[i].scheme;
	}
	return NULL;
}

bool seven_bit_is(struct view charset)
{
	return scheme_of(charset) != NULL;
}

static const struct switch_row *switch_at(const struct scheme *scheme, struct view rest)
{
	for (size_t i = 0; i < scheme->count; i++) {
		if (view_starts(rest, view_of(scheme->switches[i].sequence)))
			return &scheme->switches[i];
	}
	return NULL;
}

/* Octets from 33 to 126, of which those of a set are made. */
static bool is_of_set(struct view rest, size_t count)
{
	bool is = rest.len >= count;
	for (size_t i = 0; i < count && is; i++)
		is = rest.data[i] > ' ' && rest.data[i] < '\x7f';
	return is;
}

/* Appends the character that stands there; how many octets it has. */
static size_t undo_one(enum set set, struct view rest, struct buf *out)
{
	static const struct {
		size_t octets;
		const char *before; /* in EUC-JP */
	} sets[] = { [SET_ASCII] = { 1, "" },
		     [SET_KANA] = { 1, "\x8e" },
		     [SET_PAIRS] = { 2, "" },
		     [SET_PAIRS_MORE] = { 2, "\x8f" } };
	if (set == SET_ASCII || !is_of_set(rest, sets[set].octets)) {
		buf_add_byte(out, rest.data[0]);
		return 1;
	}
	buf_add(out, view_of(sets[set].before));
	for (size_t i = 0; i < sets[set].octets; i++)
		buf_add_byte(out, (char)(rest.data[i] | '\x80'));
	return sets[set].octets;
}

const char *seven_bit_undo(struct view charset, struct view octets, struct buf *out)
{
	const struct scheme *scheme = scheme_of(charset);
	enum set set = SET_ASCII;
	while (octets.len > 0) {
		const struct switch_row *row = switch_at(scheme, octets);
		if (row != NULL) {
			set = row->set;
			buf_add(out, view_of(row->stands_for));
			octets = view_skip(octets, view_of(row->sequence).len);
			continue;
		}
		/* A line that forgot to switch back spoils itself alone. */
		if (octets.data[0] == '\n')
			set = SET_ASCII;
		octets = view_skip(octets, undo_one(set, octets, out));
	}
	return scheme->eight_bit;
}
