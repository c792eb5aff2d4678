/* A list's own words for its probes (mail/probe_text.h has those of all others). Errors as db_run(). */
#ifndef STORE_PROBE_TEXTS_H
#define STORE_PROBE_TEXTS_H

#include "store/db.h"

struct probe_text {
	struct view subject, body; /* empty: it has none of its own */
};
/* The caller releases *ret_rows; *ret_text borrows from it. */
enum err probe_texts_find(struct db *db, int64_t list_id, struct db_rows **ret_rows, struct probe_text *ret_text,
			  struct buf *why) MUST_USE;
/* text NULL: none of its own any more. */
enum err probe_texts_set(struct db *db, int64_t list_id, const struct probe_text *text, struct buf *why) MUST_USE;

#endif
