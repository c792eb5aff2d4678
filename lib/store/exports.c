#include "store/exports.h"

#include <assert.h>

#include "store/storm_sql.h"

enum statement {
	SCOPE,
	SEGMENT_SCOPE,
	MEMBERS,
	MEMBERSHIPS,
	ANY_CONSENT,
	SEGMENT,
	BOUNCES,
	SUPPRESSIONS,
	STATEMENT_COUNT
};

/* COPY has no parameters: SCOPE sets them for the rest of the transaction. */
#define LIST_ID "current_setting('verpost.export_list')::bigint"
#define SINCE "current_setting('verpost.export_since')::timestamptz"
#define STATES "(current_setting('verpost.export_states')::membership_state[])"

#define TIME_TEXT(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* With the fraction of a second where there is one. */
#define EXACT_TIME_TEXT(column)                                                                                        \
	"to_char(" column " AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', " column ") = " column                  \
	" THEN 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"' ELSE 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"' END)"

#define PERSON "s.address, s.name, s.attributes, m.consent_source, " EXACT_TIME_TEXT("m.consent_at")

#define COPY_MEMBERS(more)                                                                                             \
	"COPY (SELECT " PERSON more " FROM membership m JOIN subscriber s ON s.id = m.subscriber_id"                   \
	" WHERE m.list_id = " LIST_ID " AND m.state = ANY " STATES                                                     \
	" ORDER BY m.subscriber_id) TO STDOUT (FORMAT binary)"

static const struct db_statement statements[] = {
	/* $1 list, $2 state or null: all, $3 since when. */
	[SCOPE] = { .name = "exports_scope",
		    .sql =
			"SELECT set_config('verpost.export_since', coalesce($3::timestamptz, '-infinity')::text, true),"
			" set_config('verpost.export_list', $1::bigint::text, true), "
			"set_config('verpost.export_states',"
			" coalesce('{' || $2::text || '}', enum_range(NULL::membership_state)::text), true)" },
	[SEGMENT_SCOPE] = { .name = "exports_segment_scope",
			    .sql = "SELECT set_config('verpost.export_segment', $1::bigint::text, true)" },
	[SEGMENT] = { .name = "exports_segment",
		      .sql = "COPY (SELECT " PERSON
			     " FROM segment_people(current_setting('verpost.export_segment')::bigint, nullif(" LIST_ID
			     ", 0)) AS p(id)"
			     " JOIN subscriber s ON s.id = p.id"
			     " LEFT JOIN membership m ON m.subscriber_id = s.id AND m.list_id = " LIST_ID
			     " ORDER BY s.id) TO STDOUT (FORMAT binary)" },
	[MEMBERS] = { .name = "exports_members", .sql = COPY_MEMBERS("") },
	[MEMBERSHIPS] = { .name = "exports_memberships", .sql = COPY_MEMBERS(", m.state, m.reason, m.since") },
	/* $1 list, $2 state or null: all. */
	[ANY_CONSENT] = { .name = "exports_any_consent",
			  .sql = "SELECT EXISTS (SELECT FROM membership WHERE list_id = $1"
				 " AND (consent_source IS NOT NULL OR consent_at IS NOT NULL)"
				 " AND ($2::text IS NULL OR state = $2::text::membership_state))" },
	[BOUNCES] = { .name = "exports_bounces",
		      .sql = "COPY (SELECT e.id::text, " TIME_TEXT(
			  "e.received_at") ", c.name, l.name, s.address, e.kind::text,"
					   " e.reason, e.status, e.source::text, CASE WHEN e.orphan THEN 'orphan' WHEN "
					   "NOT (" IS_NOT_VOID(
					       "e") ") THEN 'voided'"
						    " WHEN s.address_since IS NOT NULL AND e.kind IN ('bounce-hard', "
						    "'bounce-soft')"
						    " AND EXISTS (SELECT FROM delivery d WHERE d.campaign_id = "
						    "e.campaign_id"
						    " AND d.subscriber_id = e.subscriber_id AND "
						    "is_of_former_address(d.at,"
						    " e.recipient, s.address_key, s.address_since) OFFSET 0) THEN "
						    "'former "
						    "address'"
						    " WHEN" IS_UNCOUNTED(
							"e") " THEN 'held' WHEN e.judged_at IS NULL THEN 'waiting' "
							     "ELSE 'judged' END, e.rule, "
							     "e.diagnostic"
							     " FROM bounce_event e LEFT JOIN campaign c ON c.id = "
							     "e.campaign_id LEFT "
							     "JOIN campaign_reached h ON h.campaign_id = e.campaign_id "
							     "AND h.subscriber_id = e.subscriber_id"
							     " LEFT JOIN list l ON l.id = coalesce(h.list_id, "
							     "c.list_id)"
							     " LEFT JOIN subscriber s ON s.id = e.subscriber_id"
							     " WHERE e.received_at >= " SINCE " AND (" LIST_ID
							     " = 0 OR (l.id = " LIST_ID
							     " AND e.campaign_id = ANY (ARRAY(SELECT campaign_id FROM "
							     "campaign_target WHERE list_id = " LIST_ID "))))"
							     " ORDER BY e.campaign_id, e.id) TO STDOUT (FORMAT "
							     "binary)" },
	[SUPPRESSIONS] = { .name = "exports_suppressions",
			   .sql = "COPY (SELECT x.value, x.kind, l.name, x.reason, x.source, " TIME_TEXT(
			       "x.created_at") ", " EXACT_TIME_TEXT("x.expires_at") " FROM suppression_in_force x LEFT "
										    "JOIN "
										    "list l ON l.id = x.list_id"
										    " WHERE " LIST_ID
										    " = 0 OR x.list_id = " LIST_ID
										    " ORDER BY x.value, x.kind, "
										    "l.name, x.id) TO STDOUT (FORMAT "
										    "binary)" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

static const struct export_column bounce_columns[] = {
	{ "bounce", true },  { "received_at", false }, { "campaign", false }, { "list", false },
	{ "email", false },  { "kind", false },        { "reason", false },   { "status", false },
	{ "source", false }, { "standing", false },    { "rule", false },     { "diagnostic", false },
};
static const struct export_column suppression_columns[] = {
	{ "value", false },  { "kind", false },       { "list", false },       { "reason", false },
	{ "source", false }, { "created_at", false }, { "expires_at", false },
};

static const struct {
	enum statement statement;
	const struct export_column *columns;
	size_t count;
} kinds[] = {
	[EXPORT_BOUNCES] = { BOUNCES, bounce_columns, ARRAY_LEN(bounce_columns) },
	[EXPORT_SUPPRESSIONS] = { SUPPRESSIONS, suppression_columns, ARRAY_LEN(suppression_columns) },
};
static_assert(ARRAY_LEN(kinds) == EXPORT_KIND_COUNT, "one row a kind");

static enum err set_scope(struct db *db, int64_t list_id, struct view state, int64_t since_us, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_text_or_null(state),
					   since_us == 0 ? db_null() : db_time(since_us) };
	return db_run(db, &statements[SCOPE], values, ARRAY_LEN(values), NULL, why);
}

enum err exports_members(struct db *db, int64_t list_id, struct view state, bool with_membership,
			 db_row_handler *handler, void *context, struct buf *why)
{
	enum err err = set_scope(db, list_id, state, 0, why);
	if (err != ERR_OK)
		return err;
	return db_copy_out(db, &statements[with_membership ? MEMBERSHIPS : MEMBERS], handler, context, why);
}

enum err exports_any_consent(struct db *db, int64_t list_id, struct view state, bool *ret_any, struct buf *why)
{
	const struct db_value values[] = { db_int(list_id), db_text_or_null(state) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[ANY_CONSENT], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_any = db_get_bool(rows, 0, 0);
	return err;
}

enum err exports_segment(struct db *db, int64_t segment_id, int64_t list_id, db_row_handler *handler, void *context,
			 struct buf *why)
{
	const struct db_value values[] = { db_int(segment_id) };
	enum err err = set_scope(db, list_id, VIEW_LIT(""), 0, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[SEGMENT_SCOPE], values, ARRAY_LEN(values), NULL, why);
	return err == ERR_OK ? db_copy_out(db, &statements[SEGMENT], handler, context, why) : err;
}

enum err exports_rows(struct db *db, enum export_kind kind, int64_t list_id, int64_t since_us, db_row_handler *handler,
		      void *context, struct buf *why)
{
	enum err err = set_scope(db, list_id, VIEW_LIT(""), since_us, why);
	return err == ERR_OK ? db_copy_out(db, &statements[kinds[kind].statement], handler, context, why) : err;
}

const struct export_column *exports_columns(enum export_kind kind, size_t *ret_count)
{
	*ret_count = kinds[kind].count;
	return kinds[kind].columns;
}
