#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "listctl/former.h"
#include "listctl/import_job.h"
#include "listctl/interrupt.h"
#include "listctl/left_people.h"
#include "listctl/turn.h"
#include "listctl/waiting.h"
#include "mail/address_canonical.h"
#include "store/audit.h"
#include "store/import_stays.h"

enum { COUNT_EVERY = 1024, STAYS_SHOWN = 5 };

/* ---- rows ---- */

static enum err on_header(void *context, const struct csv_row *row, struct buf *why)
{
	struct import_job *job = context;
	enum err err = columns_from_header(row, people_file_name(job->file), &job->wishes.columns, &job->columns, why);
	return err == ERR_OK ? rejects_header(job->rejects, row, why) : err;
}

static void count_row(struct import_job *job)
{
	if (++job->rows % COUNT_EVERY == 0)
		people_file_count(job->file, job->rows);
}

static enum err leave_former_out(struct import_job *job, const struct csv_row *row, struct view address,
				 const struct former_address *former, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	uint64_t before = rejects_of_kind(job->rejects, REFUSAL_FORMER);
	former_text(former, &text);
	if (before < FORMER_SHOWN)
		buf_addf(&job->former, "%s" VIEW_FMT " (" VIEW_FMT ")", before == 0 ? "" : ", ", VIEW_ARG(address),
			 VIEW_ARG(buf_view(&text)));
	buf_addf(&text, "; where it is another person's now, --reassigned REASON takes it in");
	const struct refusal refusal = { .kind = REFUSAL_FORMER,
					 .column = columns_address_name(job->columns),
					 .text = buf_view(&text) };
	return rejects_add(job->rejects, row, &refusal, why);
}

static enum err take_person(struct import_job *job, const struct csv_row *row, const struct person *person,
			    struct buf *why)
{
	buf_reset(&job->canonical);
	struct subscriber_row subscriber = {
		.address = person->address,
		.address_key = person->address_key,
		.canonical =
		    address_canonical(person->address_key, &job->canonical) ? buf_view(&job->canonical) : VIEW_LIT(""),
		.name = person->name,
		.attributes = person->attributes,
		.consent_source = person->consent_source,
		.consent_us = person->consent_us,
	};
	AUTO_DB_ROWS *rows = NULL;
	struct former_address former;
	enum err err = subscriber_import_find_former(job->import, &subscriber, &rows, &former, why);
	if (err != ERR_NOT_FOUND)
		return err == ERR_OK ? leave_former_out(job, row, person->address, &former, why) : err;
	/* Nothing will be taken any more: the rest is read for its rejects only. */
	if (!job->wishes.takes_good_rows && rejects_refused(job->rejects) > 0)
		return ERR_OK;
	unsigned char hash[ERASURE_SIZE];
	bool is_hashed = job->erased != NULL;
	if (is_hashed && !erased_hash(job->erased, person->address_key, hash))
		return ERR_MEMORY;
	subscriber.erased = view_from(hash, is_hashed ? sizeof(hash) : 0);
	return subscriber_import_add(job->import, &subscriber, why);
}

/* Rows before this one were taken though their words in a column of states do not say that they may be. */
static enum err begin_again(struct import_job *job, const struct csv_row *row, struct buf *why)
{
	job->is_to_be_read_again = true;
	buf_addf(why,
		 "%s, line %llu: a column called status or the like tells who is written to, and earlier rows held "
		 "words that are not known to mean it; import it as a file, which can be read twice, or say "
		 "--map NAME=attribute:NAME if the column tells something else",
		 people_file_name(job->file), (unsigned long long)row->line);
	return ERR_INVALID;
}

/* Whom one row leaves out, the others do not bring in. */
static enum err refuse_row(struct import_job *job, const struct csv_row *row, const struct refusal *refusal,
			   struct buf *why)
{
	struct view key;
	enum err err = rejects_add(job->rejects, row, refusal, why);
	if (err != ERR_OK || !refusal_is_harmless(refusal->kind) || !columns_read_key(job->columns, row, &key))
		return err;
	buf_reset(&job->canonical);
	bool has_form = address_canonical(key, &job->canonical);
	return subscriber_import_leave(job->import, key, has_form ? buf_view(&job->canonical) : VIEW_LIT(""), why);
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct import_job *job = context;
	struct person person;
	struct refusal refusal;
	if (columns_is_header(job->columns, row)) {
		job->repeated_headers++;
		return ERR_OK;
	}
	count_row(job);
	bool is_good = columns_read(job->columns, row, &person, &refusal);
	if (columns_find_states(job->columns, job->states))
		return begin_again(job, row, why);
	if (!is_good)
		return refuse_row(job, row, &refusal, why);
	refusal = (struct refusal){ .kind = REFUSAL_RULE, .column = columns_address_name(job->columns) };
	bool is_refused = false;
	enum err err = address_warnings_look(job->warnings, row->line, &person, &is_refused, &refusal.text, why);
	if (err != ERR_OK)
		return err;
	return is_refused ? rejects_add(job->rejects, row, &refusal, why) : take_person(job, row, &person, why);
}

static enum err on_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	struct import_job *job = context;
	count_row(job);
	return rejects_fault(job->rejects, fault, why);
}

/* ---- the job ---- */

/* FILE.rejects.csv, or LIST.rejects.csv here when the input has no name. A dry run touches no file that nobody has named: empty. */
static enum err choose_rejects_path(struct import_job *job)
{
	const char *given = call_option(job->call, "rejects");
	const char *path = job->call->operands[1];
	job->rejects_path = buf_with_ceiling(LIMIT_PATH);
	if (given != NULL)
		return buf_addf(&job->rejects_path, "%s", given);
	if (job->wishes.is_dry)
		return ERR_OK;
	if (strcmp(path, "-") == 0)
		return buf_addf(&job->rejects_path, VIEW_FMT ".rejects.csv", VIEW_ARG(job->list.name));
	return buf_addf(&job->rejects_path, "%s.rejects.csv", path);
}

/* - is what standard input comes from. */
static bool look_at(const char *path, struct stat *ret_info)
{
	return (strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, ret_info) : stat(path, ret_info)) == 0;
}

/* By whatever name. */
static bool is_same_file(const char *one, const char *other)
{
	struct stat here, there;
	if (strcmp(one, other) == 0)
		return true;
	return look_at(one, &here) && look_at(other, &there) && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino && S_ISREG(here.st_mode);
}

/* Both files are written over what is there: not over the people, and not over each other. */
static enum err check_paths(struct import_job *job)
{
	const char *people = job->call->operands[1], *rejects = buf_text(&job->rejects_path);
	const char *warnings = job->wishes.warnings_path;
	if (is_same_file(rejects, people))
		return call_misused(job->call, "--rejects %s is a file of its own, not the one to be read", rejects);
	if (warnings != NULL && (is_same_file(warnings, rejects) || is_same_file(warnings, people)))
		return call_misused(job->call,
				    "--warnings %s is a file of its own, not the one to be read or that of rejects",
				    warnings);
	return ERR_OK;
}

/* If this import is interrupted, there are no files of its; those of another one would pass for them. */
static enum err clear_files(struct import_job *job)
{
	enum err err = rejects_clear(job->rejects, job->call->why);
	return err == ERR_OK ? address_warnings_clear(job->warnings, job->call->why) : err;
}

static enum err open_job(struct import_job *job)
{
	struct call *call = job->call;
	const struct people_file_wishes *wishes = &job->wishes.file;
	enum err err = import_wishes_read(call, &job->wishes);
	job->wishes.columns.states = job->states;
	if (err == ERR_OK)
		err = lists_find(call->db, view_of(call->operands[0]), &job->list_rows, &job->list, call->why);
	if (err == ERR_OK)
		err = choose_rejects_path(job);
	if (err == ERR_OK)
		err = check_paths(job);
	if (err == ERR_OK)
		err = rejects_new(job->rejects_path.len == 0 ? NULL : buf_text(&job->rejects_path),
				  wishes->delimiter == '\0' ? ',' : wishes->delimiter,
				  wishes->encoding > ENCODING_UTF_8, &job->rejects, call->why);
	if (err == ERR_OK)
		err = address_warnings_new(call->db, job->wishes.warnings_path, &job->warnings, call->why);
	if (err == ERR_OK)
		err = people_file_open(call->operands[1], wishes, call->quiet, &job->file, call->why);
	return err == ERR_OK ? clear_files(job) : err;
}

static void close_job(struct import_job *job)
{
	subscriber_import_done(job->import);
	erased_close(job->erased);
	if (job->in_transaction)
		db_rollback(job->call->db);
	columns_free(job->columns);
	rejects_free(job->rejects);
	address_warnings_free(job->warnings);
	buf_done(&job->rejects_path);
	buf_done(&job->canonical);
	buf_done(&job->former);
	people_file_free(job->file);
	db_rows_done(job->stays);
	db_rows_done(job->list_rows);
}

static enum err read_all(struct import_job *job)
{
	const struct people_handlers handlers = {
		.header = on_header,
		.row = on_row,
		.fault = on_fault,
		.context = job,
	};
	return people_file_read(job->file, &handlers, job->call->why);
}

static enum err write_audit(struct import_job *job)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_addf(&subject, "list:" VIEW_FMT, VIEW_ARG(job->list.name));
	import_report_audit(job, &detail);
	return audit_append(job->call->db, view_of(job->call->actor), "list.import", buf_view(&subject),
			    buf_view(&detail), job->call->why);
}

static enum err commit(struct import_job *job)
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

/* Before the commit, so that a full disk refuses the import and loses nothing of it. A signal waits from now on: what is written would stay. */
static enum err write_files(struct import_job *job)
{
	struct buf *why = job->call->why;
	interrupt_wait();
	enum err err = rejects_write(job->rejects, why);
	if (err == ERR_OK)
		err = address_warnings_write(job->warnings, why);
	if (err != ERR_OK)
		buf_addf(why, "; nothing was imported");
	return err;
}

/* Both are tried, as each tells what the other does not. */
static enum err name_files(struct import_job *job)
{
	struct buf *why = job->call->why;
	enum err err = rejects_name(job->rejects, why);
	if (err != ERR_OK && job->is_taken)
		buf_addf(why, "; the import was taken");
	enum err other = address_warnings_name(job->warnings, why);
	return err == ERR_OK ? other : err;
}

/* The reasons are in the rejects file, the database is as it was. */
static enum err refuse_all(struct import_job *job)
{
	enum err err = write_files(job);
	if (err == ERR_OK)
		err = name_files(job);
	return err == ERR_OK ? import_report_refused(job) : err;
}

/* Whoever does not know whether the import was taken needs what it would have refused. */
static enum err settle(struct import_job *job)
{
	enum err err = write_files(job);
	if (err != ERR_OK)
		return err;
	if (!job->wishes.is_dry)
		err = commit(job);
	if (err != ERR_OK && err != ERR_UNAVAILABLE)
		return err;
	job->is_taken = err == ERR_OK;
	enum err named = name_files(job);
	return err == ERR_OK ? named : err;
}

/* The server has rows to merge when all are read, and then to see what they have changed. */
static enum err merge_last(struct import_job *job)
{
	struct waiting waiting;
	waiting_begin(job->call, "all is read; merging the last rows and counting", &waiting);
	enum err err = subscriber_import_merge(job->import, &job->counts, job->call->why);
	waiting_end(&waiting);
	return err;
}

static enum err merge(struct import_job *job)
{
	struct call *call = job->call;
	uint64_t refused = rejects_refused(job->rejects);
	bool none_is_good = refused + rejects_left_out(job->rejects) == job->rows;
	if (refused > 0 && (none_is_good || !job->wishes.takes_good_rows))
		return refuse_all(job);
	enum err err = merge_last(job);
	if (err == ERR_OK && job->counts.unsubscribed + job->counts.disabled + job->counts.removed > 0)
		err = import_stays_find(call->db, job->list.id, STAYS_SHOWN, &job->stays, call->why);
	if (err == ERR_OK)
		err = left_people_name(job);
	return err == ERR_OK ? settle(job) : err;
}

/* A signal that has waited for the commit is told what that came to. */
static void say_what_became(const struct import_job *job)
{
	if (job->in_transaction)
		interrupt_say("listctl: interrupted; nothing was imported\n");
	else if (job->is_taken)
		interrupt_say("listctl: interrupted, after the import was taken\n");
	else
		interrupt_say("listctl: interrupted; whether the import was taken is not known\n");
}

/* Whoever is erased, is so before it begins or after it has ended: so who was is asked now. */
static enum err begin(struct import_job *job)
{
	struct call *call = job->call;
	enum err err = turn_take(call);
	if (err == ERR_OK)
		err = erased_open(call, &job->erased);
	return err != ERR_OK
		   ? err
		   : subscriber_import_begin(call->db, job->list.id, &job->wishes.options, &job->import, call->why);
}

static enum err run_job(struct import_job *job)
{
	struct call *call = job->call;
	enum err err = open_job(job);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	job->in_transaction = true;
	interrupt_say("listctl: interrupted; nothing was imported\n");
	err = begin(job);
	if (err == ERR_OK)
		err = read_all(job);
	if (err == ERR_OK)
		err = merge(job);
	say_what_became(job);
	interrupt_end();
	enum err told = job->is_taken ? import_report(job) : ERR_OK;
	return err == ERR_OK ? told : err;
}

static enum err import_once(struct call *call, bool *states, bool *ret_is_to_be_read_again)
{
	struct import_job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return ERR_MEMORY;
	job->call = call;
	job->states = states;
	job->canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	job->former = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = run_job(job);
	*ret_is_to_be_read_again = job->is_to_be_read_again;
	close_job(job);
	free(job);
	return err;
}

static bool can_be_read_again(const char *path)
{
	struct stat info;
	return strcmp(path, "-") != 0 && look_at(path, &info) && S_ISREG(info.st_mode);
}

/* Each time one column more is known to tell who is written to. */
static enum err import(struct call *call)
{
	bool states[LIMIT_CSV_COLUMNS] = { false };
	bool again = false;
	enum err err = import_once(call, states, &again);
	while (again && can_be_read_again(call->operands[1])) {
		buf_reset(call->why);
		err = import_once(call, states, &again);
	}
	return err;
}

const struct command import_commands[] = {
	{
	    .verb = "import",
	    .operands = "LIST FILE.csv|-",
	    .help = "add the people of a CSV file to a list",
	    .details = "The file may be CSV with any usual delimiter and encoding, packed by gzip or not,\n"
		       "with a header or without; an export of Mailchimp, listmonk, Mailman or Sympa; JSON\n"
		       "as `export` writes it, an object a line or in an array; or addresses, one a line.\n"
		       "What it was found to be is said, and can be told with options.\n"
		       "\n"
		       "The first row names the columns. The address stands in one called email, e-mail,\n"
		       "address or the like; name, or first name and last name, give the name;\n"
		       "consent_source and consent_time say how and when people agreed; columns that begin\n"
		       "with _ are left out; all others become attributes for merge fields. One that tells\n"
		       "who is written to (Status, Opt-in Status, Unsubscribed from all email, Newsletter,\n"
		       "Marketing consent and the like) leaves out whom it says no of.\n"
		       "--map says what a column is: email, name, first_name, last_name, status,\n"
		       "consent_source, consent_time, - to leave it out, or an attribute's name; or the\n"
		       "header itself says it: attribute:NAME is the attribute of just that name. An\n"
		       "attribute is text unless --type, or the header as in age:number, says otherwise.\n"
		       "An empty cell says nothing; \"\" sets an empty text (but in other managers' exports).\n"
		       "Only Mailchimp's TAGS say by an empty cell that somebody has none.\n"
		       "\n"
		       "All rows are taken in one transaction, or none: one bad row refuses the file,\n"
		       "unless --skip-bad takes the others. Rows that are not taken stand in the rejects\n"
		       "file with line and reason, to be mended and imported in turn; an older file of that\n"
		       "name is removed at the beginning. It is written before the import is settled: on a\n"
		       "full disk nothing is imported. A row that is no text in the file's encoding stands\n"
		       "there whole in one cell, with \\xHH for its wrong octets.\n"
		       "\n"
		       "Who has unsubscribed or bounced where the file comes from, or receives nothing\n"
		       "there, is left out, which is no error; so he is when any other row of the file\n"
		       "says otherwise, and no row changes his values. So are all in a Mailchimp export\n"
		       "whose name begins with unsubscribed_, cleaned_ or nonsubscribed_, and who has\n"
		       "neither OPTIN_TIME nor CONFIRM_TIME there, unless --status is given.\n"
		       "Of people known already the new values go over the old ones, or --on-conflict\n"
		       "keeps what is there, or puts the file's values in the place of all. Whoever has\n"
		       "unsubscribed stays so, unless --resubscribe says why not; who was disabled or\n"
		       "removed, or is suppressed, stays so in any case; they stand in the rejects file,\n"
		       "without a line, by their address and the reason. An address that somebody had\n"
		       "before `subscriber move` is left out, unless --reassigned says why it is another\n"
		       "person's.\n",
	    .options = import_options_rows,
	    .least = 2,
	    .most = 2,
	    .needs = NEEDS_DATABASE,
	    .run = import,
	},
	{ 0 },
};
