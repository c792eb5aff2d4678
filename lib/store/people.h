/* One person: looked up, changed, moved, found. Each change is for the caller's transaction, which adds its audit row. */
#ifndef STORE_PEOPLE_H
#define STORE_PEOPLE_H

#include "store/db.h"

/* Views are borrowed from the rows. */
struct person_row {
	int64_t id;
	struct view address, key;
	struct view canonical; /* empty: the key */
	struct view name;
	struct view attributes; /* a JSON object */
	int64_t created_us;
};

/* By address key, else by a spelling of the same mailbox (canonical form; empty: the key), else by id (0: not asked), locked against changes with
 * `locked`. ERR_NOT_FOUND without a sentence. The caller releases *ret_rows. */
enum err people_find(struct db *db, struct view key, struct view canonical, int64_t id, bool locked,
		     struct db_rows **ret_rows, struct person_row *ret_person, struct buf *why) MUST_USE;

struct person_membership {
	struct view list, state, reason;
	int64_t since_us, joined_us;
	struct view consent_source;
	int64_t consent_us; /* 0: not said */
};
enum err people_memberships(struct db *db, int64_t id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct person_membership people_membership_get(const struct db_rows *rows, size_t row);
/* The last changes, under whatever address: a row (time, who, what, detail as JSON) each. */
enum err people_audit(struct db *db, int64_t id, uint64_t limit, struct db_rows **ret_rows, struct buf *why) MUST_USE;

/* name NULL: it stays. set: a JSON object that is merged over the attributes; unset: names that go. ERR_TOO_BIG: together
 * they would be more than letters take. */
enum err people_set(struct db *db, int64_t id, const struct view *name, struct view set, const struct db_array *unset,
		    struct buf *why) MUST_USE;
/* ERR_TOO_BIG with a sentence: attributes of so many octets. */
enum err people_check_size(size_t size, struct buf *why) MUST_USE;
/* ERR_EXISTS: the address is somebody's. What comes back for the former address no longer counts, unless both are one mailbox. */
enum err people_move(struct db *db, int64_t id, struct view address, struct view key, struct view canonical,
		     struct buf *why) MUST_USE;

/* A step of memberships: those in one of the states `from` (parted by commas) of a list (0: of all) come to state `to`. A row with the name of
 * each list. consent_source empty: stays as it is. */
struct membership_step {
	int64_t list_id;
	struct view from, to, reason, consent_source;
};
enum err people_step(struct db *db, int64_t id, const struct membership_step *step, struct db_rows **ret_rows,
		     struct buf *why) MUST_USE;

/* Who is looked for. */
struct people_sought {
	struct view text;
	struct view
	    ascii; /* for people_holding(): the text with its domain in A-labels, as addresses have it; empty: it is */
	struct view
	    mailbox; /* of a whole address: others who have it, in another spelling, are found too; empty: it is none */
};
/* Whose address begins so (as an address key), by address, then whose mailbox it is, then whose former address begins so: at once, whatever the
 * number of people. */
enum err people_starting(struct db *db, const struct people_sought *sought, uint64_t limit, struct db_rows **ret_rows,
			 struct buf *why) MUST_USE;
/* Whose address, name, attributes or former address hold the text, in any case, with ids above after_id and up to last_id. */
enum err people_holding(struct db *db, const struct people_sought *sought, int64_t after_id, int64_t last_id,
			uint64_t limit, struct db_rows **ret_rows, struct buf *why) MUST_USE;
/* Of a row of these two the former address or mailbox by which somebody is found; empty: by what is theirs now. */
struct view people_found_as(const struct db_rows *rows, size_t row);
enum err people_last_id(struct db *db, int64_t *ret_id, struct buf *why) MUST_USE;
struct person_row people_get(const struct db_rows *rows, size_t row);

#endif
