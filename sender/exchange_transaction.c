#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/exchange_private.h"
#include "sender/holds.h"
#include "store/relays.h"
#include "store/releases.h"
#include "store/workers.h"

/* The ledger follows what happens at this distance at most. */
#define LEDGER_EVERY_US (INT64_C(200) * CLOCK_US_PER_MS)
/* With nothing to say, too: what a journal of longer ago does not know is told from this one's turns. */
#define BEAT_US (INT64_C(1) * CLOCK_US_PER_SECOND)
/* Breakers are told at this distance. */
#define TALLY_EVERY_US (INT64_C(1) * CLOCK_US_PER_SECOND)

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
	struct view *groups = realloc(exchange->groups, count * sizeof(*groups));
	if (groups != NULL)
		exchange->groups = groups;
	if (rows == NULL || recipients == NULL || groups == NULL)
		return false;
	exchange->row_room = count;
	return true;
}

/* What is asked of each of them later is taken along: they lie far apart in memory, and a second walk would cost as much as the first. */
static void collect(struct exchange *exchange)
{
	struct recipient *at = queue_first(exchange->parts.queue, RECIPIENT_SETTLED);
	size_t count = 0;
	for (; at != NULL; at = queue_next(at), count++) {
		exchange->rows[count] = at->row;
		exchange->recipients[count] = at->opened.address;
		exchange->groups[count] = pace_group(exchange->parts.pacer->parts.pace, at->opened.address, &at->mark);
	}
	exchange->row_count = count;
}

static enum err settle(struct exchange *exchange, struct buf *why)
{
	size_t disabled = 0;
	if (!make_row_room(exchange, queue_settled(exchange->parts.queue)))
		return ERR_MEMORY;
	collect(exchange);
	enum err err = settlement_write(&exchange->settlement, exchange->parts.db, exchange->rows, exchange->recipients,
					exchange->row_count, &disabled, why);
	if (err == ERR_OK && disabled > 0)
		log_event(LOG_INFO, "membership.disabled", "count=%zu", disabled);
	return err;
}

/* What becomes of those that are settled, for the breakers; once, when they are in the database. */
static void count_settled(struct exchange *exchange)
{
	for (size_t i = 0; i < exchange->row_count; i++)
		tally_note(&exchange->tallies, &exchange->rows[i], exchange->groups[i]);
}

bool exchange_is_tally_due(const struct exchange *exchange, const struct exchange_turn *turn)
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
	return releases_close(exchange->parts.db, exchange->parts.worker_id, &campaigns, &chunks, &firsts, why);
}

/* ---- what leaves ---- */

static bool is_ready_to_leave(const struct run *run)
{
	return run->is_leaving && run_in_hand(run) == 0;
}

bool exchange_any_leaves(const struct exchange *exchange)
{
	for (const struct run *run = exchange->parts.runs->first; run != NULL; run = run->next) {
		if (is_ready_to_leave(run))
			return true;
	}
	return false;
}

static enum err give_back(struct exchange *exchange, struct buf *why)
{
	enum err err = ERR_OK;
	for (struct run *run = exchange->parts.runs->first; err == ERR_OK && run != NULL; run = run->next) {
		if (is_ready_to_leave(run))
			err = releases_give_back(exchange->parts.db, exchange->parts.worker_id, run->id, why);
	}
	return err;
}

static void let_leave(struct exchange *exchange)
{
	for (struct run *run = exchange->parts.runs->first; run != NULL; run = run->next) {
		if (!is_ready_to_leave(run))
			continue;
		queue_drop(exchange->parts.queue, run);
		opener_let_go(&exchange->opener, run->id);
	}
}

/* ---- the transaction ---- */

static enum err find_unknown(struct exchange *exchange, struct buf *why)
{
	struct releases_known known = { db_array_of(DB_INT), db_array_of(DB_INT), db_array_of(DB_INT),
					db_array_of(DB_INT), db_array_of(DB_INT) };
	queue_windows(exchange->parts.queue, false, &known.window_campaigns, &known.window_chunks,
		      &known.window_firsts);
	queue_retries(exchange->parts.queue, &known.retry_campaigns, &known.retry_subscribers);
	enum err err = releases_give_back_unknown(exchange->parts.db, exchange->parts.worker_id, &known, why);
	db_array_done(&known.window_campaigns);
	db_array_done(&known.window_chunks);
	db_array_done(&known.window_firsts);
	db_array_done(&known.retry_campaigns);
	db_array_done(&known.retry_subscribers);
	return err;
}

static enum err tell_of(struct exchange *exchange, const struct relay *relay, const struct exchange_turn *turn,
			struct buf *why)
{
	struct view name = view_of(relay_terms(relay)->name);
	int64_t wait_us = relay_retry_in(relay, turn->boot_us);
	if (relay_is_quitting(relay))
		return relays_forget(exchange->parts.db, exchange->parts.worker_id, name, why);
	struct relay_finding finding = {
		.reason = relay_trouble(relay),
		.retry_us = wait_us > 0 ? turn->wall_us + wait_us : 0,
	};
	finding.steps_lost = relay_steps_lost(relay, &finding.step);
	return relays_report(exchange->parts.db, exchange->parts.worker_id, name, &finding, why);
}

static enum err tell_news(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	const struct relays *relays = exchange->parts.relays;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < relays_count(relays); i++) {
		const struct relay *relay = relays_at(relays, i);
		if (relay_has_news(relay))
			err = tell_of(exchange, relay, turn, why);
	}
	return err;
}

bool exchange_is_last(const struct exchange *exchange, const struct exchange_turn *turn)
{
	return turn->is_stopping && queue_in_hand(exchange->parts.queue) == 0;
}

/* Whom nothing has been begun for yet. Those in hand are not counted: thousands of connections to a relay far away have more of them than a
 * window holds. */
static size_t waiting(const struct exchange *exchange)
{
	return queue_unsettled(exchange->parts.queue) - queue_in_hand(exchange->parts.queue);
}

bool exchange_has_room(const struct exchange *exchange)
{
	return waiting(exchange) <= exchange->ahead.size / 4;
}

bool exchange_may_open(const struct exchange *exchange, const struct exchange_turn *turn)
{
	return !turn->is_stopping && turn->boot_us >= exchange->opener.look_us && exchange_has_room(exchange);
}

static enum err leave(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	if (!exchange_is_last(exchange, turn))
		return give_back(exchange, why);
	enum err err = releases_give_back(db, exchange->parts.worker_id, 0, why);
	if (err == ERR_OK)
		err = pacer_release(exchange->parts.pacer, why);
	return err == ERR_OK ? workers_stop(db, exchange->parts.worker_id, why) : err;
}

/* A relay that was added before its campaign was resumed is known before anybody of it is routed. */
static enum err open_more(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	size_t limit = exchange->ahead.size - waiting(exchange);
	enum err err = opener_open(&exchange->opener, db, limit, turn->boot_us, turn->wall_us, why);
	if (err != ERR_OK || exchange->opener.taken_count == 0)
		return err;
	err = runs_states(db, NULL, 0, NULL, &exchange->version, why);
	return err == ERR_OK ? exchange_follow(exchange, why) : err;
}

/* The worker's row first: a forgotten worker writes nothing, and a commit of ours that is still under way is waited for. */
static enum err write_all(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	bool leaves = exchange_any_leaves(exchange) || exchange_is_last(exchange, turn);
	enum err err = workers_write(db, &exchange->tenure, exchange->is_unsure, why);
	if (err == ERR_OK && exchange->is_unsure)
		err = find_unknown(exchange, why);
	if (err == ERR_OK)
		err = holds_write_groups(exchange->parts.runs, db, why);
	if (err == ERR_OK && queue_settled(exchange->parts.queue) > 0)
		err = settle(exchange, why);
	if (err == ERR_OK)
		err = close_windows(exchange, why);
	if (err == ERR_OK && exchange_is_tally_due(exchange, turn))
		err = tallies_add(db, exchange->parts.worker_id, exchange->tallies.rows, exchange->tallies.count, why);
	if (err == ERR_OK && leaves)
		err = leave(exchange, turn, why);
	if (err == ERR_OK && relays_have_news(exchange->parts.relays))
		err = tell_news(exchange, turn, why);
	if (err == ERR_OK && !leaves && exchange_may_open(exchange, turn))
		err = open_more(exchange, turn, why);
	/* These last, for what was opened just now may have a template that cannot be compiled. */
	if (err == ERR_OK)
		err = holds_write(exchange->parts.runs, db, why);
	return err;
}

enum err exchange_transact(struct exchange *exchange, const struct exchange_turn *turn, struct buf *why)
{
	struct db *db = exchange->parts.db;
	exchange->settlement.now_us = turn->wall_us;
	exchange->row_count = 0;
	enum err err = db_begin(db, why);
	if (err == ERR_OK)
		err = write_all(exchange, turn, why);
	if (err == ERR_OK)
		err = db_commit(db, why);
	/* One row that the database refuses holds up the others only once. */
	exchange->settlement.is_apart = ledger_is_refusal(db, err);
	if (err != ERR_OK) {
		db_rollback(db);
		opener_drop(&exchange->opener);
		return err;
	}
	exchange->tenure.mark.turn++;
	exchange->beat_us = turn->boot_us + BEAT_US;
	exchange->ledger_us = turn->boot_us + LEDGER_EVERY_US;
	if (exchange_is_tally_due(exchange, turn)) {
		exchange->tallies.count = 0;
		exchange->tally_us = turn->boot_us + TALLY_EVERY_US;
	}
	count_settled(exchange);
	for (size_t i = 0; i < relays_count(exchange->parts.relays); i++)
		relay_told_news(relays_at(exchange->parts.relays, i));
	queue_confirm(exchange->parts.queue);
	holds_told(exchange->parts.runs);
	let_leave(exchange);
	/* What could not be kept is found again as after a commit that was not heard. */
	if (exchange->opener.taken_count > 0)
		ahead_opened(&exchange->ahead, turn->boot_us);
	exchange->is_unsure = !opener_take_in(&exchange->opener, exchange->parts.queue, turn->boot_us, turn->wall_us);
	pacer_look(exchange->parts.pacer, exchange->ahead.size);
	runs_sweep(exchange->parts.runs);
	return ERR_OK;
}
