#include "listctl/campaign_verbs.h"

#include <assert.h>

#include "base/limits.h"
#include "listctl/command.h"
#include "listctl/storm_warning.h"
#include "listctl/terms.h"
#include "listctl/waiting.h"
#include "store/storms.h"

/* ---- showing ---- */

enum { EXAMPLES = 10 };

static const struct output_column ls_columns[] = {
	{ "storm", OUTPUT_INT, false },       { "group", OUTPUT_TEXT, false }, { "reason", OUTPUT_TEXT, false },
	{ "state", OUTPUT_TEXT, false },      { "since", OUTPUT_TIME, false }, { "until", OUTPUT_TIME, false },
	{ "reports", OUTPUT_INT, false },     { "people", OUTPUT_INT, false }, { "decided_at", OUTPUT_TIME, false },
	{ "decided_by", OUTPUT_TEXT, false }, { "text", OUTPUT_TEXT, true },
};

static struct output_cell batch_or_null(uint64_t batch)
{
	return batch == 0 ? cell_null() : cell_int((int64_t)batch);
}

static enum err storm_ls(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct waiting waiting;
	bool all = call_has(call, "all");
	enum err err = storm_warning_look(call);
	waiting_begin(call, "counting", &waiting);
	if (err == ERR_OK)
		err = storms_list(call->db, all, true, &rows, call->why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, ls_columns, ARRAY_LEN(ls_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct storm s;
		storm_at(rows, i, &s);
		output_row(call->out, (struct output_cell[]){
					  cell_int((int64_t)s.id), cell_text(s.group), cell_text(s.reason),
					  cell_text(s.state), cell_time(s.since_us), cell_time(s.until_us),
					  cell_int(s.reports), cell_int(s.people), cell_time_or_null(s.decided_us),
					  cell_text_or_null(s.decided_by), cell_text_or_null(s.said) });
	}
	err = output_end(call->out, call->why);
	if (err == ERR_OK && db_row_count(rows) == 0)
		call_note(call, "%s", all ? "there was no storm" : "no storm is open; --all lists those decided too");
	return err;
}

static const struct output_column show_columns[] = {
	{ "storm", OUTPUT_INT, false },          { "group", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false },        { "text", OUTPUT_TEXT, true },
	{ "state", OUTPUT_TEXT, false },         { "since", OUTPUT_TIME, false },
	{ "until", OUTPUT_TIME, false },         { "opened_at", OUTPUT_TIME, false },
	{ "reports", OUTPUT_INT, false },        { "people", OUTPUT_INT, false },
	{ "seen_by", OUTPUT_TEXT, true },        { "decided_at", OUTPUT_TIME, false },
	{ "decided_by", OUTPUT_TEXT, false },    { "because", OUTPUT_TEXT, true },
	{ "restored_batch", OUTPUT_INT, false }, { "applied_batch", OUTPUT_INT, false },
	{ "next", OUTPUT_TEXT, true },
};

static void write_next(const struct storm *storm, struct buf *out)
{
	unsigned long long id = storm->id;
	if (storm->is_applying)
		buf_addf(out, "it is not applied to everybody yet: `listctl storm apply %llu` goes on", id);
	else if (view_eq(storm->state, VIEW_LIT("holding")))
		buf_addf(out,
			 "its reports count for nothing until a person decides: `listctl storm void %llu` when the "
			 "addresses live, `listctl storm apply %llu` when they are gone",
			 id, id);
	else if (view_eq(storm->state, VIEW_LIT("void")))
		buf_addf(out, "its reports count for nothing; `listctl storm apply %llu` would let them count", id);
	else
		buf_addf(out, "its reports count; `listctl undo %llu` takes that back",
			 (unsigned long long)storm->applied_batch);
}

static enum err write_storm(struct call *call, const struct storm *storm)
{
	AUTO_BUF seen = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF next = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&seen, "%lld of %lld addresses looked at had accepted before; %lld messages were sent there meanwhile",
		 (long long)storm->accepted, (long long)storm->sampled, (long long)storm->copies);
	write_next(storm, &next);
	const struct output_cell cells[] = {
		cell_int((int64_t)storm->id),
		cell_text(storm->group),
		cell_text(storm->reason),
		cell_text_or_null(storm->said),
		cell_text(storm->state),
		cell_time(storm->since_us),
		cell_time(storm->until_us),
		cell_time(storm->opened_us),
		cell_int(storm->reports),
		cell_int(storm->people),
		cell_text(buf_view(&seen)),
		cell_time_or_null(storm->decided_us),
		cell_text_or_null(storm->decided_by),
		cell_text_or_null(storm->decided_why),
		batch_or_null(storm->batch),
		batch_or_null(storm->applied_batch),
		cell_text(buf_view(&next)),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(show_columns), "one cell per column");
	return output_object(call->out, show_columns, ARRAY_LEN(show_columns), cells, call->why);
}

static const struct output_column campaign_columns[] = {
	{ "campaign", OUTPUT_TEXT, false },
	{ "reports", OUTPUT_INT, false },
	{ "people", OUTPUT_INT, false },
};

static enum err write_campaigns(struct call *call, uint64_t id)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = storms_campaigns(call->db, id, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "campaigns", "Whose copies came back:");
	output_begin(call->out, campaign_columns, ARRAY_LEN(campaign_columns));
	for (size_t i = 0; i < db_row_count(rows); i++)
		output_row(call->out, (struct output_cell[]){ cell_text_or_null(db_get_text(rows, i, 0)),
							      cell_int(db_get_int(rows, i, 1)),
							      cell_int(db_get_int(rows, i, 2)) });
	return output_end(call->out, call->why);
}

static const struct output_column example_columns[] = {
	{ "bounce", OUTPUT_INT, false },    { "email", OUTPUT_TEXT, false },     { "at", OUTPUT_TIME, false },
	{ "campaign", OUTPUT_TEXT, false }, { "diagnostic", OUTPUT_TEXT, true },
};

static enum err write_examples(struct call *call, uint64_t id)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = storms_examples(call->db, id, EXAMPLES, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_section(call->out, "examples", "The newest reports:");
	output_begin(call->out, example_columns, ARRAY_LEN(example_columns));
	for (size_t i = 0; i < db_row_count(rows); i++)
		output_row(call->out, (struct output_cell[]){ cell_int(db_get_int(rows, i, 0)),
							      cell_text_or_null(db_get_text(rows, i, 1)),
							      cell_time(db_get_time(rows, i, 2)),
							      cell_text_or_null(db_get_text(rows, i, 3)),
							      cell_text_or_null(db_get_text(rows, i, 4)) });
	return output_end(call->out, call->why);
}

static enum err read_id(struct call *call, uint64_t *ret_id)
{
	if (!view_to_u64(view_of(call->operands[0]), INT64_MAX, ret_id))
		return call_misused(call, "a storm is a number, not %s; `listctl storm ls --all` lists them",
				    call->operands[0]);
	return ERR_OK;
}

static enum err find(struct call *call, uint64_t *ret_id, struct storm *ret_storm, struct db_rows **ret_rows)
{
	struct waiting waiting;
	enum err err = read_id(call, ret_id);
	waiting_begin(call, "counting", &waiting);
	if (err == ERR_OK)
		err = storms_find(call->db, *ret_id, ret_storm, ret_rows, call->why);
	waiting_end(&waiting);
	return err;
}

static enum err storm_show(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct storm storm;
	uint64_t id;
	enum err err = find(call, &id, &storm, &rows);
	if (err != ERR_OK)
		return err;
	output_document_begin(call->out);
	output_section(call->out, "storm", "Storm:");
	err = write_storm(call, &storm);
	if (err == ERR_OK)
		err = write_campaigns(call, id);
	if (err == ERR_OK)
		err = write_examples(call, id);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

/* ---- deciding ---- */

struct decision {
	enum storm_verdict verdict;
	const char *doing, *done; /* "restoring", "restored" */
};

static enum err change(struct call *call, uint64_t id, const struct decision *decision, const struct storm_work *work,
		       struct storm_done *done)
{
	if (decision->verdict == STORM_VOID)
		return storm_members_restore(call->db, id, work, done, call->why);
	enum err err = storm_members_apply(call->db, id, work, done, call->why);
	return err == ERR_OK && work->dry == NULL ? storms_applied(call->db, id, call->why) : err;
}

static void tell(struct call *call, const struct storm *storm, const struct decision *decision,
		 const struct storm_done *done)
{
	unsigned long long id = storm->id, batch = done->batch;
	bool dry = call_has(call, "dry-run");
	call_note(call, "storm %llu: %lld reports about %lld people at " VIEW_FMT " %s; %zu memberships %s%s", id,
		  (long long)storm->reports, (long long)storm->people, VIEW_ARG(storm->group),
		  decision->verdict == STORM_VOID ? (dry ? "would count for nothing" : "count for nothing")
						  : (dry ? "would count" : "count"),
		  done->memberships, dry ? "would be " : "", decision->done);
	if (!dry && decision->verdict == STORM_APPLIED)
		call_note(call, "batch %llu; `listctl undo %llu` takes it back", batch, batch);
	else if (!dry && done->memberships > 0)
		call_note(call, "batch %llu holds them: `listctl batch show %llu`", batch, batch);
}

static enum err decide(struct call *call, const struct decision *decision)
{
	AUTO_DB_ROWS *rows = NULL;
	struct storm storm;
	struct waiting waiting;
	struct storm_done done;
	uint64_t id;
	const char *because = call_option(call, "reason"), *state = storm_verdict_name(decision->verdict);
	bool dry = call_has(call, "dry-run");
	if (!dry && (because == NULL || *because == '\0'))
		return call_misused(call, "say why with --reason TEXT: it is kept with the decision");
	enum err err = find(call, &id, &storm, &rows);
	if (err != ERR_OK)
		return err;
	if (view_eq(storm.state, view_of(state)) && !storm.is_applying)
		return call_refuse(call, ERR_REFUSED, "storm %llu is %s already; `listctl storm show %llu`",
				   (unsigned long long)id, state, (unsigned long long)id);
	const struct verdict_terms terms = terms_of(call->settings);
	const struct storm_work work = { .terms = &terms,
					 .actor = call_actor(call),
					 .dry = dry ? state : NULL,
					 .progress = waiting_progress,
					 .progress_user = &waiting };
	if (!dry)
		err = storms_decide(call->db, id, decision->verdict, view_of(because), &work, call->why);
	waiting_begin_counting(call, decision->doing, "people", &waiting);
	if (err == ERR_OK)
		err = change(call, id, decision, &work, &done);
	waiting_end(&waiting);
	if (err == ERR_OK)
		tell(call, &storm, decision, &done);
	return err;
}

static enum err storm_void(struct call *call)
{
	static const struct decision decision = { STORM_VOID, "restoring", "restored" };
	return decide(call, &decision);
}

static enum err storm_apply(struct call *call)
{
	static const struct decision decision = { STORM_APPLIED, "disabling", "disabled" };
	return decide(call, &decision);
}

/* ---- the verbs ---- */

static const struct command_option ls_options[] = {
	{ "all", NULL, "those decided too" },
	{ 0 },
};
static const struct command_option decide_options[] = {
	{ "reason", "TEXT", "why: kept with the decision" },
	{ "dry-run", NULL, "show what would follow, change nothing" },
	{ 0 },
};

static const char ls_details[] =
    "A storm is a sudden rise of hard bounces with the same text at one group of domains, among\n"
    "addresses that had accepted before: more often the operator's mistake than so many dead\n"
    "addresses at once. Its reports are kept and count for nothing until a person decides. What\n"
    "they had disabled before the storm was seen is restored, as one batch. storm.window,\n"
    "storm.least and storm.share say what it takes.\n";
static const char void_details[] =
    "The reports of the storm count for nothing, for good; so do those that come within\n"
    "storm.window from now. Later ones count anew. Nobody is disabled by them.\n";
static const char apply_details[] =
    "The reports of the storm count as any others do, and everybody whom they condemn is disabled,\n"
    "as one batch that `listctl undo BATCH` takes back: then the storm is open again. What comes\n"
    "within storm.window from now counts at once. One that is cut off goes on when it is given again.\n";

const struct command storm_commands[] = {
	{
	    .noun = "storm",
	    .verb = "ls",
	    .operands = "",
	    .help = "list bursts of one bounce at one operator that wait for a decision",
	    .details = ls_details,
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = storm_ls,
	},
	{
	    .noun = "storm",
	    .verb = "show",
	    .operands = "STORM",
	    .help = "show a storm: what it holds, by what it was seen, and what is next",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = storm_show,
	},
	{
	    .noun = "storm",
	    .verb = "void",
	    .operands = "STORM",
	    .help = "the addresses live: its reports count for nothing",
	    .details = void_details,
	    .options = decide_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = storm_void,
	},
	{
	    .noun = "storm",
	    .verb = "apply",
	    .operands = "STORM",
	    .help = "the addresses are gone: its reports count, and disable",
	    .details = apply_details,
	    .options = decide_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = storm_apply,
	},
	{ 0 },
};
