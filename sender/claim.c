#include "sender/claim.h"

#include "base/clock.h"
#include "base/limits.h"

/* A process that is on another boot, or has another file, cannot be known to be dead; one that had this file is, since it is locked. Rows
 * of older versions have no place: their host and path were all that was asked. */
static bool may_live(struct view place, const struct worker_holder *holder, int64_t lease_us)
{
	return holder->is_running && holder->quiet_us < lease_us && holder->place.len > 0 &&
	       !view_eq(holder->place, place);
}

enum claim claim_judge(struct worker_mark mark, struct view place, const struct worker_holder *holder, int64_t lease_us)
{
	if (mark.epoch < holder->mark.epoch || mark.turn < holder->mark.turn)
		return holder->has_opened ? CLAIM_OLD : CLAIM_VOID;
	return may_live(place, holder, lease_us) ? CLAIM_LATER : CLAIM_OURS;
}

static long long seconds(int64_t us)
{
	return (long long)((us + CLOCK_US_PER_SECOND - 1) / CLOCK_US_PER_SECOND);
}

static enum err tell_later(const struct journal *journal, const struct worker_holder *holder, int64_t lease_us,
			   struct buf *why)
{
	buf_addf(
	    why,
	    "the worker %s of the journal %s was heard of %lld s ago from process %lld of host " VIEW_FMT
	    " with the journal " VIEW_FMT
	    ", which may still run: the journal is taken up in %lld s unless more is heard of it; if this one is a "
	    "copy, remove it",
	    journal_worker_id(journal), journal_path(journal), seconds(holder->quiet_us), (long long)holder->pid,
	    VIEW_ARG(holder->host), VIEW_ARG(holder->journal), seconds(lease_us - holder->quiet_us));
	return ERR_REFUSED;
}

static enum err tell_old(const struct journal *journal, const struct worker_holder *holder, struct buf *why)
{
	buf_addf(
	    why,
	    "the journal %s is older than the database: it was copied, or put back from a backup; it is left as it is. "
	    "Its worker %s was heard of %lld s ago from host " VIEW_FMT " with the journal " VIEW_FMT
	    ": if that one runs, remove this copy; if its journal is lost, `listctl worker forget %s`, whose "
	    "recipients come in doubt then",
	    journal_path(journal), journal_worker_id(journal), seconds(holder->quiet_us), VIEW_ARG(holder->host),
	    VIEW_ARG(holder->journal), journal_worker_id(journal));
	return ERR_INVALID;
}

static enum err take(struct db *db, struct journal *journal, struct buf *why)
{
	struct worker_mark mark = journal_mark(journal);
	mark.epoch++;
	enum err err = journal_announce(journal, mark);
	if (err == ERR_OK)
		err = journal_flush(journal, why);
	return err == ERR_OK ? workers_take(db, journal_worker_id(journal), mark, why) : err;
}

enum err claim_worker(struct db *db, struct journal *journal, int64_t lease_us, struct buf *why)
{
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	struct worker_holder holder;
	enum err err = workers_holder(db, journal_worker_id(journal), &holder, &rows, why);
	if (err != ERR_OK)
		return err;
	journal_place(journal, &place);
	switch (claim_judge(journal_mark(journal), buf_view(&place), &holder, lease_us)) {
	case CLAIM_LATER:
		return tell_later(journal, &holder, lease_us, why);
	case CLAIM_OLD:
		return tell_old(journal, &holder, why);
	case CLAIM_VOID:
		return ERR_NOT_FOUND;
	case CLAIM_OURS:
	case CLAIM_COUNT:
		break;
	}
	return take(db, journal, why);
}
