#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/columns.h"
#include "listctl/input.h"
#include "listctl/rejects.h"
#include "store/audit.h"
#include "store/lists.h"
#include "store/subscribers.h"

enum { READ_STEP = 64 << 10 };

/* One import, from the first octet to the commit. */
struct job {
	struct call *call;
	struct list list;
	struct db_rows *list_rows; /* owns list's views */
	struct input input;
	bool input_is_open, in_transaction;
	struct csv_reader *reader;
	struct columns *columns; /* NULL until the header has been read */
	struct subscriber_import *import;
	struct buf rejects_path;
	struct rejects *rejects;
	struct import_counts counts;
};

static enum err on_header(struct job *job, const struct csv_row *row, struct buf *why)
{
	enum err err =
	    columns_from_header(row, job->input.name, call_option(job->call, "address-column"), &job->columns, why);
	return err == ERR_OK ? rejects_header(job->rejects, row, why) : err;
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct job *job = context;
	struct person person;
	struct refusal refusal;
	if (job->columns == NULL)
		return on_header(job, row, why);
	if (!columns_read(job->columns, row, &person, &refusal))
		return rejects_add(job->rejects, row, &refusal, why);
	const struct subscriber_row subscriber = {
		.address = person.address,
		.address_key = person.address_key,
		.name = person.name,
		.attributes = person.attributes,
	};
	return subscriber_import_add(job->import, &subscriber, why);
}

static enum err delimiter_of(struct call *call, char *ret_delimiter)
{
	const char *text = call_option(call, "delimiter");
	if (text == NULL)
		*ret_delimiter = ',';
	else if (strcmp(text, "tab") == 0)
		*ret_delimiter = '\t';
	else if (strlen(text) == 1 && strchr(",;|\t", text[0]) != NULL)
		*ret_delimiter = text[0];
	else
		return call_misused(call, "--delimiter takes a comma, a semicolon, a bar or the word tab, not %s",
				    text);
	return ERR_OK;
}

/* FILE.rejects.csv, or LIST.rejects.csv here when the input has no name. */
static enum err choose_rejects_path(struct job *job)
{
	const char *given = call_option(job->call, "rejects");
	const char *path = job->call->operands[1];
	job->rejects_path = buf_with_ceiling(4096);
	if (given != NULL)
		return buf_addf(&job->rejects_path, "%s", given);
	if (strcmp(path, "-") == 0)
		return buf_addf(&job->rejects_path, VIEW_FMT ".rejects.csv", VIEW_ARG(job->list.name));
	return buf_addf(&job->rejects_path, "%s.rejects.csv", path);
}

static enum err open_job(struct job *job)
{
	struct call *call = job->call;
	char delimiter = 0;
	enum err err = delimiter_of(call, &delimiter);
	if (err == ERR_OK)
		err = lists_find(call->db, view_of(call->operands[0]), &job->list_rows, &job->list, call->why);
	if (err == ERR_OK)
		err = input_open(call->operands[1], "reading", call->quiet, &job->input, call->why);
	if (err != ERR_OK)
		return err;
	job->input_is_open = true;
	err = choose_rejects_path(job);
	if (err == ERR_OK)
		err = rejects_new(buf_text(&job->rejects_path), &job->rejects, call->why);
	if (err != ERR_OK)
		return err;
	job->reader = csv_reader_new(job->input.name, delimiter, on_row, job);
	return job->reader == NULL ? ERR_MEMORY : ERR_OK;
}

static void close_job(struct job *job)
{
	subscriber_import_done(job->import);
	if (job->in_transaction)
		db_rollback(job->call->db);
	csv_reader_free(job->reader);
	columns_free(job->columns);
	rejects_free(job->rejects);
	buf_done(&job->rejects_path);
	if (job->input_is_open)
		input_close(&job->input);
	db_rows_done(job->list_rows);
}

static enum err read_all(struct job *job)
{
	struct buf *why = job->call->why;
	char bytes[READ_STEP];
	size_t got;
	enum err err;
	do {
		err = input_read(&job->input, bytes, sizeof(bytes), &got, why);
		if (err == ERR_OK && got > 0)
			err = csv_reader_feed(job->reader, view_from(bytes, got), why);
	} while (err == ERR_OK && got > 0);
	if (err == ERR_OK)
		err = csv_reader_finish(job->reader, why);
	progress_end(&job->input.progress);
	if (err == ERR_OK && job->columns == NULL)
		return call_refuse(job->call, ERR_INVALID,
				   "%s is empty; its first line must name the columns, such as "
				   "email,name",
				   job->input.name);
	return err;
}

static enum err write_audit(struct job *job)
{
	const struct import_counts *counts = &job->counts;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "list:" VIEW_FMT, VIEW_ARG(job->list.name));
	buf_addf(&detail, "{\"rows\": %llu, \"created\": %llu, \"updated\": %llu, \"joined\": %llu, \"refused\": %llu}",
		 (unsigned long long)counts->rows, (unsigned long long)counts->created,
		 (unsigned long long)counts->updated, (unsigned long long)counts->joined,
		 (unsigned long long)rejects_total(job->rejects));
	return audit_append(job->call->db, view_of(job->call->actor), "list.import", buf_view(&subject),
			    buf_view(&detail), job->call->why);
}

static enum err commit(struct job *job)
{
	struct call *call = job->call;
	enum err err = write_audit(job);
	if (err != ERR_OK)
		return err;
	job->in_transaction = false;
	err = db_commit(call->db, call->why);
	if (err == ERR_UNAVAILABLE)
		buf_addf(call->why, "; whether the import was taken is not known, and to run it again does no harm");
	return err;
}

/* --strict, or a file of which nothing is usable: the reasons are in the rejects file, the database is as it was. */
static enum err refuse_all(struct job *job, const char *cause)
{
	struct call *call = job->call;
	enum err err = rejects_save(job->rejects, call->why);
	if (err != ERR_OK)
		return err;
	return call_refuse(call, ERR_REFUSED, "%s: %s; nothing was imported, and %s names each row and its reason",
			   job->input.name, cause, buf_text(&job->rejects_path));
}

static enum err merge(struct job *job)
{
	struct call *call = job->call;
	enum err err = subscriber_import_merge(job->import, job->list.id, &job->counts, call->why);
	if (err != ERR_OK)
		return err;
	uint64_t refused = rejects_total(job->rejects);
	if (refused > 0 && job->counts.rows == 0)
		return refuse_all(job, "every row is refused");
	if (refused > 0 && call_has(call, "strict"))
		return refuse_all(job, "some rows are refused, and --strict takes all or none");
	err = call_has(call, "dry-run") ? ERR_OK : commit(job);
	return err == ERR_OK ? rejects_save(job->rejects, call->why) : err;
}

/* ---- what is said about it ---- */

static void say_people(const struct job *job)
{
	const struct import_counts *counts = &job->counts;
	call_note(job->call, "%s%s into " VIEW_FMT ": rows taken: %llu; people: %llu new, %llu updated, %llu unchanged",
		  call_has(job->call, "dry-run") ? "(dry run, nothing is changed) " : "", job->input.name,
		  VIEW_ARG(job->list.name), (unsigned long long)counts->rows, (unsigned long long)counts->created,
		  (unsigned long long)counts->updated, (unsigned long long)counts->unchanged);
	call_note(job->call, "  joined the list: %llu; members already: %llu", (unsigned long long)counts->joined,
		  (unsigned long long)counts->already);
	if (counts->unsubscribed + counts->disabled + counts->removed > 0)
		call_note(job->call,
			  "  left as they are, because they have left or bounced: %llu unsubscribed, %llu disabled, "
			  "%llu removed",
			  (unsigned long long)counts->unsubscribed, (unsigned long long)counts->disabled,
			  (unsigned long long)counts->removed);
	if (counts->suppressed > 0)
		call_note(job->call, "  suppressed addresses left out: %llu", (unsigned long long)counts->suppressed);
	if (counts->duplicates > 0)
		call_note(job->call, "  repeated addresses merged, the later row winning: %llu",
			  (unsigned long long)counts->duplicates);
}

static void say_refused(struct job *job)
{
	if (rejects_total(job->rejects) == 0)
		return;
	call_note(job->call, "  refused rows: %llu, with their reasons in %s",
		  (unsigned long long)rejects_total(job->rejects), buf_text(&job->rejects_path));
	for (enum refusal_kind kind = 0; kind < REFUSAL_KIND_COUNT; kind++) {
		uint64_t count = rejects_of_kind(job->rejects, kind);
		if (count > 0)
			call_note(job->call, "    %s: %llu", refusal_name(kind), (unsigned long long)count);
	}
}

static enum err show(struct job *job)
{
	static const struct output_column columns[] = {
		{ .name = "list" },
		{ .name = "dry_run", .type = OUTPUT_BOOL },
		{ .name = "rows", .type = OUTPUT_INT },
		{ .name = "created", .type = OUTPUT_INT },
		{ .name = "updated", .type = OUTPUT_INT },
		{ .name = "unchanged", .type = OUTPUT_INT },
		{ .name = "joined", .type = OUTPUT_INT },
		{ .name = "already", .type = OUTPUT_INT },
		{ .name = "unsubscribed", .type = OUTPUT_INT },
		{ .name = "disabled", .type = OUTPUT_INT },
		{ .name = "removed", .type = OUTPUT_INT },
		{ .name = "suppressed", .type = OUTPUT_INT },
		{ .name = "duplicates", .type = OUTPUT_INT },
		{ .name = "refused", .type = OUTPUT_INT },
		{ .name = "rejects" },
	};
	const struct import_counts *counts = &job->counts;
	uint64_t refused = rejects_total(job->rejects);
	const struct output_cell cells[] = {
		cell_text(job->list.name),
		cell_bool(call_has(job->call, "dry-run")),
		cell_int((int64_t)counts->rows),
		cell_int((int64_t)counts->created),
		cell_int((int64_t)counts->updated),
		cell_int((int64_t)counts->unchanged),
		cell_int((int64_t)counts->joined),
		cell_int((int64_t)counts->already),
		cell_int((int64_t)counts->unsubscribed),
		cell_int((int64_t)counts->disabled),
		cell_int((int64_t)counts->removed),
		cell_int((int64_t)counts->suppressed),
		cell_int((int64_t)counts->duplicates),
		cell_int((int64_t)refused),
		cell_text_or_null(refused == 0 ? VIEW_LIT("") : buf_view(&job->rejects_path)),
	};
	return output_object(job->call->out, columns, ARRAY_LEN(columns), cells, job->call->why);
}

static enum err run_job(struct job *job)
{
	struct call *call = job->call;
	enum err err = open_job(job);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	job->in_transaction = true;
	err = subscriber_import_begin(call->db, &job->import, call->why);
	if (err == ERR_OK)
		err = read_all(job);
	if (err == ERR_OK)
		err = merge(job);
	if (err != ERR_OK)
		return err;
	if (output_format_of(call->out) != FORMAT_TABLE)
		return show(job);
	say_people(job);
	say_refused(job);
	return ERR_OK;
}

static enum err import(struct call *call)
{
	struct job job = { .call = call };
	enum err err = run_job(&job);
	close_job(&job);
	return err;
}

static const struct command_option options[] = {
	{ "rejects", "PATH", "where refused rows go; FILE.csv.rejects.csv unless told" },
	{ "strict", NULL, "one refused row refuses the whole file" },
	{ "dry-run", NULL, "do everything, then take it back: shows what would change" },
	{ "address-column", "NAME", "the column with the addresses, when the header does not tell" },
	{ "delimiter", "CHARACTER", "what parts the fields: , ; | or tab; a comma unless told" },
	{ NULL, NULL, NULL },
};

const struct command import_commands[] = {
	{
	    .verb = "import",
	    .operands = "LIST FILE.csv|-",
	    .help = "add the people of a CSV file to a list",
	    .details = "The first row names the columns. The address stands in one called email, e-mail,\n"
		       "address or the like; name, or first name and last name, give the name; columns\n"
		       "that begin with _ are left out; all others become attributes for merge fields.\n"
		       "An empty cell says nothing; \"\" sets an empty value.\n"
		       "\n"
		       "All good rows are taken in one transaction, or none. Bad rows are set aside with\n"
		       "line and reason in the rejects file, which can be mended and imported in turn.\n"
		       "People known already get the new values merged over the old ones. Whoever has\n"
		       "unsubscribed, was disabled or removed, or is suppressed stays so.\n",
	    .options = options,
	    .least = 2,
	    .most = 2,
	    .needs = NEEDS_DATABASE,
	    .run = import,
	},
	{ 0 },
};
