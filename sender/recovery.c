#include "sender/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/claim.h"
#include "sender/journal_file.h"
#include "sender/settlement.h"
#include "store/releases.h"
#include "store/workers.h"

enum { SLOTS_MOST = 4096, PATH_MOST = 4096 };

/* ---- what a journal says ---- */

static void drop(struct recovered *recovered, size_t index)
{
	recovered->count--;
	recovered->rows[index] = recovered->rows[recovered->count];
	recovered->is_outcome[index] = recovered->is_outcome[recovered->count];
}

/* Where the recipient stands; count when it is new. From the end, where it is found soonest. */
static size_t find(const struct recovered *recovered, const struct ledger_row *row)
{
	for (size_t i = recovered->count; i > 0; i--) {
		const struct ledger_row *known = &recovered->rows[i - 1];
		if (known->subscriber_id == row->subscriber_id && known->campaign_id == row->campaign_id)
			return i - 1;
	}
	return recovered->count;
}

static bool make_room(struct recovered *recovered)
{
	if (recovered->count < recovered->room)
		return true;
	size_t room = recovered->room == 0 ? 256 : recovered->room * 2;
	struct ledger_row *rows = realloc(recovered->rows, room * sizeof(*rows));
	if (rows != NULL)
		recovered->rows = rows;
	bool *is_outcome = realloc(recovered->is_outcome, room * sizeof(*is_outcome));
	if (is_outcome != NULL)
		recovered->is_outcome = is_outcome;
	if (rows == NULL || is_outcome == NULL)
		return false;
	recovered->room = room;
	return true;
}

static void drop_outcomes(struct recovered *recovered)
{
	for (size_t i = recovered->count; i > 0; i--) {
		if (recovered->is_outcome[i - 1])
			drop(recovered, i - 1);
	}
}

enum err recovered_fold(void *owner, const struct journal_record *record)
{
	struct recovered *recovered = owner;
	if (record->kind == JOURNAL_CHECKPOINT)
		drop_outcomes(recovered);
	if (record->kind == JOURNAL_CHECKPOINT || record->kind == JOURNAL_SWITCHED || record->kind == JOURNAL_MARK)
		return ERR_OK;
	size_t at = find(recovered, &record->row);
	if (record->kind == JOURNAL_WITHDRAWN) {
		if (at < recovered->count)
			drop(recovered, at);
		return ERR_OK;
	}
	if (at == recovered->count && !make_room(recovered))
		return ERR_MEMORY;
	recovered->rows[at] = record->row;
	/* It may have been opened from the retry queue: asking costs little here. */
	recovered->rows[at].from_queue = true;
	recovered->is_outcome[at] = record->kind == JOURNAL_OUTCOME;
	recovered->count += at == recovered->count;
	return ERR_OK;
}

void recovered_done(struct recovered *recovered)
{
	free(recovered->rows);
	free(recovered->is_outcome);
	*recovered = (struct recovered){ 0 };
}

/* ---- into the database ---- */

static enum err write_down(const struct recovery *recovery, struct journal *journal, const struct recovered *recovered,
			   bool is_apart, struct buf *why)
{
	const char *worker_id = journal_worker_id(journal);
	const struct settlement settlement = {
		.setup = recovery->setup,
		.classifier = recovery->classifier,
		.worker_id = worker_id,
		.now_us = wall_at(recovery->wall, clock_boot_us()),
		.is_apart = is_apart,
	};
	size_t disabled;
	enum err err = claim_worker(recovery->db, journal, recovery->setup->settings.sender_lease, why);
	if (err == ERR_OK && recovered->count > 0)
		err = settlement_write(&settlement, recovery->db, recovered->rows, NULL, recovered->count, &disabled,
				       why);
	if (err == ERR_OK)
		err = releases_give_back(recovery->db, worker_id, 0, why);
	return err;
}

static enum err try_to_write_down(const struct recovery *recovery, struct journal *journal,
				  const struct recovered *recovered, bool is_apart, struct buf *why)
{
	enum err err = db_begin(recovery->db, why);
	if (err == ERR_OK)
		err = write_down(recovery, journal, recovered, is_apart, why);
	if (err == ERR_OK)
		err = db_commit(recovery->db, why);
	if (err != ERR_OK)
		db_rollback(recovery->db);
	return err;
}

/* At once, else row by row, so that one that the database refuses does not hold up the others. */
static enum err write_down_all(const struct recovery *recovery, struct journal *journal,
			       const struct recovered *recovered, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = try_to_write_down(recovery, journal, recovered, false, &cause);
	if (!ledger_is_refusal(recovery->db, err)) {
		buf_add(why, buf_view(&cause));
		return err;
	}
	return try_to_write_down(recovery, journal, recovered, true, why);
}

static void log_recovered(const struct journal *journal, const struct recovered *recovered)
{
	size_t doubtful = 0;
	for (size_t i = 0; i < recovered->count; i++) {
		if (recovered->rows[i].outcome != LEDGER_IN_DOUBT)
			continue;
		doubtful++;
		log_event(LOG_WARNING, "delivery.in_doubt", "campaign=%lld subscriber=%lld attempt=%u",
			  (long long)recovered->rows[i].campaign_id, (long long)recovered->rows[i].subscriber_id,
			  recovered->rows[i].attempts);
	}
	log_event(LOG_INFO, "journal.recovered", "path=%s worker=%s outcomes=%zu in_doubt=%zu", journal_path(journal),
		  journal_worker_id(journal), recovered->count - doubtful, doubtful);
}

static bool next_of_none(void *owner, struct journal_record *ret_record)
{
	(void)owner;
	(void)ret_record;
	return false;
}

/* As claim_worker(): ERR_NOT_FOUND: what the journal says is void. */
static enum err recover(const struct recovery *recovery, struct journal *journal, struct buf *why)
{
	struct recovered recovered = { 0 };
	enum err err = journal_read(journal, recovered_fold, &recovered);
	if (err == ERR_OK)
		err = write_down_all(recovery, journal, &recovered, why);
	if (err == ERR_OK)
		log_recovered(journal, &recovered);
	recovered_done(&recovered);
	return err == ERR_OK ? journal_rewrite(journal, next_of_none, NULL, why) : err;
}

/* ---- which journal ---- */

static struct journal_options options_of(const struct recovery *recovery, const char *path)
{
	const struct settings *settings = &recovery->setup->settings;
	return (struct journal_options){
		.path = path,
		.instance = recovery->setup->keyring.instance,
		.size = settings->journal_size,
		.sync = *settings->journal_sync == 'g',
	};
}

static const char *path_of(const struct recovery *recovery, unsigned slot, struct buf *room)
{
	buf_reset(room);
	buf_addf(room, "%s/worker-%u.journal", recovery->setup->settings.journal_dir, slot);
	return buf_text(room);
}

static enum err make_anew(const struct journal_options *options, struct worker_mark mark, struct journal **ret_journal,
			  struct buf *why)
{
	AUTO_BUF room = buf_with_ceiling(PATH_MOST);
	struct journal_options fresh = *options;
	buf_addf(&room, "%s.new", options->path);
	fresh.path = buf_text(&room);
	unlink(fresh.path); /* of somebody who died here */
	struct journal *journal;
	enum err err = journal_create(&fresh, &journal, why);
	if (err != ERR_OK)
		return err;
	err = journal_announce(journal, mark);
	if (err == ERR_OK)
		err = journal_flush(journal, why);
	if (err == ERR_OK)
		err = journal_move(journal, options->path, why);
	if (err != ERR_OK) {
		journal_done(journal);
		return err;
	}
	*ret_journal = journal;
	return ERR_OK;
}

/* An empty journal that was made for another size is replaced by one of the same worker, while it is locked. Where that fails, such as
 * on a full disk, the old one serves. */
static void follow_size(const struct journal_options *options, struct journal **journal)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct log_text room;
	struct journal_options anew = *options;
	anew.worker_id = journal_worker_id(*journal);
	struct journal *fresh;
	if (journal_size(*journal) == journal_size_of(options->size))
		return;
	if (make_anew(&anew, journal_mark(*journal), &fresh, &why) != ERR_OK) {
		log_event(LOG_WARNING, "journal.kept", "path=%s size=%llu why=%s", options->path,
			  (unsigned long long)journal_size(*journal), log_quoted(buf_view(&why), &room));
		return;
	}
	journal_done(*journal);
	*journal = fresh;
}

/* The slot's journal, recovered. ERR_NOT_FOUND: there is none (or it was void and is gone); ERR_UNAVAILABLE with the database connected: another
 * process has it; ERR_REFUSED: another process may have one like it, for now. */
static enum err reopen(const struct recovery *recovery, unsigned slot, struct journal **ret_journal, struct buf *why)
{
	AUTO_BUF room = buf_with_ceiling(PATH_MOST);
	const struct journal_options options = options_of(recovery, path_of(recovery, slot, &room));
	struct journal *journal;
	enum err err = journal_open(&options, &journal, why);
	if (err != ERR_OK)
		return err;
	err = recover(recovery, journal, why);
	if (err == ERR_NOT_FOUND) {
		log_event(LOG_WARNING, "journal.void", "path=%s worker=%s", options.path, journal_worker_id(journal));
		enum err removed = journal_remove(journal, why);
		err = removed == ERR_OK ? ERR_NOT_FOUND : removed;
	}
	if (err != ERR_OK) {
		journal_done(journal);
		return err;
	}
	follow_size(&options, &journal);
	*ret_journal = journal;
	return ERR_OK;
}

static enum err make(const struct recovery *recovery, unsigned slot, struct journal **ret_journal, struct buf *why)
{
	AUTO_BUF room = buf_with_ceiling(PATH_MOST);
	const struct journal_options options = options_of(recovery, path_of(recovery, slot, &room));
	return journal_create(&options, ret_journal, why);
}

/* Whose it is stands in its head, if that can be read. */
static void tell_refused(const struct recovery *recovery, unsigned slot, struct view reason)
{
	AUTO_BUF room = buf_with_ceiling(PATH_MOST);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	char worker_id[JOURNAL_UUID + 1] = "";
	struct log_text text;
	bool is_known = journal_file_owner(path_of(recovery, slot, &room), worker_id);
	log_event(LOG_ERROR, "journal.refused", "worker=%s why=%s", is_known ? worker_id : "unknown",
		  log_quoted(reason, &text));
	/* For `campaign status`; the log has it in any case. */
	if (is_known && workers_refuse(recovery->db, worker_id, reason, &why) != ERR_OK)
		log_event(LOG_WARNING, "worker.waits", "worker=%s why=%s", worker_id,
			  log_quoted(buf_view(&why), &text));
}

/* One slot: what there is, else a new one. ERR_REFUSED: this slot is not for us. */
static enum err try_slot(const struct recovery *recovery, unsigned slot, struct journal **ret_journal, struct buf *why)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = reopen(recovery, slot, ret_journal, &reason);
	if (err == ERR_NOT_FOUND) {
		buf_reset(&reason);
		err = make(recovery, slot, ret_journal, &reason);
	}
	bool is_waited_for = err == ERR_REFUSED;
	if (err == ERR_INVALID)
		tell_refused(recovery, slot, buf_view(&reason));
	if (err == ERR_INVALID || err == ERR_EXISTS || (err == ERR_UNAVAILABLE && db_is_connected(recovery->db)))
		return ERR_REFUSED;
	buf_add(why, buf_view(&reason));
	return is_waited_for ? ERR_UNAVAILABLE : err;
}

static void clear_others(const struct recovery *recovery)
{
	for (unsigned slot = recovery->setup->workers; slot < SLOTS_MOST; slot++) {
		AUTO_BUF room = buf_with_ceiling(PATH_MOST);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct journal *journal;
		if (access(path_of(recovery, slot, &room), F_OK) != 0)
			continue;
		enum err err = reopen(recovery, slot, &journal, &why);
		if (err == ERR_OK) {
			err = workers_stop(recovery->db, journal_worker_id(journal), &why);
			journal_done(journal);
		} else if (err == ERR_INVALID || err == ERR_REFUSED) {
			tell_refused(recovery, slot, buf_view(&why));
		}
	}
}

/* A worker of this host whose journal is not there any more: nobody will go on with it, which is not to be seen from elsewhere. One that was
 * seen of late may be starting, or of another host that calls itself so. */
static bool has_lost_journal(const struct recovery *recovery, const struct worker_row *row)
{
	AUTO_BUF path = buf_with_ceiling(PATH_MOST);
	char owner[JOURNAL_UUID + 1] = "";
	bool is_quiet = wall_at(recovery->wall, clock_boot_us()) - row->seen_us > WORKERS_ALIVE_S * CLOCK_US_PER_SECOND;
	if (!is_quiet || row->opened == 0 || !view_eq(row->host, view_of(recovery->setup->host)))
		return false;
	buf_add(&path, row->journal);
	if (access(buf_text(&path), F_OK) != 0)
		return errno == ENOENT;
	return journal_file_owner(buf_text(&path), owner) && !view_eq(row->id, view_of(owner));
}

static void tell_lost(const struct recovery *recovery, const struct worker_row *row)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF id = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct log_text text;
	buf_add(&id, row->id);
	buf_addf(&reason,
		 "its journal " VIEW_FMT
		 " is gone: somebody deleted or replaced it while sender was stopped; put it back in its "
		 "folder under a free name, such as worker-99.journal, and start sender again, or when it is lost, "
		 "`listctl worker forget %s`: those recipients come in doubt then",
		 VIEW_ARG(row->journal), buf_text(&id));
	log_event(LOG_ERROR, "journal.refused", "worker=%s why=%s", buf_text(&id),
		  log_quoted(buf_view(&reason), &text));
	if (workers_refuse(recovery->db, buf_text(&id), buf_view(&reason), &why) != ERR_OK)
		log_event(LOG_WARNING, "worker.waits", "worker=%s why=%s", buf_text(&id),
			  log_quoted(buf_view(&why), &text));
}

static void tell_all_lost(const struct recovery *recovery)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (workers_list(recovery->db, &rows, &why) != ERR_OK)
		return;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct worker_row row = workers_get(rows, i);
		if (has_lost_journal(recovery, &row))
			tell_lost(recovery, &row);
	}
}

static enum err start(const struct recovery *recovery, const struct journal *journal, struct buf *why)
{
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	journal_place(journal, &place);
	const struct worker_start start = {
		.id = journal_worker_id(journal),
		.mark = journal_mark(journal),
		.host = view_of(recovery->setup->host),
		.journal = view_of(journal_path(journal)),
		.place = buf_view(&place),
		.pid = getpid(),
	};
	return workers_start(recovery->db, &start, why);
}

enum err recovery_adopt(const struct recovery *recovery, unsigned slot, struct journal **ret_journal, struct buf *why)
{
	struct journal *journal = NULL;
	enum err err = try_slot(recovery, slot, &journal, why);
	/* Its own is damaged, or in use by the workers of another sender: one beyond all slots. */
	for (unsigned other = recovery->setup->workers; err == ERR_REFUSED && other < SLOTS_MOST; other++)
		err = try_slot(recovery, other, &journal, why);
	if (err == ERR_OK)
		err = start(recovery, journal, why);
	if (err != ERR_OK) {
		journal_done(journal);
		return err;
	}
	if (slot == 0) {
		clear_others(recovery);
		tell_all_lost(recovery);
	}
	*ret_journal = journal;
	return ERR_OK;
}
