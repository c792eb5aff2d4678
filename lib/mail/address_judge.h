/* The rules on addresses (mail/address_rule), loaded for asking them of many addresses: an import asks once a row. What a domain comes to is
 * remembered, since most people share a few. */
#ifndef MAIL_ADDRESS_JUDGE_H
#define MAIL_ADDRESS_JUDGE_H

#include "mail/address_rule.h"

struct address_judge;

/* Without rules, that of what address_typo finds (ADDRESS_RULE_ALL) included. NULL: no memory. */
struct address_judge *address_judge_new(void);
void address_judge_free(struct address_judge *judge); /* accepts NULL */

/* The texts are copied. The first one of a kind and value counts. ERR_TOO_BIG beyond LIMIT_ADDRESS_RULES or LIMIT_ADDRESS_RULES_TEXT; ERR_MEMORY. */
enum err address_judge_add(struct address_judge *judge, const struct address_rule *rule) MUST_USE;

struct address_finding {
	enum address_rule_kind kind;
	enum address_rule_action action; /* ADDRESS_WARN or ADDRESS_REFUSE */
	struct view hint;                /* of a typo: the domain that is meant; good until the judge is used again */
};

/* What is to be said of an address, at most one of each kind: how many. key: as address_key() writes it. A role is found without its sub-address
 * (info+news@); a domain that is disposable, with all below it, where the nearest rule decides; a slip by its own row, else by address_typo(). */
size_t address_judge_ask(struct address_judge *judge, struct view key,
			 struct address_finding ret_findings[ADDRESS_RULE_KIND_COUNT]);

/* One of them refuses the address. */
bool address_findings_refuse(const struct address_finding *findings, size_t count);

/* Appends the finding about that address as a sentence. */
void address_finding_text(const struct address_finding *finding, struct view key, struct buf *text);

#endif
