#include "mail/rule_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/phrases.h"
#include "mail/phrase_text.h"

enum { PHRASES_OF_RULE = 1000, PHRASE_LEAST = 3, PHRASE_MOST = 200 };

struct rule_row {
	struct rule rule;
	size_t line;
	char **strings; /* all that the rule points to */
	size_t string_count, string_room;
	const char **phrases; /* ends with NULL */
	size_t phrase_count;
	bool has_reason;
};

struct rule_text {
	struct rule_row *rows;
	size_t count;
};

/* Where the reading is, and where it tells what is wrong. */
struct reader {
	struct rule_text *rules;
	size_t line;
	struct buf *why;
};

static enum err refuse(const struct reader *reader, const char *what, struct view value)
{
	enum { SHOWN = 80 };
	buf_addf(reader->why, "line %zu: ", reader->line);
	if (value.len > 0)
		buf_addf(reader->why, "\"" VIEW_FMT "\": ", VIEW_ARG(view_head(value, SHOWN)));
	buf_addf(reader->why, "%s", what);
	return ERR_INVALID;
}

/* ---- memory ---- */

static char *keep(struct rule_row *row, struct view text)
{
	if (row->string_count == row->string_room) {
		size_t room = row->string_room == 0 ? 8 : row->string_room * 2;
		char **strings = realloc(row->strings, room * sizeof(*strings));
		if (strings == NULL)
			return NULL;
		row->strings = strings;
		row->string_room = room;
	}
	char *copy = calloc(1, text.len + 1);
	if (copy != NULL && text.len > 0)
		memcpy(copy, text.data, text.len);
	if (copy != NULL)
		row->strings[row->string_count++] = copy;
	return copy;
}

static enum err keep_in(struct rule_row *row, struct view text, const char **ret_kept)
{
	*ret_kept = keep(row, text);
	return *ret_kept == NULL ? ERR_MEMORY : ERR_OK;
}

static void row_done(struct rule_row *row)
{
	for (size_t i = 0; i < row->string_count; i++)
		free(row->strings[i]);
	free(row->strings);
	free(row->phrases);
}

void rule_text_done(struct rule_text *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++)
		row_done(&rules->rows[i]);
	free(rules->rows);
	free(rules);
}

/* ---- the values ---- */

static bool is_name(struct view name)
{
	const struct view known = VIEW_LIT("abcdefghijklmnopqrstuvwxyz0123456789-");
	for (size_t i = 0; i < name.len; i++) {
		if (view_find_byte(known, name.data[i]) == VIEW_NONE)
			return false;
	}
	return name.len > 0 && name.len <= RULE_NAME_MOST;
}

static bool is_taken(const struct rule_text *rules, struct view name)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (view_eq(name, view_of(rules->rows[i].rule.name)))
			return true;
	}
	for (size_t i = 0; i < classify_rule_count; i++) {
		if (view_eq(name, view_of(classify_rules[i].name)))
			return true;
	}
	return false;
}

static enum err begin_rule(struct reader *reader, struct view name)
{
	struct rule_text *rules = reader->rules;
	if (!is_name(name))
		return refuse(reader, "a rule's name is up to 63 small letters, digits and hyphens", name);
	if (is_taken(rules, name))
		return refuse(reader, "there is a rule of this name already", name);
	if (rules->count == RULES_MOST)
		return refuse(reader, "too many rules; put phrases of one reason into one rule", name);
	struct rule_row *row = &rules->rows[rules->count++];
	*row = (struct rule_row){ .line = reader->line };
	return keep_in(row, name, &row->rule.name);
}

static enum err take_reason(struct reader *reader, struct rule_row *row, struct view value)
{
	if (!reason_from_name(value, &row->rule.reason))
		return refuse(reader, "there is no such reason; `listctl policy show` lists them", value);
	if (row->rule.reason == REASON_COMPLAINT)
		return refuse(reader, "a complaint is told by a feedback report, not by words", value);
	row->has_reason = true;
	return ERR_OK;
}

/* "5.7.1", "*.2.*": up to three digits each, the first one 4, 5 or an asterisk. */
static bool is_status_pattern(struct view value)
{
	struct view number;
	uint64_t ignored;
	size_t count = 0;
	if (value.len > 0 && view_find_byte(VIEW_LIT("45*"), value.data[0]) == VIEW_NONE)
		return false;
	while (view_cut(&value, '.', &number)) {
		if (!view_eq(number, VIEW_LIT("*")) &&
		    (!view_to_u64(number, 999, &ignored) || number.len > (count == 0 ? 1 : 3)))
			return false;
		count++;
	}
	return count == 3;
}

static enum err take_status(struct reader *reader, struct rule_row *row, struct view value)
{
	if (!is_status_pattern(value))
		return refuse(reader, "a status is such as 5.1.1, 5.7.* or *.2.2", value);
	return keep_in(row, value, &row->rule.status);
}

static enum err take_code(struct reader *reader, struct rule_row *row, struct view value)
{
	uint64_t code;
	if (!view_to_u64(value, 599, &code) || code < 400)
		return refuse(reader, "a code is a number from 400 to 599", value);
	row->rule.code = (unsigned)code;
	return ERR_OK;
}

static enum err take_vague(struct reader *reader, struct rule_row *row, struct view value)
{
	row->rule.is_vague = view_eq(value, VIEW_LIT("yes"));
	return row->rule.is_vague || view_eq(value, VIEW_LIT("no")) ? ERR_OK : refuse(reader, "yes or no", value);
}

static enum err take_example(struct reader *reader, struct rule_row *row, struct view value)
{
	if (value.len == 0)
		return refuse(reader, "an example is a reply that this rule decides", value);
	return keep_in(row, value, &row->rule.example);
}

static void take_octet(void *context, unsigned char octet)
{
	buf_add_byte(context, (char)octet);
}

/* As texts are compared; the walk's spaces at either end stay where the phrase has its own. */
static struct view normalise(struct view phrase, struct buf *room)
{
	phrase_text_walk(phrase, take_octet, room);
	struct view text = buf_view(room);
	if (phrase.len == 0 || text.len < 2)
		return view_head(text, 0);
	if (phrase.data[0] != ' ')
		text = view_skip(text, 1);
	return phrase.data[phrase.len - 1] == ' ' ? text : view_head(text, text.len - 1);
}

/* Each part between asterisks is some letters at least, so that no rule fits everything. */
static bool has_sound_parts(struct view phrase)
{
	struct view part;
	bool is_long = false;
	if (phrase.len == 0 || view_ends(phrase, VIEW_LIT("*")))
		return false;
	while (view_cut(&phrase, '*', &part)) {
		size_t letters = view_trim(part).len;
		if (letters == 0)
			return false;
		is_long = is_long || letters >= PHRASE_LEAST;
	}
	return is_long;
}

static enum err take_phrase(struct reader *reader, struct rule_row *row, struct view value)
{
	AUTO_BUF room = buf_with_ceiling(LIMIT_WHY);
	if (value.len >= 2 && value.data[0] == '"' && view_ends(value, VIEW_LIT("\"")))
		value = view_slice(value, 1, value.len - 1);
	struct view phrase = value.len > PHRASE_MOST ? (struct view){ 0 } : normalise(value, &room);
	if (!has_sound_parts(phrase))
		return refuse(reader, "a phrase is 3 to 200 octets of text; an asterisk in it stands between words",
			      value);
	if (row->phrase_count == PHRASES_OF_RULE)
		return refuse(reader, "too many phrases in one rule", value);
	const char **phrases = realloc(row->phrases, (row->phrase_count + 2) * sizeof(*phrases));
	if (phrases == NULL)
		return ERR_MEMORY;
	row->phrases = phrases;
	phrases[row->phrase_count + 1] = NULL;
	enum err err = keep_in(row, phrase, &phrases[row->phrase_count]);
	row->phrase_count += err == ERR_OK;
	return err;
}

/* ---- the lines ---- */

enum rule_key { KEY_RULE, KEY_REASON, KEY_STATUS, KEY_CODE, KEY_VAGUE, KEY_PHRASE, KEY_EXAMPLE, KEY_COUNT };

static const struct key_row {
	const char *name;
	bool repeats;
	enum err (*take)(struct reader *reader, struct rule_row *row, struct view value);
} keys[] = {
	[KEY_RULE] = { "rule", true, NULL },
	[KEY_REASON] = { "reason", false, take_reason },
	[KEY_STATUS] = { "status", false, take_status },
	[KEY_CODE] = { "code", false, take_code },
	[KEY_VAGUE] = { "vague", false, take_vague },
	[KEY_PHRASE] = { "phrase", true, take_phrase },
	[KEY_EXAMPLE] = { "example", false, take_example },
};
static_assert(ARRAY_LEN(keys) == KEY_COUNT, "one row per key");

static enum err find_key(const struct reader *reader, struct view name, enum rule_key *ret_key)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (view_eq(name, view_of(keys[i].name))) {
			*ret_key = (enum rule_key)i;
			return ERR_OK;
		}
	}
	return refuse(reader, "a line begins with rule:, reason:, status:, code:, vague:, phrase: or example:", name);
}

/* The last rule has all that it needs. */
static enum err end_rule(struct reader *reader)
{
	const struct rule_text *rules = reader->rules;
	if (rules->count == 0)
		return ERR_OK;
	struct rule_row *row = &rules->rows[rules->count - 1];
	struct view name = view_of(row->rule.name);
	row->rule.phrases = row->phrases;
	if (!row->has_reason)
		return refuse(reader, "the rule above has no reason", name);
	if (row->rule.example == NULL)
		return refuse(reader, "the rule above has no example", name);
	if (row->phrases == NULL && row->rule.status == NULL && row->rule.code == 0)
		return refuse(reader, "the rule above has neither phrase nor status nor code", name);
	return ERR_OK;
}

static enum err read_line(struct reader *reader, struct view line, bool seen[KEY_COUNT])
{
	enum rule_key key;
	struct view name;
	if (view_has_control(line) || !view_is_utf8(line))
		return refuse(reader, "rules are UTF-8 text without tabs and other control characters",
			      (struct view){ 0 });
	size_t colon = view_find_byte(line, ':');
	name = view_trim(view_head(line, colon == VIEW_NONE ? line.len : colon));
	struct view value = colon == VIEW_NONE ? (struct view){ 0 } : view_trim(view_skip(line, colon + 1));
	enum err err = find_key(reader, name, &key);
	if (err != ERR_OK)
		return err;
	if (key == KEY_RULE) {
		err = end_rule(reader);
		memset(seen, 0, KEY_COUNT * sizeof(*seen));
		return err != ERR_OK ? err : begin_rule(reader, value);
	}
	if (reader->rules->count == 0)
		return refuse(reader, "a rule begins with `rule: NAME`", name);
	if (seen[key] && !keys[key].repeats)
		return refuse(reader, "stands twice in this rule", name);
	seen[key] = true;
	return keys[key].take(reader, &reader->rules->rows[reader->rules->count - 1], value);
}

static enum err read_lines(struct reader *reader, struct view text)
{
	bool seen[KEY_COUNT] = { false };
	struct view line;
	enum err err = ERR_OK;
	while (err == ERR_OK && view_cut_line(&text, &line)) {
		reader->line++;
		line = view_trim(line);
		if (line.len > 0 && line.data[0] != '#')
			err = read_line(reader, line, seen);
	}
	return err == ERR_OK ? end_rule(reader) : err;
}

enum err rule_text_read(struct view text, struct rule_text **ret_rules, struct buf *why)
{
	struct rule_text *rules = calloc(1, sizeof(*rules));
	if (rules != NULL)
		rules->rows = calloc(RULES_MOST, sizeof(*rules->rows));
	struct reader reader = { .rules = rules, .why = why };
	enum err err = rules == NULL || rules->rows == NULL ? ERR_MEMORY : read_lines(&reader, text);
	if (err != ERR_OK) {
		rule_text_done(rules);
		return err;
	}
	*ret_rules = rules;
	return ERR_OK;
}

size_t rule_text_count(const struct rule_text *rules)
{
	return rules->count;
}

const struct rule *rule_text_rule(const struct rule_text *rules, size_t index)
{
	return &rules->rows[index].rule;
}

size_t rule_text_line(const struct rule_text *rules, size_t index)
{
	return rules->rows[index].line;
}
