/* People into a list, many at once: what an import file's rows do to people and to their memberships.
 *
 * Who is the same person: the same address_key, else the same canonical form (of people who are known, an equal key wins, then the lowest id).
 * Rows of one person become one: a later row wins, with the values of all. A known person's address stays as it is. */
#ifndef STORE_SUBSCRIBER_IMPORT_H
#define STORE_SUBSCRIBER_IMPORT_H

#include "store/former_addresses.h"

/* What happens to name and attributes of people who were known before. Joining the list is the same in all three. */
enum import_conflict {
	IMPORT_MERGE,  /* new values, whole, over the old ones; a text not over what reads the same in another type */
	IMPORT_KEEP,   /* they stay as they are */
	IMPORT_UPDATE, /* the file's values replace name and all attributes */
	IMPORT_CONFLICT_COUNT
};

/* Views are borrowed until subscriber_import_done(). */
struct import_options {
	enum import_conflict on_conflict;
	bool unconfirmed; /* new members are unconfirmed, not active */
	struct view consent_source;
	int64_t consent_us;      /* 0: not said */
	struct view resubscribe; /* why those who have unsubscribed become members again; empty: they do not */
	struct view actor;      /* who says so, for an audit row a person who comes back; empty: the caller writes it */
	struct view reassigned; /* why addresses that somebody had before are other people's now; empty: they are not */
	size_t together;        /* rows merged at a time; 0, or more than LIMIT_IMPORT_ROWS: that many */
};

/* Views are borrowed for the call. */
struct subscriber_row {
	struct view address, address_key;
	struct view canonical;      /* the mailbox behind the address_key, for comparing; empty: the address_key */
	struct view name;           /* empty: says nothing */
	struct view attributes;     /* a JSON object */
	struct view consent_source; /* before the options' */
	int64_t consent_us;         /* the same; 0: not said */
	struct view erased;         /* HMAC of the address_key; empty: not looked for among the erased */
};

/* What an import changed, in rows. rows = duplicates + suppressed + erased + back_new + created + updated + unchanged;
 * rows - duplicates - suppressed - erased = taken_back + joined + already + resubscribed + unsubscribed + disabled + removed. */
struct import_counts {
	uint64_t rows;
	uint64_t duplicates, aliases;         /* aliases: those of the duplicates that only the canonical form tells */
	uint64_t suppressed, erased;          /* left out altogether */
	uint64_t created, updated, unchanged; /* people */
	uint64_t joined, already, resubscribed;   /* memberships */
	uint64_t unsubscribed, disabled, removed; /* left as they are: nobody is subscribed again behind their back */
	uint64_t taken_back,
	    back_new;          /* whom subscriber_import_leave() keeps from joining; those of them who were not known */
	uint64_t still_active; /* members before, of whom it was told; they stay so */
};

/* An import inside the caller's transaction, which has changed nobody before: begin, add each row, merge. Rows are merged some at a time while
 * more are added, so that memory here and at the server is the same for any number; nothing else may use the connection meanwhile. From the
 * beginning on, other imports into this database, and erasures, wait for the end of the transaction (store/import_turn.h); the server ends it when
 * no row comes for an hour, or when this program is gone. Who is suppressed, was erased or has moved, is asked at the beginning or later.
 * ERR_NOT_FOUND: there is no such list; ERR_TOO_BIG: a row beyond measure; else as db_run(). After a failure only a rollback is left. */
struct subscriber_import;
enum err subscriber_import_begin(struct db *db, int64_t list_id, const struct import_options *options,
				 struct subscriber_import **ret_import, struct buf *why) MUST_USE;
enum err subscriber_import_add(struct subscriber_import *import, const struct subscriber_row *row,
			       struct buf *why) MUST_USE;
/* To be asked before a row is added: whether it has an address that a person has moved away from, and that nobody has now. Such a row is no new
 * person's, unless options say that it is: then nobody is asked for. ERR_NOT_FOUND without a sentence, which costs nothing where nobody has ever
 * moved; the caller releases *ret_rows. */
enum err subscriber_import_find_former(struct subscriber_import *import, const struct subscriber_row *row,
				       struct db_rows **ret_rows, struct former_address *ret_former,
				       struct buf *why) MUST_USE;
/* Nobody of this address, or of another spelling of the mailbox, joins the list by any row of the import, nor has name or attributes changed by one. */
enum err subscriber_import_leave(struct subscriber_import *import, struct view address_key, struct view canonical,
				 struct buf *why) MUST_USE;
/* Merges what is left. */
enum err subscriber_import_merge(struct subscriber_import *import, struct import_counts *ret_counts,
				 struct buf *why) MUST_USE;
/* Rows that the server has merged so far, of those added: for a progress bar. */
uint64_t subscriber_import_merged(const struct subscriber_import *import);
void subscriber_import_done(struct subscriber_import *import); /* accepts NULL */

#endif
