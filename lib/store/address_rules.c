#include "store/address_rules.h"

#include <assert.h>

#include "base/limits.h"

enum statement { LOAD, LOCK, ADD, SET, REMOVE, FIND, REPLACE, WRITE, COUNT, LIST, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	/* Of domains those that are off count too: they are exceptions. */
	[LOAD] = {
		.name = "address_rules_load",
		.sql = "SELECT kind, value, action, hint FROM address_rule WHERE action <> 'off' OR kind <> 'role'",
	},
	/* Whoever writes counts afterwards, and so does it alone. */
	[LOCK] = {
		.name = "address_rules_lock",
		.sql = "LOCK TABLE address_rule IN SHARE ROW EXCLUSIVE MODE",
	},
	[ADD] = {
		.name = "address_rules_add",
		.sql = "INSERT INTO address_rule (kind, value, action, hint) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
	},
	[SET] = {
		.name = "address_rules_set",
		.sql = "UPDATE address_rule SET action = coalesce(nullif($3::text, ''), action), hint = coalesce(nullif($4::text, ''), hint), changed_at = now()"
		       " WHERE kind = $1 AND value = $2",
	},
	[REMOVE] = {
		.name = "address_rules_remove",
		.sql = "DELETE FROM address_rule WHERE kind = $1 AND value = $2 AND source = 'own'",
	},
	[FIND] = {
		.name = "address_rules_find",
		.sql = "SELECT 1 FROM address_rule WHERE kind = $1 AND value = $2",
	},
	[REPLACE] = {
		.name = "address_rules_replace",
		.sql = "DELETE FROM address_rule r WHERE r.kind = $1 AND r.source = 'own' AND NOT EXISTS ("
		       "SELECT FROM unnest($2::text[], $3::text[]) AS g (kind, value)"
		       " WHERE g.kind = r.kind AND g.value = r.value)",
	},
	[WRITE] = {
		.name = "address_rules_write",
		.sql = "WITH given AS MATERIALIZED ("
		       "  SELECT DISTINCT ON (g.kind, g.value) g.kind, g.value, nullif(g.action, '') AS action, g.hint"
		       "  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY"
		       "    AS g (kind, value, action, hint, position)"
		       "  ORDER BY g.kind, g.value, g.position DESC),"
		       " changed AS ("
		       "  UPDATE address_rule r SET action = coalesce(g.action, r.action),"
		       "    hint = coalesce(nullif(g.hint, ''), r.hint), changed_at = now()"
		       "  FROM given g WHERE r.kind = g.kind AND r.value = g.value"
		       "    AND (g.action <> r.action OR (g.hint <> '' AND g.hint <> r.hint)) RETURNING 1),"
		       " added AS ("
		       "  INSERT INTO address_rule (kind, value, action, hint)"
		       "  SELECT g.kind, g.value, coalesce(g.action, 'warn'), g.hint FROM given g"
		       "  WHERE NOT EXISTS (SELECT FROM address_rule r WHERE r.kind = g.kind AND r.value = g.value)"
		       "  RETURNING 1)"
		       " SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM changed),"
		       "  (SELECT count(*) FROM given)",
	},
	[COUNT] = {
		.name = "address_rules_count",
		.sql = "SELECT count(*), coalesce(sum(octet_length(value) + octet_length(hint)), 0)::bigint FROM address_rule",
	},
	[LIST] = {
		.name = "address_rules_list",
		.sql = "SELECT kind, value, action, hint, source = 'builtin', changed_at FROM address_rule"
		       " WHERE $1::text IS NULL OR kind = $1 ORDER BY kind, value",
	},
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row a statement");

static struct db_value db_kind(enum address_rule_kind kind)
{
	return db_text(view_of(address_rule_kind_name(kind)));
}

static struct db_value db_action(enum address_rule_action action)
{
	return db_text(view_of(address_rule_action_name(action)));
}

/* False for a kind or an action that a later version has made. */
static bool get_rule(const struct db_rows *rows, size_t row, struct address_rule *ret_rule)
{
	struct address_rule rule = { .value = db_get_text(rows, row, 1), .hint = db_get_text(rows, row, 3) };
	if (!address_rule_kind_from_name(db_get_text(rows, row, 0), &rule.kind) ||
	    !address_rule_action_from_name(db_get_text(rows, row, 2), &rule.action))
		return false;
	*ret_rule = rule;
	return true;
}

enum err address_rules_load(struct db *db, struct address_judge **ret_judge, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LOAD], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	struct address_judge *judge = address_judge_new();
	if (judge == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct address_rule rule;
		if (get_rule(rows, i, &rule))
			err = address_judge_add(judge, &rule);
	}
	if (err == ERR_OK) {
		*ret_judge = judge;
		return ERR_OK;
	}
	if (err == ERR_TOO_BIG)
		buf_addf(why, "there are more address rules than are loaded; remove some (`listctl address-rule ls`)");
	address_judge_free(judge);
	return err;
}

/* ---- one ---- */

static enum err check_count(struct db *db, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[COUNT], NULL, 0, &rows, why);
	if (err != ERR_OK)
		return err;
	int64_t count = db_get_int(rows, 0, 0), octets = db_get_int(rows, 0, 1);
	if (count <= LIMIT_ADDRESS_RULES && octets <= LIMIT_ADDRESS_RULES_TEXT)
		return ERR_OK;
	buf_addf(why, "there would be %lld address rules of %lld octets, and %d of %d together is the most",
		 (long long)count, (long long)octets, LIMIT_ADDRESS_RULES, LIMIT_ADDRESS_RULES_TEXT);
	return ERR_TOO_BIG;
}

static enum err no_such_rule(enum address_rule_kind kind, struct view value, struct buf *why)
{
	buf_addf(why, "there is no rule on %s " VIEW_FMT "; `listctl address-rule ls` shows those there are",
		 address_rule_kind_name(kind), VIEW_ARG(value));
	return ERR_NOT_FOUND;
}

enum err address_rules_add(struct db *db, const struct address_rule *rule, struct buf *why)
{
	const struct db_value values[] = { db_kind(rule->kind), db_text(rule->value), db_action(rule->action),
					   db_text(rule->hint) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LOCK], NULL, 0, NULL, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[ADD], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_changed(rows) > 0)
		return check_count(db, why);
	buf_addf(why, "there is a rule on %s " VIEW_FMT " already; `listctl address-rule set` changes it",
		 address_rule_kind_name(rule->kind), VIEW_ARG(rule->value));
	return ERR_EXISTS;
}

enum err address_rules_set(struct db *db, const struct address_rule *rule, bool sets_action, struct buf *why)
{
	const struct db_value values[] = { db_kind(rule->kind), db_text(rule->value),
					   sets_action ? db_action(rule->action) : db_text(VIEW_LIT("")),
					   db_text(rule->hint) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[SET], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_REFUSED)
		buf_addf(why, "; a typo that is not off has a hint (--hint DOMAIN), other rules have none");
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	return no_such_rule(rule->kind, rule->value, why);
}

enum err address_rules_remove(struct db *db, enum address_rule_kind kind, struct view value, struct buf *why)
{
	const struct db_value values[] = { db_kind(kind), db_text(value) };
	AUTO_DB_ROWS *rows = NULL, *found = NULL;
	enum err err = db_run(db, &statements[REMOVE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK || db_changed(rows) > 0)
		return err;
	err = db_run(db, &statements[FIND], values, ARRAY_LEN(values), &found, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(found) == 0)
		return no_such_rule(kind, value, why);
	buf_addf(why,
		 "the rule on %s " VIEW_FMT " came with verpost and would come back with it; switch it off: "
		 "`listctl address-rule set %s " VIEW_FMT " --action off`",
		 address_rule_kind_name(kind), VIEW_ARG(value), address_rule_kind_name(kind), VIEW_ARG(value));
	return ERR_REFUSED;
}

/* ---- many ---- */

struct address_rule_set address_rule_set_empty(void)
{
	return (struct address_rule_set){
		.kinds = db_array_of(DB_TEXT),
		.values = db_array_of(DB_TEXT),
		.actions = db_array_of(DB_TEXT),
		.hints = db_array_of(DB_TEXT),
	};
}

void address_rule_set_done(struct address_rule_set *set)
{
	db_array_done(&set->kinds);
	db_array_done(&set->values);
	db_array_done(&set->actions);
	db_array_done(&set->hints);
}

size_t address_rule_set_count(const struct address_rule_set *set)
{
	return set->kinds.count;
}

void address_rule_set_add(struct address_rule_set *set, const struct address_rule *rule, bool says_action)
{
	const char *action = says_action ? address_rule_action_name(rule->action) : "";
	db_array_add_bytes(&set->kinds, view_of(address_rule_kind_name(rule->kind)));
	db_array_add_bytes(&set->values, rule->value);
	db_array_add_bytes(&set->actions, view_of(action));
	db_array_add_bytes(&set->hints, rule->hint);
}

static enum err remove_others(struct db *db, const struct address_rule_set *set, enum address_rule_kind kind,
			      uint64_t *ret_removed, struct buf *why)
{
	const struct db_value values[] = { db_kind(kind), db_values(&set->kinds), db_values(&set->values) };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[REPLACE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		*ret_removed = db_changed(rows);
	return err;
}

enum err address_rules_write(struct db *db, const struct address_rule_set *set, const enum address_rule_kind *replaced,
			     struct address_rule_counts *ret_counts, struct buf *why)
{
	const struct db_value values[] = { db_values(&set->kinds), db_values(&set->values), db_values(&set->actions),
					   db_values(&set->hints) };
	struct address_rule_counts counts = { 0 };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = db_run(db, &statements[LOCK], NULL, 0, NULL, why);
	if (err == ERR_OK && replaced != NULL)
		err = remove_others(db, set, *replaced, &counts.removed, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[WRITE], values, ARRAY_LEN(values), &rows, why);
	if (err == ERR_OK)
		err = check_count(db, why);
	if (err != ERR_OK)
		return err;
	counts.added = (uint64_t)db_get_int(rows, 0, 0);
	counts.changed = (uint64_t)db_get_int(rows, 0, 1);
	counts.unchanged = (uint64_t)db_get_int(rows, 0, 2) - counts.added - counts.changed;
	*ret_counts = counts;
	return ERR_OK;
}

/* ---- all ---- */

enum err address_rules_list(struct db *db, const enum address_rule_kind *kind, struct db_rows **ret_rows,
			    struct buf *why)
{
	const struct db_value values[] = { kind == NULL ? db_null() : db_kind(*kind) };
	return db_run(db, &statements[LIST], values, ARRAY_LEN(values), ret_rows, why);
}

struct address_rule_row address_rules_get(const struct db_rows *rows, size_t row)
{
	struct address_rule_row found = { .is_builtin = db_get_bool(rows, row, 4),
					  .changed_us = db_get_time(rows, row, 5) };
	if (!get_rule(rows, row, &found.rule))
		found.rule = (struct address_rule){ .kind = ADDRESS_RULE_KIND_COUNT };
	return found;
}
