/* Why a message came back, by rules that are data (lib/mail/classify_rules.c, and those of an administrator, mail/rule_text.h, which
 * are tried before them): one classifier for the 5xx that sender hears and the report that bounced receives. The reason decides hard or
 * soft, text can overrule codes, and more specific rules win. */
#ifndef MAIL_CLASSIFY_H
#define MAIL_CLASSIFY_H

#include "base/buf.h"
#include "mail/classify_rules.h"
#include "mail/status.h"

/* The rules made ready for use: one automaton over all their phrases, so that a text is read once whatever the number of rules.
 * Changes by classifier_replace() only: else any number of threads may share one. */
struct classifier;

enum err classifier_new(struct classifier **ret_classifier) MUST_USE; /* ERR_MEMORY */
/* With an administrator's rules, and each of their examples tried. ERR_INVALID: `why` has the line and what to do. ERR_MEMORY. */
enum err classifier_new_with(struct view rules, struct classifier **ret_classifier, struct buf *why) MUST_USE;
void classifier_done(struct classifier *classifier); /* accepts NULL */

/* Takes the rules of `fresh`, which is its own from now on. Names of rules that were given out before stay valid. */
void classifier_replace(struct classifier *classifier, struct classifier *fresh);

struct evidence {
	unsigned code;        /* SMTP reply code, 0 if none */
	struct status status; /* of the Status field or the reply */
	struct view text;     /* diagnostic or reply text, UTF-8, may have several lines */
	bool is_final;        /* delivery was given up (a 4xx that was retried until it expired is final) */
};

/* How much the deciding rule had to go by. */
enum certainty { CERTAINTY_NONE, CERTAINTY_VAGUE, CERTAINTY_CODES, CERTAINTY_WORDS };

struct finding {
	enum bounce_kind kind;
	enum bounce_reason reason;
	struct status status; /* the best code known, after looking into the text */
	unsigned code;
	const char *rule; /* name of the deciding rule; "none" */
	enum certainty certainty;
};

/* A rule in the order in which they are tried, with what becomes of its example. */
struct rule_trial {
	const struct rule *rule;
	size_t line;            /* of the administrator's text; 0: built in */
	const char *decided_by; /* the name of the rule that decides the example: its own when all is well */
};
size_t classifier_rule_count(const struct classifier *classifier);
void classifier_try(const struct classifier *classifier, size_t index, struct rule_trial *ret_trial);

/* Allocates nothing. A non-final 4.x.x is soft whatever its reason. */
void classify(const struct classifier *classifier, const struct evidence *evidence, struct finding *ret_finding);

/* For people: the line of the text (or the few) in which the words of this rule stand, or a code where it has none; the whole text
 * trimmed when neither can be found, empty for a name that is no rule. */
struct view classify_line(const struct classifier *classifier, const char *rule, struct view text);

#endif
