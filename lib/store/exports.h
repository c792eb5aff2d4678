/* Millions of rows on their way out of the database, one at a time in constant memory. For the caller's transaction, best a snapshot. */
#ifndef STORE_EXPORTS_H
#define STORE_EXPORTS_H

#include "store/db.h"

/* What a row of exports_members() holds, in the order of subscriber ids. */
enum member_field {
	MEMBER_ADDRESS,
	MEMBER_NAME,
	MEMBER_ATTRIBUTES, /* db_field_jsonb() */
	MEMBER_CONSENT_SOURCE,
	MEMBER_CONSENT_TIME, /* RFC 3339 in UTC, exactly; both null where nothing is known */
	MEMBER_FIELDS,       /* as many without `with_membership` */
	MEMBER_STATE = MEMBER_FIELDS,
	MEMBER_REASON,
	MEMBER_SINCE, /* db_field_time() */
	MEMBER_ALL_FIELDS
};
/* state empty: every state. */
enum err exports_members(struct db *db, int64_t list_id, struct view state, bool with_membership,
			 db_row_handler *handler, void *context, struct buf *why) MUST_USE;

/* Whether any of a list's members in this state (empty: every) has a consent. */
enum err exports_any_consent(struct db *db, int64_t list_id, struct view state, bool *ret_any,
			     struct buf *why) MUST_USE;

/* The people of a segment, of a list or (0) of all, in the same order and fields, without their membership; with a list, with their consent to it. */
enum err exports_segment(struct db *db, int64_t segment_id, int64_t list_id, db_row_handler *handler, void *context,
			 struct buf *why) MUST_USE;

/* Rows of texts (or null) for the columns that exports_columns() tells. */
enum export_kind { EXPORT_BOUNCES, EXPORT_SUPPRESSIONS, EXPORT_KIND_COUNT };
/* list_id 0: of all lists. since_us: of bounces, those received since; 0: all. */
enum err exports_rows(struct db *db, enum export_kind kind, int64_t list_id, int64_t since_us, db_row_handler *handler,
		      void *context, struct buf *why) MUST_USE;
struct export_column {
	const char *name;
	bool is_number; /* in JSON */
};
/* *ret_count of them. */
const struct export_column *exports_columns(enum export_kind kind, size_t *ret_count);

#endif
