#include "listctl/bounce_verbs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/campaign_verbs.h"
#include "listctl/own_rules.h"
#include "listctl/progress.h"
#include "listctl/terms.h"
#include "mail/clean_text.h"
#include "mail/intake.h"
#include "store/revisions.h"

enum {
	PORTION = 32,     /* reports in memory */
	PAIRS_MOST = 500, /* further ones are summed */
	EXAMPLES = 3,
	WORDS_MOST = 160,
};

/* What a report means, as it is compared. */
struct meaning {
	enum bounce_kind kind;
	enum bounce_reason reason;
	struct status status;
};

/* Reports that meant one thing and mean another. */
struct pair {
	struct meaning was, is;
	size_t count;
	uint64_t examples[EXAMPLES];
	char words[WORDS_MOST];
	size_t words_len;
};

struct reclassification {
	struct call *call;
	struct revision_scope scope;
	struct intake *intake;
	struct revision_counts counts;
	struct revision_tally tally;
	uint64_t batch; /* 0: none yet, or nothing is applied */
	uint64_t done;
	size_t changed, beyond; /* beyond: of pairs that there was no room for */
	struct pair *pairs;
	size_t pair_count;
	struct revision revisions[PORTION];
	struct report *reports[PORTION]; /* whose findings the revisions hold */
	size_t revision_count;
};

/* ---- pairs ---- */

static bool is_same_status(struct status a, struct status b)
{
	return a.class_digit == b.class_digit && a.subject == b.subject && a.detail == b.detail;
}

static bool is_same(const struct meaning *a, const struct meaning *b)
{
	return a->kind == b->kind && a->reason == b->reason && is_same_status(a->status, b->status);
}

static struct meaning meaning_before(const struct stored_report *was)
{
	struct meaning meaning = { 0 };
	if (!kind_from_name(was->kind, &meaning.kind))
		meaning.kind = KIND_UNKNOWN;
	if (!reason_from_name(was->reason, &meaning.reason))
		meaning.reason = REASON_OTHER;
	if (!status_parse(was->status, &meaning.status))
		meaning.status = (struct status){ 0 };
	return meaning;
}

static struct pair *find_pair(struct reclassification *self, const struct meaning *was, const struct meaning *is)
{
	for (size_t i = 0; i < self->pair_count; i++) {
		if (is_same(&self->pairs[i].was, was) && is_same(&self->pairs[i].is, is))
			return &self->pairs[i];
	}
	if (self->pair_count == PAIRS_MOST)
		return NULL;
	self->pairs[self->pair_count] = (struct pair){ .was = *was, .is = *is };
	return &self->pairs[self->pair_count++];
}

static void keep_words(struct pair *pair, struct view diagnostic)
{
	AUTO_BUF clean = buf_with_ceiling(LIMIT_DIAGNOSTIC);
	clean_text_add(diagnostic, false, WORDS_MOST, &clean);
	pair->words_len = clean.len < WORDS_MOST ? clean.len : WORDS_MOST;
	if (pair->words_len > 0)
		memcpy(pair->words, clean.data, pair->words_len);
}

static void count_pair(struct reclassification *self, const struct stored_report *report, const struct meaning *was,
		       const struct meaning *is)
{
	struct pair *pair = find_pair(self, was, is);
	self->changed++;
	if (pair == NULL) {
		self->beyond++;
		return;
	}
	if (pair->count == 0)
		keep_words(pair, report->diagnostic);
	if (pair->count < EXAMPLES)
		pair->examples[pair->count] = report->event_id;
	pair->count++;
}

static int by_count(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->examples[0] < b->examples[0] ? -1 : 1;
}

/* ---- reading ---- */

static void forget_portion(struct reclassification *self)
{
	for (size_t i = 0; i < self->revision_count; i++)
		report_done(self->reports[i]);
	self->revision_count = 0;
}

static enum err read_again(struct reclassification *self, const struct stored_report *was)
{
	struct report *report;
	enum err err = intake_read(self->intake, was->message, &report);
	if (err != ERR_OK)
		return call_refuse(self->call, err, "there is no memory left");
	const struct finding *now = report_finding(report);
	const struct meaning before = meaning_before(was), after = { now->kind, now->reason, now->status };
	if (is_same(&before, &after)) {
		report_done(report);
		return ERR_OK;
	}
	count_pair(self, was, &before, &after);
	self->reports[self->revision_count] = report;
	self->revisions[self->revision_count++] = (struct revision){ *was, *now };
	return ERR_OK;
}

/* Inside the transaction. */
static enum err change(struct reclassification *self, bool applies)
{
	struct call *call = self->call;
	const struct verdict_terms terms = terms_of(call->settings);
	enum err err = ERR_OK;
	if (applies && self->batch == 0)
		err = revisions_open(call->db, self->scope.list_id, call_actor(call), &self->batch, call->why);
	if (err == ERR_OK)
		err = revisions_apply(call->db, self->batch, self->revisions, self->revision_count, &terms,
				      &self->tally, call->why);
	return err == ERR_OK && applies ? db_commit(call->db, call->why) : err;
}

/* What is only to be seen is done, and taken back. */
static enum err change_portion(struct reclassification *self)
{
	struct call *call = self->call;
	if (self->revision_count == 0)
		return ERR_OK;
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = change(self, call_has(call, "apply"));
	db_rollback(call->db);
	return err;
}

static enum err read_portion(struct reclassification *self, const struct db_rows *rows, size_t count)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct stored_report was;
		stored_report_at(rows, i, &was);
		err = read_again(self, &was);
	}
	if (err == ERR_OK)
		err = change_portion(self);
	forget_portion(self);
	return err;
}

static enum err read_all(struct reclassification *self, struct progress *progress)
{
	struct revision_cursor cursor = { 0 };
	for (;;) {
		AUTO_DB_ROWS *rows = NULL;
		size_t count;
		enum err err =
		    revisions_next(self->call->db, &self->scope, PORTION, &cursor, &rows, &count, self->call->why);
		if (err != ERR_OK || count == 0)
			return err;
		err = read_portion(self, rows, count);
		if (err != ERR_OK)
			return err;
		self->done += count;
		progress_update(progress, self->done);
	}
}

/* ---- telling ---- */

static const struct output_column pair_columns[] = {
	{ "old_kind", OUTPUT_TEXT, false }, { "old_reason", OUTPUT_TEXT, false }, { "old_status", OUTPUT_TEXT, false },
	{ "new_kind", OUTPUT_TEXT, false }, { "new_reason", OUTPUT_TEXT, false }, { "new_status", OUTPUT_TEXT, false },
	{ "reports", OUTPUT_INT, false },   { "bounces", OUTPUT_TEXT, false },    { "example", OUTPUT_TEXT, true },
};
static const struct output_column total_columns[] = {
	{ "messages", OUTPUT_INT, false }, { "changed", OUTPUT_INT, false },     { "applied", OUTPUT_INT, false },
	{ "restored", OUTPUT_INT, false }, { "disabled", OUTPUT_INT, false },    { "complaints", OUTPUT_INT, false },
	{ "busy", OUTPUT_INT, false },     { "not_kept", OUTPUT_INT, false },    { "unread", OUTPUT_INT, false },
	{ "replies", OUTPUT_INT, false },  { "other_pairs", OUTPUT_INT, false }, { "batch", OUTPUT_INT, false },
};

static void write_pair(struct output *out, const struct pair *pair)
{
	AUTO_BUF was = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF is = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF bounces = buf_with_ceiling(LIMIT_WHY);
	status_write(pair->was.status, &was);
	status_write(pair->is.status, &is);
	for (size_t i = 0; i < EXAMPLES && i < pair->count; i++)
		buf_addf(&bounces, "%s%llu", i == 0 ? "" : " ", (unsigned long long)pair->examples[i]);
	output_row(out,
		   (struct output_cell[]){
		       cell_text(view_of(kind_name(pair->was.kind))), cell_text(view_of(reason_name(pair->was.reason))),
		       cell_text_or_null(buf_view(&was)), cell_text(view_of(kind_name(pair->is.kind))),
		       cell_text(view_of(reason_name(pair->is.reason))), cell_text_or_null(buf_view(&is)),
		       cell_int((int64_t)pair->count), cell_text(buf_view(&bounces)),
		       cell_text_or_null(view_from(pair->words, pair->words_len)) });
}

static enum err write_pairs(struct reclassification *self)
{
	struct output *out = self->call->out;
	qsort(self->pairs, self->pair_count, sizeof(*self->pairs), by_count);
	output_begin(out, pair_columns, ARRAY_LEN(pair_columns));
	for (size_t i = 0; i < self->pair_count; i++)
		write_pair(out, &self->pairs[i]);
	return output_end(out, self->call->why);
}

static enum err write_totals(struct reclassification *self)
{
	const struct revision_tally *tally = &self->tally;
	const struct output_cell cells[] = {
		cell_int((int64_t)self->done),
		cell_int((int64_t)self->changed),
		cell_int(call_has(self->call, "apply") ? (int64_t)tally->revised : 0),
		cell_int((int64_t)tally->restored),
		cell_int((int64_t)tally->disabled),
		cell_int((int64_t)tally->complaints),
		cell_int((int64_t)tally->busy),
		cell_int(self->counts.not_kept),
		cell_int(self->counts.unread),
		cell_int(self->counts.replies),
		cell_int((int64_t)self->beyond),
		self->batch == 0 ? cell_null() : cell_int((int64_t)self->batch),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(total_columns), "one cell per column");
	return output_object(self->call->out, total_columns, ARRAY_LEN(total_columns), cells, self->call->why);
}

static void tell(const struct reclassification *self)
{
	const struct call *call = self->call;
	if (self->batch != 0)
		call_note(call, "batch %llu; `listctl undo %llu` takes it back", (unsigned long long)self->batch,
			  (unsigned long long)self->batch);
	else if (self->changed > 0)
		call_note(call, "nothing is changed without --apply");
	if (self->counts.not_kept > 0)
		call_note(call, "%lld reports stay as they are: their messages are kept no more",
			  (long long)self->counts.not_kept);
	if (self->counts.unread > 0)
		call_note(call, "%lld messages that no parser could read are left alone",
			  (long long)self->counts.unread);
	if (self->tally.busy > 0)
		call_warn(call, "%zu reports were in other hands; run it again for them", self->tally.busy);
}

static enum err conclude(struct reclassification *self)
{
	struct call *call = self->call;
	enum err err = ERR_OK;
	if (self->batch != 0)
		err = revisions_close(call->db, self->batch, &self->tally, call_actor(call), call->why);
	if (err != ERR_OK)
		return err;
	output_document_begin(call->out);
	output_section(call->out, "changes", "What means something else now:");
	err = write_pairs(self);
	if (err == ERR_OK) {
		output_section(call->out, "totals",
			       call_has(call, "apply") ? "In all:" : "In all, if it were applied:");
		err = write_totals(self);
	}
	if (err == ERR_OK)
		err = output_document_end(call->out, call->why);
	if (err == ERR_OK)
		tell(self);
	return err;
}

/* ---- the verb ---- */

static enum err prepare(struct reclassification *self, struct classifier **ret_classifier)
{
	struct call *call = self->call;
	const char *given = call_option(call, "rules");
	if (given != NULL && call_has(call, "apply"))
		return call_misused(call,
				    "--rules is for looking; what is applied goes by bounce.rules, as bounced does");
	enum err err = bounce_scope(call, &self->scope.campaign_id, &self->scope.list_id);
	if (err == ERR_OK)
		err = bounce_since(call, &self->scope.since_us);
	if (err == ERR_OK)
		err = own_rules_load(call, given != NULL ? given : own_rules_path(call), ret_classifier);
	if (err == ERR_OK && call_has(call, "apply"))
		err = revisions_lock(call->db, call->why);
	if (err == ERR_OK)
		err = revisions_count(call->db, &self->scope, &self->counts, call->why);
	if (err != ERR_OK)
		return err;
	self->pairs = calloc(PAIRS_MOST, sizeof(*self->pairs));
	if (self->pairs == NULL || intake_new(*ret_classifier, &self->intake) != ERR_OK)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	return ERR_OK;
}

enum err bounce_reclassify(struct call *call)
{
	struct classifier *classifier = NULL;
	struct reclassification *self = calloc(1, sizeof(*self));
	if (self == NULL)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	self->call = call;
	enum err err = prepare(self, &classifier);
	if (err == ERR_OK) {
		struct progress progress =
		    progress_begin("reading", "messages", (uint64_t)self->counts.messages, call->quiet);
		err = read_all(self, &progress);
		progress_end(&progress);
	}
	if (err == ERR_OK)
		err = conclude(self);
	intake_done(self->intake);
	classifier_done(classifier);
	free(self->pairs);
	free(self);
	return err;
}
