/* The person that a verb is about, as an operand names them: an address, in any spelling of its mailbox, or #ID. */
#ifndef LISTCTL_WHO_H
#define LISTCTL_WHO_H

#include "listctl/call.h"
#include "store/people.h"

struct who {
	struct person_row person;
	struct db_rows *rows; /* what person borrows from */
};

/* ERR_NOT_FOUND with the remedy, ERR_INVALID: it is no address. Release with who_done(). */
enum err who_find(struct call *call, const char *operand, bool locked, struct who *ret_who) MUST_USE;
void who_done(struct who *who); /* accepts a zeroed one */

/* An address taken apart. */
struct spelt {
	struct buf address, key, canonical;
};
/* Release with spelt_done(), also after a failure. */
enum err spelt_read(const char *text, struct spelt *ret_spelt, struct buf *why) MUST_USE;
void spelt_done(struct spelt *spelt);
/* What the address rules say of one that comes in: warns, or ERR_REFUSED, as an import does. */
enum err spelt_judge(struct call *call, const struct spelt *spelt) MUST_USE;

/* What keeps mail from the mailbox, on that list or (list_id 0) on any; ERR_REFUSED with the first one and what takes it away. */
enum err who_check_suppressed(struct call *call, const struct spelt *spelt, int64_t list_id) MUST_USE;
/* The same of the whole installation, and of each list that the person has a membership of, in whatever state. */
enum err who_check_suppressed_anywhere(struct call *call, const struct spelt *spelt, int64_t person_id) MUST_USE;
/* One audit row about the person; detail is a JSON object. */
enum err who_audit(struct call *call, const char *action, const struct person_row *person, struct view detail) MUST_USE;

#endif
