/* The audit: who changed what, in the transaction of the change. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/db.h"

/* action is "list.create", subject "list:news"; detail is a JSON object's text, "" for none. */
enum err audit_append(struct db *db, struct view actor, const char *action, struct view subject, struct view detail,
		      struct buf *why) MUST_USE;
/* What was done to a subscriber: the number tells whose row it is, whatever becomes of the address (schema/050). */
enum err audit_append_person(struct db *db, struct view actor, const char *action, int64_t subscriber_id,
			     struct view key, struct view detail, struct buf *why) MUST_USE;

#endif
