/* What an address should make one think of, as rows that an administrator may change: a role, whose mail is read by whoever holds an office; a
 * domain that gives mailboxes to throw away; a domain that is another one mistyped. */
#ifndef MAIL_ADDRESS_RULE_H
#define MAIL_ADDRESS_RULE_H

#include "base/buf.h"

enum address_rule_kind { ADDRESS_ROLE, ADDRESS_DISPOSABLE, ADDRESS_TYPO, ADDRESS_RULE_KIND_COUNT };

enum address_rule_action { ADDRESS_OFF, ADDRESS_WARN, ADDRESS_REFUSE, ADDRESS_RULE_ACTION_COUNT };

/* The value of the one row of kind typo that stands for all that mail/address_typo finds. */
#define ADDRESS_RULE_ALL "*"

struct address_rule {
	enum address_rule_kind kind;
	enum address_rule_action action;
	struct view value; /* a local part without sub-address, or a domain: as address_key() has them */
	struct view hint;  /* of a typo: the domain that is meant */
};

/* role, disposable, typo; off, warn, refuse. */
const char *address_rule_kind_name(enum address_rule_kind kind);
const char *address_rule_action_name(enum address_rule_action action);
bool address_rule_kind_from_name(struct view name, enum address_rule_kind *ret_kind) MUST_USE;
bool address_rule_action_from_name(struct view name, enum address_rule_action *ret_action) MUST_USE;

/* Appends the value that is compared, of what a person writes: `Info` or `info@` for a role, a domain with @ in front or without for the others. ERR_INVALID
 * with one sentence in `why`. */
enum err address_rule_value(enum address_rule_kind kind, struct view text, struct buf *ret_value,
			    struct buf *why) MUST_USE;

/* A hint stands with slips only, and with each that is not switched off, but not with ADDRESS_RULE_ALL. False: `why` has one sentence. */
bool address_rule_is_whole(const struct address_rule *rule, struct buf *why) MUST_USE;

#endif
