/* A file of rules on addresses: CSV with a header that names kind, value (or domain), action and hint in any order, others left out, as `address-rule ls
 * --format csv` writes it; or, where the kind is said, one value a line without a header, # before remarks, as public lists of disposable
 * domains come. All of it is read, or none. */
#ifndef LISTCTL_ADDRESS_RULE_FILE_H
#define LISTCTL_ADDRESS_RULE_FILE_H

#include "listctl/call.h"
#include "store/address_rules.h"

/* Of rows that do not say it themselves; NULL: unsaid. */
struct address_rule_defaults {
	const enum address_rule_kind *kind;
	const enum address_rule_action *action;
};

/* Adds the rows to set. ERR_INVALID with line and remedy; ERR_TOO_BIG beyond LIMIT_ADDRESS_RULES; errors of reading. */
enum err address_rule_file_read(struct call *call, const char *path, const struct address_rule_defaults *defaults,
				struct address_rule_set *set) MUST_USE;

#endif
