/* Where a campaign's recipients stand, by the ledger's sum:
 *
 *     audience = accepted + refused + expired + skipped + in_doubt + deferred + pending
 *
 * Read inside the caller's transaction (db_begin_snapshot()), so that all numbers are of one instant. */
#ifndef STORE_STANDINGS_H
#define STORE_STANDINGS_H

#include "store/db.h"

enum standing_place {
	PLACE_ACCEPTED, /* the relay took it */
	PLACE_REFUSED,  /* refused for good */
	PLACE_EXPIRED,  /* refused for the time being until time was up */
	PLACE_SKIPPED,  /* not sent: unsubscribed, suppressed, canceled ... */
	PLACE_IN_DOUBT, /* sent, but the relay's answer was never read */
	PLACE_DEFERRED, /* waits for another attempt */
	PLACE_PENDING,  /* its turn has not come */
	PLACE_COUNT
};
const char *standing_place_name(enum standing_place place);
bool standing_place_from_name(struct view name, enum standing_place *ret_place) MUST_USE;

struct standing {
	int64_t audience; /* as frozen; -1 before the start */
	int64_t count[PLACE_COUNT];
	int64_t last_minute; /* attempts that ended within the last 60 s */
};

/* Counts; *ret_rows has the ledger's rows by outcome and reason for standing_reason_at(). */
enum err standings_count(struct db *db, uint64_t campaign_id, struct standing *ret_standing, struct db_rows **ret_rows,
			 struct buf *why) MUST_USE;
/* The same of those only who have no ledger row: in doubt, deferred, pending. */
enum err standings_open(struct db *db, uint64_t campaign_id, struct standing *ret_standing, struct buf *why) MUST_USE;
int64_t standing_sum(const struct standing *standing);

/* Why so many ended where they did: a row for each outcome and reason, the most frequent first. Accepted ones have no reason. */
struct standing_reason {
	enum standing_place place;
	struct view reason;
	int64_t count;
};
void standing_reason_at(const struct db_rows *rows, size_t row, struct standing_reason *ret_reason);

/* Recipients in one place, in pages: from the one after *cursor (0 at first), which moves on. An empty page is the end;
 * rows with subscriber id 0 are to be passed over. */
enum err standings_recipients(struct db *db, uint64_t campaign_id, enum standing_place place, int64_t *cursor,
			      struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct standing_recipient {
	uint64_t subscriber_id;
	struct view address, status, reason, reply;
	int64_t at_us; /* of the last attempt; 0: none yet */
	int64_t attempts, code;
	int64_t next_us; /* deferred: the next attempt */
};
void standing_recipient_at(const struct db_rows *rows, size_t row, struct standing_recipient *ret_recipient);

/* What a pause, a cancel or the end of a sender waits for. */
struct leaving_standing {
	int64_t workers;  /* living ones that still hold recipients of the campaign */
	int64_t told;     /* of these: have said how many messages they have under way, because they are leaving it */
	int64_t messages; /* the sum of what those said */
};
enum err standings_leaving(struct db *db, uint64_t campaign_id, struct leaving_standing *ret_leaving,
			   struct buf *why) MUST_USE;

/* Workers that hold recipients of the campaign and were not seen for STRANDED_S seconds, or whose journal was refused: until a sender goes on
 * with the journal, or a person forgets the worker, nobody else sends to them. */
enum { STRANDED_S = 60 };
struct stranded {
	struct view worker, host, refused; /* refused: why its journal is; empty: it was not seen */
	int64_t seen_us, recipients;
};
enum err standings_stranded(struct db *db, uint64_t campaign_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void stranded_at(const struct db_rows *rows, size_t row, struct stranded *ret_stranded);

/* Relays that refuse the session itself or cannot be reached, as workers that run find them; where not all say the same, the reason names hosts. */
struct relay_trouble {
	struct view relay, reason;
	int64_t since_us, retry_us;
	bool is_everywhere; /* no worker that runs finds that it works */
};
enum err standings_relays(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void relay_trouble_at(const struct db_rows *rows, size_t row, struct relay_trouble *ret_trouble);

#endif
