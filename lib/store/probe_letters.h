/* Probes: letters that ask whether an address still receives, before repeated failures disable its member (mail/policy.h). Asked for by whoever reaches such a
 * verdict, in the transaction that stores the evidence; sent by sender within the list's budget; answered by a bounce or by silence (schema/057).
 *
 * What the verdict needs of them and what sender needs; reports about them are store/probe_reports.h's. Errors as db_run() unless said. Views given are borrowed
 * for the call, views returned from the rows. */
#ifndef STORE_PROBE_LETTERS_H
#define STORE_PROBE_LETTERS_H

#include "mail/policy.h"
#include "store/db.h"

/* Its tokens are of this campaign and the letter's id. */
enum { PROBE_LETTERS_CAMPAIGN = 0 };

/* ---- for the verdict ---- */

/* Asks for one for each of these people, an element each, unless one is open or less than a day old. Who calls has locked them. *ret_asked counts those that are new. */
struct probe_wishes {
	const struct db_array *subscribers, *lists, *reasons, *campaigns;
};
enum err probe_letters_ask(struct db *db, const struct probe_wishes *wishes, size_t *ret_asked,
			   struct buf *why) MUST_USE;

/* What has become of the probes of these people, by person and time. Void ones, and those to a former address or of before an undo, say nothing and are left out. */
enum err probe_letters_history(struct db *db, const struct db_array *subscribers, struct db_rows **ret_rows,
			       struct buf *why) MUST_USE;
int64_t probe_letters_person(const struct db_rows *rows, size_t row);
struct attempt probe_letters_attempt(const struct db_rows *rows, size_t row);

/* ---- for sender ---- */

struct probe_letter {
	int64_t id, list_id, subscriber_id;
	struct view relay; /* empty: none fits */
	struct view list_name, list_title, list_header_id, list_headers, from_name, from_address, reply_to;
	struct view subject, body; /* of the list; empty: mail/probe_text.h */
	struct view address, name;
};
/* Takes up to limit that are due, within the budgets; nobody else takes them again, unless they are given back or put off. */
enum err probe_letters_take(struct db *db, struct view host, size_t limit, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;
void probe_letters_get(const struct db_rows *rows, size_t row, struct probe_letter *ret_letter);

/* One that was taken and, for certain, not sent: it is due again, at once or later. */
enum err probe_letters_give_back(struct db *db, int64_t id, struct buf *why) MUST_USE;
struct probe_reply {
	struct view step; /* empty: none */
	unsigned code;    /* 0: none */
	struct view text; /* UTF-8 without NUL */
};
enum err probe_letters_put_off(struct db *db, int64_t id, const struct probe_reply *reply, struct buf *why) MUST_USE;
/* The relay has answered, or may have it. */
enum probe_answer { PROBE_ACCEPTED, PROBE_REFUSED, PROBE_DOUBTFUL };
enum err probe_letters_answer(struct db *db, int64_t id, enum probe_answer answer, const struct probe_reply *reply,
			      struct buf *why) MUST_USE;

/* ---- for people ---- */

struct probe_told {
	int64_t id;
	struct view list, address, state, reason; /* reason: that would disable */
	int64_t asked_us, sent_us, until_us;      /* 0: not yet; until: when silence answers it */
	int64_t days, tries;
	struct view relay;
	struct view word;   /* of the report, or why it is void: a bounce reason, left, moved ... */
	struct view answer; /* the report's diagnostic, or the relay's reply */
};
struct probe_scope {
	int64_t list_id, subscriber_id; /* 0: all */
	struct view state;              /* empty: all */
	bool only_open;
	size_t limit;
};
/* Newest first. */
enum err probe_letters_list(struct db *db, const struct probe_scope *scope, struct db_rows **ret_rows,
			    struct buf *why) MUST_USE;
void probe_letters_told(const struct db_rows *rows, size_t row, struct probe_told *ret_told);

#endif
