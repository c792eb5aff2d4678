#include "base/limits.h"
#include "listctl/confirm.h"
#include "listctl/erased_names.h"
#include "listctl/progress.h"
#include "listctl/suppress_terms.h"
#include "listctl/turn.h"
#include "listctl/who.h"
#include "store/audit.h"
#include "store/erasures.h"
#include "store/former_addresses.h"

enum { TALLIES_MOST = 128 };

/* What was done to a table; the views are of rows that the job keeps, or constant. */
struct tally {
	struct view place, deed;
	int64_t rows;
};

struct job {
	struct call *call;
	struct erased *erased;
	struct who who;
	struct spelt stranger; /* whoever is no subscriber: who.person has this address, and no number */
	struct erased_names names;
	struct erasure_of of;
	uint64_t open;   /* copies of theirs that are not settled */
	bool was_erased; /* earlier: the hash was there */
	struct db_rows *portions, *own;
	struct tally tallies[TALLIES_MOST];
	size_t tally_count;
};

/* ---- whom ---- */

/* Whoever is known by another spelling of the mailbox alone must be the only one. */
static enum err refuse_ambiguous(struct job *job, const struct db_rows *namesakes)
{
	struct call *call = job->call;
	buf_addf(call->why, "%s is another spelling of several subscribers' mailbox: " VIEW_FMT, call->operands[0],
		 VIEW_ARG(job->who.person.address));
	for (size_t i = 0; i < db_row_count(namesakes); i++)
		buf_addf(call->why, ", " VIEW_FMT, VIEW_ARG(db_get_text(namesakes, i, 0)));
	buf_addf(call->why, "; name the one that is meant, or erase each");
	return ERR_REFUSED;
}

static enum err is_exact(struct job *job, bool *ret_exact)
{
	struct spelt spelt;
	const char *operand = job->call->operands[0];
	if (operand[0] == '#') {
		*ret_exact = true;
		return ERR_OK;
	}
	enum err err = spelt_read(operand, &spelt, job->call->why);
	if (err == ERR_OK)
		*ret_exact = view_eq(buf_view(&spelt.key), job->who.person.key);
	spelt_done(&spelt);
	return err;
}

static enum err read_names(struct job *job)
{
	struct call *call = job->call;
	const struct person_row *person = &job->who.person;
	AUTO_DB_ROWS *namesakes = NULL;
	bool exact = false;
	enum err err = erasures_namesakes(call->db, person->id, &namesakes, call->why);
	if (err == ERR_OK)
		err = is_exact(job, &exact);
	if (err != ERR_OK)
		return err;
	if (!exact && db_row_count(namesakes) > 0)
		return refuse_ambiguous(job, namesakes);
	for (size_t i = 0; i < db_row_count(namesakes); i++)
		call_warn(call,
			  "the subscriber " VIEW_FMT " has another spelling of the same mailbox, and stays: erase them "
			  "too if they are one person",
			  VIEW_ARG(db_get_text(namesakes, i, 0)));
	err = erased_names_read(call, job->erased, person, db_row_count(namesakes) == 0, &job->names);
	job->of = (struct erasure_of){ .subscriber_id = person->id,
				       .spellings = &job->names.spellings,
				       .dry = call_has(call, "dry-run") };
	return err;
}

static bool is_stranger(const struct job *job)
{
	return job->of.subscriber_id == ERASURE_NOBODY;
}

/* Whoever is no subscriber may stand in suppressions, letters and reports all the same. */
static enum err take_stranger(struct job *job)
{
	struct call *call = job->call;
	const struct spelt *spelt = &job->stranger;
	job->who.person = (struct person_row){ .address = buf_view(&spelt->address),
					       .key = buf_view(&spelt->key),
					       .canonical = buf_view(&spelt->canonical) };
	job->of = (struct erasure_of){ .subscriber_id = ERASURE_NOBODY,
				       .spellings = &job->names.spellings,
				       .dry = call_has(call, "dry-run") };
	return erased_names_read(call, job->erased, &job->who.person, true, &job->names);
}

/* Not whoever had the address before a move: that is a subscriber, of whom call->why tells. */
static enum err find_stranger(struct job *job)
{
	struct call *call = job->call;
	AUTO_DB_ROWS *rows = NULL;
	struct former_address former;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = spelt_read(call->operands[0], &job->stranger, &cause);
	if (err == ERR_OK)
		err = former_addresses_find(call->db, buf_view(&job->stranger.key), buf_view(&job->stranger.canonical),
					    &rows, &former, &cause);
	if (err == ERR_OK)
		return ERR_NOT_FOUND;
	buf_reset(call->why);
	return err == ERR_NOT_FOUND ? take_stranger(job) : call_refuse(call, err, "%s", buf_text(&cause));
}

static enum err find(struct job *job)
{
	struct call *call = job->call;
	enum err err = who_find(call, call->operands[0], false, &job->who);
	if (err == ERR_OK)
		return read_names(job);
	return err == ERR_NOT_FOUND && call->operands[0][0] != '#' ? find_stranger(job) : err;
}

/* ---- what goes ---- */

static void count(struct job *job, struct view place, struct view deed, int64_t rows)
{
	size_t i = 0;
	while (i < job->tally_count && !(view_eq(job->tallies[i].place, place) && view_eq(job->tallies[i].deed, deed)))
		i++;
	if (rows == 0 || i == TALLIES_MOST)
		return;
	if (i == job->tally_count)
		job->tallies[job->tally_count++] = (struct tally){ .place = place, .deed = deed };
	job->tallies[i].rows += rows;
}

static struct view deed_of(struct view name)
{
	static const char *const names[] = { "blanked", "removed", "named" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (view_eq(name, view_of(names[i])))
			return view_of(names[i]);
	}
	return VIEW_LIT("changed");
}

/* Texts first: that may take long, and nobody waits for it but who changes a row that names the person, and imports for their turn. */
static enum err erase_texts(struct job *job)
{
	struct call *call = job->call;
	enum err err = erasures_portions(call->db, &job->portions, call->why);
	size_t portions = err == ERR_OK ? db_row_count(job->portions) : 0;
	struct progress progress = progress_begin("looking through all texts", "portions", portions, call->quiet);
	for (size_t i = 0; err == ERR_OK && i < portions; i++) {
		AUTO_DB_ROWS *rows = NULL;
		const struct erasure_portion portion = erasures_portion_get(job->portions, i);
		err = erasures_texts(call->db, &job->of, &portion, &rows, call->why);
		for (size_t row = 0; err == ERR_OK && row < db_row_count(rows); row++)
			count(job, portion.place, deed_of(db_get_text(rows, row, 0)), db_get_int(rows, row, 1));
		progress_update(&progress, i + 1);
	}
	progress_end(&progress);
	return err;
}

static enum err erase_own(struct job *job)
{
	struct call *call = job->call;
	enum err err = erasures_person(call->db, &job->of, &job->own, call->why);
	if (err == ERR_NOT_FOUND)
		return call_refuse(call, ERR_REFUSED, "%s %s in this moment; nothing was changed, try again",
				   call->operands[0],
				   is_stranger(job) ? "has become a subscriber" : "has moved or was erased");
	for (size_t row = 0; err == ERR_OK && row < db_row_count(job->own); row++)
		count(job, db_get_text(job->own, row, 0), db_get_text(job->own, row, 1), db_get_int(job->own, row, 2));
	return err;
}

/* ---- what stays ---- */

static enum err read_reason(struct job *job, struct buf *reason)
{
	const char *given = call_option(job->call, "reason");
	return given == NULL
		   ? ERR_OK
		   : erasures_without(job->call->db, view_of(given), &job->names.spellings, reason, job->call->why);
}

static enum err audit(struct job *job, struct view reason)
{
	struct call *call = job->call;
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_addf(&subject, "erased:" VIEW_FMT, VIEW_ARG(erased_names_hash(&job->names, 0)));
	buf_addf(&detail, "{\"mailboxes\": %zu, \"reason\": ", job->names.mailboxes);
	output_json_string(&detail, reason);
	buf_add_byte(&detail, '}');
	return audit_append(call->db, view_of(call->actor), "subscriber.erase", buf_view(&subject), buf_view(&detail),
			    call->why);
}

/* The mailboxes cannot be read from it, only asked for. */
static enum err leave_hashes(struct job *job)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = read_reason(job, &reason);
	for (size_t i = 0; err == ERR_OK && i < job->names.mailboxes; i++) {
		const struct suppression row = { .kind = SUPPRESSED_ERASED,
						 .value = erased_names_hash(&job->names, i),
						 .reason = reason.len == 0 ? VIEW_LIT("erased") : buf_view(&reason),
						 .source = erased_source(job->erased) };
		struct suppressions_added added;
		err = suppressions_add(job->call->db, &row, 1, &added, job->call->why);
		if (err == ERR_OK && added.added == 0)
			job->was_erased = true;
	}
	return err == ERR_OK ? audit(job, buf_view(&reason)) : err;
}

static enum err erase_in(struct job *job)
{
	struct call *call = job->call;
	enum err err = job->of.dry ? ERR_OK : turn_take(call);
	if (err == ERR_OK && !is_stranger(job))
		err = erasures_count_open(call->db, job->of.subscriber_id, &job->open, call->why);
	if (err == ERR_OK)
		err = erase_texts(job);
	if (err == ERR_OK)
		err = erase_own(job);
	return err == ERR_OK && !job->of.dry ? leave_hashes(job) : err;
}

/* ---- what is said ---- */

static void say_whom(const struct job *job)
{
	const struct call *call = job->call;
	struct view address = job->who.person.address;
	if (is_stranger(job))
		call_note(call, "no subscriber has the address " VIEW_FMT "%s%s", VIEW_ARG(address),
			  job->was_erased ? ", which was erased earlier" : "",
			  job->tally_count == 0 ? ", and nothing else names it"
			  : job->of.dry         ? "; what else names it would be erased"
						: "; what else named it is erased");
	else
		call_note(call, "%s: " VIEW_FMT " (#%lld), mailboxes: %zu", job->of.dry ? "would be erased" : "erased",
			  VIEW_ARG(address), (long long)job->who.person.id, job->names.mailboxes);
}

static void say_rest(const struct job *job)
{
	const struct call *call = job->call;
	if (job->of.dry)
		call_note(call, "a dry run: nothing was changed");
	else
		call_note(call,
			  "what stays is a hash of each mailbox (%zu), by which import and `subscriber add` know that "
			  "it was erased; `suppress rm` takes it away when the person comes back%s",
			  job->names.mailboxes,
			  is_stranger(job) ? ""
					   : ". Of a report that comes in from now on only kind and reason are kept");
	call_note(call, "not reached: backups and logs of PostgreSQL, logs of sender and bounced, journals of sender, "
			"files that were imported and exported, and in texts of others an address in base64, over the "
			"end of a line, or in one more spelling of its mailbox (other dots, another +tag)");
	if (job->open > 0)
		call_warn(call,
			  "%llu message(s) to this person wait or are under way: the sender begins none of them any "
			  "more; of what a relay answers to one on its way only code and reason are kept",
			  (unsigned long long)job->open);
}

static enum err report(struct job *job)
{
	static const struct output_column columns[] = {
		{ .name = "place" },
		{ .name = "deed" },
		{ .name = "rows", .type = OUTPUT_INT },
	};
	struct call *call = job->call;
	bool named = false;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < job->tally_count; i++) {
		const struct tally *tally = &job->tallies[i];
		output_row(call->out, (struct output_cell[]){ cell_text(tally->place), cell_text(tally->deed),
							      cell_int(tally->rows) });
		named = named || view_eq(tally->deed, VIEW_LIT("named"));
	}
	enum err err = output_end(call->out, call->why);
	if (err != ERR_OK)
		return err;
	say_rest(job);
	if (named)
		call_warn(call, "rows with the deed `named` hold an address of theirs in what an administrator wrote "
				"(letters, lists, relays, names of who did something), and were left as they are");
	return ERR_OK;
}

static enum err ask(struct job *job)
{
	struct call *call = job->call;
	const struct person_row *person = &job->who.person;
	if (job->of.dry)
		return ERR_OK;
	if (is_stranger(job))
		return confirm_first(call,
				     "no subscriber has the address " VIEW_FMT
				     ". Erase whatever else names it, and never take it in? This cannot be undone.",
				     VIEW_ARG(person->address));
	return confirm(call, "erase " VIEW_FMT " (#%lld), with all that names them? This cannot be undone",
		       VIEW_ARG(person->address), (long long)person->id);
}

static enum err run_job(struct job *job)
{
	struct call *call = job->call;
	const char *reason = call_option(call, "reason");
	if (reason != NULL && (*reason == '\0' || view_of(reason).len > SUPPRESS_REASON_SIZE ||
			       view_has_control(view_of(reason)) || !view_is_utf8(view_of(reason))))
		return call_misused(call, "--reason takes 1 to 200 octets of UTF-8 text without control characters");
	enum err err = erased_open_first(call, &job->erased);
	if (err == ERR_OK)
		err = find(job);
	if (err == ERR_OK)
		err = ask(job);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, erase_in(job));
	if (err == ERR_OK)
		say_whom(job);
	return err == ERR_OK ? report(job) : err;
}

static enum err erase(struct call *call)
{
	struct job job = { .call = call };
	enum err err = run_job(&job);
	erased_close(job.erased);
	erased_names_done(&job.names);
	who_done(&job.who);
	spelt_done(&job.stranger);
	db_rows_done(job.portions);
	db_rows_done(job.own);
	return err;
}

static const struct command_option options[] = {
	{ "reason", "TEXT", "why; kept with the hash and in the audit, without the address" },
	{ "dry-run", NULL, "show what would be removed and blanked" },
	{ "yes", NULL, "do not ask; needed where there is no terminal to ask on" },
	{ NULL, NULL, NULL },
};

const struct command subscriber_erase_commands[] = {
	{
	    .noun = "subscriber",
	    .verb = "erase",
	    .operands = "ADDRESS|#ID",
	    .help = "remove a person with everything that names them, and never take them in again",
	    .details =
		"Removes the person, their attributes and memberships, returned messages and letters that\n"
		"name them, and test copies; empties what the audit says of them; blanks their address, and\n"
		"those they had before a move, in replies, bounces and every other text, in capitals or not, as\n"
		"links and return paths write it, as the mailbox is spelled by itself (ab@gmail.com for\n"
		"a.b+x@gmail.com), but in no further spelling; says what was done table by table. The ledgers of "
		"campaigns keep a number, so that they stay exact. A running campaign\n"
		"skips them from its next window on; of a late report only kind and reason are kept. What\n"
		"stays is an HMAC of each mailbox, by the erasure key of the key file (`listctl key new\n"
		"--erasure`). ADDRESS may be any spelling of the mailbox that only one subscriber has.\n"
		"An address that no subscriber has is erased too, wherever it stands (suppressions, kept letters,\n"
		"reports), and its hash keeps it out: mind the spelling.\n",
	    .options = options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = erase,
	},
	{ 0 },
};
