/* The rules on addresses (mail/address_rule) that an installation has: those that came with verpost, which may be switched off but not removed, and its own. */
#ifndef STORE_ADDRESS_RULES_H
#define STORE_ADDRESS_RULES_H

#include "mail/address_judge.h"
#include "store/db.h"

/* All of them, to be asked. The caller frees *ret_judge. */
enum err address_rules_load(struct db *db, struct address_judge **ret_judge, struct buf *why) MUST_USE;

/* A rule of its own. ERR_EXISTS: there is one for that kind and value; ERR_TOO_BIG: there are LIMIT_ADDRESS_RULES already. */
enum err address_rules_add(struct db *db, const struct address_rule *rule, struct buf *why) MUST_USE;
/* Sets the hint unless that is empty and, with sets_action, what it does, of whatever source it is. ERR_NOT_FOUND; ERR_REFUSED: a slip without a
 * hint, or a hint for what is none. */
enum err address_rules_set(struct db *db, const struct address_rule *rule, bool sets_action, struct buf *why) MUST_USE;
/* ERR_NOT_FOUND; ERR_REFUSED: it is no rule of its own. */
enum err address_rules_remove(struct db *db, enum address_rule_kind kind, struct view value, struct buf *why) MUST_USE;

/* Many rows, gathered for one statement. Of those with the same kind and value the last one counts. */
struct address_rule_set {
	struct db_array kinds, values, actions, hints;
};
struct address_rule_set address_rule_set_empty(void);
void address_rule_set_done(struct address_rule_set *set);
size_t address_rule_set_count(const struct address_rule_set *set);
/* says_action false: a rule that is there keeps what it does, a new one warns. The error is sticky: address_rules_write() returns it. */
void address_rule_set_add(struct address_rule_set *set, const struct address_rule *rule, bool says_action);

struct address_rule_counts {
	uint64_t added, changed, unchanged, removed;
};
/* Adds and changes, and removes what is its own of the kind `replaced` (NULL: nothing) and not in the set. In a transaction. ERR_TOO_BIG: there
 * would be more than LIMIT_ADDRESS_RULES. */
enum err address_rules_write(struct db *db, const struct address_rule_set *set, const enum address_rule_kind *replaced,
			     struct address_rule_counts *ret_counts, struct buf *why) MUST_USE;

/* Views are borrowed from the rows. */
struct address_rule_row {
	struct address_rule rule;
	bool is_builtin;
	int64_t changed_us;
};
/* By kind and value. kind NULL: all. */
enum err address_rules_list(struct db *db, const enum address_rule_kind *kind, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;
struct address_rule_row address_rules_get(const struct db_rows *rows, size_t row);

#endif
