/* Campaigns: what is sent to whom and when, and the steps of their life. A step is a guarded UPDATE: it is refused, with the present
 * state in the reason, unless the campaign is in a state from which it leads on. Every step leaves a row in the audit. */
#ifndef STORE_CAMPAIGNS_H
#define STORE_CAMPAIGNS_H

#include "store/db.h"

enum campaign_state {
	CAMPAIGN_DRAFT,
	CAMPAIGN_SCHEDULED, /* due at start_us; `start` makes it due now */
	CAMPAIGN_RUNNING,   /* the audience is frozen */
	CAMPAIGN_PAUSED,    /* hold_reason says why */
	CAMPAIGN_CANCELED,
	CAMPAIGN_FINISHED,
	CAMPAIGN_STATE_COUNT
};
const char *campaign_state_name(enum campaign_state state);
bool campaign_state_from_name(struct view name, enum campaign_state *ret_state) MUST_USE;

/* What a person writes. Empty views are NULL in the database where it allows that. */
struct campaign_content {
	struct view subject, from_name, from_address, reply_to, text_body, html_body;
	struct view in_doubt; /* "resend" or "hold" */
};

/* One campaign. Its views are borrowed from the rows it was read from. */
struct campaign {
	uint64_t id, list_id;
	enum campaign_state state;
	struct view name, list_name;
	struct campaign_content content;
	struct view local_time, zone; /* "2026-12-24 18:00:00"; empty: no schedule, or started at once */
	struct view hold_reason;
	int64_t audience;                                   /* -1 until it is frozen */
	int64_t start_us, created_us, started_us, ended_us; /* 0: not yet */
};

/* ERR_NOT_FOUND names the campaigns that are there. The caller releases *ret_rows, on which *ret_campaign depends. */
enum err campaigns_find(struct db *db, struct view name, struct campaign *ret_campaign, struct db_rows **ret_rows,
			struct buf *why) MUST_USE;
/* All, newest first, without the bodies; of one list when list_id is not 0. Read with campaigns_at(). */
enum err campaigns_all(struct db *db, uint64_t list_id, struct db_rows **ret_rows, struct buf *why) MUST_USE;
void campaigns_at(const struct db_rows *rows, size_t row, struct campaign *ret_campaign);

/* ERR_EXISTS: the name is taken; ERR_INVALID: it is no name. */
enum err campaigns_create(struct db *db, struct view name, uint64_t list_id, const struct campaign_content *content,
			  struct view actor, uint64_t *ret_id, struct buf *why) MUST_USE;
/* Only while draft or scheduled: ERR_REFUSED. */
enum err campaigns_edit(struct db *db, struct view name, const struct campaign_content *content, struct view actor,
			struct buf *why) MUST_USE;
/* Only drafts: ERR_REFUSED. */
enum err campaigns_delete(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;

/* ---- the steps; ERR_NOT_FOUND, ERR_REFUSED ---- */

struct campaign_time {
	struct view local, zone; /* as written; both empty: none */
	int64_t instant_us;      /* 0: no schedule, back to draft */
};
/* draft, scheduled -> scheduled at that instant, or draft. */
enum err campaigns_schedule(struct db *db, struct view name, const struct campaign_time *time, struct view actor,
			    struct buf *why) MUST_USE;
/* draft, scheduled -> scheduled, due now: the next free worker freezes the audience and runs it. */
enum err campaigns_start(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;
/* running -> paused, paused -> running. */
enum err campaigns_pause(struct db *db, struct view name, struct view reason, struct view actor,
			 struct buf *why) MUST_USE;
enum err campaigns_resume(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;
/* scheduled, running, paused -> canceled, for good. */
enum err campaigns_cancel(struct db *db, struct view name, struct view actor, struct buf *why) MUST_USE;

/* ---- whom a template is for ---- */

/* One member of a list, whose copy is shown. Views borrowed from the rows. */
struct campaign_reader {
	uint64_t id;
	struct view address, name, attributes;
};
/* The member with that address key; with an empty key an active one near the fraction 0..1 of the list. ERR_NOT_FOUND. */
enum err campaigns_reader(struct db *db, uint64_t list_id, struct view address_key, double fraction,
			  struct campaign_reader *ret_reader, struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
