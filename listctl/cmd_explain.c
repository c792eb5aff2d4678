#include "listctl/call.h"

#include <assert.h>

#include "base/limits.h"
#include "listctl/command.h"
#include "listctl/outlook.h"
#include "listctl/score_steps.h"
#include "listctl/terms.h"
#include "listctl/who.h"
#include "mail/address_canonical.h"
#include "store/explanations.h"
#include "store/probe_letters.h"
#include "store/reports.h"

enum { DEFAULT_LIMIT = 20, MOST = 10000 };

/* Everything read about one address, in one snapshot. */
struct explanation {
	struct explained_person person;
	struct verdict_terms terms;
	struct outlook outlook;
	struct score_steps steps;
	size_t limit;
	enum err err; /* of keeping them */
	struct db_rows *person_rows, *memberships, *suppressions, *sends, *events, *past, *probes, *prunes, *counted;
};

static void explanation_done(struct explanation *explanation)
{
	outlook_done(&explanation->outlook);
	score_steps_done(&explanation->steps);
	db_rows_done(explanation->person_rows);
	db_rows_done(explanation->memberships);
	db_rows_done(explanation->suppressions);
	db_rows_done(explanation->sends);
	db_rows_done(explanation->events);
	db_rows_done(explanation->past);
	db_rows_done(explanation->probes);
	db_rows_done(explanation->prunes);
	db_rows_done(explanation->counted);
}

static void keep_score(void *user, const struct verdict_history *history)
{
	struct explanation *explanation = user;
	explanation->err = outlook_set(&explanation->outlook, history);
	if (explanation->err == ERR_OK)
		explanation->err = score_steps_set(&explanation->steps, history, explanation->limit);
}

static enum err read_score(struct call *call, int64_t id, struct explanation *explanation)
{
	explanation->terms = terms_of(call->settings);
	enum err err = verdicts_read(call->db, &id, 1, &explanation->terms, keep_score, explanation, call->why);
	if (err == ERR_OK)
		err = explanation->err;
	if (err != ERR_OK || explanation->steps.count == 0)
		return err;
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	for (size_t i = 0; i < explanation->steps.count; i++)
		db_array_add_int(&campaigns, (int64_t)explanation->steps.rows[i].attempt.campaign_id);
	return explanations_campaigns(call->db, &campaigns, &explanation->counted, call->why);
}

static enum err read_person(struct call *call, struct view key, size_t limit, struct explanation *explanation)
{
	struct db *db = call->db;
	enum err err = explanations_person(db, key, &explanation->person, &explanation->person_rows, call->why);
	if (err != ERR_OK)
		return err;
	uint64_t id = explanation->person.id;
	err = explanations_memberships(db, id, &explanation->memberships, call->why);
	if (err == ERR_OK)
		err = explanations_sends(db, id, limit, &explanation->sends, call->why);
	if (err == ERR_OK)
		err = reports_of_subscriber(db, id, limit, &explanation->events, call->why);
	const struct probe_scope probes = { .subscriber_id = (int64_t)id, .limit = limit };
	if (err == ERR_OK)
		err = probe_letters_list(db, &probes, &explanation->probes, call->why);
	if (err == ERR_OK)
		err = explanations_past(db, id, limit, &explanation->past, call->why);
	if (err == ERR_OK)
		err = explanations_prunes(db, id, &explanation->prunes, call->why);
	if (err == ERR_OK)
		err = read_score(call, (int64_t)id, explanation);
	return err;
}

/* The key of the person whom the operand means, in any spelling of the mailbox or as #ID. ERR_NOT_FOUND with the remedy: then *key is that of
 * the address itself. */
static enum err find_key(struct call *call, const char *operand, struct buf *key)
{
	struct who who;
	struct spelt spelt = { 0 };
	enum err err = who_find(call, operand, false, &who);
	if (err == ERR_OK)
		buf_add(key, who.person.key);
	else if (err == ERR_NOT_FOUND && operand[0] != '#' && spelt_read(operand, &spelt, NULL) == ERR_OK)
		buf_add(key, buf_view(&spelt.key));
	spelt_done(&spelt);
	who_done(&who);
	return err;
}

static enum err read_suppressions(struct call *call, struct view key, struct explanation *explanation)
{
	AUTO_BUF canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	if (!address_canonical(key, &canonical))
		buf_reset(&canonical);
	return explanations_suppressions(call->db, key, buf_view(&canonical), &explanation->suppressions, call->why);
}

/* An address that nobody has may still be suppressed: then only that is told. */
static enum err read_all(struct call *call, struct buf *key, size_t limit, struct explanation *explanation)
{
	enum err err = db_begin_snapshot(call->db, call->why);
	if (err != ERR_OK)
		return call_refuse(call, err, "the database does not answer");
	err = find_key(call, call->operands[0], key);
	bool is_known = err == ERR_OK;
	if (is_known || (err == ERR_NOT_FOUND && key->len > 0))
		err = read_suppressions(call, buf_view(key), explanation);
	if (err == ERR_OK && is_known)
		err = read_person(call, buf_view(key), limit, explanation);
	if (err == ERR_OK && !is_known)
		err = db_row_count(explanation->suppressions) > 0 ? ERR_OK : ERR_NOT_FOUND;
	if (err == ERR_OK)
		buf_reset(call->why);
	db_rollback(call->db); /* it was only read */
	return err;
}

/* ---- showing ---- */

static const struct output_column person_columns[] = {
	{ "email", OUTPUT_TEXT, false },     { "subscriber", OUTPUT_INT, false },   { "name", OUTPUT_TEXT, false },
	{ "attributes", OUTPUT_JSON, true }, { "known_since", OUTPUT_TIME, false }, { "score", OUTPUT_TEXT, true },
	{ "disables", OUTPUT_BOOL, false },  { "forwards", OUTPUT_TEXT, true },     { "next", OUTPUT_TEXT, true },
};

/* The report names another address than we sent to: the mail was forwarded, and the forward is what fails. */
static struct view forwarded_to(const struct report_event *event)
{
	if (event->recipient.len == 0 || event->is_former || view_eq_nocase(event->recipient, event->address))
		return (struct view){ 0 };
	return event->recipient;
}

/* What the newest bounce that stands says of where the mail really goes. */
static void write_forward(const struct db_rows *events, struct buf *out)
{
	for (size_t i = 0; events != NULL && i < db_row_count(events); i++) {
		struct report_event e;
		enum bounce_reason reason;
		report_event_at(events, i, &e);
		struct view target = forwarded_to(&e);
		if (e.voided || e.orphan || !view_starts(e.kind, VIEW_LIT("bounce")) ||
		    !reason_from_name(e.reason, &reason))
			continue;
		if (target.len > 0)
			buf_addf(out, "it forwards to " VIEW_FMT ", of which the bounce speaks: %s", VIEW_ARG(target),
				 reason_explained(reason));
		return;
	}
}

/* The newest of what nobody has decided on; 0: none. */
static uint64_t open_storm(const struct db_rows *events)
{
	for (size_t i = 0; events != NULL && i < db_row_count(events); i++) {
		struct report_event event;
		report_event_at(events, i, &event);
		if (event.is_held && !event.voided)
			return event.storm_id;
	}
	return 0;
}

static enum err write_person(struct call *call, const struct explanation *explanation, struct view key)
{
	const struct explained_person *person = &explanation->person;
	AUTO_BUF score = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF next = buf_with_ceiling(LIMIT_WHY);
	outlook_write_score(&explanation->outlook.verdict, &score);
	outlook_write_next(&explanation->outlook, explanation->memberships, explanation->prunes,
			   db_row_count(explanation->suppressions) > 0, &next);
	AUTO_BUF forwards = buf_with_ceiling(LIMIT_WHY);
	write_forward(explanation->events, &forwards);
	uint64_t storm = open_storm(explanation->events);
	if (storm != 0)
		buf_addf(&next,
			 "; storm %llu holds what came back from it, which counts for nothing until a person decides: "
			 "`listctl storm show %llu`",
			 (unsigned long long)storm, (unsigned long long)storm);
	bool known = person->id > 0;
	const struct output_cell cells[] = {
		cell_text(known ? person->address : key),
		known ? cell_int((int64_t)person->id) : cell_null(),
		cell_text_or_null(person->name),
		cell_text(known ? person->attributes : VIEW_LIT("{}")),
		cell_time_or_null(person->created_us),
		cell_text(buf_view(&score)),
		cell_bool(explanation->outlook.verdict.disable),
		cell_text_or_null(buf_view(&forwards)),
		cell_text(buf_view(&next)),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(person_columns), "one cell per column");
	return output_object(call->out, person_columns, ARRAY_LEN(person_columns), cells, call->why);
}

static const struct output_column membership_columns[] = {
	{ "list", OUTPUT_TEXT, false },  { "state", OUTPUT_TEXT, false },    { "reason", OUTPUT_TEXT, false },
	{ "since", OUTPUT_TIME, false }, { "campaign", OUTPUT_TEXT, false }, { "score", OUTPUT_TEXT, true },
};

static void membership_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows,
			   size_t row)
{
	struct explained_membership m;
	AUTO_BUF score = buf_with_ceiling(LIMIT_WHY);
	explained_membership_at(rows, row, &m);
	const struct verdict verdict = outlook_of_list(&explanation->outlook, m.list_id);
	outlook_write_score(&verdict, &score);
	output_row(out, (struct output_cell[]){ cell_text(m.list), cell_text(m.state), cell_text_or_null(m.reason),
						cell_time(m.since_us), cell_text_or_null(m.campaign),
						cell_text(buf_view(&score)) });
}

static const struct output_column suppression_columns[] = {
	{ "kind", OUTPUT_TEXT, false },   { "value", OUTPUT_TEXT, false },  { "list", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false }, { "source", OUTPUT_TEXT, false }, { "since", OUTPUT_TIME, false },
};

static void suppression_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows,
			    size_t row)
{
	(void)explanation;
	struct explained_suppression s;
	explained_suppression_at(rows, row, &s);
	output_row(out, (struct output_cell[]){ cell_text(s.kind), cell_text(s.value), cell_text_or_null(s.list),
						cell_text(s.reason), cell_text(s.source), cell_time(s.created_us) });
}

static const struct output_column send_columns[] = {
	{ "campaign", OUTPUT_TEXT, false },        { "list", OUTPUT_TEXT, false },
	{ "outcome", OUTPUT_TEXT, false },         { "at", OUTPUT_TIME, false },
	{ "attempts", OUTPUT_INT, false },         { "code", OUTPUT_INT, false },
	{ "status", OUTPUT_TEXT, false },          { "reason", OUTPUT_TEXT, false },
	{ "next_attempt_at", OUTPUT_TIME, false }, { "reply", OUTPUT_TEXT, true },
};

static void send_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows, size_t row)
{
	(void)explanation;
	struct explained_send s;
	explained_send_at(rows, row, &s);
	output_row(out, (struct output_cell[]){ cell_text(s.campaign), cell_text(s.list), cell_text(s.place),
						cell_time_or_null(s.at_us), cell_int(s.attempts),
						s.code == 0 ? cell_null() : cell_int(s.code),
						cell_text_or_null(s.status), cell_text_or_null(s.reason),
						cell_time_or_null(s.next_us), cell_text_or_null(s.reply) });
}

static const struct output_column event_columns[] = {
	{ "bounce", OUTPUT_INT, false },       { "campaign", OUTPUT_TEXT, false },     { "at", OUTPUT_TIME, false },
	{ "kind", OUTPUT_TEXT, false },        { "reason", OUTPUT_TEXT, false },       { "status", OUTPUT_TEXT, false },
	{ "standing", OUTPUT_TEXT, false },    { "source", OUTPUT_TEXT, false },       { "rule", OUTPUT_TEXT, false },
	{ "reported_by", OUTPUT_TEXT, false }, { "forwarded_to", OUTPUT_TEXT, false }, { "storm", OUTPUT_INT, false },
	{ "diagnostic", OUTPUT_TEXT, true },
};

static void event_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows, size_t row)
{
	(void)explanation;
	struct report_event e;
	report_event_at(rows, row, &e);
	output_row(
	    out, (struct output_cell[]){
		     cell_int((int64_t)e.id), cell_text_or_null(e.campaign), cell_time(e.received_us),
		     cell_text(e.kind), cell_text(e.reason), cell_text_or_null(e.status),
		     cell_text(view_of(report_event_standing(&e))), cell_text(e.source), cell_text_or_null(e.rule),
		     cell_text_or_null(e.reporting_mta), cell_text_or_null(forwarded_to(&e)),
		     e.storm_id == 0 ? cell_null() : cell_int((int64_t)e.storm_id), cell_text_or_null(e.diagnostic) });
}

static const struct output_column past_columns[] = {
	{ "campaign", OUTPUT_TEXT, false }, { "sent_at", OUTPUT_TIME, false },     { "kind", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false },   { "received_at", OUTPUT_TIME, false },
};

static void past_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows, size_t row)
{
	(void)explanation;
	struct explained_past p;
	explained_past_at(rows, row, &p);
	output_row(out, (struct output_cell[]){ cell_text_or_null(p.campaign), cell_time(p.sent_us), cell_text(p.kind),
						cell_text_or_null(p.reason), cell_time_or_null(p.received_us) });
}

static const struct output_column probe_columns[] = {
	{ "probe", OUTPUT_INT, false },  { "list", OUTPUT_TEXT, false },     { "because_of", OUTPUT_TEXT, false },
	{ "state", OUTPUT_TEXT, false }, { "asked_at", OUTPUT_TIME, false }, { "sent_at", OUTPUT_TIME, false },
	{ "until", OUTPUT_TIME, false }, { "outcome", OUTPUT_TEXT, false },  { "answer", OUTPUT_TEXT, true },
};

static void probe_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows, size_t row)
{
	(void)explanation;
	struct probe_told p;
	probe_letters_told(rows, row, &p);
	output_row(out, (struct output_cell[]){ cell_int(p.id), cell_text(p.list), cell_text(p.reason),
						cell_text(p.state), cell_time(p.asked_us), cell_time_or_null(p.sent_us),
						cell_time_or_null(p.until_us), cell_text_or_null(p.word),
						cell_text_or_null(p.answer) });
}

static const struct output_column prune_columns[] = {
	{ "batch", OUTPUT_INT, false }, { "list", OUTPUT_TEXT, false }, { "reason", OUTPUT_TEXT, false },
	{ "at", OUTPUT_TIME, false },   { "by", OUTPUT_TEXT, false },   { "restored", OUTPUT_BOOL, false },
	{ "kind", OUTPUT_TEXT, false },
};

static void prune_row(struct output *out, const struct explanation *explanation, const struct db_rows *rows, size_t row)
{
	(void)explanation;
	struct explained_prune p;
	explained_prune_at(rows, row, &p);
	output_row(out, (struct output_cell[]){ cell_int((int64_t)p.batch_id), cell_text_or_null(p.list),
						cell_text_or_null(p.reason), cell_time(p.at_us), cell_text(p.actor),
						cell_bool(p.restored), cell_text(p.kind) });
}

static const struct output_column step_columns[] = {
	{ "at", OUTPUT_TIME, false },     { "campaign", OUTPUT_TEXT, false }, { "outcome", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false }, { "failures", OUTPUT_INT, false },  { "needed", OUTPUT_INT, false },
	{ "effect", OUTPUT_TEXT, true },
};

static void step_row(struct output *out, const struct explanation *explanation, const struct score_step *step)
{
	const struct attempt *attempt = &step->attempt;
	AUTO_BUF effect = buf_with_ceiling(LIMIT_WHY);
	score_step_write(step, &explanation->terms, &effect);
	output_row(
	    out, (struct output_cell[]){
		     cell_time(attempt->at_us),
		     cell_text_or_null(explained_campaign(explanation->counted, attempt->campaign_id)),
		     cell_text(view_of(score_step_outcome(step))),
		     score_step_has_reason(step) ? cell_text(view_of(reason_name(attempt->reason))) : cell_null(),
		     cell_int(step->verdict.failures), cell_int(step->verdict.needed), cell_text(buf_view(&effect)) });
}

/* From the oldest failure on: what was before it has no say. */
static enum err write_steps(struct call *call, const struct explanation *explanation)
{
	if (explanation->steps.count == 0 && output_format_of(call->out) != FORMAT_JSON)
		return ERR_OK;
	output_section(call->out, "score_steps", "The score, step by step:");
	output_begin(call->out, step_columns, ARRAY_LEN(step_columns));
	for (size_t i = 0; i < explanation->steps.count; i++)
		step_row(call->out, explanation, &explanation->steps.rows[i]);
	return output_end(call->out, call->why);
}

struct section {
	const char *name, *title;
	const struct output_column *columns;
	size_t count;
	void (*row)(struct output *out, const struct explanation *explanation, const struct db_rows *rows, size_t row);
};

/* Empty sections are shown to machines only. */
static enum err write_section(struct call *call, const struct section *section, const struct explanation *explanation,
			      const struct db_rows *rows)
{
	size_t count = rows == NULL ? 0 : db_row_count(rows);
	if (count == 0 && output_format_of(call->out) != FORMAT_JSON)
		return ERR_OK;
	output_section(call->out, section->name, section->title);
	output_begin(call->out, section->columns, section->count);
	for (size_t i = 0; i < count; i++)
		section->row(call->out, explanation, rows, i);
	return output_end(call->out, call->why);
}

#define SECTION(name, title, columns, row)                                                                             \
	{                                                                                                              \
		name, title, columns, ARRAY_LEN(columns), row                                                          \
	}

static enum err write_all(struct call *call, const struct explanation *explanation, struct view key)
{
	static const struct section sections[] = {
		SECTION("memberships", "Lists:", membership_columns, membership_row),
		SECTION("suppressions", "Suppressed:", suppression_columns, suppression_row),
		SECTION("sends", "Sent, newest first:", send_columns, send_row),
		SECTION("bounces", "Came back, newest first (`listctl bounce show NUMBER --raw` prints the message):",
			event_columns, event_row),
		SECTION("past", "Kept of dropped ledgers, newest first:", past_columns, past_row),
		SECTION("probes", "Asked by a letter, newest first:", probe_columns, probe_row),
		SECTION("prunes", "Changed by batches:", prune_columns, prune_row),
	};
	const struct db_rows *const rows[] = { explanation->memberships, explanation->suppressions, explanation->sends,
					       explanation->events,      explanation->past,         explanation->probes,
					       explanation->prunes };
	static_assert(ARRAY_LEN(sections) == ARRAY_LEN(rows), "one set of rows per section");
	output_document_begin(call->out);
	output_section(call->out, "person", "Address:");
	enum err err = write_person(call, explanation, key);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(sections); i++)
		err = write_section(call, &sections[i], explanation, rows[i]);
	if (err == ERR_OK)
		err = write_steps(call, explanation);
	return err == ERR_OK ? output_document_end(call->out, call->why) : err;
}

static enum err explain(struct call *call)
{
	AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	uint64_t limit;
	enum err err = call_limit(call, MOST, DEFAULT_LIMIT, &limit);
	if (err != ERR_OK)
		return err;
	struct explanation explanation = { .limit = (size_t)limit };
	err = read_all(call, &key, (size_t)limit, &explanation);
	if (err == ERR_OK)
		err = write_all(call, &explanation, buf_view(&key));
	explanation_done(&explanation);
	return err;
}

static const struct command_option options[] = {
	{ "limit", "COUNT", "how many sends and bounces to show; 20 unless told" },
	{ 0 },
};

const struct command explain_commands[] = {
	{
	    .verb = "explain",
	    .operands = "ADDRESS|#ID",
	    .help = "everything about one address: lists, sends, bounces, score, what is next",
	    .options = options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = explain,
	},
	{ 0 },
};
