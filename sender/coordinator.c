#include "sender/coordinator.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/entry.h"
#include "sender/path_check.h"
#include "store/campaign_tests.h"
#include "store/relay_tests.h"
#include "store/runs.h"
#include "store/storm_watch.h"
#include "store/tallies.h"
#include "store/workers.h"

/* Of no use to a breaker any more, but of use to whoever asks the next day why one tripped. */
#define KEEP_TALLIES_US (INT64_C(7) * 86400 * CLOCK_US_PER_SECOND)
#define PURGE_EVERY_US (INT64_C(3600) * CLOCK_US_PER_SECOND)

static void on_late(void *user, int64_t campaign_id, struct view reason)
{
	struct log_text room;
	(void)user;
	log_event(LOG_WARNING, "campaign.late", "id=%lld reason=%s", (long long)campaign_id, log_quoted(reason, &room));
}

static void tell_start(const struct run_start *start)
{
	if (start->local_fallback < 0)
		log_event(LOG_INFO, "campaign.started", "id=%lld audience=%lld", (long long)start->campaign_id,
			  (long long)start->audience);
	else
		log_event(LOG_INFO, "campaign.started", "id=%lld audience=%lld local_fallback=%lld",
			  (long long)start->campaign_id, (long long)start->audience, (long long)start->local_fallback);
	if (start->audience == 0)
		log_event(LOG_WARNING, "campaign.empty", "id=%lld", (long long)start->campaign_id);
}

static void tell_held(int64_t campaign_id, struct view reason)
{
	struct log_text room;
	log_event(LOG_ERROR, "campaign.held", "id=%lld reason=%s", (long long)campaign_id, log_quoted(reason, &room));
}

static void on_freezing(int64_t campaign_id)
{
	log_event(LOG_INFO, "campaign.freezing", "id=%lld", (long long)campaign_id);
}

static enum err start_next(struct db *db, bool only_tested, int64_t *put_off, struct run_start *start, struct buf *why)
{
	AUTO_BUF said = buf_with_ceiling(LIMIT_WHY);
	const struct run_terms terms = { .chunk_size = SETUP_CHUNK, .only_tested = only_tested, .begins = on_freezing };
	enum err err = runs_start_due(db, &terms, put_off, start, &said);
	if (err != ERR_OK)
		buf_add(why, buf_view(&said));
	else if (start->is_held)
		tell_held(start->campaign_id, buf_view(&said));
	else if (start->campaign_id != 0)
		tell_start(start);
	return err;
}

static enum err start_due(const struct setup *setup, struct db *db, int64_t *put_off, struct buf *why)
{
	struct run_start start = { .campaign_id = 1 };
	bool only_tested = path_check_is_on(&setup->settings);
	enum err err = runs_hold_late(db, on_late, NULL, why);
	if (err == ERR_OK && only_tested)
		err = path_check_due(&setup->settings, db, why);
	while (err == ERR_OK && start.campaign_id != 0 && !entry_is_stopped())
		err = start_next(db, only_tested, put_off, &start, why);
	return err;
}

static enum err settle_canceled(struct db *db, struct buf *why)
{
	struct runs_settled settled = { .more = true };
	enum err err = ERR_OK;
	while (err == ERR_OK && settled.more && !entry_is_stopped())
		err = runs_settle_canceled(db, 0, &settled, why);
	return err;
}

static void on_finished(void *user, int64_t campaign_id)
{
	(void)user;
	log_event(LOG_INFO, "campaign.finished", "id=%lld", (long long)campaign_id);
}

static void on_tripped(void *user, const struct tally_tripped *tripped)
{
	struct log_text room;
	(void)user;
	log_event(LOG_ERROR, "breaker.tripped", "campaign=%lld group=" VIEW_FMT " reason=%s",
		  (long long)tripped->campaign_id, VIEW_ARG(tripped->group.len == 0 ? VIEW_LIT("-") : tripped->group),
		  log_quoted(tripped->reason, &room));
}

static enum err watch_breakers(const struct settings *settings, struct db *db, struct buf *why)
{
	const struct tally_terms terms = {
		.window_us = settings->breaker_window,
		.hard = { settings->breaker_hard_share, settings->breaker_hard_min },
		.policy = { settings->breaker_policy_share, settings->breaker_policy_min },
		.complaints = { settings->breaker_complaint_share, settings->breaker_complaint_min },
	};
	return tallies_trip(db, &terms, on_tripped, NULL, why);
}

static void on_storm(void *user, const struct storm_told *storm)
{
	(void)user;
	log_event(LOG_ERROR, "storm.opened", STORM_TOLD_FORMAT, STORM_TOLD_VALUES(storm));
}

static enum err watch_storms(const struct settings *settings, struct db *db, int64_t *due_us, struct buf *why)
{
	if (clock_boot_us() < *due_us)
		return ERR_OK;
	*due_us = clock_boot_us() + STORM_LOOK_US;
	const struct verdict_terms terms = { .now_us = clock_wall_us(),
					     .window_us = settings->bounce_window,
					     .life_us = settings->bounce_token_life,
					     .storms = storm_terms_of(settings) };
	return storm_watch_look(db, &terms, VIEW_LIT("sender"), on_storm, NULL, why);
}

static enum err look_after(const struct setup *setup, struct db *db, int64_t *put_off, struct buf *why)
{
	enum err err = start_due(setup, db, put_off, why);
	if (err == ERR_OK)
		err = settle_canceled(db, why);
	if (err == ERR_OK)
		err = runs_finish_complete(db, on_finished, NULL, why);
	if (err == ERR_OK)
		err = watch_breakers(&setup->settings, db, why);
	return err;
}

/* One line a change of state. */
static void report(enum err err, enum err before, struct view why)
{
	struct log_text room;
	if (err == before)
		return;
	if (err == ERR_OK)
		log_event(LOG_INFO, "coordinator.back", "after=%s", err_name(before));
	else
		log_event(LOG_ERROR, "coordinator.failed", "error=%s why=%s", err_name(err), log_quoted(why, &room));
}

/* What nobody asks for any more. Nothing about a test can come when its return path accepts no mail. */
static enum err purge(const struct setup *setup, struct db *db, struct buf *why)
{
	const struct settings *settings = &setup->settings;
	int64_t now_us = 0;
	/* What is purged was dated by the database's clock. */
	enum err err = workers_clock(db, &now_us, why);
	if (err == ERR_OK)
		err = tallies_purge(db, now_us - settings->breaker_window - KEEP_TALLIES_US, why);
	int64_t tests_before_us = now_us - settings->bounce_token_life - CLOCK_US_PER_DAY;
	if (err == ERR_OK)
		err = relay_tests_purge(db, tests_before_us, why);
	return err == ERR_OK ? campaign_tests_purge(db, tests_before_us, why) : err;
}

int coordinator_run(const struct setup *setup)
{
	struct db *db = NULL;
	/* It owes nothing to anybody: the server rolls back what it leaves in the middle. So it may wait for a large audience, and for a
	 * silent server, as long as they take. */
	entry_die_on_signals();
	if (entry_open_database(setup, 0, &db) != ERR_OK)
		return EXIT_SUCCESS;
	enum err before = ERR_OK;
	int64_t purge_us = 0, put_off = 0, storms_us = 0;
	do {
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err = db_is_connected(db) ? ERR_OK : db_reconnect(db, &why);
		if (err == ERR_OK)
			err = look_after(setup, db, &put_off, &why);
		if (err == ERR_OK && clock_boot_us() >= purge_us) {
			err = purge(setup, db, &why);
			purge_us = clock_boot_us() + PURGE_EVERY_US;
		}
		if (err == ERR_OK)
			err = watch_storms(&setup->settings, db, &storms_us, &why);
		report(err, before, buf_view(&why));
		before = err;
	} while (entry_sleep(setup->settings.sender_poll));
	db_close(db);
	return EXIT_SUCCESS;
}
