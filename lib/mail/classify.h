/* Why a message came back, by rules that are data (lib/mail/classify_rules.c): one classifier for the 5xx that sender hears and the
 * report that bounced receives. The reason decides hard or soft, text can overrule codes, and more specific rules win. */
#ifndef MAIL_CLASSIFY_H
#define MAIL_CLASSIFY_H

#include "mail/reason.h"
#include "mail/status.h"

/* The rules made ready for use: one automaton over all their phrases, so that a text is read once whatever the number of rules.
 * Never changes after it is made: any number of threads may share one. */
struct classifier;

enum err classifier_new(struct classifier **ret_classifier) MUST_USE; /* ERR_MEMORY */
void classifier_done(struct classifier *classifier);                  /* accepts NULL */

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

/* Allocates nothing. A non-final 4.x.x is soft whatever its reason. */
void classify(const struct classifier *classifier, const struct evidence *evidence, struct finding *ret_finding);

#endif
