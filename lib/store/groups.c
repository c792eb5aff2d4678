#include "store/groups.h"

#include <assert.h>

enum statement { ADD, EDIT, REMOVE, ADD_DOMAIN, REMOVE_DOMAIN, GROUP_OF, LIST, DOMAINS, STATEMENT_COUNT };

enum { NUMBER_MOST = 64 };

static const struct db_statement statements[] = {
	[ADD] = { .name = "groups_add",
		  .sql = "INSERT INTO domain_group (name, connections, messages_per_second)"
			 " VALUES ($1, nullif($2::bigint, 0), nullif($3::text::float8, 0))" },
	[EDIT] = { .name = "groups_edit",
		   .sql = "UPDATE domain_group SET connections = nullif($2::bigint, 0),"
			  " messages_per_second = nullif($3::text::float8, 0) WHERE name = $1" },
	/* Who was parked for its limits, or for a warm-up that goes with it, looks again. */
	[REMOVE] = { .name = "groups_remove",
		     .sql = "WITH gone AS (DELETE FROM domain_group WHERE name = $1 RETURNING id, 'group:' || name AS "
			    "key),"
			    " keys AS (SELECT key FROM gone UNION ALL"
			    " SELECT 'warmup:' || w.id FROM warmup w JOIN gone g ON g.id = w.group_id),"
			    " woken AS (UPDATE deferral f SET next_attempt_at = now() FROM keys"
			    " WHERE f.waits_for = keys.key AND f.opened_by IS NULL AND f.next_attempt_at > now()),"
			    " cleared AS (DELETE FROM budget b USING keys WHERE b.key = keys.key)"
			    " SELECT key FROM gone" },
	[ADD_DOMAIN] = { .name = "groups_add_domain",
			 .sql = "INSERT INTO domain_group_domain (domain, group_id)"
				" SELECT $2, id FROM domain_group WHERE name = $1 ON CONFLICT DO NOTHING" },
	[REMOVE_DOMAIN] = { .name = "groups_remove_domain",
			    .sql = "DELETE FROM domain_group_domain d USING domain_group g"
				   " WHERE g.id = d.group_id AND g.name = $1 AND d.domain = $2" },
	[GROUP_OF] = { .name = "groups_group_of",
		       .sql = "SELECT g.name FROM domain_group_domain d JOIN domain_group g ON g.id = d.group_id"
			      " WHERE d.domain = $1" },
	[LIST] = { .name = "groups_list",
		   .sql =
		       "SELECT g.name, coalesce(g.connections, 0), coalesce(g.messages_per_second, 0), count(d.domain),"
		       " coalesce(string_agg(d.domain, ' ' ORDER BY d.domain), '')"
		       " FROM domain_group g LEFT JOIN domain_group_domain d ON d.group_id = g.id"
		       " WHERE $1::text IS NULL OR g.name = $1 GROUP BY g.id ORDER BY g.name" },
	[DOMAINS] = { .name = "groups_domains",
		      .sql = "SELECT d.domain, g.name FROM domain_group_domain d JOIN domain_group g ON g.id = "
			     "d.group_id" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

static enum err no_such_group(struct view name, struct buf *why)
{
	buf_addf(why, "there is no domain group \"" VIEW_FMT "\"; `listctl group ls` shows those there are",
		 VIEW_ARG(view_head(name, NUMBER_MOST)));
	return ERR_NOT_FOUND;
}

static enum err write_limits(struct db *db, enum statement statement, const struct domain_group *group,
			     size_t *ret_changed, struct buf *why)
{
	AUTO_BUF rate = buf_with_ceiling(NUMBER_MOST);
	buf_addf(&rate, "%.9g", group->rate);
	const struct db_value values[] = { db_text(group->name), db_int(group->connections), db_text(buf_view(&rate)) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[statement], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_changed = db_changed(rows);
	return err;
}

enum err groups_add(struct db *db, const struct domain_group *group, struct buf *why)
{
	size_t changed = 0;
	AUTO_BUF cause = buf_with_ceiling(why->ceiling);
	enum err err = write_limits(db, ADD, group, &changed, &cause);
	if (err == ERR_EXISTS)
		buf_addf(why, "there is a domain group " VIEW_FMT " already; `listctl group edit` changes it",
			 VIEW_ARG(group->name));
	else if (err == ERR_REFUSED)
		buf_addf(why,
			 "\"" VIEW_FMT "\" is no name for a group: 1 to 64 characters a-z, 0-9 and -, no - at the ends",
			 VIEW_ARG(group->name));
	else if (err != ERR_OK)
		buf_add(why, buf_view(&cause));
	return err;
}

enum err groups_edit(struct db *db, const struct domain_group *group, struct buf *why)
{
	size_t changed = 0;
	enum err err = write_limits(db, EDIT, group, &changed, why);
	return err != ERR_OK || changed > 0 ? err : no_such_group(group->name, why);
}

enum err groups_remove(struct db *db, struct view name, struct buf *why)
{
	const struct db_value values[] = { db_text(name) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	return err != ERR_OK || db_row_count(rows) > 0 ? err : no_such_group(name, why);
}

/* Nothing was added: it is in a group, or there is no such group. */
static enum err explain_domain(struct db *db, struct view name, struct view domain, struct buf *why)
{
	const struct db_value values[] = { db_text(domain) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[GROUP_OF], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0)
		return no_such_group(name, why);
	struct view owner = db_get_text(rows, 0, 0);
	if (view_eq(owner, name))
		return ERR_OK;
	buf_addf(why, VIEW_FMT " is in the group " VIEW_FMT "; take it out there first", VIEW_ARG(domain),
		 VIEW_ARG(owner));
	return ERR_EXISTS;
}

enum err groups_add_domain(struct db *db, struct view name, struct view domain, struct buf *why)
{
	const struct db_value values[] = { db_text(name), db_text(domain) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[ADD_DOMAIN], values, ARRAY_LEN(values), &rows, why);
	return err != ERR_OK || db_changed(rows) > 0 ? err : explain_domain(db, name, domain, why);
}

enum err groups_remove_domain(struct db *db, struct view name, struct view domain, struct buf *why)
{
	const struct db_value values[] = { db_text(name), db_text(domain) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REMOVE_DOMAIN], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	buf_addf(why, VIEW_FMT " is not in the group " VIEW_FMT "; `listctl group show " VIEW_FMT "` lists what is",
		 VIEW_ARG(domain), VIEW_ARG(name), VIEW_ARG(name));
	return ERR_NOT_FOUND;
}

enum err groups_list(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why)
{
	const struct db_value values[] = { db_text_or_null(name_or_empty) };
	struct db_rows *rows = NULL;
	enum err err = db_run(db, &statements[LIST], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (name_or_empty.len > 0 && db_row_count(rows) == 0) {
		db_rows_done(rows);
		return no_such_group(name_or_empty, why);
	}
	*ret_rows = rows;
	return ERR_OK;
}

struct domain_group groups_get(const struct db_rows *rows, size_t row)
{
	return (struct domain_group){
		.name = db_get_text(rows, row, 0),
		.connections = db_get_int(rows, row, 1),
		.rate = db_get_double(rows, row, 2),
		.domains = db_get_int(rows, row, 3),
		.listed = db_get_text(rows, row, 4),
	};
}

enum err groups_domains(struct db *db, struct db_rows **ret_rows, struct buf *why)
{
	return db_run(db, &statements[DOMAINS], NULL, 0, ret_rows, why);
}
