#include "listctl/left_people.h"

#include "base/limits.h"
#include "listctl/waiting.h"
#include "store/import_stays.h"

static enum err name(struct import_job *job, struct view address, struct view reason)
{
	return rejects_add_person(job->rejects, columns_address_at(job->columns), address, reason, job->call->why);
}

/* ---- members who have left, and stay so ---- */

static enum err name_stay(struct import_job *job, struct view address, struct view state)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&reason, "left out: is " VIEW_FMT " on " VIEW_FMT " and stays so%s", VIEW_ARG(state),
		 VIEW_ARG(job->list.name),
		 view_eq(state, VIEW_LIT("unsubscribed"))
		     ? ", as whoever has left is not subscribed again unasked; --resubscribe REASON does it"
		     : "");
	return name(job, address, buf_view(&reason));
}

static enum err name_stays(struct import_job *job, struct waiting *waiting)
{
	struct call *call = job->call;
	int64_t last = 0;
	uint64_t seen = 0;
	bool is_more = true;
	enum err err = ERR_OK;
	while (err == ERR_OK && is_more) {
		AUTO_DB_ROWS *rows = NULL;
		err = import_stays_next(call->db, job->list.id, &last, &rows, &is_more, call->why);
		for (size_t i = 0; err == ERR_OK && i + 1 < db_row_count(rows); i++)
			err = name_stay(job, db_get_text(rows, i, 0), db_get_text(rows, i, 1));
		seen += STAYS_TOGETHER;
		waiting_progress(waiting, seen, 0);
	}
	return err;
}

/* ---- the suppressed ---- */

static bool is_among(const struct db_rows *rows, struct view hash)
{
	for (size_t i = 0; rows != NULL && i < db_row_count(rows); i++) {
		if (view_eq(db_get_text(rows, i, 0), hash))
			return true;
	}
	return false;
}

static enum err find_erased(struct import_job *job, const struct db_rows *outs, struct db_rows **ret_erased)
{
	AUTO_DB_ARRAY hashes = db_array_of(DB_TEXT);
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(outs); i++) {
		AUTO_BUF hash = buf_with_ceiling(LIMIT_WHY);
		err = erased_text(job->erased, db_get_text(outs, i, OUTS_ADDRESS), &hash);
		db_array_add_bytes(&hashes, buf_view(&hash));
	}
	return err == ERR_OK ? import_outs_erased(job->call->db, &hashes, ret_erased, job->call->why) : err;
}

static enum err name_out(struct import_job *job, const struct db_rows *outs, size_t row, const struct db_rows *erased)
{
	struct view address = db_get_text(outs, row, OUTS_ADDRESS);
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF hash = buf_with_ceiling(LIMIT_WHY);
	enum err err = erased == NULL ? ERR_OK : erased_text(job->erased, address, &hash);
	if (err != ERR_OK || is_among(erased, buf_view(&hash)))
		return err;
	if (db_is_null(outs, row, OUTS_KIND))
		buf_addf(&reason, "left out: the mailbox is suppressed");
	else
		buf_addf(&reason, "left out: the " VIEW_FMT " " VIEW_FMT " is suppressed (" VIEW_FMT ")",
			 VIEW_ARG(db_get_text(outs, row, OUTS_KIND)), VIEW_ARG(db_get_text(outs, row, OUTS_VALUE)),
			 VIEW_ARG(db_get_text(outs, row, OUTS_REASON)));
	buf_addf(&reason, "; it stays so until `listctl suppress rm`");
	return name(job, address, buf_view(&reason));
}

static enum err name_portion(struct import_job *job, const struct db_rows *outs)
{
	AUTO_DB_ROWS *erased = NULL;
	enum err err = job->erased == NULL ? ERR_OK : find_erased(job, outs, &erased);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(outs); i++)
		err = name_out(job, outs, i, erased);
	return err;
}

static enum err name_outs(struct import_job *job, struct waiting *waiting)
{
	struct call *call = job->call;
	AUTO_BUF last = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	uint64_t seen = 0;
	size_t found = STAYS_TOGETHER;
	enum err err = ERR_OK;
	while (err == ERR_OK && found == STAYS_TOGETHER) {
		AUTO_DB_ROWS *outs = NULL;
		err = import_outs_next(call->db, job->list.id, buf_view(&last), &outs, call->why);
		if (err != ERR_OK)
			return err;
		found = db_row_count(outs);
		err = name_portion(job, outs);
		buf_reset(&last);
		if (err == ERR_OK && found > 0)
			err = buf_add(&last, db_get_text(outs, found - 1, OUTS_ADDRESS));
		waiting_progress(waiting, seen += found, 0);
	}
	return err;
}

enum err left_people_name(struct import_job *job)
{
	const struct import_counts *counts = &job->counts;
	struct waiting waiting;
	enum err err = ERR_OK;
	if (!rejects_has_file(job->rejects))
		return ERR_OK;
	waiting_begin_counting(job->call, "naming who is left out", "people", &waiting);
	if (counts->unsubscribed + counts->disabled + counts->removed > 0)
		err = name_stays(job, &waiting);
	if (err == ERR_OK && counts->suppressed > 0)
		err = name_outs(job, &waiting);
	waiting_end(&waiting);
	return err;
}
