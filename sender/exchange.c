#include "sender/exchange_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/doubtful.h"
#include "sender/holds.h"
#include "sender/logins.h"
#include "store/relays.h"
#include "store/workers.h"

/* Pause and cancel are heard within a second. */
#define STATES_EVERY_US (INT64_C(400) * CLOCK_US_PER_MS)
/* Also while the database is away from this host and not from others: nothing is begun on older word. */
#define HEARD_US (INT64_C(900) * CLOCK_US_PER_MS)
/* When nearly all of what was opened had to be parked, nothing more is opened for a moment. */
#define FULL_US (INT64_C(500) * CLOCK_US_PER_MS)
#define DOUBTFUL_EVERY_US (INT64_C(1) * CLOCK_US_PER_SECOND)
#define FIRST_WAIT_US (INT64_C(500) * CLOCK_US_PER_MS)
#define LONGEST_WAIT_US (INT64_C(10) * CLOCK_US_PER_SECOND)

enum err exchange_new(const struct exchange_parts *parts, struct exchange **ret_exchange)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL)
		return ERR_MEMORY;
	exchange->parts = *parts;
	exchange->settlement = (struct settlement){
		.setup = parts->setup,
		.classifier = parts->classifier,
		.worker_id = parts->worker_id,
	};
	exchange->ahead = ahead_new(parts->setup->settings.sender_window);
	exchange->opener = (struct opener){
		.setup = parts->setup,
		.worker_id = parts->worker_id,
		.runs = parts->runs,
		.pace = parts->pacer->parts.pace,
	};
	exchange->tenure = (struct worker_tenure){ .id = parts->worker_id, .mark = journal_mark(parts->journal) };
	exchange->leaving = (struct leaving){ .db = parts->db, .tenure = &exchange->tenure };
	exchange->backoff = backoff_new(FIRST_WAIT_US, LONGEST_WAIT_US);
	*ret_exchange = exchange;
	return ERR_OK;
}

void exchange_done(struct exchange *exchange)
{
	if (exchange == NULL)
		return;
	opener_drop(&exchange->opener);
	free(exchange->rows);
	free(exchange->recipients);
	free(exchange->groups);
	free(exchange);
}

/* ---- beside it ---- */

enum { ASKED_AT_ONCE = 64 };

static enum err ask_some(struct exchange *exchange, struct run **runs, size_t count, const struct exchange_turn *turn,
			 struct buf *why)
{
	int64_t ids[ASKED_AT_ONCE] = { 0 };
	enum campaign_state states[ASKED_AT_ONCE];
	for (size_t i = 0; i < count; i++)
		ids[i] = runs[i]->id;
	enum err err = runs_states(exchange->parts.db, ids, count, states, &exchange->version, why);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		if (states[i] != CAMPAIGN_RUNNING)
			run_leave(runs[i], turn->boot_us + exchange->parts.setup->settings.sender_stop_timeout);
	}
	return err;
}

/* That the worker is still ours; and what time it is. */
static enum err check(struct exchange *exchange, struct buf *why)
{
	int64_t shown_us, ahead_us, asked_us = clock_boot_us();
	struct wall *wall = exchange->parts.wall;
	enum err err = workers_check(exchange->parts.db, &exchange->tenure, &shown_us, why);
	if (err != ERR_OK)
		return err;
	int64_t heard_us = clock_boot_us();
	wall_hear(wall, asked_us, heard_us, shown_us);
	if (wall_gets_apart(wall, heard_us, clock_wall_us(), &ahead_us))
		log_event(LOG_WARNING, "clock.apart", "ahead_s=%lld why=%s",
			  (long long)(ahead_us / CLOCK_US_PER_SECOND),
			  "\"this host's clock is not the database's, which is gone by\"");
	return ERR_OK;
}

static enum err ask_states(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct run *asked[ASKED_AT_ONCE];
	size_t count = 0;
	exchange->states_us = turn->boot_us + STATES_EVERY_US;
	enum err err = check(exchange, why);
	for (struct run *run = exchange->parts.runs->first; err == ERR_OK && run != NULL; run = run->next) {
		if (!run->is_leaving)
			asked[count++] = run;
		if (count == ASKED_AT_ONCE) {
			err = ask_some(exchange, asked, count, turn, why);
			count = 0;
		}
	}
	/* Also without anyone to ask for: the version comes with it. */
	if (err == ERR_OK)
		err = ask_some(exchange, asked, count, turn, why);
	if (err == ERR_OK)
		exchange->heard_us = turn->boot_us;
	if (err == ERR_OK)
		err = leaving_tell(&exchange->leaving, exchange->parts.runs, turn->is_stopping, turn->boot_us, why);
	return err;
}

enum err exchange_follow(struct exchange *exchange, struct buf *why)
{
	struct db_rows *rows = NULL;
	int64_t settings_retried_us = 0;
	if (exchange->followed == exchange->version)
		return ERR_OK;
	int64_t version = exchange->version;
	enum err err = relays_settings_retried(exchange->parts.db, &settings_retried_us, why);
	if (err == ERR_OK)
		err = relays_load(exchange->parts.db, &rows, why);
	if (err == ERR_OK)
		err = relays_set(exchange->parts.relays, rows, settings_retried_us);
	if (err != ERR_OK)
		return err;
	queue_route(exchange->parts.queue, relays_kept(exchange->parts.relays));
	runs_keep(exchange->parts.runs, relays_kept(exchange->parts.relays));
	err = pacer_follow(exchange->parts.pacer, why);
	if (err != ERR_OK)
		return err;
	exchange->followed = version;
	return ERR_OK;
}

/* A worker that hung may have been forgotten meanwhile: then nobody of it is sent to any more. */
static enum err recheck(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	AUTO_DB_ARRAY subscribers = db_array_of(DB_INT);
	struct recipient *at = queue_first(exchange->parts.queue, RECIPIENT_WAITING);
	for (; at != NULL; at = queue_next(at)) {
		db_array_add_int(&campaigns, at->opened.campaign_id);
		db_array_add_int(&subscribers, at->opened.subscriber_id);
	}
	AUTO_DB_ROWS *refusals = NULL;
	enum err err = workers_seen(exchange->parts.db, &exchange->tenure, why);
	if (err == ERR_OK)
		err = openings_recheck(exchange->parts.db, &campaigns, &subscribers, &refusals, why);
	if (err == ERR_OK)
		queue_recheck(exchange->parts.queue, refusals, turn->wall_us, turn->boot_us);
	return err;
}

/* ---- away and back ---- */

static void note_failure(struct exchange *exchange, enum err err, struct view why, int64_t boot_us)
{
	struct log_text room;
	if (err != ERR_UNAVAILABLE)
		log_event(LOG_ERROR, "ledger.failed", "error=%s why=%s", err_name(err), log_quoted(why, &room));
	else if (!exchange->is_away)
		log_event(LOG_ERROR, "database.away", "why=%s", log_quoted(why, &room));
	exchange->is_away = exchange->is_away || err == ERR_UNAVAILABLE;
	exchange->is_unsure = exchange->is_unsure || err == ERR_UNAVAILABLE;
	backoff_fail(&exchange->backoff, boot_us);
}

/* Not when the worker is to end: each try may cost as long as a silent server is waited for, and the journal keeps what it is not told. */
static enum err come_back(struct exchange *exchange, bool is_stopping, struct buf *why)
{
	if (!exchange->is_away)
		return ERR_OK;
	if (is_stopping) {
		buf_add(why, VIEW_LIT("the worker is to end"));
		return ERR_UNAVAILABLE;
	}
	enum err err = db_reconnect(exchange->parts.db, why);
	if (err != ERR_OK)
		return ERR_UNAVAILABLE;
	exchange->is_away = false;
	log_event(LOG_INFO, "database.back", "settled=%zu", queue_settled(exchange->parts.queue));
	return ERR_OK;
}

static bool is_transaction_due(const struct exchange *exchange, const struct exchange_turn *turn)
{
	return (queue_settled(exchange->parts.queue) > 0 && turn->boot_us >= exchange->ledger_us) ||
	       turn->boot_us >= exchange->beat_us || exchange_is_tally_due(exchange, turn) ||
	       exchange_may_open(exchange, turn) || exchange_any_leaves(exchange) ||
	       holds_wanted(exchange->parts.runs) || exchange_is_last(exchange, turn) ||
	       relays_have_news(exchange->parts.relays);
}

static enum err pace(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	bool is_full = false;
	enum err err = pacer_turn(exchange->parts.pacer, turn->boot_us, turn->wall_us, &is_full, why);
	if (is_full && exchange->opener.look_us < turn->boot_us + FULL_US)
		exchange->opener.look_us = turn->boot_us + FULL_US;
	return err;
}

static enum err log_in(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	const struct relays *relays = exchange->parts.relays;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < relays_count(relays); i++)
		err = logins_turn(exchange->parts.db, relays_at(relays, i), exchange->parts.worker_id, turn->boot_us,
				  why);
	return err;
}

static void look_at_doubtful(struct exchange *exchange, const struct exchange_turn *turn)
{
	const struct doubtful_turn doubtful = {
		.working = relays_working(exchange->parts.relays, turn->boot_us),
		.again_us = exchange->parts.setup->settings.relay_retry,
		.boot_us = turn->boot_us,
		.wall_us = turn->wall_us,
	};
	if (turn->boot_us < exchange->doubtful_us)
		return;
	exchange->doubtful_us = turn->boot_us + DOUBTFUL_EVERY_US;
	doubtful_go_back(exchange->parts.queue, &doubtful);
}

/* The journal knows of each transaction before the database does, so that one that does not is older. */
static bool is_announced(const struct exchange *exchange, struct exchange_result *result)
{
	result->announced = exchange->tenure.mark;
	result->announced.turn++;
	result->is_next = journal_mark(exchange->parts.journal).turn < result->announced.turn;
	return !result->is_next;
}

static enum err do_what_is_due(struct exchange *exchange, const struct exchange_turn *turn,
			       struct exchange_result *result, struct buf *why)
{
	enum err err = come_back(exchange, turn->is_stopping, why);
	if (err == ERR_OK && turn->boot_us >= exchange->states_us)
		err = ask_states(exchange, turn, why);
	if (err == ERR_OK)
		err = exchange_follow(exchange, why);
	if (err == ERR_OK)
		err = log_in(exchange, turn, why);
	if (err == ERR_OK && turn->needs_recheck)
		err = recheck(exchange, turn, why);
	if (err == ERR_OK && !turn->is_stopping)
		err = pace(exchange, turn, why);
	if (err == ERR_OK && !turn->is_stopping)
		look_at_doubtful(exchange, turn);
	if (err != ERR_OK || !is_transaction_due(exchange, turn) || !is_announced(exchange, result))
		return err;
	bool last = exchange_is_last(exchange, turn);
	int64_t begun_us = clock_cpu_us();
	err = exchange_transact(exchange, turn, why);
	exchange->cpu_us += clock_cpu_us() - begun_us;
	result->is_committed = err == ERR_OK;
	result->is_over = err == ERR_OK && last;
	return err;
}

struct exchange_result exchange_take_turn(struct exchange *exchange, const struct exchange_turn *turn)
{
	struct exchange_result result = { 0 };
	if (backoff_waits(&exchange->backoff, turn->boot_us))
		return result;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = do_what_is_due(exchange, turn, &result, &why);
	result.is_forgotten = err == ERR_NOT_FOUND && !exchange->tenure.is_over;
	result.is_replaced = err == ERR_NOT_FOUND && exchange->tenure.is_over;
	if (err == ERR_OK)
		backoff_clear(&exchange->backoff);
	else
		note_failure(exchange, err, buf_view(&why), turn->boot_us);
	return result;
}

int64_t exchange_cpu(const struct exchange *exchange)
{
	return exchange->cpu_us;
}

bool exchange_may_begin(const struct exchange *exchange, int64_t boot_us)
{
	return boot_us - exchange->heard_us <= HEARD_US;
}

bool exchange_is_away(const struct exchange *exchange)
{
	return exchange->is_away;
}

bool exchange_is_failing(const struct exchange *exchange)
{
	return backoff_is_failed(&exchange->backoff);
}

int64_t exchange_wait(const struct exchange *exchange, bool is_stopping, int64_t boot_us)
{
	int64_t next_us = exchange->states_us;
	if (queue_settled(exchange->parts.queue) > 0 && exchange->ledger_us < next_us)
		next_us = exchange->ledger_us;
	/* Until there is room, what makes some comes by the sockets; who stops opens nothing. */
	if (!is_stopping && exchange->opener.look_us < next_us && exchange_has_room(exchange))
		next_us = exchange->opener.look_us;
	int64_t pace_us = pacer_wait(exchange->parts.pacer, boot_us);
	if (pace_us >= 0 && boot_us + pace_us < next_us)
		next_us = boot_us + pace_us;
	if (backoff_waits(&exchange->backoff, boot_us))
		next_us = exchange->backoff.until_us;
	return next_us > boot_us ? next_us - boot_us : 0;
}
