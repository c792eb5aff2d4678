#include "store/policies.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum statement { READ, SET, RESET, SET_PROBES, RESET_PROBES, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	/* Without a reason: that the list sends probes. */
	[READ] = { "policies_read", "SELECT list_id, reason, failures, days FROM list_policy UNION ALL"
				    " SELECT list_id, NULL, a_day, days FROM list_probe ORDER BY 1" },
	[SET] = { "policies_set",
		  "INSERT INTO list_policy AS p (list_id, reason, failures, days) VALUES ($1::bigint, $2, $3::bigint,"
		  " $4::bigint) ON CONFLICT (list_id, reason) DO UPDATE SET failures = excluded.failures,"
		  " days = excluded.days WHERE (p.failures, p.days) <> (excluded.failures, excluded.days)" },
	[RESET] = { "policies_reset", "DELETE FROM list_policy WHERE list_id = $1::bigint AND reason = $2" },
	[SET_PROBES] = { "policies_set_probes",
			 "INSERT INTO list_probe AS p (list_id, days, a_day) VALUES ($1::bigint, $2::bigint, "
			 "$3::bigint) ON CONFLICT (list_id) DO UPDATE SET days = excluded.days, a_day = excluded.a_day"
			 " WHERE (p.days, p.a_day) <> (excluded.days, excluded.a_day)" },
	/* What was asked for and not sent yet decides nothing any more. */
	[RESET_PROBES] = { "policies_reset_probes",
			   "WITH off AS (UPDATE probe_letter SET void_reason = 'off', held_until = now()"
			   " WHERE list_id = $1::bigint AND taken_at IS NULL AND void_reason IS NULL)"
			   " DELETE FROM list_probe WHERE list_id = $1" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

enum { COL_LIST, COL_REASON, COL_FAILURES, COL_DAYS };

void policies_done(struct policies *policies)
{
	free(policies->rows);
	*policies = (struct policies){ 0 };
}

/* A reason that this release does not know says nothing to it. */
static void read_row(const struct db_rows *found, size_t row, struct policies *policies)
{
	int64_t list_id = db_get_int(found, row, COL_LIST);
	enum bounce_reason reason;
	if (policies->count == 0 || policies->rows[policies->count - 1].list_id != list_id)
		policies->rows[policies->count++] =
		    (struct list_policy){ .list_id = list_id, .policy = policy_default };
	struct policy *policy = &policies->rows[policies->count - 1].policy;
	if (db_is_null(found, row, COL_REASON)) {
		policy->probe_days = (unsigned)db_get_int(found, row, COL_DAYS);
		policy->probes_a_day = (unsigned)db_get_int(found, row, COL_FAILURES);
		policies->any_probes = true;
	} else if (reason_from_name(db_get_text(found, row, COL_REASON), &reason)) {
		policy->rows[reason] = (struct policy_row){ .failures = (unsigned)db_get_int(found, row, COL_FAILURES),
							    .days = (unsigned)db_get_int(found, row, COL_DAYS) };
	}
}

enum err policies_read(struct db *db, struct policies *ret_policies, struct buf *why)
{
	AUTO_DB_ROWS *found = NULL;
	*ret_policies = (struct policies){ 0 };
	enum err err = db_run(db, &statements[READ], NULL, 0, &found, why);
	if (err != ERR_OK || db_row_count(found) == 0)
		return err;
	ret_policies->rows = calloc(db_row_count(found), sizeof(*ret_policies->rows));
	if (ret_policies->rows == NULL)
		return ERR_MEMORY;
	for (size_t row = 0; row < db_row_count(found); row++)
		read_row(found, row, ret_policies);
	return ERR_OK;
}

static const struct policy *others_of(const struct policies *policies)
{
	return policies->is_tried ? &policies->others : &policy_default;
}

/* Where it stands, or would stand. */
static size_t find(const struct policies *policies, int64_t list_id)
{
	size_t low = 0, high = policies->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (policies->rows[middle].list_id < list_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has(const struct policies *policies, size_t at, int64_t list_id)
{
	return at < policies->count && policies->rows[at].list_id == list_id;
}

const struct policy *policies_of(const struct policies *policies, int64_t list_id)
{
	size_t at = find(policies, list_id);
	return has(policies, at, list_id) ? &policies->rows[at].policy : others_of(policies);
}

static enum err add_list(struct policies *policies, size_t at, int64_t list_id)
{
	struct list_policy *more = reallocarray(policies->rows, policies->count + 1, sizeof(*more));
	if (more == NULL)
		return ERR_MEMORY;
	memmove(&more[at + 1], &more[at], (policies->count - at) * sizeof(*more));
	more[at] = (struct list_policy){ .list_id = list_id, .policy = *others_of(policies) };
	policies->rows = more;
	policies->count++;
	return ERR_OK;
}

/* The list's own, which it gets if it has none. */
static enum err own_of(struct policies *policies, int64_t list_id, struct policy **ret_policy)
{
	size_t at = find(policies, list_id);
	enum err err = has(policies, at, list_id) ? ERR_OK : add_list(policies, at, list_id);
	if (err == ERR_OK)
		*ret_policy = &policies->rows[at].policy;
	return err;
}

static void try_everywhere(struct policies *policies, enum bounce_reason reason, struct policy_row row)
{
	policies->others = *others_of(policies);
	policies->others.rows[reason] = row;
	policies->is_tried = true;
	for (size_t i = 0; i < policies->count; i++)
		policies->rows[i].policy.rows[reason] = row;
}

enum err policies_try(struct policies *policies, int64_t list_id, enum bounce_reason reason, struct policy_row row)
{
	if (list_id == 0) {
		try_everywhere(policies, reason, row);
		return ERR_OK;
	}
	struct policy *own = NULL;
	enum err err = own_of(policies, list_id, &own);
	if (err == ERR_OK)
		own->rows[reason] = row;
	return err;
}

enum err policies_try_probes(struct policies *policies, int64_t list_id, unsigned days)
{
	struct policy *own = NULL;
	policies->any_probes = policies->any_probes || days > 0;
	if (list_id != 0) {
		enum err err = own_of(policies, list_id, &own);
		if (err == ERR_OK)
			own->probe_days = days;
		return err;
	}
	policies->others = *others_of(policies);
	policies->others.probe_days = days;
	policies->is_tried = true;
	for (size_t i = 0; i < policies->count; i++)
		policies->rows[i].policy.probe_days = days;
	return ERR_OK;
}

static void lower(struct policy_row *row, const struct policy_row *other)
{
	if (other->failures == 0)
		return;
	if (row->failures == 0) {
		*row = *other;
		return;
	}
	row->failures = other->failures < row->failures ? other->failures : row->failures;
	row->days = other->days < row->days ? other->days : row->days;
}

struct policy policies_least(const struct policies *policies)
{
	struct policy least = *others_of(policies);
	for (size_t i = 0; i < policies->count; i++)
		for (size_t reason = 0; reason < REASON_COUNT; reason++)
			lower(&least.rows[reason], &policies->rows[i].policy.rows[reason]);
	return least;
}

enum err policies_set(struct db *db, int64_t list_id, enum bounce_reason reason, const struct policy_row *row,
		      bool *ret_changed, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_int(list_id), db_text(view_of(reason_name(reason))),
					   db_int(row == NULL ? 0 : row->failures),
					   db_int(row == NULL ? 0 : row->days) };
	enum err err = row == NULL ? db_run(db, &statements[RESET], values, 2, &rows, why)
				   : db_run(db, &statements[SET], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_changed = db_changed(rows) > 0;
	return err;
}

enum err policies_set_probes(struct db *db, int64_t list_id, unsigned days, unsigned a_day, bool *ret_changed,
			     struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_int(list_id), db_int(days), db_int(a_day) };
	enum err err = days == 0 ? db_run(db, &statements[RESET_PROBES], values, 1, &rows, why)
				 : db_run(db, &statements[SET_PROBES], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_changed = db_changed(rows) > 0;
	return err;
}
