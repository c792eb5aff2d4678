#include "store/migrate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum statement { ROLES, SCHEMA, LOCK, FIRST_VERSION, SET_VERSION, RECORD, APPLIED, STATEMENT_COUNT };

static const struct db_statement statements[] = {
	/* Roles belong to the cluster: another database's init may be making the same ones. */
	[ROLES] = { .name = "migrate_roles",
		    .sql = "DO $$ DECLARE role text; BEGIN"
			   " FOREACH role IN ARRAY ARRAY['verpost_sender', 'verpost_bounced'] LOOP"
			   "  CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role);"
			   "  BEGIN EXECUTE format('CREATE ROLE %I LOGIN', role);"
			   "  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;"
			   " END LOOP; END $$" },
	[SCHEMA] = { .name = "migrate_schema", .sql = "CREATE SCHEMA verpost" },
	[LOCK] = { .name = "migrate_lock",
		   .sql = "SELECT pg_advisory_xact_lock(hashtextextended('verpost.migrate', 0))" },
	[FIRST_VERSION] = { .name = "migrate_first_version",
			    .sql = "INSERT INTO instance (schema_version, oldest_program) VALUES ($1, $1)" },
	[SET_VERSION] = { .name = "migrate_set_version", .sql = "UPDATE instance SET schema_version = $1" },
	[RECORD] = { .name = "migrate_record",
		     .sql = "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)" },
	[APPLIED] = { .name = "migrate_applied",
		      .sql = "SELECT version, name, sha256, applied_at FROM schema_migration ORDER BY version" },
};
static_assert(ARRAY_LEN(statements) == STATEMENT_COUNT, "one row per statement");

int migrate_program_version(void)
{
	return migrations[migration_count - 1].version;
}

static enum err run(struct db *db, enum statement statement, struct buf *why)
{
	return db_run(db, &statements[statement], NULL, 0, NULL, why);
}

static enum err run_with_version(struct db *db, enum statement statement, int version, struct buf *why)
{
	return db_run(db, &statements[statement], (struct db_value[]){ db_int(version) }, 1, NULL, why);
}

/* ---- status ---- */

static const char *const state_names[] = {
	[MIGRATE_EMPTY] = "empty", [MIGRATE_CURRENT] = "current", [MIGRATE_BEHIND] = "behind",
	[MIGRATE_AHEAD] = "ahead", [MIGRATE_TOO_NEW] = "too-new", [MIGRATE_ALTERED] = "altered",
};
static_assert(ARRAY_LEN(state_names) == MIGRATE_STATE_COUNT, "one name per state");

const char *migrate_state_name(enum migrate_state state)
{
	return (unsigned)state < MIGRATE_STATE_COUNT ? state_names[state] : "unknown";
}

void migrate_status_done(struct migrate_status *status)
{
	free(status->rows);
	*status = (struct migrate_status){ 0 };
}

static struct migrate_row *row_of(struct migrate_status *status, int version)
{
	for (size_t i = 0; i < status->count; i++)
		if (status->rows[i].version == version)
			return &status->rows[i];
	struct migrate_row *row = &status->rows[status->count++];
	*row = (struct migrate_row){ .version = version };
	return row;
}

static void set_name(struct migrate_row *row, struct view name)
{
	name = view_head(name, sizeof row->name - 1);
	memset(row->name, 0, sizeof row->name);
	memcpy(row->name, name.data, name.len);
}

static void add_known(struct migrate_status *status, const struct migration *migration)
{
	struct migrate_row *row = row_of(status, migration->version);
	row->known = true;
	set_name(row, view_of(migration->name));
}

static const struct migration *known_migration(int version)
{
	for (size_t i = 0; i < migration_count; i++)
		if (migrations[i].version == version)
			return &migrations[i];
	return NULL;
}

static bool is_altered(const struct migration *migration, struct view sha256)
{
	unsigned char digest[DIGEST_SIZE];
	return !digest_of(migration->sql, digest) || !view_eq(sha256, view_from(digest, sizeof digest));
}

static void add_applied(struct migrate_status *status, const struct db_rows *rows, size_t index)
{
	struct migrate_row *row = row_of(status, (int)db_get_int(rows, index, 0));
	const struct migration *known = known_migration(row->version);
	set_name(row, db_get_text(rows, index, 1));
	row->applied_us = db_get_time(rows, index, 3);
	row->altered = known != NULL && is_altered(known, db_get_text(rows, index, 2));
}

static int by_version(const void *left, const void *right)
{
	const struct migrate_row *a = left, *b = right;
	return (a->version > b->version) - (a->version < b->version);
}

static enum migrate_state judge(const struct migrate_status *status)
{
	bool behind = false, ahead = false;
	if (status->instance.schema_version == 0)
		return MIGRATE_EMPTY;
	if (status->instance.oldest_program > migrate_program_version())
		return MIGRATE_TOO_NEW;
	for (size_t i = 0; i < status->count; i++) {
		if (status->rows[i].altered)
			return MIGRATE_ALTERED;
		behind = behind || status->rows[i].applied_us == 0;
		ahead = ahead || !status->rows[i].known;
	}
	if (behind)
		return MIGRATE_BEHIND;
	return ahead ? MIGRATE_AHEAD : MIGRATE_CURRENT;
}

enum err migrate_status(struct db *db, struct migrate_status *ret_status, struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	struct migrate_status status = { 0 };
	enum err err = instance_read(db, &status.instance, why);
	if (err == ERR_OK)
		err = db_run(db, &statements[APPLIED], NULL, 0, &rows, why);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	size_t applied = rows != NULL ? db_row_count(rows) : 0;
	status.rows = calloc(migration_count + applied, sizeof *status.rows);
	if (status.rows == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < migration_count; i++)
		add_known(&status, &migrations[i]);
	for (size_t i = 0; i < applied; i++)
		add_applied(&status, rows, i);
	qsort(status.rows, status.count, sizeof *status.rows, by_version);
	status.state = judge(&status);
	*ret_status = status;
	return ERR_OK;
}

/* ---- applying ---- */

/* Inside the transaction that holds the lock. */
static enum err apply(struct db *db, const struct migration *migration, struct buf *why)
{
	unsigned char digest[DIGEST_SIZE];
	if (!digest_of(migration->sql, digest))
		return ERR_MEMORY;
	enum err err = db_run_script(db, migration->sql, why);
	if (err != ERR_OK)
		return err;
	return db_run(db, &statements[RECORD],
		      (struct db_value[]){ db_int(migration->version), db_text(view_of(migration->name)),
					   db_bytes(view_from(digest, sizeof digest)) },
		      3, NULL, why);
}

static enum err refuse_second_init(const struct instance *instance, struct buf *why)
{
	buf_addf(
	    why,
	    "the database is initialised already (instance %s, version %d); `listctl db upgrade` brings it up to date",
	    instance->id, instance->schema_version);
	return ERR_EXISTS;
}

/* Inside a transaction. */
static enum err create(struct db *db, struct buf *why)
{
	struct instance instance;
	enum err err = run(db, LOCK, why);
	if (err != ERR_OK)
		return err;
	err = instance_read(db, &instance, why);
	if (err == ERR_OK)
		return refuse_second_init(&instance, why);
	if (err != ERR_NOT_FOUND)
		return err;
	err = run(db, ROLES, why);
	if (err == ERR_DENIED)
		buf_addf(why, "; have an administrator run CREATE ROLE verpost_sender LOGIN and CREATE ROLE "
			      "verpost_bounced LOGIN");
	if (err == ERR_OK)
		err = run(db, SCHEMA, why);
	if (err == ERR_OK)
		err = apply(db, &migrations[0], why);
	if (err == ERR_OK)
		err = run_with_version(db, FIRST_VERSION, migrations[0].version, why);
	return err;
}

/* Inside a transaction: the first missing migration; *ret_more tells whether there was one. */
static enum err apply_next(struct db *db, bool *ret_more, struct buf *why)
{
	struct migrate_status status = { 0 };
	const struct migration *next = NULL;
	enum err err = run(db, LOCK, why);
	if (err == ERR_OK)
		err = migrate_status(db, &status, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < status.count && next == NULL; i++)
		if (status.rows[i].applied_us == 0)
			next = known_migration(status.rows[i].version);
	enum migrate_state state = status.state;
	migrate_status_done(&status);
	*ret_more = state == MIGRATE_BEHIND && next != NULL;
	if (!*ret_more)
		return ERR_OK;
	err = apply(db, next, why);
	if (err == ERR_OK)
		err = run_with_version(db, SET_VERSION, next->version, why);
	return err;
}

static enum err end_transaction(struct db *db, enum err err, struct buf *why)
{
	if (err == ERR_OK)
		return db_commit(db, why);
	db_rollback(db);
	return err;
}

static enum err begin_transaction(struct db *db, struct buf *why)
{
	enum err err = db_begin(db, why);
	if (err != ERR_OK)
		buf_addf(why, "the connection to PostgreSQL is lost");
	return err;
}

enum err migrate_init(struct db *db, struct instance *ret_instance, struct buf *why)
{
	size_t applied = 0;
	enum err err = begin_transaction(db, why);
	if (err == ERR_OK)
		err = end_transaction(db, create(db, why), why);
	if (err == ERR_OK)
		err = migrate_upgrade(db, &applied, why);
	if (err == ERR_OK)
		err = instance_read(db, ret_instance, why);
	return err;
}

/* One sentence for each state that does not let an upgrade begin; NULL lets it. */
static const char *const refusals[] = {
	[MIGRATE_EMPTY] = "the database is not initialised; run `listctl db init`",
	[MIGRATE_TOO_NEW] = "the database is newer than this program and no longer serves it; install a newer verpost",
	[MIGRATE_ALTERED] = "a migration that was applied to this database is not the one this program has; "
			    "`listctl db status` shows which, and only the program it came from can go on",
	[MIGRATE_STATE_COUNT] = NULL,
};

enum err migrate_upgrade(struct db *db, size_t *ret_applied, struct buf *why)
{
	struct migrate_status status = { 0 };
	enum err err = migrate_status(db, &status, why);
	if (err != ERR_OK)
		return err;
	const char *refusal = refusals[status.state];
	migrate_status_done(&status);
	if (refusal != NULL) {
		buf_add(why, view_of(refusal));
		return ERR_REFUSED;
	}
	size_t applied = 0;
	for (bool more = true; more; applied += more) {
		err = begin_transaction(db, why);
		if (err == ERR_OK)
			err = end_transaction(db, apply_next(db, &more, why), why);
		if (err != ERR_OK)
			return err;
	}
	*ret_applied = applied;
	return ERR_OK;
}
