/* The names of somebody who is to be erased: every address they have or had, in every spelling in which it may be written down, and what stays of
 * each mailbox. */
#ifndef LISTCTL_ERASED_NAMES_H
#define LISTCTL_ERASED_NAMES_H

#include "listctl/erased.h"
#include "store/people.h"

enum { ERASED_HASH_TEXT = 2 * ERASURE_SIZE };

struct erased_names {
	struct db_array spellings; /* DB_TEXT */
	struct buf hashes;         /* ERASED_HASH_TEXT digits a mailbox, the present one first */
	size_t mailboxes;
};

/* Warns of former addresses that are somebody else's now: they stay. with_mailbox: the spelling that all of the mailbox share is the person's too;
 * not so when another subscriber has it. Release with erased_names_done(), also after a failure. */
enum err erased_names_read(struct call *call, struct erased *erased, const struct person_row *person, bool with_mailbox,
			   struct erased_names *ret_names) MUST_USE;
void erased_names_done(struct erased_names *names);
/* The hash of one mailbox, below names->mailboxes. */
struct view erased_names_hash(const struct erased_names *names, size_t index);

#endif
