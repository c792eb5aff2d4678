#include "store/reports.h"

#include <assert.h>

#include "store/storm_sql.h"

enum statement { EVENTS, OF_SUBSCRIBER, EVENT, MESSAGE, STATEMENT_COUNT };

enum { DEFAULT_LIMIT = 100 };

#define EVENT_COLUMNS                                                                                                  \
	"SELECT e.id, e.campaign_id, e.subscriber_id, c.name, l.name, s.address, e.received_at, e.judged_at, "         \
	"e.source,"                                                                                                    \
	" e.kind, e.reason, e.status, e.diagnostic, e.recipient, e.reporting_mta, e.rule, e.code, e.orphan, e.voided," \
	" s.address_since IS NOT NULL AND e.kind IN ('bounce-hard', 'bounce-soft') AND EXISTS (SELECT FROM delivery d" \
	" WHERE d.campaign_id = e.campaign_id AND d.subscriber_id = e.subscriber_id"                                   \
	" AND is_of_former_address(d.at, e.recipient, s.address_key, s.address_since) OFFSET 0), w.id, w.state"
#define EVENT_JOINS                                                                                                    \
	" LEFT JOIN campaign c ON c.id = e.campaign_id LEFT JOIN campaign_reached h"                                   \
	" ON h.campaign_id = e.campaign_id AND h.subscriber_id = e.subscriber_id"                                      \
	" LEFT JOIN list l ON l.id = coalesce(h.list_id, c.list_id)"                                                   \
	" LEFT JOIN subscriber s ON s.id = e.subscriber_id"                                                            \
	" LEFT JOIN LATERAL (SELECT id, state FROM " STORM_OF(                                                         \
	    "e") " AND NOT e.orphan ORDER BY state = 'applied', id DESC LIMIT 1) AS w"                                 \
		 " ON true"

static const struct db_statement statements[] = {
	/* Of a list only its campaigns' events are put together with who they are about. */
	[EVENTS] = { "reports_events", EVENT_COLUMNS
		     " FROM bounce_event e" EVENT_JOINS " WHERE ($1::bigint IS NULL OR e.campaign_id = $1)"
		     " AND ($2::bigint IS NULL OR (l.id = $2 AND e.campaign_id = ANY (ARRAY("
		     "SELECT campaign_id FROM campaign_target WHERE list_id = $2))))"
		     " AND ($3::text IS NULL OR e.kind = $3::text::bounce_kind)"
		     " AND ($4::text IS NULL OR e.reason = $4) AND ($5::text IS NULL OR s.address_key = $5)"
		     " AND ($6::timestamptz IS NULL OR e.received_at >= $6)"
		     " ORDER BY e.received_at DESC, e.id DESC LIMIT $7" },
	[OF_SUBSCRIBER] = { "reports_of_subscriber", EVENT_COLUMNS
			    " FROM bounce_event e" EVENT_JOINS
			    " WHERE e.subscriber_id = $1 ORDER BY e.received_at DESC, e.id DESC LIMIT $2" },
	/* The key begins with the campaign: one index look-up a campaign, no scan. */
	[EVENT] = { "reports_event",
		    EVENT_COLUMNS " FROM (SELECT id FROM campaign UNION ALL SELECT 0) AS k(id) CROSS JOIN LATERAL"
				  " (SELECT * FROM bounce_event b WHERE b.campaign_id = k.id AND b.id = $1 OFFSET 0) "
				  "AS e" EVENT_JOINS },
	[MESSAGE] = { "reports_message", "SELECT message FROM bounce_raw WHERE campaign_id = $1 AND event_id = $2" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

enum err reports_events(struct db *db, const struct report_filter *filter, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_id_or_null(filter->campaign_id),
					   db_id_or_null(filter->list_id),
					   db_text_or_null(filter->kind),
					   db_text_or_null(filter->reason),
					   db_text_or_null(filter->address_key),
					   filter->since_us == 0 ? db_null() : db_time(filter->since_us),
					   db_int(filter->limit == 0 ? DEFAULT_LIMIT : (int64_t)filter->limit) };
	return db_run(db, &statements[EVENTS], values, ARRAY_LEN(values), ret_rows, why);
}

enum err reports_of_subscriber(struct db *db, uint64_t subscriber_id, size_t limit, struct db_rows **ret_rows,
			       struct buf *why)
{
	const struct db_value values[] = { db_int((int64_t)subscriber_id), db_int((int64_t)limit) };
	return db_run(db, &statements[OF_SUBSCRIBER], values, ARRAY_LEN(values), ret_rows, why);
}

void report_event_at(const struct db_rows *rows, size_t row, struct report_event *ret_event)
{
	*ret_event = (struct report_event){
		.id = (uint64_t)db_get_int(rows, row, 0),
		.campaign_id = (uint64_t)db_get_int(rows, row, 1),
		.subscriber_id = (uint64_t)db_get_int(rows, row, 2),
		.campaign = db_get_text(rows, row, 3),
		.list = db_get_text(rows, row, 4),
		.address = db_get_text(rows, row, 5),
		.received_us = db_get_time(rows, row, 6),
		.judged_us = db_get_time(rows, row, 7),
		.source = db_get_text(rows, row, 8),
		.kind = db_get_text(rows, row, 9),
		.reason = db_get_text(rows, row, 10),
		.status = db_get_text(rows, row, 11),
		.diagnostic = db_get_text(rows, row, 12),
		.recipient = db_get_text(rows, row, 13),
		.reporting_mta = db_get_text(rows, row, 14),
		.rule = db_get_text(rows, row, 15),
		.code = db_get_int(rows, row, 16),
		.orphan = db_get_bool(rows, row, 17),
		.voided = db_get_bool(rows, row, 18) || view_eq(db_get_text(rows, row, 21), VIEW_LIT("void")),
		.is_former = db_get_bool(rows, row, 19),
		.storm_id = (uint64_t)db_get_int(rows, row, 20),
		.is_held = view_eq(db_get_text(rows, row, 21), VIEW_LIT("holding")),
	};
}

enum err reports_event(struct db *db, uint64_t event_id, struct report_event *ret_event, struct db_rows **ret_rows,
		       struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value values[] = { db_int((int64_t)event_id) };
	enum err err = db_run(db, &statements[EVENT], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		buf_addf(why, "there is no bounce %llu; `listctl bounce ls` lists them", (unsigned long long)event_id);
		return ERR_NOT_FOUND;
	}
	report_event_at(rows, 0, ret_event);
	*ret_rows = rows;
	return ERR_OK;
}

enum err reports_message(struct db *db, uint64_t campaign_id, uint64_t event_id, struct view *ret_message,
			 struct db_rows **ret_rows, struct buf *why)
{
	struct db_rows *rows = NULL;
	const struct db_value values[] = { db_int((int64_t)campaign_id), db_int((int64_t)event_id) };
	enum err err = db_run(db, &statements[MESSAGE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0) {
		db_rows_done(rows);
		buf_addf(why,
			 "bounce %llu has no returned message: it was a reply in the SMTP session, or bounce.keep_raw "
			 "has passed",
			 (unsigned long long)event_id);
		return ERR_NOT_FOUND;
	}
	*ret_message = db_get_text(rows, 0, 0);
	*ret_rows = rows;
	return ERR_OK;
}

const char *report_event_standing(const struct report_event *event)
{
	if (event->voided)
		return "voided";
	if (event->orphan)
		return "orphan";
	if (event->is_former)
		return "former address";
	if (event->is_held)
		return "held";
	return event->judged_us == 0 ? "waiting" : "judged";
}
