/* What is old goes: returned messages, events that are about no campaign, and the ledgers of campaigns that ended long ago, of which stays what
 * verdicts follow from (schema/053). */
#ifndef STORE_RETENTIONS_H
#define STORE_RETENTIONS_H

#include "store/db.h"

/* What a step has freed, or would. Room of rows is used again by the server, that of a whole block is given back. */
struct freed {
	int64_t rows, octets;
};

enum retention_kind { RETENTION_LEDGER, RETENTION_EVENTS, RETENTION_MESSAGES, RETENTION_AUDIENCES, RETENTION_KINDS };
/* "ledger", "events", "messages", "audiences". */
const char *retention_kind_name(enum retention_kind kind);

/* Campaigns that go in one transaction: one, or all that are left of a block. */
struct retention_step {
	bool is_block;
	int64_t block;
	struct view campaigns; /* the ids as PostgreSQL writes an array */
	struct view names;
	int64_t campaign_count;
	int64_t ended_us; /* the last of them */
	int64_t people;   /* of their audiences */
};

/* The steps for campaigns that ended before then, the oldest first; whose retries or reports may still come, and what segments ask for, is left
 * out. The caller releases *ret_rows, from which the steps borrow. */
enum err retentions_due(struct db *db, int64_t before_us, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void retention_step_at(const struct db_rows *rows, size_t row, struct retention_step *ret_step);

/* In a transaction of its own, all or nothing. Two who do so at once take turns: ERR_EXISTS, nothing was left to do. ERR_REFUSED with a sentence: somebody
 * reads the ledger for long. */
enum err retentions_drop(struct db *db, const struct retention_step *step, int64_t before_us,
			 struct freed ret_freed[RETENTION_KINDS], struct buf *why) MUST_USE;
/* What it would free. */
enum err retentions_weigh(struct db *db, const struct retention_step *step, struct freed ret_freed[RETENTION_KINDS],
			  struct buf *why) MUST_USE;

/* One portion of the returned messages stored before then, or of the events that are about no campaign and came before then, with their messages; dry: all
 * of them are counted. *ret_freed is zero when there is nothing left. */
enum err retentions_drop_messages(struct db *db, int64_t before_us, bool dry, struct freed *ret_freed,
				  struct buf *why) MUST_USE;
enum err retentions_drop_unattributed(struct db *db, int64_t before_us, bool dry, struct freed *ret_freed,
				      struct buf *why) MUST_USE;

/* How many campaigns' ledgers are gone, and when the last of them had ended. Of a campaign (0: of all, and drafts that never ran do not
 * count). */
struct retained {
	int64_t campaigns;
	int64_t ended_us, dropped_us; /* the last ones; 0: none */
};
enum err retentions_known(struct db *db, uint64_t campaign_id, struct retained *ret_retained, struct buf *why) MUST_USE;

#endif
