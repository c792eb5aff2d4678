#include "sender/dispatch.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "sender/delivery.h"
#include "sender/impersonal.h"
#include "sender/pace_relays.h"
#include "sender/tally.h"

/* The state of a recipient is read again when it is older than 5 s at MAIL; this leaves a turn of the loop in between. */
#define FRESH_US (INT64_C(4500) * CLOCK_US_PER_MS)

/* So often may the relay fail under one recipient before it is put off by the schedule: one message that a relay cannot stand must not stop
 * all others. */
enum { GIVEN_BACK_MOST = 10 };

/* ---- who is next ---- */

static struct delivery_terms terms_of(const struct dispatch *dispatch)
{
	return (struct delivery_terms){
		.classifier = dispatch->classifier,
		.retry = &dispatch->setup->retry,
		.soon_us = dispatch->setup->settings.relay_retry,
		.now_us = dispatch->wall_us,
	};
}

static int64_t leave_by(const struct dispatch *dispatch)
{
	return dispatch->boot_us + dispatch->setup->settings.sender_stop_timeout;
}

/* Nothing of it is sent; its data is to blame, or our keys. */
static void set_aside(struct dispatch *dispatch, struct recipient *recipient, enum err err, struct view why)
{
	if (err == ERR_NOT_FOUND || err == ERR_MEMORY) {
		run_hold(recipient->run, why, leave_by(dispatch));
		queue_give_back(dispatch->queue, recipient);
		return;
	}
	delivery_skip(recipient, "not-mergeable", why, dispatch->wall_us);
	recipient->is_journaled = keeper_note(dispatch->keeper, JOURNAL_OUTCOME, &recipient->row);
	queue_settle(dispatch->queue, recipient);
}

/* Through this relay, now. */
struct gate {
	struct dispatch *dispatch;
	struct pace_relay *relay;
	const struct distrust *distrust;
};

/* What pace calls it. */
static struct view destination_of(struct dispatch *dispatch, struct recipient *recipient)
{
	struct view group = pace_group(dispatch->pace, recipient->opened.address, &recipient->mark);
	return group.len > 0 ? group : address_domain(recipient->opened.address);
}

static bool tells_less(void *owner, struct recipient *recipient)
{
	const struct gate *gate = owner;
	return distrust_knows(gate->distrust, recipient->opened.campaign_id, destination_of(gate->dispatch, recipient));
}

static bool may_begin(void *owner, struct recipient *recipient)
{
	const struct gate *gate = owner;
	return pace_may(gate->dispatch->pace, gate->relay, recipient->opened.campaign_id, recipient->opened.address,
			&recipient->mark, gate->dispatch->boot_us);
}

static uint64_t preferred(void *owner, const struct recipient *recipient, uint64_t others)
{
	const struct gate *gate = owner;
	const struct dispatch *dispatch = gate->dispatch;
	return relays_preferred(dispatch->relays, recipient->deferred_by, recipient->deferred_us, others,
				dispatch->boot_us);
}

static void end_pace(struct dispatch *dispatch, struct recipient *recipient, enum pace_end end, struct view reply)
{
	AUTO_BUF said = buf_with_ceiling(LIMIT_REPLY);
	if (end == PACE_THROTTLED || end == PACE_RELAY_THROTTLED)
		impersonal_add(reply, recipient->opened.address, &said);
	pace_end(dispatch->pace, recipient->pace_relay, recipient->opened.address, &recipient->mark, end,
		 buf_view(&said), dispatch->boot_us);
}

static struct recipient *next_recipient(void *owner, struct relay *relay, struct letter *letter)
{
	struct dispatch *dispatch = owner;
	struct gate gate = { dispatch, pace_relay(dispatch->pace, view_of(relay_terms(relay)->name)),
			     relay_distrust(relay) };
	const struct queue_gate queue_gate = { .owner = &gate,
					       .may = pace_is_free(dispatch->pace) ? NULL : may_begin,
					       .preferred = preferred,
					       .tells_less = tells_less,
					       .checked_since_us = dispatch->boot_us - FRESH_US,
					       .wants_fresh = relay_wants_fresh(relay),
					       .relay_name = view_of(relay_terms(relay)->name),
					       .other_relays = relays_working(dispatch->relays, dispatch->boot_us) };
	if (gate.relay == NULL)
		return NULL;
	while (!dispatch->is_stopping && !dispatch->is_deaf && !dispatch->keeper->has_failed &&
	       !dispatch->needs_recheck) {
		if (!keeper_has_room(dispatch->keeper))
			return NULL;
		struct recipient *recipient =
		    queue_begin(dispatch->queue, relay_slot(relay), &queue_gate, &dispatch->needs_recheck);
		if (recipient == NULL)
			return NULL;
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		enum err err = letter_write(
		    &dispatch->letterhead,
		    run_composer(recipient->run, recipient->opened.list_id, recipient->opened.terms.variant),
		    &recipient->run->signing, &recipient->opened, letter, &why);
		if (err == ERR_OK) {
			recipient->through = relay;
			recipient->pace_relay = gate.relay;
			pace_begin(dispatch->pace, gate.relay, recipient->opened.address, &recipient->mark,
				   dispatch->boot_us);
			return recipient;
		}
		set_aside(dispatch, recipient, err, buf_view(&why));
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
	struct dispatch *dispatch = owner;
	if (dispatch->is_stopping || recipient->run->is_leaving)
		return false;
	const struct delivery_terms terms = terms_of(dispatch);
	delivery_doubt(recipient, connection, &terms);
	if (!keeper_note(dispatch->keeper, JOURNAL_INTENT, &recipient->row))
		return false;
	queue_send(dispatch->queue, recipient);
	return true;
}

/* A relay may go before his row is written. That of the settings, whose name may be longer, is the only one there is. */
static void name_relay(struct recipient *recipient)
{
	struct view name = view_of(relay_terms(recipient->through)->name);
	if (name.len > sizeof(recipient->connection))
		return;
	memcpy(recipient->connection, name.data, name.len);
	recipient->row.relay = view_from(recipient->connection, name.len);
}

static void log_doubt(const struct recipient *recipient)
{
	const struct ledger_row *row = &recipient->row;
	log_event(LOG_WARNING, "delivery.in_doubt",
		  "campaign=%lld subscriber=%lld attempt=%u connection=\"" VIEW_FMT "\"", (long long)row->campaign_id,
		  (long long)row->subscriber_id, row->attempts, VIEW_ARG(row->connection));
}

static void settle(struct dispatch *dispatch, struct recipient *recipient)
{
	delivery_keep_doubt(recipient, relay_terms(recipient->through)->name);
	if (recipient->row.outcome == LEDGER_IN_DOUBT)
		log_doubt(recipient);
	if (recipient->row.connection.len == 0) /* which stands in the same place */
		name_relay(recipient);
	recipient->is_journaled = keeper_note(dispatch->keeper, JOURNAL_OUTCOME, &recipient->row);
	queue_settle(dispatch->queue, recipient);
}

static void take_back(struct dispatch *dispatch, struct recipient *recipient)
{
	const struct delivery_terms terms = terms_of(dispatch);
	bool was_sending = recipient->state == RECIPIENT_SENDING;
	bool goes_on = !dispatch->is_stopping && !recipient->run->is_leaving;
	if (++recipient->given_back >= GIVEN_BACK_MOST && goes_on) {
		delivery_put_off(recipient, VIEW_LIT("the relay failed each time before it answered"), &terms);
		settle(dispatch, recipient);
		return;
	}
	if (was_sending)
		keeper_note(dispatch->keeper, JOURNAL_WITHDRAWN, &recipient->row);
	queue_give_back(dispatch->queue, recipient);
}

/* What this relay cannot take another one may that fits him. False: there is none. */
static bool pass_on(struct dispatch *dispatch, struct recipient *recipient)
{
	recipient->relays &= ~(UINT64_C(1) << relay_slot(recipient->through));
	if (recipient->relays == 0)
		return false;
	queue_give_back(dispatch->queue, recipient);
	return true;
}

static void hold_group(struct dispatch *dispatch, struct run *run, struct group_breaker *group, struct view reason)
{
	run_hold_group(run, group, reason);
	/* Without memory for it: when the database says so. */
	enum err err = pace_load_hold(dispatch->pace, run->id, view_of(group->name));
	(void)err;
}

/* Notes what became of him with both breakers of the campaign or group; whose word it is to stop, if it is. */
static const char *note_with(const struct settings *settings, struct breaker *about_us, struct breaker *hard,
			     const struct recipient *recipient, bool is_about_us)
{
	const struct breaker_terms policy_terms = { settings->breaker_policy_share, settings->breaker_policy_min };
	const struct breaker_terms hard_terms = { settings->breaker_hard_share, settings->breaker_hard_min };
	bool is_stopped_by_policy = breaker_note(about_us, &policy_terms, is_about_us);
	if (breaker_note(hard, &hard_terms, tally_is_hard(&recipient->row)))
		return "says of many one after the other that they are not there";
	return is_stopped_by_policy ? "refuses us, not the subscribers" : NULL;
}

/* What was under way to a group when it was held says nothing new. */
static void check_breaker(struct dispatch *dispatch, struct recipient *recipient, bool about_us)
{
	const struct settings *settings = &dispatch->setup->settings;
	struct run *run = recipient->run;
	struct view address = recipient->opened.address;
	if (run->is_leaving || pace_is_held(dispatch->pace, run->id, address, &recipient->mark))
		return;
	struct view name = pace_group(dispatch->pace, address, &recipient->mark);
	struct group_breaker *group = name.len == 0 ? NULL : run_group(run, name);
	const char *group_trips =
	    group == NULL ? NULL : note_with(settings, &group->breaker, &group->hard, recipient, about_us);
	const char *run_trips = note_with(settings, &run->breaker, &run->hard, recipient, about_us);
	if (group_trips == NULL && run_trips == NULL)
		return;
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF said = buf_with_ceiling(LIMIT_REPLY);
	const struct ledger_row *row = &recipient->row;
	impersonal_add(row->reply, address, &said);
	buf_addf(&reason, "relay %s %s: %u " VIEW_FMT, relay_terms(recipient->through)->name,
		 group_trips != NULL ? group_trips : run_trips, row->code,
		 VIEW_ARG(view_head(buf_view(&said), RUN_REASON_MOST / 2)));
	if (group_trips != NULL)
		hold_group(dispatch, run, group, buf_view(&reason));
	else
		run_hold(run, buf_view(&reason), leave_by(dispatch));
}

/* What was under way when his campaign was left, or his group held, says nothing new. */
static bool is_stopped(struct dispatch *dispatch, struct recipient *recipient)
{
	struct run *run = recipient->run;
	return run->is_leaving || pace_is_held(dispatch->pace, run->id, recipient->opened.address, &recipient->mark);
}

/* The breakers are to say first whether it is about him, and count him once. */
static void count_refusal(struct dispatch *dispatch, struct recipient *recipient, const struct smtp_event *event)
{
	const struct delivery_terms terms = terms_of(dispatch);
	recipient->counted_us = dispatch->boot_us;
	delivery_decide(recipient, event, &terms);
	check_breaker(dispatch, recipient, true);
	take_back(dispatch, recipient);
}

/* Nobody has shown meanwhile that the relay takes anything. */
static void disbelieve(struct dispatch *dispatch, struct recipient *recipient, const struct smtp_event *event)
{
	const struct delivery_terms terms = terms_of(dispatch);
	if (delivery_disbelieve(recipient, event, &terms))
		relay_disbelieved(recipient->through, recipient, event);
	settle(dispatch, recipient);
}

/* The relay that may take him works again before his time is over, or it does not. */
static void await_others(struct dispatch *dispatch, struct recipient *recipient, const struct smtp_event *event)
{
	const struct delivery_terms terms = terms_of(dispatch);
	bool has_time = delivery_disbelieve(recipient, event, &terms);
	(void)has_time;
	settle(dispatch, recipient);
}

/* What shows, when he is refused again, that the relay works for others. At RCPT, where relays speak of the address, also that it has done so for his
 * campaign and refuses few. */
static bool is_meant(const struct recipient *recipient, const struct smtp_event *event)
{
	const struct relay *relay = recipient->through;
	return relay_has_answered_since(relay, recipient->counted_us) ||
	       (event->step == SMTP_STEP_RCPT &&
		distrust_is_of_few(relay_distrust(relay), recipient->run->answered[relay_slot(relay)]));
}

/* Another relay that fits him, and has not refused him, is out of reach for a while. */
static bool is_awaited_elsewhere(const struct recipient *recipient, uint64_t working)
{
	uint64_t others = recipient->relays & ~recipient->refused_by & ~(UINT64_C(1) << relay_slot(recipient->through));
	return (others & ~working) != 0;
}

/* Refused before his content: another relay may take him, or it is not about him. False: it is, and his end. */
static bool try_again(struct dispatch *dispatch, struct recipient *recipient, const struct smtp_event *event)
{
	if (is_stopped(dispatch, recipient)) {
		take_back(dispatch, recipient);
		return true;
	}
	bool is_heard_again = recipient->counted_us != 0;
	relay_refused(recipient->through, recipient, destination_of(dispatch, recipient), event, dispatch->boot_us);
	recipient->is_confirmed |= is_heard_again && is_meant(recipient, event);
	uint64_t others = relays_working(dispatch->relays, dispatch->boot_us);
	if ((recipient->relays & ~recipient->refused_by & others) != 0)
		take_back(dispatch, recipient);
	else if (!is_heard_again)
		count_refusal(dispatch, recipient, event);
	else if (is_awaited_elsewhere(recipient, others))
		await_others(dispatch, recipient, event);
	else if (!recipient->is_confirmed)
		disbelieve(dispatch, recipient, event);
	else
		return false;
	return true;
}

/* What his end says of the relay. */
static void note_answer(struct dispatch *dispatch, struct recipient *recipient, const struct smtp_event *event)
{
	struct relay *relay = recipient->through;
	if (event->type == SMTP_ACCEPTED || event->step == SMTP_STEP_FINAL_DOT) {
		relay_answered(relay, dispatch->boot_us);
		recipient->run->answered[relay_slot(relay)]++;
	}
	if (event->type == SMTP_ACCEPTED)
		relay_accepted(relay, dispatch->boot_us);
	uint64_t others = recipient->relays & relays_working(dispatch->relays, dispatch->boot_us);
	if (delivery_is_deferral(event) && relays_that_accept(dispatch->relays, relay, others) != 0)
		relay_deferred(relay, recipient, destination_of(dispatch, recipient), event, dispatch->boot_us);
}

static void on_told(void *owner, struct recipient *recipient, const struct smtp_event *event, const char *connection)
{
	struct dispatch *dispatch = owner;
	const struct delivery_terms terms = terms_of(dispatch);
	end_pace(dispatch, recipient, pace_relays_end(event, &terms), event->reply.text);
	if (event->type == SMTP_UNFIT && pass_on(dispatch, recipient))
		return;
	if (event->type == SMTP_NOT_SENT) {
		take_back(dispatch, recipient);
		return;
	}
	note_answer(dispatch, recipient, event);
	bool blames_nobody = delivery_blames_nobody(event, &terms);
	if (blames_nobody && try_again(dispatch, recipient, event))
		return;
	if (event->type == SMTP_IN_DOUBT) {
		delivery_doubt(recipient, connection, &terms);
		settle(dispatch, recipient);
		return;
	}
	bool about_us = delivery_decide(recipient, event, &terms);
	settle(dispatch, recipient);
	if (!blames_nobody)
		check_breaker(dispatch, recipient, about_us);
}

static bool proves_nothing(void *owner, const struct smtp_event *refusal)
{
	const struct delivery_terms terms = terms_of(owner);
	return delivery_blames_nobody(refusal, &terms);
}

static void on_troubled(void *owner, const char *name, const struct smtp_event *event, bool others_work)
{
	struct dispatch *dispatch = owner;
	const struct delivery_terms terms = terms_of(dispatch);
	struct pace_relay *relay =
	    pace_relays_is_throttled(event, &terms, others_work) ? pace_relay(dispatch->pace, view_of(name)) : NULL;
	if (relay != NULL)
		pace_relay_throttled(dispatch->pace, relay, event->reply.text, dispatch->boot_us);
}

static size_t waiting(void *owner, const struct relay *relay)
{
	const struct dispatch *dispatch = owner;
	size_t count = 0;
	for (const struct run *run = dispatch->runs->first; run != NULL && !dispatch->is_stopping; run = run->next)
		count += run->is_leaving ? 0 : run->waiting_for[relay_slot(relay)];
	return count;
}

static bool has_room(void *owner)
{
	const struct dispatch *dispatch = owner;
	return keeper_has_room(dispatch->keeper);
}

static uint64_t named(void *owner, struct view relay)
{
	const struct dispatch *dispatch = owner;
	return relays_named(dispatch->relays, relay);
}

static uint64_t route(void *owner, struct run *run, struct view address)
{
	struct dispatch *dispatch = owner;
	uint64_t relays = relays_route(dispatch->relays, run, address);
	if (relays == 0) {
		AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
		buf_addf(&reason,
			 "no relay fits recipients at " VIEW_FMT
			 " in this campaign: see `listctl relay ls`, add one or change what they are for",
			 VIEW_ARG(address_domain(address)));
		run_hold(run, buf_view(&reason), leave_by(dispatch));
	}
	return relays;
}

/* ---- for whom it is done ---- */

struct relay_owner dispatch_for_relays(struct dispatch *dispatch)
{
	return (struct relay_owner){
		.connection = { .owner = dispatch,
				.may_send = may_send,
				.told = on_told,
				.proves_nothing = proves_nothing,
				.troubled = on_troubled },
		.next = next_recipient,
		.unspeakable = on_unspeakable,
		.waiting = waiting,
		.has_room = has_room,
	};
}

struct queue_router dispatch_for_queue(struct dispatch *dispatch)
{
	return (struct queue_router){ .owner = dispatch, .route = route, .named = named };
}
