#include "listctl/bounce_verbs.h"

#include <assert.h>
#include <string.h>

#include "listctl/command.h"
#include "listctl/retained.h"
#include "listctl/storm_warning.h"
#include "listctl/waiting.h"
#include "store/bounce_counts.h"

static const struct output_column reason_columns[] = {
	{ "reason", OUTPUT_TEXT, false }, { "kind", OUTPUT_TEXT, false },    { "recipients", OUTPUT_INT, false },
	{ "sent", OUTPUT_INT, false },    { "percent", OUTPUT_REAL, false }, { "disabled", OUTPUT_INT, false },
};
static const struct output_column domain_columns[] = {
	{ "domain", OUTPUT_TEXT, false },  { "recipients", OUTPUT_INT, false }, { "sent", OUTPUT_INT, false },
	{ "percent", OUTPUT_REAL, false }, { "disabled", OUTPUT_INT, false },
};
static const struct output_column both_columns[] = {
	{ "domain", OUTPUT_TEXT, false },    { "reason", OUTPUT_TEXT, false }, { "kind", OUTPUT_TEXT, false },
	{ "recipients", OUTPUT_INT, false }, { "sent", OUTPUT_INT, false },    { "percent", OUTPUT_REAL, false },
	{ "disabled", OUTPUT_INT, false },
};

struct axis_row {
	const char *word;
	const struct output_column *columns;
	size_t count;
	bool domain, reason;
};

static const struct axis_row axes[] = {
	[BOUNCE_BY_REASON] = { "reason", reason_columns, ARRAY_LEN(reason_columns), false, true },
	[BOUNCE_BY_DOMAIN] = { "domain", domain_columns, ARRAY_LEN(domain_columns), true, false },
	[BOUNCE_BY_BOTH] = { "both", both_columns, ARRAY_LEN(both_columns), true, true },
};
static_assert(ARRAY_LEN(axes) == BOUNCE_AXIS_COUNT, "one row per axis");

static void write_count(struct call *call, const struct axis_row *axis, const struct bounce_count *count)
{
	struct output_cell cells[ARRAY_LEN(both_columns)];
	size_t at = 0;
	if (axis->domain)
		cells[at++] = cell_text_or_null(count->domain);
	if (axis->reason) {
		cells[at++] = cell_text(count->reason);
		cells[at++] = cell_text(count->kind);
	}
	cells[at++] = cell_int(count->recipients);
	cells[at++] = cell_int(count->sent);
	cells[at++] = cell_real(count->share * 100);
	cells[at++] = cell_int(count->disabled);
	output_row(call->out, cells);
}

/* most 0: all rows. */
static enum err write_axis(struct call *call, enum bounce_axis axis, size_t most)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = bounce_counts_read(call->db, axis, &rows, call->why);
	if (err != ERR_OK)
		return err;
	size_t total = db_row_count(rows);
	output_begin(call->out, axes[axis].columns, axes[axis].count);
	for (size_t i = 0; i < total && (most == 0 || i < most); i++) {
		struct bounce_count count;
		bounce_count_at(rows, i, &count);
		write_count(call, &axes[axis], &count);
	}
	err = output_end(call->out, call->why);
	if (err == ERR_OK && most > 0 && total > most)
		call_note(call, "%zu more; `--by %s` shows all", total - most, axes[axis].word);
	return err;
}

/* Without --by: both tables. */
static enum err write_both(struct call *call)
{
	enum { MOST_DOMAINS = 20 };
	output_document_begin(call->out);
	output_section(call->out, "reasons", "By reason:");
	enum err err = write_axis(call, BOUNCE_BY_REASON, 0);
	if (err == ERR_OK) {
		bool people = output_format_of(call->out) == FORMAT_TABLE;
		output_section(call->out, "domains", "By domain:");
		err = write_axis(call, BOUNCE_BY_DOMAIN, people ? MOST_DOMAINS : 0);
	}
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

static enum err add_up(struct call *call, const struct bounce_counts_scope *scope)
{
	struct waiting waiting;
	waiting_begin_counting(call, "adding up", "copies", &waiting);
	enum err err = bounce_counts_prepare(call->db, scope, waiting_progress, &waiting, call->why);
	waiting_end(&waiting);
	return err;
}

static enum err count_up(struct call *call, const struct bounce_counts_scope *scope)
{
	struct waiting waiting;
	waiting_begin_counting(call, "counting", "people", &waiting);
	enum err err = bounce_counts_collect(call->db, scope, waiting_progress, &waiting, call->why);
	waiting_end(&waiting);
	return err;
}

enum err bounce_report(struct call *call)
{
	struct bounce_counts_scope scope;
	const char *word = call_option(call, "by");
	enum bounce_axis axis = BOUNCE_BY_REASON;
	while (word != NULL && axis < BOUNCE_AXIS_COUNT && strcmp(axes[axis].word, word) != 0)
		axis++;
	if (axis == BOUNCE_AXIS_COUNT)
		return call_misused(call, "--by is reason, domain or both, not %s", word);
	enum err err = bounce_scope(call, &scope.campaign_id, &scope.list_id);
	if (err == ERR_OK && scope.campaign_id != 0)
		err = retained_require(call, scope.campaign_id, call_option(call, "campaign"));
	if (err == ERR_OK)
		err = add_up(call, &scope);
	if (err != ERR_OK)
		return err;
	err = db_begin_snapshot(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = count_up(call, &scope);
	if (err == ERR_OK)
		err = word == NULL ? write_both(call) : write_axis(call, axis, 0);
	if (err == ERR_OK && scope.campaign_id == 0)
		err = retained_note(call, 0);
	db_rollback(call->db); /* nothing was changed that stays */
	return err == ERR_OK ? storm_warning_write(call) : err;
}
