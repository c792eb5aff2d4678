#include "sender/worker.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/dispatch.h"
#include "sender/entry.h"
#include "sender/exchange.h"
#include "sender/keeper.h"
#include "sender/pace_relays.h"
#include "sender/pacer.h"
#include "sender/recovery.h"
#include "sender/rule_watch.h"

/* The longest sleep: a state that changes by time alone is seen after this at the latest. */
#define SLEEP_US (INT64_C(200) * CLOCK_US_PER_MS)

/* Who is only begun when his campaign is left will not be sent to; but a relay that answers as quickly as most do may still refuse him. */
#define REFUSAL_US CLOCK_US_PER_SECOND

struct worker {
	const struct setup *setup;
	struct rule_watch rules;
	struct token_maker *tokens;
	struct dkim_signer *signer;
	struct db *db;
	struct journal *journal;
	struct loop *loop;
	struct queue *queue;
	struct pace *pace;
	struct pacer pacer;
	struct runs runs;
	struct relays *relays;
	struct exchange *exchange;
	struct keeper keeper;
	struct dispatch dispatch;
	struct wall wall;
	int64_t stop_by_us;
	bool is_hasty; /* a transaction is announced and waits for the next turn */
};

/* ---- the loop ---- */

/* The database's silence is cut short by the same word: store/db.h. */
static void hear_signals(struct worker *worker)
{
	if (worker->dispatch.is_stopping || !entry_is_stopped())
		return;
	worker->dispatch.is_stopping = true;
	worker->stop_by_us = clock_boot_us() + worker->setup->settings.sender_stop_timeout;
	log_event(LOG_INFO, "worker.stopping", "worker=%s under_way=%zu begun=%zu", journal_worker_id(worker->journal),
		  queue_sending(worker->queue), queue_begun(worker->queue));
	relays_quit(worker->relays);
}

/* Of that run (NULL: of all). Whose content has started is awaited until then, who is only begun for a moment. */
static void hurry(struct worker *worker, const struct run *run, size_t begun, int64_t leave_by_us)
{
	int64_t left_us = leave_by_us - worker->setup->settings.sender_stop_timeout;
	if (worker->dispatch.boot_us >= leave_by_us)
		relays_cut(worker->relays, run);
	else if (begun > 0 && worker->dispatch.boot_us >= left_us + REFUSAL_US)
		relays_withdraw(worker->relays, run);
}

static void let_go_late(struct worker *worker)
{
	if (worker->dispatch.is_stopping)
		hurry(worker, NULL, queue_begun(worker->queue), worker->stop_by_us);
	for (struct run *run = worker->runs.first; run != NULL; run = run->next) {
		if (run->is_leaving && run_in_hand(run) > 0)
			hurry(worker, run, run->begun, run->leave_by_us);
	}
}

/* Content goes only after its intent is in the journal. */
static void send_out(struct worker *worker)
{
	worker->dispatch.is_deaf = !exchange_may_begin(worker->exchange, worker->dispatch.boot_us);
	pace_relays_limit(worker->pace, worker->relays, worker->dispatch.boot_us);
	relays_feed(worker->relays, worker->dispatch.boot_us);
	keeper_rewrite_when_worn(&worker->keeper);
	if (keeper_flush(&worker->keeper))
		relays_write(worker->relays, worker->dispatch.boot_us);
}

/* The journal keeps what the database cannot be told now, or refuses. */
static bool is_stranded(const struct worker *worker)
{
	bool is_late = worker->dispatch.boot_us >= worker->stop_by_us && exchange_is_failing(worker->exchange);
	return worker->dispatch.is_stopping && queue_in_hand(worker->queue) == 0 &&
	       (is_late || exchange_is_away(worker->exchange));
}

/* True when the worker is done. */
static bool deal(struct worker *worker)
{
	const struct exchange_turn turn = {
		.boot_us = worker->dispatch.boot_us,
		.wall_us = worker->dispatch.wall_us,
		.is_stopping = worker->dispatch.is_stopping,
		.needs_recheck = worker->dispatch.needs_recheck,
	};
	const struct exchange_result result = exchange_take_turn(worker->exchange, &turn);
	const struct ledger_row nobody = { 0 };
	worker->dispatch.needs_recheck = false;
	keeper_check_size(&worker->keeper, relays_in_hand_most(worker->relays));
	if (result.is_next)
		keeper_announce(&worker->keeper, result.announced);
	worker->is_hasty = result.is_next;
	if (result.is_replaced)
		keeper_give_up(
		    &worker->keeper, "worker.replaced",
		    VIEW_LIT("another process goes on with it: this one's journal is a copy, or was copied"));
	else if (result.is_forgotten)
		keeper_give_up(&worker->keeper, "worker.forgotten",
			       VIEW_LIT("its recipients are in doubt; a new worker takes its place"));
	else if (result.is_committed)
		keeper_note(&worker->keeper, JOURNAL_CHECKPOINT, &nobody);
	return result.is_over || is_stranded(worker);
}

static void set_clock(struct worker *worker)
{
	worker->dispatch.boot_us = clock_boot_us();
	worker->dispatch.wall_us = wall_at(&worker->wall, worker->dispatch.boot_us);
}

static int64_t sleep_time(const struct worker *worker)
{
	if (worker->is_hasty)
		return 0;
	int64_t wait_us = exchange_wait(worker->exchange, worker->dispatch.is_stopping, worker->dispatch.boot_us);
	int64_t relay_us = relays_wait(worker->relays, worker->dispatch.boot_us);
	if (relay_us >= 0 && relay_us < wait_us)
		wait_us = relay_us;
	return wait_us < SLEEP_US ? wait_us : SLEEP_US;
}

static void work(struct worker *worker)
{
	bool is_done = false;
	while (!is_done && !worker->keeper.has_failed) {
		set_clock(worker);
		rule_watch_look(&worker->rules, worker->dispatch.boot_us);
		hear_signals(worker);
		let_go_late(worker);
		send_out(worker);
		is_done = deal(worker);
		set_clock(worker);
		hear_signals(worker);
		send_out(worker);
		loop_run_once(worker->loop, sleep_time(worker));
	}
}

/* ---- beginning and end ---- */

static enum err make_parts(struct worker *worker)
{
	const struct settings *settings = &worker->setup->settings;
	const struct relay_owner owner = dispatch_for_relays(&worker->dispatch);
	const struct queue_router router = dispatch_for_queue(&worker->dispatch);
	enum err err = loop_new(&worker->loop);
	if (err == ERR_OK)
		err = queue_new(&router, &worker->queue);
	if (err == ERR_OK)
		err = pace_new(&worker->pace);
	if (err == ERR_OK)
		err = token_maker_new(&worker->setup->keyring, view_of(settings->bounce_domain), &worker->tokens);
	if (err == ERR_OK)
		err = dkim_signer_new(&worker->signer);
	worker->keeper = (struct keeper){ .journal = worker->journal, .queue = worker->queue };
	if (err == ERR_OK)
		err =
		    relays_new(worker->setup, worker->loop, &owner, keeper_messages(&worker->keeper), &worker->relays);
	worker->dispatch = (struct dispatch){
		.setup = worker->setup,
		.classifier = worker->rules.classifier,
		.letterhead = { .tokens = worker->tokens,
				.signer = worker->signer,
				.bounce_domain = view_of(settings->bounce_domain),
				.bounce_prefix = view_of(settings->bounce_prefix) },
		.keeper = &worker->keeper,
		.queue = worker->queue,
		.pace = worker->pace,
		.runs = &worker->runs,
		.relays = worker->relays,
	};
	worker->pacer.parts = (struct pacer_parts){
		.db = worker->db,
		.worker_id = journal_worker_id(worker->journal),
		.pace = worker->pace,
		.queue = worker->queue,
		.relays = worker->relays,
		.lease_us = settings->sender_lease,
	};
	const struct exchange_parts parts = {
		.setup = worker->setup,
		.classifier = worker->rules.classifier,
		.worker_id = journal_worker_id(worker->journal),
		.journal = worker->journal,
		.db = worker->db,
		.queue = worker->queue,
		.pacer = &worker->pacer,
		.runs = &worker->runs,
		.relays = worker->relays,
		.wall = &worker->wall,
	};
	return err == ERR_OK ? exchange_new(&parts, &worker->exchange) : err;
}

static void worker_done(struct worker *worker)
{
	exchange_done(worker->exchange);
	relays_done(worker->relays);
	queue_done(worker->queue);
	pace_done(worker->pace);
	runs_done(&worker->runs);
	loop_done(worker->loop);
	token_maker_done(worker->tokens);
	dkim_signer_done(worker->signer);
	journal_done(worker->journal);
	db_close(worker->db);
	rule_watch_done(&worker->rules);
}

static enum err adopt(struct worker *worker, unsigned slot, struct buf *why)
{
	const struct recovery recovery = { worker->setup, worker->rules.classifier, worker->db, &worker->wall };
	int64_t shown_us, asked_us = clock_boot_us();
	enum err err = workers_clock(worker->db, &shown_us, why);
	if (err != ERR_OK)
		return err;
	wall_hear(&worker->wall, asked_us, clock_boot_us(), shown_us);
	return recovery_adopt(&recovery, slot, &worker->journal, why);
}

/* The database, the journal of last time, and what it says brought into the database: again and again until it is done. ERR_REFUSED: a
 * signal came first. */
static enum err enter(struct worker *worker, unsigned slot)
{
	for (;;) {
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err = adopt(worker, slot, &why);
		if (err == ERR_OK)
			return ERR_OK;
		struct log_text room;
		log_event(LOG_ERROR, "worker.waits", "error=%s why=%s", err_name(err),
			  log_quoted(buf_view(&why), &room));
		if (!entry_wait())
			return ERR_REFUSED;
		if (!db_is_connected(worker->db) && db_reconnect(worker->db, &why) != ERR_OK)
			continue;
	}
}

int worker_run(const struct setup *setup, unsigned slot)
{
	struct worker worker = { .setup = setup };
	int status = EXIT_FAILURE;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = rule_watch_begin(setup->settings.bounce_rules, buf_view(&setup->rules), &worker.rules, &why);
	if (err == ERR_OK)
		err = entry_open_database(setup, ENTRY_PATIENCE_US, &worker.db);
	if (err == ERR_OK)
		err = enter(&worker, slot);
	if (err == ERR_OK)
		err = make_parts(&worker);
	if (err == ERR_OK) {
		log_event(LOG_INFO, "worker.started", "worker=%s journal=%s", journal_worker_id(worker.journal),
			  journal_path(worker.journal));
		work(&worker);
		log_event(LOG_INFO, "worker.stopped", "worker=%s cpu_us=%lld exchange_us=%lld",
			  journal_worker_id(worker.journal), (long long)clock_cpu_us(),
			  (long long)exchange_cpu(worker.exchange));
		status = worker.keeper.has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
	} else if (err == ERR_REFUSED) {
		status = EXIT_SUCCESS;
	} else {
		log_event(LOG_ERROR, "worker.failed", "error=%s", err_name(err));
	}
	worker_done(&worker);
	return status;
}
