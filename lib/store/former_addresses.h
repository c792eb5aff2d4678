/* Addresses that people had before they moved (schema/042): who brings one in brings in, as a rule, somebody who is there already. The database
 * writes them down itself when an address changes, and forgets them with the person. */
#ifndef STORE_FORMER_ADDRESSES_H
#define STORE_FORMER_ADDRESSES_H

#include "store/db.h"
#include "store/import_filter.h"

/* Views are borrowed from the rows. */
struct former_address {
	int64_t subscriber_id;
	struct view key;
	struct view address; /* the person's address of now, as it is sent to */
	int64_t since_us, until_us;
};

/* Who had that mailbox last, by its key and canonical form (empty: the key), when nobody has it now. ERR_NOT_FOUND without a sentence. The caller
 * releases *ret_rows. */
enum err former_addresses_find(struct db *db, struct view key, struct view canonical, struct db_rows **ret_rows,
			       struct former_address *ret_former, struct buf *why) MUST_USE;
/* All of a person, the last one first. */
enum err former_addresses_of(struct db *db, int64_t subscriber_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct former_address former_addresses_get(const struct db_rows *rows, size_t row);

/* The mailboxes of all of them, into a filter that is made for the first one: *ret_filter is NULL when there are none, else the caller frees it. */
enum err former_addresses_load(struct db *db, struct import_filter **ret_filter, struct buf *why) MUST_USE;

#endif
