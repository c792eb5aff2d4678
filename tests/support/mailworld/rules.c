#include "tests/support/mailworld/rules.h"

#include <stdlib.h>

#include "tests/support/mailworld/hash.h"

enum { RULES_MAX = 500, WORDS_MAX = 32 };

struct rules {
	struct buf text; /* the rules' views are into it */
	struct rule rows[RULES_MAX];
	size_t count;
	uint64_t seed;
};

static const struct rule accept_all = { .action = RULE_ACCEPT };

static const char *const point_names[POINT_COUNT] = {
	[POINT_BANNER] = "banner", [POINT_EHLO] = "ehlo", [POINT_MAIL] = "mail",
	[POINT_RCPT] = "rcpt",     [POINT_DATA] = "data", [POINT_CONTENT] = "content",
	[POINT_DOT] = "dot",       [POINT_KEPT] = "kept", [POINT_QUIT] = "quit",
};

static bool take_point(struct view word, enum rule_point *ret_point)
{
	for (size_t i = 0; i < POINT_COUNT; i++) {
		if (view_eq(word, view_of(point_names[i]))) {
			*ret_point = (enum rule_point)i;
			return true;
		}
	}
	return false;
}

static bool take_count(struct view word, uint64_t *ret_count)
{
	enum { COUNT_MAX = 1000000000 };
	return view_to_u64(word, COUNT_MAX, ret_count);
}

/* ---- options ---- */

typedef bool take_option(struct view value, struct rule *rule);

static bool take_every(struct view value, struct rule *rule)
{
	return take_count(value, &rule->every) && rule->every > 0;
}

static bool take_share(struct view value, struct rule *rule)
{
	char text[16], *end;
	if (value.len == 0 || value.len >= sizeof(text))
		return false;
	for (size_t i = 0; i < value.len; i++)
		text[i] = value.data[i];
	text[value.len] = '\0';
	rule->share = strtod(text, &end);
	return *end == '\0' && rule->share >= 0 && rule->share <= 1;
}

static bool take_slow(struct view value, struct rule *rule)
{
	return take_count(value, &rule->slow_ms);
}

static bool take_report(struct view value, struct rule *rule)
{
	rule->report = shape_find(value);
	return rule->report != NULL;
}

static bool take_after(struct view value, struct rule *rule)
{
	return take_count(value, &rule->after_ms);
}

static bool take_copies(struct view value, struct rule *rule)
{
	return take_count(value, &rule->copies) && rule->copies > 0;
}

static bool take_status(struct view value, struct rule *rule)
{
	rule->report_status = value;
	return value.len > 0;
}

static bool take_text(struct view value, struct rule *rule)
{
	rule->report_text = value;
	return value.len > 0;
}

static const struct {
	const char *name;
	take_option *take;
} options[] = {
	{ "every", take_every }, { "share", take_share },   { "slow", take_slow },     { "report", take_report },
	{ "after", take_after }, { "copies", take_copies }, { "status", take_status }, { "text", take_text },
};

/* ---- a line ---- */

/* Cuts the next word, "..." being one; false at the end of the line or its comment. */
static bool cut_word(struct view *line, struct view *ret_word)
{
	*line = view_trim(*line);
	if (line->len == 0 || line->data[0] == '#')
		return false;
	char separator = ' ';
	if (line->data[0] == '"') {
		separator = '"';
		*line = view_skip(*line, 1);
	}
	return view_cut(line, separator, ret_word);
}

/* The words after the action; returns how many were its own, or 0 with a bad one (the action itself counts). */
static size_t take_action(const struct view *words, size_t count, struct rule *rule)
{
	uint64_t code = 0;
	bool is_drop = view_eq(words[0], VIEW_LIT("drop"));
	if (view_eq(words[0], VIEW_LIT("accept"))) {
		rule->action = RULE_ACCEPT;
		return rule->is_session ? 0 : 1;
	}
	if (is_drop && count >= 2 && take_point(words[1], &rule->point)) {
		rule->action = RULE_DROP;
		return 2;
	}
	if (is_drop || count < 5 || !view_to_u64(words[2], 599, &code) || code < 400)
		return 0;
	rule->code = (unsigned)code;
	rule->status = words[3];
	rule->text = words[4];
	if (view_eq(words[0], VIEW_LIT("refuse"))) {
		rule->action = RULE_REFUSE;
		bool has_reply =
		    take_point(words[1], &rule->point) && rule->point != POINT_CONTENT && rule->point != POINT_KEPT;
		return has_reply ? 5 : 0;
	}
	rule->action = RULE_DEFER;
	rule->point = POINT_RCPT;
	return view_eq(words[0], VIEW_LIT("defer")) && take_count(words[1], &rule->times) ? 5 : 0;
}

static bool take_options(const struct view *words, size_t count, struct rule *rule)
{
	for (size_t i = 0; i < count; i += 2) {
		size_t row = 0;
		while (row < ARRAY_LEN(options) && !view_eq(words[i], view_of(options[row].name)))
			row++;
		if (row == ARRAY_LEN(options) || i + 1 == count || !options[row].take(words[i + 1], rule))
			return false;
	}
	return true;
}

static bool is_point_of(const struct rule *rule)
{
	return rule->action == RULE_ACCEPT || rule->is_session ||
	       (rule->point >= POINT_RCPT && rule->point <= POINT_KEPT);
}

/* False when the line is no rule; an empty line is none and no error. */
static bool read_rule(struct view line, struct rule *ret_rule, bool *ret_is_rule)
{
	struct view words[WORDS_MAX];
	size_t count = 0;
	while (count < WORDS_MAX && cut_word(&line, &words[count]))
		count++;
	*ret_is_rule = count > 0;
	if (count == 0)
		return true;
	if (count == 1)
		return false;
	struct rule rule = { .who = words[0], .share = 1, .copies = 1 };
	rule.is_session = view_eq(words[0], VIEW_LIT("session"));
	size_t own = take_action(words + 1, count - 1, &rule);
	if (own == 0 || !take_options(words + 1 + own, count - 1 - own, &rule) || !is_point_of(&rule))
		return false;
	*ret_rule = rule;
	return true;
}

enum err rules_parse(struct view text, const char *path, uint64_t seed, struct rules **ret_rules, struct buf *why)
{
	enum { TEXT_MAX = 1 << 20 };
	struct rules *rules = calloc(1, sizeof(*rules));
	if (rules == NULL)
		return ERR_MEMORY;
	rules->seed = seed;
	rules->text = buf_with_ceiling(TEXT_MAX);
	enum err err = buf_add(&rules->text, text);
	struct view rest = buf_view(&rules->text);
	struct view line;
	for (size_t number = 1; err == ERR_OK && view_cut_line(&rest, &line); number++) {
		bool is_rule;
		struct rule *row = &rules->rows[rules->count];
		if (rules->count == RULES_MAX || !read_rule(line, row, &is_rule)) {
			buf_addf(why, "%s, line %zu: \"" VIEW_FMT "\" is no rule: see --help", path, number,
				 VIEW_ARG(line));
			err = ERR_INVALID;
			break;
		}
		row->line = number;
		rules->count += is_rule;
	}
	if (err != ERR_OK) {
		rules_done(rules);
		return err;
	}
	*ret_rules = rules;
	return ERR_OK;
}

void rules_done(struct rules *rules)
{
	if (rules == NULL)
		return;
	buf_done(&rules->text);
	free(rules);
}

bool rules_have_reports(const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->rows[i].report != NULL)
			return true;
	}
	return false;
}

/* ---- matching ---- */

/* Walks both; on a mismatch the last * takes one octet more. */
static bool glob_matches(struct view pattern, struct view text)
{
	size_t p = 0, t = 0, star = VIEW_NONE, star_t = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			star_t = t;
		} else if (p < pattern.len && (pattern.data[p] == '?' || view_eq_nocase(view_slice(pattern, p, p + 1),
											view_slice(text, t, t + 1)))) {
			p++;
			t++;
		} else if (star != VIEW_NONE) {
			p = star + 1;
			t = ++star_t;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

static bool is_its_turn(struct rules *rules, struct rule *rule, struct view address)
{
	rule->occasions++;
	if (rule->every > 0 && rule->occasions % rule->every != 0)
		return false;
	if (rule->share >= 1)
		return true;
	bool by_occasion = rule->is_session || rule->action == RULE_DROP;
	uint64_t hash = by_occasion ? hash_number(rules->seed + rule->line, rule->occasions)
				    : hash_bytes(rules->seed + rule->line, address);
	return (double)(hash >> 11) / (double)(UINT64_C(1) << 53) < rule->share;
}

const struct rule *rules_for_recipient(struct rules *rules, struct view address)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rows[i];
		if (!rule->is_session && glob_matches(rule->who, address) && is_its_turn(rules, rule, address))
			return rule;
	}
	return &accept_all;
}

const struct rule *rules_for_session(struct rules *rules, enum rule_point point)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rows[i];
		if (rule->is_session && rule->point == point && is_its_turn(rules, rule, VIEW_LIT("")))
			return rule;
	}
	return NULL;
}
