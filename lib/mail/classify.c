#include "mail/classify.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mail/phrases.h"
#include "mail/phrase_text.h"
#include "mail/rule_text.h"

static_assert((int)RULES_MOST <= (int)PHRASES_SETS_MAX, "one set of phrases per rule");

struct classifier {
	struct rule_text *own; /* an administrator's; NULL: none */
	struct phrases *own_phrases;
	struct phrases *phrases;     /* set i: those of built-in rule i */
	struct classifier *replaced; /* what it was before: names of rules are still out */
};

/* ---- making it ---------------------------------------------------------------------------------------------------- */

static size_t own_count(const struct classifier *classifier)
{
	return classifier->own == NULL ? 0 : rule_text_count(classifier->own);
}

static enum err collect(const struct rule *(*rule_at)(const void *rules, size_t index), const void *rules, size_t count,
			struct phrases **ret_phrases)
{
	const char *const *sets[PHRASES_SETS_MAX];
	if (count > PHRASES_SETS_MAX)
		return ERR_TOO_BIG;
	for (size_t i = 0; i < count; i++)
		sets[i] = rule_at(rules, i)->phrases;
	return phrases_new(sets, count, ret_phrases);
}

static const struct rule *built_in_at(const void *rules, size_t index)
{
	return (const struct rule *)rules + index;
}

static const struct rule *own_at(const void *rules, size_t index)
{
	return rule_text_rule(rules, index);
}

static enum err take_own(struct classifier *classifier, struct view rules, struct buf *why)
{
	enum err err = rule_text_read(rules, &classifier->own, why);
	if (err != ERR_OK)
		return err;
	err = collect(own_at, classifier->own, rule_text_count(classifier->own), &classifier->own_phrases);
	if (err == ERR_TOO_BIG)
		buf_addf(why, "these rules have more phrases than can be looked for at once");
	return err == ERR_TOO_BIG ? ERR_INVALID : err;
}

static enum err try_own(const struct classifier *classifier, struct buf *why)
{
	for (size_t i = 0; i < own_count(classifier); i++) {
		struct rule_trial trial;
		classifier_try(classifier, i, &trial);
		if (strcmp(trial.decided_by, trial.rule->name) == 0)
			continue;
		buf_addf(why, "line %zu: the example of %s is decided by %s; the first rule that matches decides",
			 trial.line, trial.rule->name,
			 strcmp(trial.decided_by, "none") == 0 ? "no rule" : trial.decided_by);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err make(struct view rules, struct classifier **ret_classifier, struct buf *why)
{
	struct classifier *classifier = calloc(1, sizeof(*classifier));
	if (classifier == NULL)
		return ERR_MEMORY;
	enum err err = collect(built_in_at, classify_rules, classify_rule_count, &classifier->phrases);
	if (err == ERR_OK && rules.len > 0)
		err = take_own(classifier, rules, why);
	if (err == ERR_OK)
		err = try_own(classifier, why);
	if (err != ERR_OK) {
		classifier_done(classifier);
		return err;
	}
	*ret_classifier = classifier;
	return ERR_OK;
}

enum err classifier_new(struct classifier **ret_classifier)
{
	return make((struct view){ 0 }, ret_classifier, NULL);
}

enum err classifier_new_with(struct view rules, struct classifier **ret_classifier, struct buf *why)
{
	return make(rules, ret_classifier, why);
}

void classifier_done(struct classifier *classifier)
{
	while (classifier != NULL) {
		struct classifier *replaced = classifier->replaced;
		rule_text_done(classifier->own);
		phrases_done(classifier->own_phrases);
		phrases_done(classifier->phrases);
		free(classifier);
		classifier = replaced;
	}
}

void classifier_replace(struct classifier *classifier, struct classifier *fresh)
{
	const struct classifier before = *classifier;
	*classifier = *fresh;
	*fresh = before;
	classifier->replaced = fresh;
	/* Only the names are needed of what it was. */
	phrases_done(fresh->own_phrases);
	phrases_done(fresh->phrases);
	fresh->own_phrases = fresh->phrases = NULL;
}

/* ---- judging ------------------------------------------------------------------------------------------------------ */

/* One number of a rule's pattern against the status; moves *pattern behind it and its dot. */
static bool number_fits(const char **pattern, unsigned number)
{
	if (**pattern == '*') {
		*pattern += (*pattern)[1] == '.' ? 2 : 1;
		return true;
	}
	unsigned wanted = 0;
	while (**pattern >= '0' && **pattern <= '9')
		wanted = wanted * 10 + (unsigned)(*(*pattern)++ - '0');
	*pattern += **pattern == '.';
	return wanted == number;
}

static bool status_fits(const char *pattern, struct status status)
{
	if (pattern == NULL)
		return true;
	return status_is_set(status) && number_fits(&pattern, status.class_digit) &&
	       number_fits(&pattern, status.subject) && number_fits(&pattern, status.detail);
}

static bool rule_fits(const struct rule *rule, bool phrase_seen, const struct finding *finding)
{
	if (rule->phrases != NULL && !phrase_seen)
		return false;
	return status_fits(rule->status, finding->status) && (rule->code == 0 || rule->code == finding->code);
}

static bool is_temporary(const struct finding *finding)
{
	return status_is_set(finding->status) ? finding->status.class_digit == 4
					      : finding->code >= 400 && finding->code < 500;
}

static enum bounce_kind kind_of(enum bounce_reason reason, bool is_temporary, bool is_final)
{
	if (reason == REASON_COMPLAINT)
		return KIND_COMPLAINT;
	if (reason == REASON_AUTO_REPLY)
		return KIND_AUTO_REPLY;
	bool is_hard = reason == REASON_USER_UNKNOWN || reason == REASON_DOMAIN_UNKNOWN || reason == REASON_NULL_MX ||
		       reason == REASON_MOVED || (reason == REASON_MAILBOX_DISABLED && !is_temporary);
	return is_hard && (is_final || !is_temporary) ? KIND_HARD : KIND_SOFT;
}

/* Codes such as 5.0.0 say that something failed and no more: one that stands in the text may say what. */
static bool says_nothing(struct status status)
{
	return !status_is_set(status) || (status.subject == 0 && status.detail == 0) || status_is(status, 5, 5, 0) ||
	       status_is(status, 5, 3, 0);
}

static enum certainty certainty_of(const struct rule *rule)
{
	if (rule->is_vague)
		return CERTAINTY_VAGUE;
	return rule->phrases == NULL ? CERTAINTY_CODES : CERTAINTY_WORDS;
}

/* The first rule that fits; NULL: none does. */
static const struct rule *first_fit(const struct rule *(*rule_at)(const void *rules, size_t index), const void *rules,
				    size_t count, const bool *found, const struct finding *finding)
{
	for (size_t i = 0; i < count; i++) {
		if (rule_fits(rule_at(rules, i), found[i], finding))
			return rule_at(rules, i);
	}
	return NULL;
}

static const struct rule *decide(const struct classifier *classifier, struct view text, const struct finding *finding)
{
	bool found[PHRASES_SETS_MAX];
	const struct rule *rule = NULL;
	if (classifier->own != NULL) {
		phrases_find(classifier->own_phrases, text, found);
		rule = first_fit(own_at, classifier->own, own_count(classifier), found, finding);
	}
	if (rule != NULL)
		return rule;
	phrases_find(classifier->phrases, text, found);
	return first_fit(built_in_at, classify_rules, classify_rule_count, found, finding);
}

void classify(const struct classifier *classifier, const struct evidence *evidence, struct finding *ret_finding)
{
	struct finding finding = { .status = evidence->status, .code = evidence->code, .rule = "none" };
	struct status within;
	if (says_nothing(finding.status) && status_find(evidence->text, &within) && within.class_digit != 2 &&
	    (!says_nothing(within) || !status_is_set(finding.status)))
		finding.status = within;
	if (finding.code == 0)
		finding.code = phrase_text_code(evidence->text);
	const struct rule *rule = decide(classifier, evidence->text, &finding);
	if (rule != NULL) {
		finding.reason = rule->reason;
		finding.rule = rule->name;
		finding.certainty = certainty_of(rule);
	}
	finding.kind = kind_of(finding.reason, is_temporary(&finding), evidence->is_final);
	*ret_finding = finding;
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

size_t classifier_rule_count(const struct classifier *classifier)
{
	return own_count(classifier) + classify_rule_count;
}

static const struct rule *rule_at(const struct classifier *classifier, size_t index)
{
	size_t own = own_count(classifier);
	return index < own ? rule_text_rule(classifier->own, index) : &classify_rules[index - own];
}

void classifier_try(const struct classifier *classifier, size_t index, struct rule_trial *ret_trial)
{
	const struct rule *rule = rule_at(classifier, index);
	const struct evidence evidence = { .text = view_of(rule->example), .is_final = true };
	struct finding finding;
	classify(classifier, &evidence, &finding);
	*ret_trial = (struct rule_trial){
		.rule = rule,
		.line = index < own_count(classifier) ? rule_text_line(classifier->own, index) : 0,
		.decided_by = finding.rule,
	};
}

/* The lines from the first of `rest` on; `rest` moves behind the first one. False at the end. */
static bool cut_window(struct view *rest, size_t lines, struct view *ret_window)
{
	struct view first, last;
	if (!view_cut_line(rest, &first))
		return false;
	struct view behind = *rest;
	last = first;
	while (--lines > 0 && view_cut_line(&behind, &last))
		continue;
	*ret_window = view_from(first.data, (size_t)(last.data + last.len - first.data));
	return true;
}

/* Phrases may go over the ends of lines, of a few at most. */
static struct view line_with_words(const struct phrases *phrases, struct view text)
{
	enum { SPAN = 4 };
	for (size_t span = 1; span <= SPAN; span++) {
		struct view rest = text, window;
		while (cut_window(&rest, span, &window)) {
			bool found;
			phrases_find(phrases, window, &found);
			if (found)
				return view_trim(window);
		}
	}
	return view_trim(text);
}

static struct view line_with_code(struct view text)
{
	struct view rest = text, line;
	struct status status;
	while (view_cut_line(&rest, &line)) {
		if (phrase_text_code(line) != 0 || status_find(line, &status))
			return view_trim(line);
	}
	return view_trim(text);
}

struct view classify_line(const struct classifier *classifier, const char *rule, struct view text)
{
	const struct rule *named = NULL;
	struct phrases *phrases;
	for (size_t i = 0; named == NULL && i < classifier_rule_count(classifier); i++) {
		if (strcmp(rule_at(classifier, i)->name, rule) == 0)
			named = rule_at(classifier, i);
	}
	if (named == NULL)
		return (struct view){ 0 };
	if (named->phrases == NULL || phrases_new(&named->phrases, 1, &phrases) != ERR_OK)
		return line_with_code(text);
	struct view line = line_with_words(phrases, text);
	phrases_done(phrases);
	return line;
}
