#include "bounced/committer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "bounced/batch.h"
#include "store/storm_watch.h"

enum {
	ATTEMPTS = 3,        /* of one batch: a lost connection or a deadlock is tried again */
	SETTLE_LIMIT = 1000, /* waiting events looked at in one go */
	PURGE_LIMIT = 200,   /* returned messages removed in one go: less than a commit's worth of time */
};
static const int64_t connect_every_us = CLOCK_US_PER_SECOND;
static const int64_t settle_every_us = CLOCK_US_PER_SECOND;
/* Without waiting events of our own: another bounced may have left some. */
static const int64_t settle_idle_us = INT64_C(60) * CLOCK_US_PER_SECOND;
/* How long the end waits for a statement under way; no session waits for it any more. */
static const int64_t stop_wait_us = INT64_C(2) * CLOCK_US_PER_SECOND;
static const int64_t purge_every_us = INT64_C(60) * CLOCK_US_PER_SECOND;
static const int64_t tidy_every_us = INT64_C(10) * CLOCK_US_PER_SECOND;

struct queue {
	struct record *first, **end;
};

struct committer {
	struct committer_options options;
	struct loop_source *waker;
	pthread_t thread;
	/* between the threads, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct queue given, done;
	bool stopping, ended, away;
	uint64_t mailbox_octets; /* kept for a person: as last counted, and what has come since */
	/* the thread's own */
	struct db *db;
	struct bounces_cursor cursor;
	int64_t connect_at_us, settle_at_us, purge_at_us, tidy_at_us, storms_at_us; /* CLOCK_BOOTTIME */
};

/* ---- queues ---- */

static void queue_init(struct queue *queue)
{
	*queue = (struct queue){ .first = NULL, .end = &queue->first };
}

static void queue_put(struct queue *queue, struct record *record)
{
	record->next = NULL;
	*queue->end = record;
	queue->end = &record->next;
}

static struct record *queue_take(struct queue *queue)
{
	struct record *record = queue->first;
	if (record == NULL)
		return NULL;
	queue->first = record->next;
	if (queue->first == NULL)
		queue->end = &queue->first;
	record->next = NULL;
	return record;
}

/* ---- the database ---- */

static void set_away(struct committer *self, bool away, const struct buf *why)
{
	pthread_mutex_lock(&self->lock);
	bool changes = self->away != away;
	self->away = away;
	pthread_mutex_unlock(&self->lock);
	if (changes && away)
		log_event(LOG_WARNING, "database.away", "cause=%s", log_quoted(buf_view(why), &(struct log_text){ 0 }));
	else if (changes)
		log_event(LOG_INFO, "database.back", "%s", "");
	if (!away)
		self->settle_at_us = 0;
}

static enum err open_database(struct committer *self, struct buf *why)
{
	/* A silent server: its messages are answered 451 as with one that is away. */
	static const int64_t patience_us = INT64_C(30) * CLOCK_US_PER_SECOND;
	const struct settings *settings = self->options.settings;
	const char *own = settings->database_bounced;
	struct db_options options = { .conninfo = *own != '\0' ? own : settings->database_conninfo,
				      .program = "bounced",
				      .instance = self->options.instance,
				      .check_version = true,
				      .unsafe = self->options.unsafe,
				      .looks_up = true,
				      .patience_us = patience_us };
	return self->db == NULL ? db_open(&options, &self->db, why) : db_reconnect(self->db, why);
}

/* At most one attempt a second while it is away. */
static enum err reach_database(struct committer *self, bool now)
{
	if (self->db != NULL && db_is_connected(self->db))
		return ERR_OK;
	int64_t clock = clock_boot_us();
	if (!now && clock < self->connect_at_us)
		return ERR_UNAVAILABLE;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = open_database(self, &why);
	self->connect_at_us = clock_boot_us() + connect_every_us;
	set_away(self, err != ERR_OK, &why);
	return err == ERR_OK ? ERR_OK : ERR_UNAVAILABLE;
}

static struct verdict_terms terms_now(const struct committer *self)
{
	return (struct verdict_terms){ .now_us = clock_wall_us(),
				       .window_us = self->options.settings->bounce_window,
				       .life_us = self->options.settings->bounce_token_life,
				       .storms = storm_terms_of(self->options.settings) };
}

/* ---- commits ---- */

/* Until they are counted in the database again; what was there already counts twice so long. */
static void count_letters(struct committer *self, const struct batch *batch)
{
	pthread_mutex_lock(&self->lock);
	for (size_t i = 0; i < batch->letter_count; i++)
		self->mailbox_octets += batch->letters[i].message.len;
	pthread_mutex_unlock(&self->lock);
}

static enum err try_batch(struct committer *self, const struct batch *batch, struct buf *why)
{
	struct batch_tally stored = { 0 };
	struct verdict_terms terms = terms_now(self);
	enum err err = db_begin(self->db, why);
	if (err == ERR_OK)
		err = batch_store(self->db, batch, &terms, &stored, why);
	if (err == ERR_OK)
		err = db_commit(self->db, why);
	if (err != ERR_OK) {
		db_rollback(self->db);
		return err;
	}
	if (stored.tally.waiting > 0 && self->settle_at_us > clock_boot_us() + settle_every_us)
		self->settle_at_us = clock_boot_us() + settle_every_us;
	if (stored.letters > 0)
		count_letters(self, batch);
	log_event(
	    LOG_DEBUG, "batch.committed",
	    "events=%zu stored=%zu orphans=%zu waiting=%zu complaints=%zu disabled=%zu unsubscribed=%zu letters=%zu"
	    " tests=%zu probes=%zu",
	    batch->event_count, stored.tally.stored, stored.tally.orphans, stored.tally.waiting,
	    stored.tally.complaints + stored.probes.complaints, stored.tally.disabled + stored.probes.disabled,
	    stored.unsubscribed, stored.letters, stored.tests, stored.probes.stored);
	return ERR_OK;
}

/* A lost connection is opened again at once: PostgreSQL may only have been restarted. */
static enum err commit(struct committer *self, const struct record *records, struct buf *why)
{
	struct batch batch;
	if (!batch_new(records, &batch))
		return ERR_MEMORY;
	enum err err = reach_database(self, false);
	for (int attempt = 1; err == ERR_OK; attempt++) {
		buf_reset(why);
		err = try_batch(self, &batch, why);
		if (attempt == ATTEMPTS || (err != ERR_UNAVAILABLE && err != ERR_REFUSED))
			break;
		err = reach_database(self, true);
	}
	if (err == ERR_UNAVAILABLE && self->db != NULL && !db_is_connected(self->db))
		set_away(self, true, why);
	batch_done(&batch);
	return err;
}

/* The records of the batch one by one, so that one the database refuses does not hold back the others. */
static void commit_apart(struct committer *self, struct record *records)
{
	for (struct record *record = records; record != NULL; record = record->next) {
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		struct record *next = record->next;
		record->next = NULL;
		record->outcome = commit(self, record, &why);
		record->next = next;
		if (record->outcome != ERR_OK && record->outcome != ERR_UNAVAILABLE)
			log_event(LOG_ERROR, "record.refused", "outcome=%s cause=%s", err_name(record->outcome),
				  log_quoted(buf_view(&why), &(struct log_text){ 0 }));
	}
}

static void commit_records(struct committer *self, struct record *records)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = commit(self, records, &why);
	for (struct record *record = records; record != NULL; record = record->next)
		record->outcome = err;
	if (err != ERR_OK && err != ERR_UNAVAILABLE)
		commit_apart(self, records);
}

/* ---- from time to time ---- */

static void note_failure(struct committer *self, const char *what, enum err err, const struct buf *why)
{
	if (err == ERR_UNAVAILABLE)
		set_away(self, true, why);
	else
		log_event(LOG_ERROR, what, "outcome=%s cause=%s", err_name(err),
			  log_quoted(buf_view(why), &(struct log_text){ 0 }));
}

static void settle(struct committer *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct bounces_tally tally = { 0 };
	struct verdict_terms terms = terms_now(self);
	enum err err = bounces_settle(self->db, SETTLE_LIMIT, &terms, &self->cursor, &tally, &why);
	if (err != ERR_OK)
		note_failure(self, "settle.failed", err, &why);
	bool more = tally.waiting > 0 || self->cursor.event_id != 0;
	self->settle_at_us = clock_boot_us() + (more || err != ERR_OK ? settle_every_us : settle_idle_us);
	if (tally.orphans + tally.disabled > 0)
		log_event(LOG_DEBUG, "events.settled", "orphans=%zu disabled=%zu waiting=%zu", tally.orphans,
			  tally.disabled, tally.waiting);
}

static void purge(struct committer *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	size_t removed = 0;
	int64_t before_us = clock_wall_us() - self->options.settings->bounce_keep_raw;
	size_t of_probes = 0;
	enum err err = bounces_purge_messages(self->db, before_us, PURGE_LIMIT, &removed, &why);
	if (err == ERR_OK)
		err = probe_reports_purge_messages(self->db, before_us, PURGE_LIMIT, &of_probes, &why);
	if (err != ERR_OK)
		note_failure(self, "purge.failed", err, &why);
	self->purge_at_us = clock_boot_us() + (removed == PURGE_LIMIT ? connect_every_us : purge_every_us);
	if (removed + of_probes > 0)
		log_event(LOG_DEBUG, "messages.purged", "count=%zu", removed + of_probes);
}

static void set_mailbox_octets(struct committer *self, uint64_t octets)
{
	pthread_mutex_lock(&self->lock);
	self->mailbox_octets = octets;
	pthread_mutex_unlock(&self->lock);
}

static void tidy_mailbox(struct committer *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	uint64_t octets = 0;
	int64_t before_us = clock_wall_us() - self->options.settings->bounced_mailbox_keep;
	enum err err = mailboxes_tidy(self->db, before_us, PURGE_LIMIT, &octets, &why);
	if (err == ERR_OK)
		set_mailbox_octets(self, octets);
	else
		note_failure(self, "mailbox.not_tidied", err, &why);
	self->tidy_at_us = clock_boot_us() + tidy_every_us;
}

static void on_storm(void *user, const struct storm_told *storm)
{
	(void)user;
	log_event(LOG_ERROR, "storm.opened", STORM_TOLD_FORMAT, STORM_TOLD_VALUES(storm));
}

static void watch_storms(struct committer *self)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct verdict_terms terms = terms_now(self);
	enum err err = storm_watch_look(self->db, &terms, VIEW_LIT("bounced"), on_storm, NULL, &why);
	if (err != ERR_OK)
		note_failure(self, "storms.failed", err, &why);
	self->storms_at_us = clock_boot_us() + STORM_LOOK_US;
}

static void do_chores(struct committer *self)
{
	if (reach_database(self, false) != ERR_OK)
		return;
	if (clock_boot_us() >= self->settle_at_us)
		settle(self);
	if (clock_boot_us() >= self->purge_at_us && db_is_connected(self->db))
		purge(self);
	if (clock_boot_us() >= self->tidy_at_us && db_is_connected(self->db))
		tidy_mailbox(self);
	if (clock_boot_us() >= self->storms_at_us && db_is_connected(self->db))
		watch_storms(self);
}

/* ---- the thread ---- */

/* What is given, up to a batch's ceilings; NULL when it is time for chores or for the end. Waits up to a second. */
static struct record *gather(struct committer *self)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	struct queue batch;
	size_t count = 0, octets = 0;
	queue_init(&batch);
	pthread_mutex_lock(&self->lock);
	while (self->given.first == NULL && !self->stopping) {
		if (pthread_cond_timedwait(&self->changed, &self->lock, &until) != 0)
			break;
	}
	while (self->given.first != NULL && count < LIMIT_COMMIT_RECORDS && octets < LIMIT_COMMIT_OCTETS) {
		struct record *record = queue_take(&self->given);
		octets += record->message.len;
		count += record->event_count + record->departure_count + record->letter_count + record->test_count;
		queue_put(&batch, record);
	}
	pthread_mutex_unlock(&self->lock);
	return batch.first;
}

static void give_back(struct committer *self, struct record *records)
{
	pthread_mutex_lock(&self->lock);
	while (records != NULL) {
		struct record *next = records->next;
		queue_put(&self->done, records);
		records = next;
	}
	pthread_mutex_unlock(&self->lock);
	loop_wake(self->waker);
}

static bool is_over(struct committer *self)
{
	pthread_mutex_lock(&self->lock);
	bool over = self->stopping && self->given.first == NULL;
	pthread_mutex_unlock(&self->lock);
	return over;
}

static void *work(void *argument)
{
	struct committer *self = argument;
	while (!is_over(self)) {
		struct record *records = gather(self);
		if (records != NULL) {
			commit_records(self, records);
			give_back(self, records);
		}
		do_chores(self);
	}
	pthread_mutex_lock(&self->lock);
	self->ended = true;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* The thread takes no signals: they are the loop's. */
static enum err start_thread(struct committer *self)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&self->thread, NULL, work, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0 ? ERR_OK : ERR_MEMORY;
}

static void release(struct committer *self)
{
	for (struct record *record; (record = queue_take(&self->done)) != NULL;)
		record_done(record);
	loop_source_done(self->waker);
	db_close(self->db);
	pthread_cond_destroy(&self->changed);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

static enum err init_sync(struct committer *self)
{
	pthread_condattr_t attributes;
	if (pthread_mutex_init(&self->lock, NULL) != 0)
		return ERR_MEMORY;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	int failed = pthread_cond_init(&self->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (failed != 0)
		pthread_mutex_destroy(&self->lock);
	return failed == 0 ? ERR_OK : ERR_MEMORY;
}

/* The first connection: what would be wrong for ever is refused now. */
static enum err connect_first(struct committer *self, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = open_database(self, &cause);
	if (err == ERR_UNAVAILABLE) {
		self->connect_at_us = clock_boot_us() + connect_every_us;
		set_away(self, true, &cause);
		return ERR_OK;
	}
	if (err != ERR_OK)
		buf_add(why, buf_view(&cause));
	return err;
}

enum err committer_start(struct loop *loop, const struct committer_options *options, loop_callback *on_done,
			 void *owner, struct committer **ret_committer, struct buf *why)
{
	struct committer *self = calloc(1, sizeof(*self));
	if (self == NULL)
		return ERR_MEMORY;
	self->options = *options;
	queue_init(&self->given);
	queue_init(&self->done);
	enum err err = init_sync(self);
	if (err != ERR_OK) {
		free(self);
		return err;
	}
	err = loop_waker_new(loop, on_done, owner, &self->waker);
	if (err == ERR_OK)
		err = connect_first(self, why);
	if (err == ERR_OK)
		err = start_thread(self);
	if (err != ERR_OK) {
		release(self);
		return err;
	}
	*ret_committer = self;
	return ERR_OK;
}

/* Up to stop_wait_us: PostgreSQL may never answer. */
static bool wait_for_end(struct committer *self)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += stop_wait_us / CLOCK_US_PER_SECOND;
	pthread_mutex_lock(&self->lock);
	self->stopping = true;
	pthread_cond_broadcast(&self->changed);
	while (!self->ended) {
		if (pthread_cond_timedwait(&self->changed, &self->lock, &until) != 0)
			break;
	}
	bool ended = self->ended;
	pthread_mutex_unlock(&self->lock);
	return ended;
}

bool committer_stop(struct committer *committer)
{
	if (committer == NULL)
		return true;
	if (!wait_for_end(committer)) {
		log_event(LOG_WARNING, "committer.abandoned", "%s", "");
		pthread_detach(committer->thread);
		return false;
	}
	pthread_join(committer->thread, NULL);
	release(committer);
	return true;
}

void committer_put(struct committer *committer, struct record *record)
{
	pthread_mutex_lock(&committer->lock);
	queue_put(&committer->given, record);
	pthread_cond_signal(&committer->changed);
	pthread_mutex_unlock(&committer->lock);
}

struct record *committer_take(struct committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	struct record *record = queue_take(&committer->done);
	pthread_mutex_unlock(&committer->lock);
	return record;
}

uint64_t committer_mailbox_octets(struct committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	uint64_t octets = committer->mailbox_octets;
	pthread_mutex_unlock(&committer->lock);
	return octets;
}

bool committer_is_away(struct committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	bool away = committer->away;
	pthread_mutex_unlock(&committer->lock);
	return away;
}
