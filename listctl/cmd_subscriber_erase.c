#include "base/limits.h"
#include "listctl/confirm.h"
#include "listctl/erased.h"
#include "listctl/suppress_terms.h"
#include "listctl/turn.h"
#include "mail/address.h"
#include "store/audit.h"
#include "store/erasures.h"

struct job {
	struct call *call;
	struct erased *erased;
	struct buf key, hash;
	int64_t id;
	bool is_dry;
	uint64_t open; /* copies of theirs that are not settled */
	struct db_rows *deeds;
};

/* What stays: the mailbox cannot be read from it, only asked for. */
static enum err leave_hash(struct job *job)
{
	struct call *call = job->call;
	const char *reason = call_option(call, "reason");
	const struct suppression row = { .kind = SUPPRESSED_ERASED,
					 .value = buf_view(&job->hash),
					 .reason = reason == NULL ? VIEW_LIT("erased") : view_of(reason),
					 .source = erased_source(job->erased) };
	size_t added;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	enum err err = suppressions_add(call->db, &row, 1, &added, call->why);
	if (err != ERR_OK)
		return err;
	buf_addf(&subject, "erased:" VIEW_FMT, VIEW_ARG(buf_view(&job->hash)));
	return audit_append(call->db, view_of(call->actor), "subscriber.erase", buf_view(&subject), VIEW_LIT(""),
			    call->why);
}

static enum err erase_in(struct job *job)
{
	struct call *call = job->call;
	enum err err = job->is_dry ? ERR_OK : turn_take(call);
	if (err == ERR_OK)
		err = erasures_count_open(call->db, job->id, &job->open, call->why);
	if (err == ERR_OK)
		err = erasures_run(call->db, job->id, job->is_dry, &job->deeds, call->why);
	return err == ERR_OK && !job->is_dry ? leave_hash(job) : err;
}

static enum err report(struct job *job)
{
	static const struct output_column columns[] = {
		{ .name = "place" },
		{ .name = "deed" },
		{ .name = "rows", .type = OUTPUT_INT },
	};
	struct call *call = job->call;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(job->deeds); i++) {
		if (db_get_int(job->deeds, i, 2) > 0)
			output_row(call->out, (struct output_cell[]){ cell_text(db_get_text(job->deeds, i, 0)),
								      cell_text(db_get_text(job->deeds, i, 1)),
								      cell_int(db_get_int(job->deeds, i, 2)) });
	}
	enum err err = output_end(call->out, call->why);
	if (err != ERR_OK)
		return err;
	if (job->is_dry)
		call_note(call, "a dry run: nothing was changed");
	else
		call_note(call, "what stays is a hash of the mailbox, by which import and `subscriber add` know that "
				"it was erased; "
				"`suppress rm` takes it away when the person comes back");
	call_note(call, "not reached: backups and logs of PostgreSQL, logs of sender and bounced, journals of sender, "
			"files that were "
			"imported and exported");
	if (job->open > 0)
		call_warn(call,
			  "%llu message(s) to this person wait or are under way: the sender begins none of them any "
			  "more, but what a "
			  "relay answers to one on its way is still written into the ledger",
			  (unsigned long long)job->open);
	return ERR_OK;
}

static enum err find(struct job *job)
{
	struct call *call = job->call;
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	enum err err = address_parse(view_of(call->operands[0]), &address, call->why);
	if (err == ERR_OK)
		err = address_key(buf_view(&address), &job->key);
	if (err == ERR_OK)
		err = erased_text(job->erased, buf_view(&job->key), &job->hash);
	if (err == ERR_OK)
		err = erasures_find(call->db, buf_view(&job->key), &job->id, call->why);
	if (err != ERR_NOT_FOUND)
		return err;
	return call_refuse(call, err,
			   "there is no subscriber %s; `listctl suppress check` tells whether they were erased before",
			   call->operands[0]);
}

static enum err run_job(struct job *job)
{
	struct call *call = job->call;
	const char *reason = call_option(call, "reason");
	job->is_dry = call_has(call, "dry-run");
	if (reason != NULL && (*reason == '\0' || view_of(reason).len > SUPPRESS_REASON_SIZE ||
			       view_has_control(view_of(reason)) || !view_is_utf8(view_of(reason))))
		return call_misused(call, "--reason takes 1 to 200 octets of UTF-8 text without control characters");
	enum err err = erased_open_first(call, &job->erased);
	if (err == ERR_OK)
		err = find(job);
	if (err == ERR_OK && !job->is_dry)
		err = confirm(call, "erase %s, with all that names them? This cannot be undone", call->operands[0]);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, erase_in(job));
	return err == ERR_OK ? report(job) : err;
}

static enum err erase(struct call *call)
{
	struct job job = { .call = call,
			   .key = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
			   .hash = buf_with_ceiling(2 * ERASURE_SIZE) };
	enum err err = run_job(&job);
	erased_close(job.erased);
	buf_done(&job.key);
	buf_done(&job.hash);
	db_rows_done(job.deeds);
	return err;
}

static const struct command_option options[] = {
	{ "reason", "TEXT", "why; it is kept with the hash, so that it must not name the person" },
	{ "dry-run", NULL, "show what would be removed and blanked" },
	{ "yes", NULL, "do not ask; needed where there is no terminal to ask on" },
	{ NULL, NULL, NULL },
};

const struct command subscriber_erase_commands[] = {
	{
	    .noun = "subscriber",
	    .verb = "erase",
	    .operands = "ADDRESS",
	    .help = "remove a person with everything that names them, and never take them in again",
	    .details = "Removes the person, their attributes and memberships, returned messages and letters that\n"
		       "name them, and test copies; blanks replies, bounces and the audit where they hold the\n"
		       "address; says what was done table by table. The ledgers of campaigns keep a number, so\n"
		       "that they stay exact. A running campaign skips them from its next window on. What stays is\n"
		       "an HMAC of the mailbox, by the erasure key of the key file (`listctl key new --erasure`).\n",
	    .options = options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = erase,
	},
	{ 0 },
};
