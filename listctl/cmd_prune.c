#include "listctl/campaign_verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/command.h"
#include "listctl/storm_warning.h"
#include "listctl/terms.h"
#include "listctl/waiting.h"
#include "store/prunes.h"

/* A batch that takes a larger share of a list is more often a mistake of ours than so many dead addresses. Small batches pass. */
enum { DEFAULT_SHARE = 5, SMALL_BATCH = 10 };

/* ---- the overview: how many, by list, reason and domain ---- */

struct group {
	struct view list, reason, domain;
	struct view example;
	size_t count;
};

static int compare_views(struct view a, struct view b)
{
	int order = memcmp(a.data == NULL ? "" : a.data, b.data == NULL ? "" : b.data, a.len < b.len ? a.len : b.len);
	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

static int by_key(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	int order = compare_views(a->list, b->list);
	if (order == 0)
		order = compare_views(a->reason, b->reason);
	return order != 0 ? order : compare_views(a->domain, b->domain);
}

static int by_count(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return by_key(left, right);
}

/* Groups the candidates in place; returns how many groups there are, the largest first. */
static size_t group_candidates(const struct db_rows *candidates, struct group *groups)
{
	size_t total = db_row_count(candidates), count = 0;
	for (size_t i = 0; i < total; i++) {
		struct candidate c;
		candidate_at(candidates, i, &c);
		size_t at = view_find_last_byte(c.address, '@');
		groups[i] = (struct group){ .list = c.list,
					    .reason = c.reason,
					    .domain = at == VIEW_NONE ? c.address : view_skip(c.address, at + 1),
					    .example = c.address,
					    .count = 1 };
	}
	qsort(groups, total, sizeof(*groups), by_key);
	for (size_t i = 0; i < total; i++) {
		if (count > 0 && by_key(&groups[count - 1], &groups[i]) == 0)
			groups[count - 1].count++;
		else
			groups[count++] = groups[i];
	}
	qsort(groups, count, sizeof(*groups), by_count);
	return count;
}

static const struct output_column group_columns[] = {
	{ "list", OUTPUT_TEXT, false },       { "reason", OUTPUT_TEXT, false },  { "domain", OUTPUT_TEXT, false },
	{ "memberships", OUTPUT_INT, false }, { "example", OUTPUT_TEXT, false },
};

static enum err write_groups(struct call *call, const struct db_rows *candidates)
{
	struct group *groups = calloc(db_row_count(candidates) + 1, sizeof(*groups));
	if (groups == NULL)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	size_t count = group_candidates(candidates, groups);
	output_begin(call->out, group_columns, ARRAY_LEN(group_columns));
	for (size_t i = 0; i < count; i++)
		output_row(call->out,
			   (struct output_cell[]){ cell_text(groups[i].list), cell_text(groups[i].reason),
						   cell_text(groups[i].domain), cell_int((int64_t)groups[i].count),
						   cell_text(groups[i].example) });
	free(groups);
	return output_end(call->out, call->why);
}

/* ---- one by one ---- */

static const struct output_column each_columns[] = {
	{ "list", OUTPUT_TEXT, false },        { "email", OUTPUT_TEXT, false },    { "reason", OUTPUT_TEXT, false },
	{ "disabled_at", OUTPUT_TIME, false }, { "campaign", OUTPUT_TEXT, false }, { "evidence", OUTPUT_TEXT, true },
};

static enum err write_each(struct call *call, const struct db_rows *candidates)
{
	output_begin(call->out, each_columns, ARRAY_LEN(each_columns));
	for (size_t i = 0; i < db_row_count(candidates); i++) {
		struct candidate c;
		candidate_at(candidates, i, &c);
		output_row(call->out,
			   (struct output_cell[]){ cell_text(c.list), cell_text(c.address), cell_text(c.reason),
						   cell_time(c.since_us), cell_text_or_null(c.campaign),
						   cell_text_or_null(c.evidence) });
	}
	return output_end(call->out, call->why);
}

static enum err write_candidates(struct call *call, const struct db_rows *candidates)
{
	return call_has(call, "each") ? write_each(call, candidates) : write_groups(call, candidates);
}

/* ---- prune ---- */

static enum err read_share(struct call *call, uint64_t *ret_percent)
{
	const char *text = call_option(call, "max-share");
	*ret_percent = DEFAULT_SHARE;
	if (text == NULL)
		return ERR_OK;
	struct view number = view_of(text);
	if (view_ends(number, VIEW_LIT("%")))
		number = view_head(number, number.len - 1);
	if (!view_to_u64(number, 100, ret_percent))
		return call_misused(call, "--max-share is a percentage such as 5%%, not %s", text);
	return ERR_OK;
}

/* Refuses when too much of some list would go. */
static enum err check_shares(struct call *call, uint64_t list_id, uint64_t percent)
{
	AUTO_DB_ROWS *rows = NULL;
	bool asked = call_has(call, "max-share");
	enum err err = candidates_shares(call->db, list_id, &rows, call->why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		struct candidate_share share;
		candidate_share_at(rows, i, &share);
		if (share.disabled * 100 <= (int64_t)percent * share.members ||
		    (!asked && share.disabled < SMALL_BATCH))
			continue;
		return call_refuse(call, ERR_REFUSED,
				   "this would remove %lld of %lld members of " VIEW_FMT ", more than %llu%%; look at "
				   "`listctl bounce report --list " VIEW_FMT
				   "` first, then raise --max-share or use --force",
				   (long long)share.disabled, (long long)share.members, VIEW_ARG(share.list),
				   (unsigned long long)percent, VIEW_ARG(share.list));
	}
	return err;
}

static enum err apply(struct call *call, uint64_t list_id, const struct db_rows *candidates)
{
	uint64_t percent, batch = 0;
	size_t removed = 0;
	struct waiting waiting;
	enum err err = read_share(call, &percent);
	if (err == ERR_OK && !call_has(call, "force"))
		err = check_shares(call, list_id, percent);
	waiting_begin(call, "removing", &waiting);
	if (err == ERR_OK)
		err = prunes_remove(call->db, list_id, candidates, call_actor(call), &batch, &removed, call->why);
	if (err == ERR_OK)
		err = db_commit(call->db, call->why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		return err;
	if (batch == 0)
		call_note(call, "nothing to prune");
	else
		call_note(call, "batch %llu: %zu memberships removed; `listctl undo %llu` brings them back",
			  (unsigned long long)batch, removed, (unsigned long long)batch);
	return ERR_OK;
}

static void tell_waiting(struct call *call, const struct candidate_count *count)
{
	call_note(call,
		  "not among them: %zu whose failures are enough, but of whom a probe is to bounce first; "
		  "`listctl probe ls` shows how far it is",
		  count->waiting);
	if (count->asked > 0)
		call_note(call, "probes asked for now: %zu; sender sends them within the list's budget", count->asked);
}

/* Inside the transaction, which apply() commits and the caller otherwise ends. */
static enum err run_prune(struct call *call, uint64_t list_id)
{
	AUTO_DB_ROWS *candidates = NULL;
	struct candidate_count count = { 0 };
	bool applies = call_has(call, "apply");
	struct waiting waiting;
	const struct candidate_scope scope = { .list_id = list_id,
					       .with_evidence = call_has(call, "each"),
					       .terms = terms_of(call->settings),
					       .progress = waiting_progress,
					       .progress_user = &waiting };
	waiting_begin_counting(call, "looking", "people", &waiting);
	enum err err = (applies ? candidates_hold : candidates_look)(call->db, &scope, &count, &candidates, call->why);
	waiting_end(&waiting);
	if (err == ERR_OK && applies)
		err = apply(call, list_id, candidates);
	if (err == ERR_OK)
		err = write_candidates(call, candidates);
	if (err == ERR_OK && !applies)
		call_note(call, "%zu memberships would be removed%s", db_row_count(candidates),
			  db_row_count(candidates) > 0 ? "; nothing is changed without --apply" : "");
	if (err == ERR_OK && count.judged > 0)
		call_note(call, "%zu of them by the verdict of this moment", count.judged);
	if (err == ERR_OK && count.waiting > 0)
		tell_waiting(call, &count);
	return err;
}

static enum err prune(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list = { 0 };
	uint64_t percent;
	enum err err = read_share(call, &percent);
	if (err == ERR_OK && call->operand_count > 0)
		err = lists_find(call->db, view_of(call->operands[0]), &rows, &list, call->why);
	if (err != ERR_OK)
		return err;
	/* Whom a storm has put out is brought back before. */
	err = storm_warning_look(call);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = run_prune(call, (uint64_t)list.id);
	db_rollback(call->db);
	return err == ERR_OK ? storm_warning_write(call) : err;
}

/* ---- undo ---- */

static enum err read_batch_id(struct call *call, uint64_t *ret_batch)
{
	if (!view_to_u64(view_of(call->operands[0]), INT64_MAX, ret_batch))
		return call_misused(call, "a batch is a number, not %s; `listctl batch ls` lists them",
				    call->operands[0]);
	return ERR_OK;
}

static const struct output_column change_columns[] = {
	{ "list", OUTPUT_TEXT, false },   { "email", OUTPUT_TEXT, false }, { "reason", OUTPUT_TEXT, false },
	{ "result", OUTPUT_TEXT, false }, { "why", OUTPUT_TEXT, true },
};

/* result: "restored to active" as undo sees it, or what has become of it. */
static enum err write_changes(struct call *call, const struct db_rows *changes, const char *restored, bool all)
{
	output_begin(call->out, change_columns, ARRAY_LEN(change_columns));
	for (size_t i = 0; i < db_row_count(changes); i++) {
		struct prune_change change;
		prune_change_at(changes, i, &change);
		bool can = change.obstacle.len == 0;
		if (can && !all)
			continue;
		output_row(call->out, (struct output_cell[]){
					  cell_text_or_null(change.list), cell_text_or_null(change.address),
					  cell_text_or_null(change.reason),
					  cell_text(view_of(can               ? restored
							    : change.restored ? "restored"
									      : "not restored")),
					  cell_text_or_null(change.restored ? (struct view){ 0 } : change.obstacle) });
	}
	return output_end(call->out, call->why);
}

static size_t count_possible(const struct db_rows *changes)
{
	size_t count = 0;
	for (size_t i = 0; i < db_row_count(changes); i++) {
		struct prune_change change;
		prune_change_at(changes, i, &change);
		count += change.obstacle.len == 0;
	}
	return count;
}

static enum err run_undo(struct call *call, uint64_t batch)
{
	AUTO_DB_ROWS *changes = NULL;
	size_t restored = 0;
	bool dry = call_has(call, "dry-run");
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	struct waiting waiting;
	waiting_begin(call, dry ? "looking" : "restoring", &waiting);
	if (dry)
		err = prunes_check_undo(call->db, batch, call->why);
	if (err == ERR_OK && dry)
		err = prunes_changes(call->db, batch, &changes, call->why);
	else if (err == ERR_OK)
		err = prunes_undo(call->db, batch, call_actor(call), &restored, &changes, call->why);
	if (err == ERR_OK && !dry)
		err = db_commit(call->db, call->why);
	waiting_end(&waiting);
	db_rollback(call->db);
	if (err != ERR_OK)
		return err;
	size_t total = db_row_count(changes);
	restored = dry ? count_possible(changes) : restored;
	call_note(call, "batch %llu: %zu of %zu memberships %s%s", (unsigned long long)batch, restored, total,
		  dry ? "would be restored" : "restored", restored < total ? "; the others:" : "");
	return write_changes(call, changes, dry ? "would be restored" : "restored", dry || call_has(call, "each"));
}

static enum err undo(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct prune_batch batch;
	uint64_t id;
	enum err err = read_batch_id(call, &id);
	if (err == ERR_OK)
		err = prunes_batch(call->db, id, &batch, &rows, call->why);
	return err == ERR_OK ? run_undo(call, id) : err;
}

/* ---- batches ---- */

static const struct output_column batch_columns[] = {
	{ "batch", OUTPUT_INT, false },      { "at", OUTPUT_TIME, false },     { "by", OUTPUT_TEXT, false },
	{ "list", OUTPUT_TEXT, false },      { "removed", OUTPUT_INT, false }, { "restored", OUTPUT_INT, false },
	{ "undone_at", OUTPUT_TIME, false }, { "kind", OUTPUT_TEXT, false },
};

static enum err batch_ls(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = prunes_batches(call->db, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, batch_columns, ARRAY_LEN(batch_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct prune_batch batch;
		prune_batch_at(rows, i, &batch);
		output_row(call->out,
			   (struct output_cell[]){ cell_int((int64_t)batch.id), cell_time(batch.created_us),
						   cell_text(batch.actor), cell_text_or_null(batch.list),
						   cell_int(batch.removed), cell_int(batch.restored),
						   cell_time_or_null(batch.undone_us), cell_text(batch.kind) });
	}
	return output_end(call->out, call->why);
}

static enum err batch_show(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *changes = NULL;
	struct prune_batch batch;
	uint64_t id;
	enum err err = read_batch_id(call, &id);
	if (err == ERR_OK)
		err = prunes_batch(call->db, id, &batch, &rows, call->why);
	if (err == ERR_OK)
		err = prunes_changes(call->db, id, &changes, call->why);
	const char *word = view_eq(batch.kind, VIEW_LIT("prune")) ? "removed" : "changed";
	return err == ERR_OK ? write_changes(call, changes, word, true) : err;
}

/* ---- the verbs ---- */

static const struct command_option prune_options[] = {
	{ "apply", NULL, "remove them, as one batch that can be undone" },
	{ "each", NULL, "list every membership with its evidence, not the sums" },
	{ "max-share", "PERCENT", "refuse to remove more of any list; 5% unless told, for 10 memberships and more" },
	{ "force", NULL, "remove whatever the share" },
	{ 0 },
};
static const struct command_option undo_options[] = {
	{ "dry-run", NULL, "show what would be restored, and what not, and why" },
	{ "each", NULL, "list those restored too" },
	{ 0 },
};

static const char prune_details[] =
    "Candidates are memberships that the bounce policy has disabled, and active ones that it\n"
    "would disable now. Without --apply nothing is changed. Removed members get no mail and stay\n"
    "on record; `listctl undo BATCH` brings them back. Of lists that send probes (`listctl policy\n"
    "set LIST probe=on`) who is to be asked by a letter first is told, and asked with --apply.\n";
static const char undo_details[] =
    "A membership is restored only if it is still as the batch left it and nothing since forbids\n"
    "it: an unsubscription, a complaint, a suppression. Who was removed by a bounce verdict is\n"
    "active again, and the bounces up to the batch no longer count (they stay to be seen, marked\n"
    "voided); later bounces count anew. Who was disabled by a person is disabled again. Of a\n"
    "reclassification also the bounces mean again what they meant before; a storm that the batch\n"
    "has applied holds its bounces again. What a storm has brought back, `storm apply` takes back.\n";

const struct command prune_commands[] = {
	{
	    .verb = "prune",
	    .operands = "[LIST]",
	    .help = "show, and with --apply remove, addresses that no longer receive",
	    .details = prune_details,
	    .options = prune_options,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = prune,
	},
	{
	    .verb = "undo",
	    .operands = "BATCH",
	    .help = "take a batch back: what a prune, reclassify or a storm has changed",
	    .details = undo_details,
	    .options = undo_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = undo,
	},
	{
	    .noun = "batch",
	    .verb = "ls",
	    .operands = "",
	    .help = "list the batches: prunes, and what new rules and storms have changed",
	    .needs = NEEDS_DATABASE,
	    .run = batch_ls,
	},
	{
	    .noun = "batch",
	    .verb = "show",
	    .operands = "BATCH",
	    .help = "show the memberships that a batch has changed",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = batch_show,
	},
	{ 0 },
};
