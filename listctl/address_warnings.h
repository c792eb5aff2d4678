/* What an import finds about addresses by the rules on them (mail/address_judge): warnings, counted and on request written to a CSV file (line, address, kind,
 * hint), and addresses that a rule refuses. */
#ifndef LISTCTL_ADDRESS_WARNINGS_H
#define LISTCTL_ADDRESS_WARNINGS_H

#include "listctl/columns.h"
#include "store/address_rules.h"

struct address_warnings;

/* Loads the rules. path NULL: no file; else it is borrowed, and refused at once when it could not be written later. Errors as
 * address_rules_load() and spool_new(). */
enum err address_warnings_new(struct db *db, const char *path, struct address_warnings **ret_warnings,
			      struct buf *why) MUST_USE;
void address_warnings_free(struct address_warnings *warnings); /* accepts NULL */

/* A person of that line. *ret_refused: a rule refuses the address, and *ret_text, borrowed until the next call, says why; it is no warning then. An
 * error is one of writing the file. */
enum err address_warnings_look(struct address_warnings *warnings, uint64_t line, const struct person *person,
			       bool *ret_refused, struct view *ret_text, struct buf *why) MUST_USE;

/* Warnings, not addresses: one may have two. */
uint64_t address_warnings_of_kind(const struct address_warnings *warnings, enum address_rule_kind kind);
uint64_t address_warnings_total(const struct address_warnings *warnings);

/* Takes away what an earlier import has left there. */
enum err address_warnings_clear(struct address_warnings *warnings, struct buf *why) MUST_USE;
/* If the file was asked for, also when there are none. As spool_write() and spool_name(). */
enum err address_warnings_write(struct address_warnings *warnings, struct buf *why) MUST_USE;
enum err address_warnings_name(struct address_warnings *warnings, struct buf *why) MUST_USE;

#endif
