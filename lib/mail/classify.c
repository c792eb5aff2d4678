#include "mail/classify.h"

#include <stdlib.h>

#include "mail/classify_rules.h"
#include "mail/phrases.h"
#include "mail/phrase_text.h"

struct classifier {
	struct phrases *phrases; /* set i: those of rule i */
};

enum err classifier_new(struct classifier **ret_classifier)
{
	const char *const *sets[PHRASES_SETS_MAX];
	if (classify_rule_count > PHRASES_SETS_MAX)
		return ERR_TOO_BIG;
	for (size_t i = 0; i < classify_rule_count; i++)
		sets[i] = classify_rules[i].phrases;
	struct classifier *classifier = calloc(1, sizeof(*classifier));
	if (classifier == NULL)
		return ERR_MEMORY;
	enum err err = phrases_new(sets, classify_rule_count, &classifier->phrases);
	if (err != ERR_OK) {
		classifier_done(classifier);
		return err;
	}
	*ret_classifier = classifier;
	return ERR_OK;
}

void classifier_done(struct classifier *classifier)
{
	if (classifier == NULL)
		return;
	phrases_done(classifier->phrases);
	free(classifier);
}

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

void classify(const struct classifier *classifier, const struct evidence *evidence, struct finding *ret_finding)
{
	struct finding finding = { .status = evidence->status, .code = evidence->code, .rule = "none" };
	bool found[PHRASES_SETS_MAX];
	phrases_find(classifier->phrases, evidence->text, found);
	struct status within;
	if (says_nothing(finding.status) && status_find(evidence->text, &within) && within.class_digit != 2 &&
	    (!says_nothing(within) || !status_is_set(finding.status)))
		finding.status = within;
	if (finding.code == 0)
		finding.code = phrase_text_code(evidence->text);
	for (size_t i = 0; i < classify_rule_count; i++) {
		if (rule_fits(&classify_rules[i], found[i], &finding)) {
			finding.reason = classify_rules[i].reason;
			finding.rule = classify_rules[i].name;
			finding.certainty = certainty_of(&classify_rules[i]);
			break;
		}
	}
	finding.kind = kind_of(finding.reason, is_temporary(&finding), evidence->is_final);
	*ret_finding = finding;
}
