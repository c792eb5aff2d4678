/* The rules of classify.h as data. They are tried from the top; the first that matches decides, so the more specific stand
 * above the more general, and what is about the sender above what would cost a subscriber. */
#ifndef MAIL_CLASSIFY_RULES_H
#define MAIL_CLASSIFY_RULES_H

#include "mail/reason.h"

struct rule {
	const char *name;
	enum bounce_reason reason;
	/* "5.1.1"; an asterisk stands for any number ("*.2.2"). NULL: any status or none. */
	const char *status;
	/* SMTP reply code; 0: any or none. */
	unsigned code;
	/* One of these is in the text, compared as mail/phrases.h says. NULL: the codes alone decide. */
	const char *const *phrases;
	/* Such words or such a code may stand in any refusal: what is found near by goes before them. */
	bool is_vague;
	/* A reply that this rule decides; for people and for the test that walks the table. */
	const char *example;
};

extern const struct rule classify_rules[];
extern const size_t classify_rule_count;

#endif
