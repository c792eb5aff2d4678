/* Campaigns: what is sent to whom and when, and the steps of their life. A step is a guarded UPDATE: it is refused, with the present
 * state in the reason, unless the campaign is in a state from which it leads on. Every step leaves a row in the audit. */
#ifndef STORE_CAMPAIGNS_H
#define STORE_CAMPAIGNS_H

#include "store/audiences.h"
#include "store/campaign_files.h"
#include "store/campaign_variants.h"

enum campaign_state {
	CAMPAIGN_DRAFT,
	CAMPAIGN_SCHEDULED, /* due at start_us; `start` makes it due now; with a hold_reason it waits for a person */
	CAMPAIGN_RUNNING,   /* the audience is frozen */
	CAMPAIGN_PAUSED,    /* hold_reason says why */
	CAMPAIGN_CANCELED,
	CAMPAIGN_FINISHED,
	CAMPAIGN_STATE_COUNT
};
const char *campaign_state_name(enum campaign_state state); /* as the database has it */
bool campaign_state_from_name(struct view name, enum campaign_state *ret_state) MUST_USE;

/* What a person writes. Empty views are NULL in the database where it allows that. */
struct campaign_content {
	struct view subject, from_name, from_address, reply_to, text_body, html_body;
	struct view in_doubt; /* "resend" or "hold" */
	/* Not read with the others: campaign_files_read(). Written, in place of those that are there, when has_files. */
	bool has_files;
	const struct attachment *files;
	size_t file_count;
	/* Likewise: campaign_variants_read(). The first of several is the content itself. */
	bool has_variants;
	const struct campaign_variant *variants;
	size_t variant_count;
	/* Likewise: audiences_read(). */
	bool has_audience;
	const struct audience_part *audience;
	size_t audience_count;
};

/* One campaign. Its views are borrowed from the rows it was read from. */
struct campaign {
	uint64_t id, list_id;
	enum campaign_state state;
	struct view name, list_name;
	struct view list_title, list_header_id,
	    list_headers; /* in its copies: the list's, once it has started as they were then */
	struct campaign_content content;
	struct view local_time, zone; /* "2026-12-24 18:00:00"; empty: no schedule, or started at once */
	struct view hold_reason;
	int64_t audience;                                   /* -1 until it is frozen */
	int64_t start_us, created_us, started_us, ended_us; /* 0: not yet, which a canceled one may be, too */
	int64_t not_after_us; /* it does not start by itself later than this; 0: no limit */
	struct view windows;  /* when it may be sent, as written; empty: at any time */
	int64_t opens_us;     /* outside of its windows now: when the next one opens; else 0 */
	struct view
	    local_attribute; /* each recipient at local_time in the zone that this attribute names; empty: all at once */
	int64_t local_fallback; /* to how many it named no zone, once the audience is frozen; -1: not known */
	int64_t expire_us;      /* of retries; 0: as sender's settings say */
};

/* Canceled, and some recipients have not come to their ends: runs_settle_canceled(). */
bool campaign_is_canceling(const struct campaign *campaign);
/* For people: "canceling" until it is "canceled". */
const char *campaign_state_word(const struct campaign *campaign);

/* ERR_NOT_FOUND names the campaigns that are there. The caller releases *ret_rows, on which *ret_campaign depends. */
enum err campaigns_find(struct db *db, struct view name, struct campaign *ret_campaign, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;
/* How many run, or are scheduled. */
enum err campaigns_count_ahead(struct db *db, size_t *ret_count, struct buf *why) MUST_USE;
/* All, newest first, without the bodies; of one list when list_id is not 0. Read with campaigns_at(). */
enum err campaigns_all(struct db *db, uint64_t list_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void campaigns_at(const struct db_rows *rows, size_t row, struct campaign *ret_campaign);

/* ERR_EXISTS: the name is taken; ERR_INVALID: it is no name. */
enum err campaigns_create(struct db *db, struct view name, uint64_t list_id, const struct campaign_content *content,
			  struct view actor, uint64_t *ret_id, struct buf *why) MUST_USE;
/* Only while draft or scheduled: ERR_REFUSED. The first one only asks. */
enum err campaigns_may_edit(struct db *db, struct view name, struct buf *why) MUST_USE;
enum err campaigns_edit(struct db *db, struct view name, const struct campaign_content *content, struct view actor,
			struct buf *why) MUST_USE;
/* Only drafts: ERR_REFUSED. */
enum err campaigns_delete(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;

/* ---- the steps; ERR_NOT_FOUND, ERR_REFUSED ---- */

struct campaign_time {
	struct view local, zone;          /* as written; both empty: none */
	int64_t instant_us;               /* 0: no schedule, back to draft */
	int64_t not_after_us;             /* 0: no limit */
	struct view windows, window_text; /* a multirange of minutes of the week, and in words; empty: none */
	struct view local_attribute;      /* empty: none */
	int64_t expire_us;                /* 0: as sender's settings say */
};
/* draft, scheduled -> scheduled at that instant, or draft. All of the schedule is replaced. The first one only asks. */
enum err campaigns_may_schedule(struct db *db, struct view name, struct buf *why) MUST_USE;
enum err campaigns_schedule(struct db *db, struct view name, const struct campaign_time *time, struct view actor,
			    struct buf *why) MUST_USE;
/* The first instant from then on that lies in the windows; 0: none. */
enum err campaigns_next_opening(struct db *db, struct view windows, struct view zone, int64_t from_us,
				int64_t *ret_opens_us, struct buf *why) MUST_USE;
/* What each recipient's local time means for the members of now: how many there are, whose attribute names no zone, for how many the time
 * has passed already. */
struct campaign_local {
	int64_t members, fallback, past;
};
enum err campaigns_count_local(struct db *db, struct view name, const struct campaign_time *time,
			       struct campaign_local *ret_local, struct buf *why) MUST_USE;
/* draft, scheduled -> scheduled, due now: the next free coordinator freezes the audience and runs it. Its windows and its expiry stay; a
 * not-after, local times and what it waits for go. The first one only asks. */
enum err campaigns_may_start(struct db *db, struct view name, struct buf *why) MUST_USE;
enum err campaigns_start(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;
/* running -> paused, paused -> running; a scheduled one that waits for a person is due now, with its windows, local times and expiry, and
 * without a not-after that has passed. */
enum err campaigns_pause(struct db *db, struct view name, struct view reason, struct view actor,
			 struct buf *why) MUST_USE;
enum err campaigns_resume(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;
/* scheduled, running, paused -> canceled, for good. */
enum err campaigns_cancel(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;

#endif
