#include "store/probe_letters.h"

#include <assert.h>

enum statement { ASK, HISTORY, TAKE, GIVE_BACK, PUT_OFF, ANSWER, LIST, STATEMENT_COUNT };

/* When an undo has given the person back: what was before counts for nothing, as in store/verdicts. */
#define UNDONE_AT                                                                                                      \
	"(SELECT max(m.since) FROM membership m WHERE m.subscriber_id = p.subscriber_id AND m.reason = 'undo'"         \
	" AND m.state = 'active')"

static const struct db_statement statements[] = {
	[ASK] = { "probe_letters_ask",
		  "INSERT INTO probe_letter (list_id, subscriber_id, reason, campaign_id, days)"
		  " SELECT DISTINCT ON (v.subscriber_id) v.list_id, v.subscriber_id, v.reason, v.campaign_id, l.days"
		  " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])"
		  " AS v(subscriber_id, list_id, reason, campaign_id) JOIN list_probe l ON l.list_id = v.list_id"
		  " JOIN membership m ON m.list_id = v.list_id AND m.subscriber_id = v.subscriber_id"
		  " AND m.state = 'active' WHERE NOT EXISTS (SELECT FROM probe_letter_state p"
		  " WHERE p.subscriber_id = v.subscriber_id AND NOT p.is_of_former_address"
		  " AND (p.held_until > now() OR p.asked_at > now() - interval '1 day')"
		  " AND p.asked_at >= coalesce(" UNDONE_AT ", '-infinity'))"
		  " ORDER BY v.subscriber_id, v.list_id" },
	[HISTORY] = { "probe_letters_history",
		      "SELECT p.subscriber_id, coalesce(p.answered_at, p.taken_at, p.asked_at), p.state,"
		      " p.report_reason FROM unnest($1::bigint[]) AS w(id) CROSS JOIN LATERAL (SELECT * FROM"
		      " probe_letter_state p WHERE p.subscriber_id = w.id AND p.state <> 'void'"
		      " AND NOT p.is_of_former_address AND p.asked_at >= coalesce(" UNDONE_AT
		      ", '-infinity') OFFSET 0) AS p ORDER BY 1, 2, p.id" },
	[TAKE] = { "probe_letters_take",
		   "SELECT p.id, p.list_id, p.subscriber_id, k.relay, l.name, l.title, l.list_id, l.headers, "
		   "l.from_name,"
		   " l.from_address, l.reply_to, t.subject, t.body, s.address, s.name"
		   " FROM take_probe_letters($1, $2) AS k(id, relay) JOIN probe_letter p ON p.id = k.id"
		   " JOIN list l ON l.id = p.list_id JOIN subscriber s ON s.id = p.subscriber_id"
		   " LEFT JOIN probe_text t ON t.list_id = p.list_id ORDER BY p.id" },
	[GIVE_BACK] = { "probe_letters_give_back",
			"UPDATE probe_letter SET taken_at = NULL, taken_by = NULL, tries = greatest(tries - 1, 0),"
			" held_until = 'infinity' WHERE id = $1 AND answered_at IS NULL AND reported_at IS NULL" },
	/* A quarter of an hour, then twice as long each time, at most eight hours. */
	[PUT_OFF] = { "probe_letters_put_off",
		      "UPDATE probe_letter SET taken_at = NULL, taken_by = NULL, held_until = 'infinity',"
		      " try_at = now() + least(15 * 2 ^ (least(tries, 10) - 1), 480) * interval '1 minute',"
		      " step = $2, code = $3, reply = $4 WHERE id = $1 AND answered_at IS NULL AND reported_at IS "
		      "NULL" },
	/* A report may have come before. */
	[ANSWER] = { "probe_letters_answer",
		     "UPDATE probe_letter SET answered_at = now(), accepted = $2::text::boolean, step = $3, code = $4,"
		     " reply = $5, held_until = CASE WHEN reported_at IS NULL THEN now() + days * interval '1 day'"
		     " ELSE held_until END WHERE id = $1 AND taken_at IS NOT NULL AND answered_at IS NULL" },
	[LIST] = { "probe_letters_list",
		   "SELECT p.id, l.name, s.address, p.state, p.reason, p.asked_at, coalesce(p.answered_at, p.taken_at),"
		   " CASE WHEN p.state IN ('sending', 'sent', 'doubtful', 'silent') THEN p.held_until END, p.days,"
		   " p.tries, p.relay, coalesce(p.void_reason, p.report_reason), coalesce(p.diagnostic, p.reply)"
		   " FROM probe_letter_state p JOIN list l ON l.id = p.list_id JOIN subscriber s ON s.id = "
		   "p.subscriber_id"
		   " WHERE ($1::bigint = 0 OR p.list_id = $1) AND ($2::bigint = 0 OR p.subscriber_id = $2)"
		   " AND ($3 = '' OR p.state = $3) AND (NOT $4 OR p.held_until > now()) ORDER BY p.id DESC LIMIT $5" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

/* ---- for the verdict ---- */

enum err probe_letters_ask(struct db *db, const struct probe_wishes *wishes, size_t *ret_asked, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_values(wishes->subscribers), db_values(wishes->lists),
					   db_values(wishes->reasons), db_values(wishes->campaigns) };
	enum err err = db_run(db, &statements[ASK], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_asked = db_changed(rows);
	return err;
}

enum err probe_letters_history(struct db *db, const struct db_array *subscribers, struct db_rows **ret_rows,
			       struct buf *why)
{
	const struct db_value values[] = { db_values(subscribers) };
	return db_run(db, &statements[HISTORY], values, ARRAY_LEN(values), ret_rows, why);
}

int64_t probe_letters_person(const struct db_rows *rows, size_t row)
{
	return db_get_int(rows, row, 0);
}

/* A reason that this release does not know is one all the same. */
struct attempt probe_letters_attempt(const struct db_rows *rows, size_t row)
{
	struct view state = db_get_text(rows, row, 2);
	struct attempt probe = { .at_us = db_get_time(rows, row, 1), .outcome = PROBE_OPEN };
	if (view_eq(state, VIEW_LIT("bounced")))
		probe.outcome = PROBE_BOUNCED;
	else if (view_eq(state, VIEW_LIT("silent")))
		probe.outcome = PROBE_SILENT;
	if (!reason_from_name(db_get_text(rows, row, 3), &probe.reason))
		probe.reason = REASON_OTHER;
	return probe;
}

/* ---- for sender ---- */

enum err probe_letters_take(struct db *db, struct view host, size_t limit, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text(host), db_int((int64_t)limit) };
	return db_run(db, &statements[TAKE], values, ARRAY_LEN(values), ret_rows, why);
}

void probe_letters_get(const struct db_rows *rows, size_t row, struct probe_letter *ret_letter)
{
	*ret_letter = (struct probe_letter){
		.id = db_get_int(rows, row, 0),
		.list_id = db_get_int(rows, row, 1),
		.subscriber_id = db_get_int(rows, row, 2),
		.relay = db_get_text(rows, row, 3),
		.list_name = db_get_text(rows, row, 4),
		.list_title = db_get_text(rows, row, 5),
		.list_header_id = db_get_text(rows, row, 6),
		.list_headers = db_get_text(rows, row, 7),
		.from_name = db_get_text(rows, row, 8),
		.from_address = db_get_text(rows, row, 9),
		.reply_to = db_get_text(rows, row, 10),
		.subject = db_get_text(rows, row, 11),
		.body = db_get_text(rows, row, 12),
		.address = db_get_text(rows, row, 13),
		.name = db_get_text(rows, row, 14),
	};
}

enum err probe_letters_give_back(struct db *db, int64_t id, struct buf *why)
{
	const struct db_value values[] = { db_int(id) };
	return db_run(db, &statements[GIVE_BACK], values, ARRAY_LEN(values), NULL, why);
}

static struct db_value code_or_null(const struct probe_reply *reply)
{
	return reply->code == 0 ? db_null() : db_int(reply->code);
}

enum err probe_letters_put_off(struct db *db, int64_t id, const struct probe_reply *reply, struct buf *why)
{
	const struct db_value values[] = { db_int(id), db_text_or_null(reply->step), code_or_null(reply),
					   db_text(reply->text) };
	return db_run(db, &statements[PUT_OFF], values, ARRAY_LEN(values), NULL, why);
}

enum err probe_letters_answer(struct db *db, int64_t id, enum probe_answer answer, const struct probe_reply *reply,
			      struct buf *why)
{
	static const char *const accepted[] = {
		[PROBE_ACCEPTED] = "true",
		[PROBE_REFUSED] = "false",
		[PROBE_DOUBTFUL] = NULL,
	};
	const struct db_value values[] = { db_int(id), db_text_or_null(view_of(accepted[answer])),
					   db_text_or_null(reply->step), code_or_null(reply), db_text(reply->text) };
	return db_run(db, &statements[ANSWER], values, ARRAY_LEN(values), NULL, why);
}

/* ---- for people ---- */

enum err probe_letters_list(struct db *db, const struct probe_scope *scope, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_int(scope->list_id), db_int(scope->subscriber_id), db_text(scope->state),
					   db_bool(scope->only_open), db_int((int64_t)scope->limit) };
	return db_run(db, &statements[LIST], values, ARRAY_LEN(values), ret_rows, why);
}

void probe_letters_told(const struct db_rows *rows, size_t row, struct probe_told *ret_told)
{
	*ret_told = (struct probe_told){
		.id = db_get_int(rows, row, 0),
		.list = db_get_text(rows, row, 1),
		.address = db_get_text(rows, row, 2),
		.state = db_get_text(rows, row, 3),
		.reason = db_get_text(rows, row, 4),
		.asked_us = db_get_time(rows, row, 5),
		.sent_us = db_get_time(rows, row, 6),
		.until_us = db_get_time(rows, row, 7),
		.days = db_get_int(rows, row, 8),
		.tries = db_get_int(rows, row, 9),
		.relay = db_get_text(rows, row, 10),
		.word = db_get_text(rows, row, 11),
		.answer = db_get_text(rows, row, 12),
	};
}
