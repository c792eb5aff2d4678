#include "sender/worker.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "sender/delivery.h"
#include "sender/entry.h"
#include "sender/exchange.h"
#include "sender/pace_relays.h"
#include "sender/pacer.h"
#include "sender/recovery.h"

/* The state of a recipient is read again when it is older than 5 s at MAIL; this leaves a turn of the loop in between. */
#define FRESH_US (INT64_C(4500) * CLOCK_US_PER_MS)
/* The longest sleep: a state that changes by time alone is seen after this at the latest. */
#define SLEEP_US (INT64_C(200) * CLOCK_US_PER_MS)

/* So often may the relay fail under one recipient before it is put off by the schedule: one message that a relay cannot stand must not stop
 * all others. */
enum { GIVEN_BACK_MOST = 10 };

struct worker {
	const struct setup *setup;
	struct classifier *classifier;
	struct token_maker *tokens;
	struct letterhead letterhead;
	struct db *db;
	struct journal *journal;
	struct loop *loop;
	struct loop_source *signals[ENTRY_SIGNAL_COUNT];
	struct queue *queue;
	struct pace *pace;
	struct pacer pacer;
	struct runs runs;
	struct relays *relays;
	struct exchange *exchange;
	int64_t boot_us, wall_us; /* of the present turn */
	int64_t stop_by_us;
	bool is_stopping, needs_recheck;
	bool has_failed; /* the journal cannot be written, or the worker was forgotten: nothing may be sent any more */
};

/* ---- the journal ---- */

static void give_up(struct worker *worker, const char *event, struct view why)
{
	struct log_text room;
	if (!worker->has_failed)
		log_event(LOG_ERROR, event, "worker=%s why=%s", journal_worker_id(worker->journal),
			  log_quoted(why, &room));
	worker->has_failed = true;
}

static bool note(struct worker *worker, enum journal_kind kind, const struct ledger_row *row)
{
	const struct journal_record record = { .kind = kind, .row = *row };
	if (worker->has_failed)
		return false;
	enum err err = journal_add(worker->journal, &record);
	if (err != ERR_OK)
		give_up(worker, "journal.failed", view_of(err_name(err)));
	return err == ERR_OK;
}

/* What still matters: intents without an outcome, outcomes that the database does not have. */
struct live {
	const struct worker *worker;
	enum recipient_state state;
	const struct recipient *at;
};

static bool next_live(void *owner, struct journal_record *ret_record)
{
	struct live *live = owner;
	for (;;) {
		while (live->at != NULL && live->state == RECIPIENT_SETTLED && !live->at->is_journaled)
			live->at = queue_next(live->at);
		if (live->at != NULL)
			break;
		if (live->state == RECIPIENT_SETTLED)
			return false;
		live->state = RECIPIENT_SETTLED;
		live->at = queue_first(live->worker->queue, RECIPIENT_SETTLED);
	}
	ret_record->kind = live->state == RECIPIENT_SETTLED ? JOURNAL_OUTCOME : JOURNAL_INTENT;
	ret_record->row = live->at->row;
	live->at = queue_next(live->at);
	return true;
}

static void rewrite_when_worn(struct worker *worker)
{
	if (worker->has_failed || !journal_is_worn(worker->journal))
		return;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct live live = { .worker = worker,
			     .state = RECIPIENT_SENDING,
			     .at = queue_first(worker->queue, RECIPIENT_SENDING) };
	if (journal_rewrite(worker->journal, next_live, &live, &why) != ERR_OK)
		give_up(worker, "journal.failed", buf_view(&why));
}

static bool flush_journal(struct worker *worker)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (!worker->has_failed && journal_flush(worker->journal, &why) != ERR_OK)
		give_up(worker, "journal.failed", buf_view(&why));
	return !worker->has_failed;
}

/* ---- what the relay asks and tells ---- */

static struct delivery_terms terms_of(const struct worker *worker)
{
	return (struct delivery_terms){
		.classifier = worker->classifier,
		.retry = &worker->setup->retry,
		.resend_us = worker->setup->settings.relay_retry,
		.now_us = worker->wall_us,
	};
}

static int64_t leave_by(const struct worker *worker)
{
	return worker->boot_us + worker->setup->settings.sender_stop_timeout;
}

/* Nothing of it is sent; its data is to blame, or our keys. */
static void set_aside(struct worker *worker, struct recipient *recipient, enum err err, struct view why)
{
	if (err == ERR_NOT_FOUND || err == ERR_MEMORY) {
		run_hold(recipient->run, why, leave_by(worker));
		queue_give_back(worker->queue, recipient);
		return;
	}
	delivery_skip(recipient, "not-mergeable", why, worker->wall_us);
	recipient->is_journaled = note(worker, JOURNAL_OUTCOME, &recipient->row);
	queue_settle(worker->queue, recipient);
}

/* Through this relay, now. */
struct gate {
	struct worker *worker;
	struct pace_relay *relay;
};

static bool may_begin(void *owner, struct recipient *recipient)
{
	const struct gate *gate = owner;
	return pace_may(gate->worker->pace, gate->relay, recipient->opened.campaign_id, recipient->opened.address,
			&recipient->mark, gate->worker->boot_us);
}

static void end_pace(struct worker *worker, struct recipient *recipient, enum pace_end end, struct view reply)
{
	pace_end(worker->pace, recipient->pace_relay, recipient->opened.address, &recipient->mark, end, reply,
		 worker->boot_us);
}

static struct recipient *next_recipient(void *owner, struct relay *relay, struct letter *letter)
{
	struct worker *worker = owner;
	struct gate gate = { worker, pace_relay(worker->pace, view_of(relay_terms(relay)->name)) };
	const struct queue_gate queue_gate = { &gate, may_begin };
	if (gate.relay == NULL)
		return NULL;
	while (!worker->is_stopping && !worker->has_failed && !worker->needs_recheck) {
		if (!journal_has_room(worker->journal, queue_in_hand(worker->queue) + 1))
			return NULL;
		struct recipient *recipient =
		    queue_begin(worker->queue, relay_slot(relay), pace_is_free(worker->pace) ? NULL : &queue_gate,
				worker->boot_us - FRESH_US, &worker->needs_recheck);
		if (recipient == NULL)
			return NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err =
		    letter_write(&worker->letterhead, recipient->run->composer, &recipient->opened, letter, &why);
		if (err == ERR_OK) {
			recipient->pace_relay = gate.relay;
			pace_begin(worker->pace, gate.relay, recipient->opened.address, &recipient->mark,
				   worker->boot_us);
			return recipient;
		}
		set_aside(worker, recipient, err, buf_view(&why));
	}
	return NULL;
}

static void on_unspeakable(void *owner, struct recipient *recipient)
{
	end_pace(owner, recipient, PACE_NOT_SENT, VIEW_LIT(""));
	set_aside(owner, recipient, ERR_INVALID, VIEW_LIT("the address cannot be said in SMTP"));
}

static bool may_send(void *owner, struct recipient *recipient, const char *connection)
{
	struct worker *worker = owner;
	if (worker->is_stopping || recipient->run->is_leaving)
		return false;
	const struct delivery_terms terms = terms_of(worker);
	delivery_doubt(recipient, connection, &terms);
	if (!note(worker, JOURNAL_INTENT, &recipient->row))
		return false;
	queue_send(worker->queue, recipient);
	return true;
}

static void settle(struct worker *worker, struct recipient *recipient)
{
	recipient->is_journaled = note(worker, JOURNAL_OUTCOME, &recipient->row);
	queue_settle(worker->queue, recipient);
}

static void take_back(struct worker *worker, struct recipient *recipient)
{
	const struct delivery_terms terms = terms_of(worker);
	bool was_sending = recipient->state == RECIPIENT_SENDING;
	if (++recipient->given_back >= GIVEN_BACK_MOST && !recipient->run->is_leaving) {
		delivery_put_off(recipient, VIEW_LIT("the relay failed each time before it answered"), &terms);
		settle(worker, recipient);
		return;
	}
	if (was_sending)
		note(worker, JOURNAL_WITHDRAWN, &recipient->row);
	queue_give_back(worker->queue, recipient);
}

static void check_breaker(struct worker *worker, struct recipient *recipient, bool about_us)
{
	if (!breaker_note(&recipient->run->breaker, about_us) || recipient->run->is_leaving)
		return;
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	const struct ledger_row *row = &recipient->row;
	buf_addf(&reason, "the relay refuses us, not the subscribers: %u " VIEW_FMT, row->code,
		 VIEW_ARG(view_head(row->reply, RUN_REASON_MOST / 2)));
	run_hold(recipient->run, buf_view(&reason), leave_by(worker));
}

static void on_told(void *owner, struct recipient *recipient, const struct smtp_event *event, const char *connection)
{
	struct worker *worker = owner;
	const struct delivery_terms terms = terms_of(worker);
	end_pace(worker, recipient, pace_relays_end(event, &terms), event->reply.text);
	if (event->type == SMTP_NOT_SENT) {
		take_back(worker, recipient);
		return;
	}
	if (event->type == SMTP_IN_DOUBT) {
		delivery_doubt(recipient, connection, &terms);
		log_event(LOG_WARNING, "delivery.in_doubt",
			  "campaign=%lld subscriber=%lld attempt=%u connection=\"%s\"",
			  (long long)recipient->row.campaign_id, (long long)recipient->row.subscriber_id,
			  recipient->row.attempts, connection);
		settle(worker, recipient);
		return;
	}
	bool about_us = delivery_decide(recipient, event, &terms);
	settle(worker, recipient);
	check_breaker(worker, recipient, about_us);
}

static size_t waiting(void *owner, const struct relay *relay)
{
	const struct worker *worker = owner;
	size_t count = 0;
	for (const struct run *run = worker->runs.first; run != NULL && !worker->is_stopping; run = run->next)
		count += run->is_leaving ? 0 : run->waiting_for[relay_slot(relay)];
	return count;
}

static uint64_t route(void *owner, struct run *run, struct view address)
{
	struct worker *worker = owner;
	uint64_t relays = relays_route(worker->relays, run, address);
	if (relays == 0) {
		AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
		buf_addf(&reason,
			 "no relay fits recipients at " VIEW_FMT
			 " in this campaign: see `listctl relay ls`, add one or change what they are for",
			 VIEW_ARG(address_domain(address)));
		run_hold(run, buf_view(&reason), leave_by(worker));
	}
	return relays;
}

/* ---- the loop ---- */

static void on_stop(void *owner)
{
	struct worker *worker = owner;
	if (worker->is_stopping)
		return;
	worker->is_stopping = true;
	worker->stop_by_us = clock_boot_us() + worker->setup->settings.sender_stop_timeout;
	log_event(LOG_INFO, "worker.stopping", "worker=%s in_hand=%zu", journal_worker_id(worker->journal),
		  queue_in_hand(worker->queue));
	relays_quit(worker->relays);
}

/* Those who were given time and are still being sent. */
static void cut_off_late(struct worker *worker)
{
	if (worker->is_stopping && worker->boot_us >= worker->stop_by_us)
		relays_cut(worker->relays, NULL);
	for (struct run *run = worker->runs.first; run != NULL; run = run->next) {
		if (run->is_leaving && run->in_hand > 0 && worker->boot_us >= run->leave_by_us)
			relays_cut(worker->relays, run);
	}
}

/* Content goes only after its intent is in the journal. */
static void send_out(struct worker *worker)
{
	pace_relays_limit(worker->pace, worker->relays, worker->boot_us);
	relays_feed(worker->relays, worker->boot_us);
	rewrite_when_worn(worker);
	if (flush_journal(worker))
		relays_write(worker->relays, worker->boot_us);
}

/* True when the worker is done. */
static bool deal(struct worker *worker)
{
	const struct exchange_turn turn = {
		.boot_us = worker->boot_us,
		.wall_us = worker->wall_us,
		.is_stopping = worker->is_stopping,
		.needs_recheck = worker->needs_recheck,
	};
	const struct exchange_result result = exchange_take_turn(worker->exchange, &turn);
	const struct ledger_row nobody = { 0 };
	worker->needs_recheck = false;
	if (result.is_forgotten)
		give_up(worker, "worker.forgotten",
			VIEW_LIT("its recipients are in doubt; a new worker takes its place"));
	else if (result.is_committed)
		note(worker, JOURNAL_CHECKPOINT, &nobody);
	/* The journal keeps what the database cannot be told now. */
	bool is_stranded =
	    worker->is_stopping && queue_in_hand(worker->queue) == 0 && exchange_is_away(worker->exchange);
	return result.is_over || is_stranded;
}

static void set_clock(struct worker *worker)
{
	worker->boot_us = clock_boot_us();
	worker->wall_us = clock_wall_us();
}

static int64_t sleep_time(const struct worker *worker)
{
	int64_t wait_us = exchange_wait(worker->exchange, worker->boot_us);
	int64_t relay_us = relays_wait(worker->relays, worker->boot_us);
	if (relay_us >= 0 && relay_us < wait_us)
		wait_us = relay_us;
	return wait_us < SLEEP_US ? wait_us : SLEEP_US;
}

static void work(struct worker *worker)
{
	bool is_done = false;
	while (!is_done && !worker->has_failed) {
		set_clock(worker);
		cut_off_late(worker);
		send_out(worker);
		is_done = deal(worker);
		set_clock(worker);
		send_out(worker);
		loop_run_once(worker->loop, sleep_time(worker));
	}
}

/* ---- beginning and end ---- */

static enum err make_parts(struct worker *worker)
{
	const struct settings *settings = &worker->setup->settings;
	const struct relay_owner owner = {
		.connection = { .owner = worker, .may_send = may_send, .told = on_told },
		.next = next_recipient,
		.unspeakable = on_unspeakable,
		.waiting = waiting,
	};
	const struct queue_router router = { .owner = worker, .route = route };
	enum err err = loop_new(&worker->loop);
	if (err == ERR_OK)
		err = queue_new(&router, &worker->queue);
	if (err == ERR_OK)
		err = pace_new(&worker->pace);
	if (err == ERR_OK)
		err = token_maker_new(&worker->setup->keyring, view_of(settings->bounce_domain), &worker->tokens);
	if (err == ERR_OK)
		err = relays_new(worker->setup, worker->loop, &owner, &worker->relays);
	worker->letterhead = (struct letterhead){
		.tokens = worker->tokens,
		.bounce_domain = view_of(settings->bounce_domain),
		.bounce_prefix = view_of(settings->bounce_prefix),
	};
	worker->pacer.parts = (struct pacer_parts){
		.db = worker->db,
		.worker_id = journal_worker_id(worker->journal),
		.pace = worker->pace,
		.queue = worker->queue,
		.relays = worker->relays,
		.window = settings->sender_window,
	};
	const struct exchange_parts parts = {
		.setup = worker->setup,
		.classifier = worker->classifier,
		.worker_id = journal_worker_id(worker->journal),
		.db = worker->db,
		.queue = worker->queue,
		.pacer = &worker->pacer,
		.runs = &worker->runs,
		.relays = worker->relays,
	};
	return err == ERR_OK ? exchange_new(&parts, &worker->exchange) : err;
}

static enum err listen_to_signals(struct worker *worker)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(entry_signals); i++)
		err = loop_signal_new(worker->loop, entry_signals[i], on_stop, worker, &worker->signals[i]);
	return err;
}

static void worker_done(struct worker *worker)
{
	exchange_done(worker->exchange);
	relays_done(worker->relays);
	for (size_t i = 0; i < ARRAY_LEN(worker->signals); i++)
		loop_source_done(worker->signals[i]);
	queue_done(worker->queue);
	pace_done(worker->pace);
	runs_done(&worker->runs);
	loop_done(worker->loop);
	token_maker_done(worker->tokens);
	journal_done(worker->journal);
	db_close(worker->db);
	classifier_done(worker->classifier);
}

/* The database, the journal of last time, and what it says brought into the database: again and again until it is done. ERR_REFUSED: a
 * signal came first. */
static enum err enter(struct worker *worker, unsigned slot)
{
	const struct recovery recovery = { worker->setup, worker->classifier, worker->db };
	for (;;) {
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err = recovery_adopt(&recovery, slot, &worker->journal, &why);
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
	enum err err = classifier_new(&worker.classifier);
	if (err == ERR_OK)
		err = entry_open_database(setup, ENTRY_PATIENCE_US, &worker.db);
	if (err == ERR_OK)
		err = enter(&worker, slot);
	if (err == ERR_OK)
		err = make_parts(&worker);
	if (err == ERR_OK)
		err = listen_to_signals(&worker);
	if (err == ERR_OK) {
		entry_over();
		log_event(LOG_INFO, "worker.started", "worker=%s journal=%s", journal_worker_id(worker.journal),
			  journal_path(worker.journal));
		work(&worker);
		log_event(LOG_INFO, "worker.stopped", "worker=%s cpu_us=%lld exchange_us=%lld",
			  journal_worker_id(worker.journal), (long long)clock_cpu_us(),
			  (long long)exchange_cpu(worker.exchange));
		status = worker.has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
	} else if (err == ERR_REFUSED) {
		status = EXIT_SUCCESS;
	} else {
		log_event(LOG_ERROR, "worker.failed", "error=%s", err_name(err));
	}
	worker_done(&worker);
	return status;
}
