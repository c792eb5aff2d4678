#include "listctl/call.h"
#include "store/migrate.h"

static enum err init(struct call *call)
{
	struct instance instance;
	enum err err = migrate_init(call->db, &instance, call->why);
	if (err != ERR_OK)
		return err;
	call_note(call, "the database is ready: instance %s, schema version %d", instance.id, instance.schema_version);
	call_note(call, "next: `listctl key new` makes the signing key, `listctl list create` a list");
	return ERR_OK;
}

static enum err upgrade(struct call *call)
{
	size_t applied;
	enum err err = migrate_upgrade(call->db, &applied, call->why);
	if (err == ERR_OK)
		call_note(call, applied == 0 ? "nothing to do: the database is up to date" : "migrations applied: %zu",
			  applied);
	return err;
}

static const struct output_column status_columns[] = {
	{ .name = "state" },
	{ .name = "instance" },
	{ .name = "schema_version", .type = OUTPUT_INT },
	{ .name = "program_version", .type = OUTPUT_INT },
	{ .name = "oldest_program", .type = OUTPUT_INT },
	{ .name = "created_at", .type = OUTPUT_TIME },
};

static const struct output_column migration_columns[] = {
	{ .name = "version", .type = OUTPUT_INT },     { .name = "name" },
	{ .name = "applied_at", .type = OUTPUT_TIME }, { .name = "known", .type = OUTPUT_BOOL },
	{ .name = "altered", .type = OUTPUT_BOOL },
};

static enum err show_status(struct call *call, const struct migrate_status *status)
{
	const struct instance *instance = &status->instance;
	bool empty = status->state == MIGRATE_EMPTY;
	const struct output_cell cells[] = {
		cell_text(view_of(migrate_state_name(status->state))),    cell_text_or_null(view_of(instance->id)),
		empty ? cell_null() : cell_int(instance->schema_version), cell_int(migrate_program_version()),
		empty ? cell_null() : cell_int(instance->oldest_program), cell_time_or_null(instance->created_us),
	};
	output_document_begin(call->out);
	output_section(call->out, "database", "Database");
	enum err err = output_object(call->out, status_columns, ARRAY_LEN(status_columns), cells, call->why);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "migrations", "Migrations");
	output_begin(call->out, migration_columns, ARRAY_LEN(migration_columns));
	for (size_t i = 0; i < status->count; i++) {
		const struct migrate_row *row = &status->rows[i];
		output_row(call->out, (struct output_cell[]){ cell_int(row->version), cell_text(view_of(row->name)),
							      cell_time_or_null(row->applied_us), cell_bool(row->known),
							      cell_bool(row->altered) });
	}
	err = output_end(call->out, call->why);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

static enum err status(struct call *call)
{
	struct migrate_status found;
	enum err err = migrate_status(call->db, &found, call->why);
	if (err != ERR_OK)
		return err;
	err = show_status(call, &found);
	migrate_status_done(&found);
	return err;
}

const struct command db_commands[] = {
	{
	    .noun = "db",
	    .verb = "init",
	    .operands = "",
	    .help = "make verpost's tables and roles in an empty database",
	    .details = "The database named by database.conninfo must exist, and its owner must run this: the\n"
		       "roles verpost_sender and verpost_bounced are made when they are missing.\n",
	    .needs = NEEDS_DATABASE_RAW,
	    .run = init,
	},
	{
	    .noun = "db",
	    .verb = "upgrade",
	    .operands = "",
	    .help = "apply the migrations that are missing",
	    .details = "Each migration is one transaction. Programs of the release before go on working.\n",
	    .needs = NEEDS_DATABASE_RAW,
	    .run = upgrade,
	},
	{
	    .noun = "db",
	    .verb = "status",
	    .operands = "",
	    .help = "show the instance, its schema version and its migrations",
	    .needs = NEEDS_DATABASE_RAW,
	    .run = status,
	},
	{ 0 },
};
