#include "base/clock.h"
#include "sender/prober_private.h"
#include "store/probe_reports.h"

static enum bounce_reason reason_of(const struct probe *probe)
{
	const struct evidence evidence = {
		.code = probe->answer.code, .status = probe->status, .text = probe->answer.reply, .is_final = true
	};
	struct finding finding;
	classify(probe->prober->rules.classifier, &evidence, &finding);
	return finding.reason;
}

static enum err report(const struct probe *probe, const struct probe_reply *reply, struct buf *why)
{
	struct db *db = probe->prober->db;
	const struct settings *settings = &probe->prober->setup->settings;
	const struct verdict_terms terms = { .now_us = clock_wall_us(),
					     .window_us = settings->bounce_window,
					     .life_us = settings->bounce_token_life };
	const struct probe_report of = { .probe_id = probe->id,
					 .received_us = terms.now_us,
					 .kind = KIND_HARD,
					 .reason = reason_of(probe),
					 .is_reply = true,
					 .diagnostic = reply->text };
	int64_t person = 0;
	size_t people = 0;
	struct probe_tally tally;
	enum err err = probe_reports_people(db, &of, 1, &person, &people, why);
	if (err == ERR_OK)
		err = verdicts_lock(db, &person, people, why);
	if (err == ERR_OK)
		err = probe_letters_answer(db, probe->id, PROBE_REFUSED, reply, why);
	return err == ERR_OK ? probe_reports_store(db, &of, 1, &terms, &tally, why) : err;
}

/* As a report about it would: the verdict is passed with it. */
static enum err report_in_one(const struct probe *probe, const struct probe_reply *reply, struct buf *why)
{
	struct db *db = probe->prober->db;
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = report(probe, reply, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK)
		db_rollback(db);
	return err;
}

enum err probe_answer_letter(const struct probe *probe, struct buf *why)
{
	struct db *db = probe->prober->db;
	const struct probe_reply reply = { .step = probe->answer.step,
					   .code = probe->answer.code,
					   .text = probe->answer.reply };
	if (probe->answer.answer == RELAY_ANSWER_TAKEN)
		return probe_letters_answer(db, probe->id, PROBE_ACCEPTED, &reply, why);
	if (probe->answer.answer == RELAY_ANSWER_DOUBTFUL)
		return probe_letters_answer(db, probe->id, PROBE_DOUBTFUL, &reply, why);
	if (probe->is_about_recipient)
		return report_in_one(probe, &reply, why);
	return probe_letters_put_off(db, probe->id, &reply, why);
}
