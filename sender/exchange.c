#include "sender/exchange.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/backoff.h"
#include "sender/leaving.h"
#include "sender/opener.h"
#include "sender/settlement.h"
#include "sender/tally.h"
#include "store/relays.h"
#include "store/workers.h"

/* Pause and cancel are heard within a second. */
#define STATES_EVERY_US (INT64_C(400) * CLOCK_US_PER_MS)
/* The ledger follows what happens at this distance at most. */
#define LEDGER_EVERY_US (INT64_C(200) * CLOCK_US_PER_MS)
/* Breakers are told at this distance. */
#define TALLY_EVERY_US (INT64_C(1) * CLOCK_US_PER_SECOND)
/* When nearly all of what was opened had to be parked, nothing more is opened for a moment. */
#define FULL_US (INT64_C(500) * CLOCK_US_PER_MS)
#define FIRST_WAIT_US (INT64_C(500) * CLOCK_US_PER_MS)
#define LONGEST_WAIT_US (INT64_C(10) * CLOCK_US_PER_SECOND)

struct exchange {
	struct exchange_parts parts;
	struct settlement settlement;
	struct opener opener;
	struct leaving leaving;
	struct backoff backoff;
	bool is_away;
	bool is_unsure; /* a commit was not answered: the database may hold what we do not know of */
	int64_t states_us, ledger_us, tally_us; /* when each is to be done next */
	int64_t cpu_us;                         /* spent in transactions */
	int64_t version, followed; /* of what sending has to follow: as last heard, and as it is followed */
	struct tally_sum tallies;
	struct ledger_row *rows;
	struct view *recipients;
	size_t row_room;
};

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
	exchange->opener = (struct opener){
		.setup = parts->setup,
		.worker_id = parts->worker_id,
		.runs = parts->runs,
		.pace = parts->pacer->parts.pace,
	};
	exchange->leaving = (struct leaving){ .db = parts->db, .worker_id = parts->worker_id };
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
	free(exchange);
}

/* ---- what is settled ---- */

static bool make_row_room(struct exchange *exchange, size_t count)
{
	if (count <= exchange->row_room)
		return true;
	struct ledger_row *rows = realloc(exchange->rows, count * sizeof(*rows));
	if (rows != NULL)
		exchange->rows = rows;
	struct view *recipients = realloc(exchange->recipients, count * sizeof(*recipients));
	if (recipients != NULL)
		exchange->recipients = recipients;
	if (rows == NULL || recipients == NULL)
		return false;
	exchange->row_room = count;
	return true;
}

static enum err settle(struct exchange *exchange, struct buf *why)
{
	size_t count = 0, disabled = 0;
	if (!make_row_room(exchange, queue_settled(exchange->parts.queue)))
		return ERR_MEMORY;
	struct recipient *at = queue_first(exchange->parts.queue, RECIPIENT_SETTLED);
	for (; at != NULL; at = queue_next(at)) {
		exchange->rows[count] = at->row;
		exchange->recipients[count++] = at->opened.address;
	}
	enum err err = settlement_write(&exchange->settlement, exchange->parts.db, exchange->rows, exchange->recipients,
					count, &disabled, why);
	if (err == ERR_OK && disabled > 0)
		log_event(LOG_INFO, "membership.disabled", "count=%zu", disabled);
	return err;
}

/* What becomes of those that are settled, for the breakers; once, when they are in the database. */
static void count_settled(struct exchange *exchange)
{
	struct recipient *at = queue_first(exchange->parts.queue, RECIPIENT_SETTLED);
	for (; at != NULL; at = queue_next(at))
		tally_note(&exchange->tallies, &at->row,
			   pace_group(exchange->parts.pacer->parts.pace, at->opened.address, &at->mark));
}

static bool is_tally_due(const struct exchange *exchange, const struct exchange_turn *turn)
{
	return exchange->tallies.count > 0 && turn->boot_us >= exchange->tally_us;
}

static enum err close_windows(struct exchange *exchange, struct buf *why)
{
	AUTO_DB_ARRAY campaigns = db_array_of(DB_INT);
	AUTO_DB_ARRAY chunks = db_array_of(DB_INT);
	AUTO_DB_ARRAY firsts = db_array_of(DB_INT);
	queue_windows(exchange->parts.queue, true, &campaigns, &chunks, &firsts);
	if (campaigns.count == 0)
		return ERR_OK;
	return openings_close(exchange->parts.db, exchange->parts.worker_id, &campaigns, &chunks, &firsts, why);
}

/* ---- what leaves ---- */

static bool is_ready_to_leave(const struct run *run)
{
	return run->is_leaving && run->in_hand == 0;
}

static bool any_leaves(const struct exchange *exchange)
{
	for (const struct run *run = exchange->parts.runs->first; run != NULL; run = run->next) {
		if (is_ready_to_leave(run))
			return true;
	}
	return false;
}

static bool any_holds(const struct exchange *exchange)
{
	for (const struct run *run = exchange->parts.runs->first; run != NULL; run = run->next) {
		if (run->wants_hold)
			return true;
	}
	return false;
}

static enum err hold(struct exchange *exchange, struct buf *why)
{
	enum err err = ERR_OK;
	for (struct run *run = exchange->parts.runs->first; err == ERR_OK && run != NULL; run = run->next) {
		bool is_held = false;
		if (run->wants_hold)
			err = runs_hold(exchange->parts.db, run->id, view_of(run->hold_reason), &is_held, why);
		struct log_text room;
		if (is_held)
			log_event(LOG_ERROR, "campaign.held", "id=%lld reason=%s", (long long)run->id,
				  log_quoted(view_of(run->hold_reason), &room));
	}
	return err;
}

static enum err give_back(struct exchange *exchange, struct buf *why)
{
	enum err err = ERR_OK;
	for (struct run *run = exchange->parts.runs->first; err == ERR_OK && run != NULL; run = run->next) {
		if (is_ready_to_leave(run))
			err = openings_give_back(exchange->parts.db, exchange->parts.worker_id, run->id, why);
	}
	return err;
}

static void let_leave(struct exchange *exchange)
{
	for (struct run *run = exchange->parts.runs->first; run != NULL; run = run->next) {
		run->wants_hold = false;
		if (!is_ready_to_leave(run))
			continue;
		queue_drop(exchange->parts.queue, run);
		opener_let_go(&exchange->opener, run->id);
	}
}

/* ---- the transaction ---- */

static enum err find_unknown(struct exchange *exchange, struct buf *why)
{
	struct openings_known known = { db_array_of(DB_INT), db_array_of(DB_INT), db_array_of(DB_INT),
					db_array_of(DB_INT), db_array_of(DB_INT) };
	queue_windows(exchange->parts.queue, false, &known.window_campaigns, &known.window_chunks,
		      &known.window_firsts);
	queue_retries(exchange->parts.queue, &known.retry_campaigns, &known.retry_subscribers);
	enum err err = openings_give_back_unknown(exchange->parts.db, exchange->parts.worker_id, &known, why);
	db_array_done(&known.window_campaigns);
	db_array_done(&known.window_chunks);
	db_array_done(&known.window_firsts);
	db_array_done(&known.retry_campaigns);
	db_array_done(&known.retry_subscribers);
	return err;
}

static enum err tell_news(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	const struct relays *relays = exchange->parts.relays;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < relays_count(relays); i++) {
		const struct relay *relay = relays_at(relays, i);
		if (relay_has_news(relay))
			err = relays_report(exchange->parts.db, view_of(relay_terms(relay)->name), relay_trouble(relay),
					    turn->wall_us + relay_retry_in(relay, turn->boot_us), why);
	}
	return err;
}

static bool is_last(const struct exchange *exchange, const struct exchange_turn *turn)
{
	return turn->is_stopping && queue_in_hand(exchange->parts.queue) == 0;
}

/* Whom nothing has been begun for yet. Those in hand are not counted: thousands of connections to a relay far away have more of them than a
 * window holds. */
static size_t waiting(const struct exchange *exchange)
{
	return queue_unsettled(exchange->parts.queue) - queue_in_hand(exchange->parts.queue);
}

static bool has_room(const struct exchange *exchange)
{
	return waiting(exchange) <= exchange->parts.setup->settings.sender_window / 2;
}

static bool may_open(const struct exchange *exchange, const struct exchange_turn *turn)
{
	return !turn->is_stopping && turn->boot_us >= exchange->opener.look_us && has_room(exchange);
}

static enum err leave(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	if (!is_last(exchange, turn))
		return give_back(exchange, why);
	enum err err = openings_give_back(db, exchange->parts.worker_id, 0, why);
	if (err == ERR_OK)
		err = pacer_release(exchange->parts.pacer, why);
	return err == ERR_OK ? workers_stop(db, exchange->parts.worker_id, why) : err;
}

static enum err open_more(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	size_t limit = exchange->parts.setup->settings.sender_window - waiting(exchange);
	return opener_open(&exchange->opener, exchange->parts.db, limit, turn->boot_us, turn->wall_us, why);
}

/* The worker's row first: a forgotten worker writes nothing, and a commit of ours that is still under way is waited for. */
static enum err write_all(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	bool leaves = any_leaves(exchange) || is_last(exchange, turn);
	enum err err = workers_seen(db, exchange->parts.worker_id, why);
	if (err == ERR_OK && exchange->is_unsure)
		err = find_unknown(exchange, why);
	if (err == ERR_OK && queue_settled(exchange->parts.queue) > 0)
		err = settle(exchange, why);
	if (err == ERR_OK)
		err = close_windows(exchange, why);
	if (err == ERR_OK && is_tally_due(exchange, turn))
		err = tallies_add(db, exchange->parts.worker_id, exchange->tallies.rows, exchange->tallies.count, why);
	if (err == ERR_OK && leaves)
		err = leave(exchange, turn, why);
	if (err == ERR_OK && relays_have_news(exchange->parts.relays))
		err = tell_news(exchange, turn, why);
	if (err == ERR_OK && !leaves && may_open(exchange, turn))
		err = open_more(exchange, turn, why);
	/* Last, for what was opened just now may have a template that cannot be compiled. */
	if (err == ERR_OK)
		err = hold(exchange, why);
	return err;
}

static enum err transact(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	exchange->settlement.now_us = turn->wall_us;
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = write_all(exchange, turn, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	if (err != ERR_OK) {
		db_rollback(db);
		opener_drop(&exchange->opener);
		return err;
	}
	exchange->ledger_us = turn->boot_us + LEDGER_EVERY_US;
	if (is_tally_due(exchange, turn)) {
		exchange->tallies.count = 0;
		exchange->tally_us = turn->boot_us + TALLY_EVERY_US;
	}
	count_settled(exchange);
	for (size_t i = 0; i < relays_count(exchange->parts.relays); i++)
		relay_told_news(relays_at(exchange->parts.relays, i));
	queue_confirm(exchange->parts.queue);
	let_leave(exchange);
	/* What could not be kept is found again as after a commit that was not heard. */
	exchange->is_unsure = !opener_take_in(&exchange->opener, exchange->parts.queue, turn->boot_us, turn->wall_us);
	pacer_look(exchange->parts.pacer);
	runs_sweep(exchange->parts.runs);
	return ERR_OK;
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

static enum err ask_states(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct run *asked[ASKED_AT_ONCE];
	size_t count = 0;
	enum err err = ERR_OK;
	exchange->states_us = turn->boot_us + STATES_EVERY_US;
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
		err = leaving_tell(&exchange->leaving, exchange->parts.queue, exchange->parts.runs, turn->is_stopping,
				   turn->boot_us, why);
	return err;
}

/* What sending has to follow is read again when its version is another one. */
static enum err follow(struct exchange *exchange, struct buf *why)
{
	struct db_rows *rows = NULL;
	int64_t version = exchange->version;
	enum err err = relays_load(exchange->parts.db, &rows, why);
	if (err == ERR_OK)
		err = relays_set(exchange->parts.relays, rows);
	if (err != ERR_OK)
		return err;
	queue_route(exchange->parts.queue);
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
	enum err err = workers_seen(exchange->parts.db, exchange->parts.worker_id, why);
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

static enum err come_back(struct exchange *exchange, struct buf *why)
{
	if (!exchange->is_away)
		return ERR_OK;
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
	       is_tally_due(exchange, turn) || may_open(exchange, turn) || any_leaves(exchange) ||
	       any_holds(exchange) || is_last(exchange, turn) || relays_have_news(exchange->parts.relays);
}

static enum err pace(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	bool is_full = false;
	enum err err = pacer_turn(exchange->parts.pacer, turn->boot_us, turn->wall_us, &is_full, why);
	if (is_full && exchange->opener.look_us < turn->boot_us + FULL_US)
		exchange->opener.look_us = turn->boot_us + FULL_US;
	return err;
}

static enum err do_what_is_due(struct exchange *exchange, const struct exchange_turn *turn,
			       struct exchange_result *result, struct buf *why)
{
	enum err err = come_back(exchange, why);
	if (err == ERR_OK && turn->boot_us >= exchange->states_us)
		err = ask_states(exchange, turn, why);
	if (err == ERR_OK && exchange->followed != exchange->version)
		err = follow(exchange, why);
	if (err == ERR_OK && turn->needs_recheck)
		err = recheck(exchange, turn, why);
	if (err == ERR_OK && !turn->is_stopping)
		err = pace(exchange, turn, why);
	result->is_forgotten = err == ERR_NOT_FOUND;
	if (err != ERR_OK || !is_transaction_due(exchange, turn))
		return err;
	bool last = is_last(exchange, turn);
	int64_t begun_us = clock_cpu_us();
	err = transact(exchange, turn, why);
	exchange->cpu_us += clock_cpu_us() - begun_us;
	result->is_committed = err == ERR_OK;
	result->is_over = err == ERR_OK && last;
	result->is_forgotten = err == ERR_NOT_FOUND;
	return err;
}

struct exchange_result exchange_take_turn(struct exchange *exchange, const struct exchange_turn *turn)
{
	struct exchange_result result = { 0 };
	if (backoff_waits(&exchange->backoff, turn->boot_us))
		return result;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = do_what_is_due(exchange, turn, &result, &why);
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

bool exchange_is_away(const struct exchange *exchange)
{
	return exchange->is_away;
}

int64_t exchange_wait(const struct exchange *exchange, int64_t boot_us)
{
	int64_t next_us = exchange->states_us;
	if (queue_settled(exchange->parts.queue) > 0 && exchange->ledger_us < next_us)
		next_us = exchange->ledger_us;
	/* Until there is room, what makes some comes by the sockets. */
	if (exchange->opener.look_us < next_us && has_room(exchange))
		next_us = exchange->opener.look_us;
	if (backoff_waits(&exchange->backoff, boot_us))
		next_us = exchange->backoff.until_us;
	return next_us > boot_us ? next_us - boot_us : 0;
}
