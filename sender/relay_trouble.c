#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sender/impersonal.h"
#include "sender/relay_private.h"

/* Whom it would have to itself does not wait for it longer than that. */
#define SILENT_US (INT64_C(10) * CLOCK_US_PER_SECOND)

/* ---- failing and working ---- */

static void log_trip(const struct relay *relay, int64_t wait_us)
{
	struct log_text room;
	log_event(LOG_WARNING, "relay.tripped", "relay=%s wait=%llds trouble=%s", relay->terms.name,
		  (long long)(wait_us / CLOCK_US_PER_SECOND), log_quoted(buf_view(&relay->trouble), &room));
}

void relay_trouble_fail(struct relay *relay, struct view trouble, int64_t now_us)
{
	buf_reset(&relay->trouble);
	buf_add(&relay->trouble, trouble.len == 0 ? VIEW_LIT("the connection was lost") : trouble);
	backoff_fail(&relay->backoff, now_us);
	relay_endpoints_forget(&relay->endpoints);
	relay->has_news = true;
	log_trip(relay, relay->backoff.wait_us);
}

/* One trouble is over, or has come; the other one may be there still. What stands goes on in any case. */
void relay_trouble_retell(struct relay *relay, int64_t now_us)
{
	if (backoff_is_failed(&relay->backoff))
		return;
	buf_reset(&relay->trouble);
	relay->has_news = true;
	if (relay->access.is_refused) {
		access_tell(&relay->access, &relay->trouble);
		log_trip(relay, access_wait(&relay->access, now_us));
	} else if (relay->disbelief.len > 0) {
		buf_add(&relay->trouble, buf_view(&relay->disbelief));
	} else {
		log_event(LOG_INFO, "relay.restored", "relay=%s", relay->terms.name);
	}
}

void relay_trouble_end_access(struct relay *relay, enum login_end end, struct connection *connection, int64_t now_us)
{
	bool is_trial = connection == relay->trial;
	if (is_trial)
		relay->trial = NULL;
	if (access_end(&relay->access, end, is_trial, connection_trouble(connection), now_us))
		relay_trouble_retell(relay, now_us);
}

void relay_trouble_work(struct relay *relay, int64_t now_us)
{
	/* Who is put off as before brings a connection to work, not the relay. */
	if (!backoff_is_failed(&relay->backoff) || relay->deferring.bears > 0)
		return;
	backoff_clear(&relay->backoff);
	relay_trouble_retell(relay, now_us);
}

/* ---- replies that do not fit ---- */

void relay_trouble_lose_step(struct relay *relay, struct view said)
{
	struct log_text room;
	relay->steps_lost++;
	relay->has_news = true;
	buf_reset(&relay->step);
	buf_add(&relay->step, said);
	log_event(LOG_WARNING, "relay.out_of_step", "relay=%s count=%llu said=%s", relay->terms.name,
		  (unsigned long long)relay->steps_lost, log_quoted(said, &room));
}

/* ---- refusals before the content ---- */

static void add_words(struct buf *out, const struct recipient *recipient, const struct smtp_event *event)
{
	AUTO_BUF said = buf_with_ceiling(LIMIT_REPLY);
	impersonal_add(event->reply.text, recipient->opened.address, &said);
	buf_addf(out, "%s: %u " VIEW_FMT, smtp_step_name(event->step), event->reply.code,
		 VIEW_ARG(view_head(buf_view(&said), LIMIT_REPLY_KEPT)));
}

static void add_refusal(struct relay *relay, const struct recipient *recipient, const struct smtp_event *event,
			const char *besides)
{
	add_words(&relay->refusal, recipient, event);
	buf_addf(&relay->refusal, " (said to %d in a row%s)", DISTRUST_AT, besides);
}

void relay_refused(struct relay *relay, struct recipient *recipient, struct view destination,
		   const struct smtp_event *event, int64_t now_us)
{
	uint64_t slot = UINT64_C(1) << relay->parts.slot;
	bool is_new = (recipient->refused_by & slot) == 0;
	recipient->refused_by |= slot;
	/* What was under way when it was left alone says nothing new, nor does one who was refused at an earlier attempt. */
	is_new = is_new && recipient->opened.refused_us == 0;
	if (!is_new || backoff_waits(&relay->backoff, now_us) || relay->refusal.len > 0)
		return;
	if (distrust_refused(&relay->distrust, recipient->opened.campaign_id, destination))
		add_refusal(relay, recipient, event, "");
}

void relay_deferred(struct relay *relay, const struct recipient *recipient, struct view destination,
		    const struct smtp_event *event, int64_t now_us)
{
	bool is_new = recipient->deferred_by != UINT64_C(1) << relay->parts.slot;
	if (!is_new || backoff_waits(&relay->backoff, now_us) || relay->refusal.len > 0)
		return;
	if (distrust_refused(&relay->deferring, recipient->opened.campaign_id, destination))
		add_refusal(relay, recipient, event, " and nobody accepted, while another relay accepts");
}

void relay_accepted(struct relay *relay, int64_t now_us)
{
	relay->accepted_us = now_us;
	bool was_deferring = relay->deferring.bears > 0;
	distrust_answered(&relay->deferring);
	if (was_deferring)
		relay_trouble_work(relay, now_us);
}

int64_t relay_accepted_at(const struct relay *relay)
{
	return relay->accepted_us;
}

bool relay_has_accepted_since(const struct relay *relay, int64_t since_us)
{
	return relay->accepted_us != 0 && relay->accepted_us > since_us;
}

bool relay_is_silent(const struct relay *relay, int64_t now_us)
{
	return relay->pool.in_hand > 0 && now_us - relay->accepted_us > SILENT_US;
}

void relay_disbelieved(struct relay *relay, const struct recipient *recipient, const struct smtp_event *event)
{
	struct log_text room;
	if (relay->disbelief.len > 0)
		return;
	add_words(&relay->disbelief, recipient, event);
	buf_addf(&relay->disbelief,
		 " (and it has answered no message since: whom it refuses so is tried again until it answers one, and "
		 "refused by then or when his time is over)");
	log_event(LOG_WARNING, "relay.disbelieved", "relay=%s trouble=%s", relay->terms.name,
		  log_quoted(buf_view(&relay->disbelief), &room));
	if (backoff_is_failed(&relay->backoff) || relay->access.is_refused)
		return;
	buf_reset(&relay->trouble);
	buf_add(&relay->trouble, buf_view(&relay->disbelief));
	relay->has_news = true;
}

void relay_answered(struct relay *relay, int64_t now_us)
{
	relay->has_news = relay->has_news || relay->answered_us == 0;
	relay->answered_us = now_us;
	distrust_answered(&relay->distrust);
	if (relay->disbelief.len == 0)
		return;
	buf_reset(&relay->disbelief);
	if (!relay->access.is_refused)
		relay_trouble_retell(relay, now_us);
}

bool relay_has_answered_since(const struct relay *relay, int64_t since_us)
{
	return relay->answered_us != 0 && relay->answered_us > since_us;
}

const struct distrust *relay_distrust(const struct relay *relay)
{
	return &relay->distrust;
}

bool relay_wants_fresh(const struct relay *relay)
{
	return backoff_is_failed(&relay->backoff) || distrust_is_open(&relay->distrust);
}

bool relay_trouble_is_distrusted(struct relay *relay, int64_t now_us)
{
	if (relay->refusal.len == 0)
		return false;
	if (!backoff_waits(&relay->backoff, now_us) && !relay->is_quitting)
		relay_trouble_fail(relay, buf_view(&relay->refusal), now_us);
	buf_reset(&relay->refusal);
	return true;
}

/* ---- what the journal leaves ---- */

bool relay_trouble_is_bound(const struct relay *relay)
{
	return relay->pool.in_hand >= relay->bound;
}

static bool lacks_room(const struct relay *relay, int64_t now_us)
{
	const struct relay_owner *owner = &relay->parts.owner;
	if (relay->is_quitting || owner->has_room == NULL || backoff_waits(&relay->backoff, now_us) ||
	    pool_count(&relay->pool, POOL_HUNGRY) == 0)
		return false;
	return (relay_trouble_is_bound(relay) || !owner->has_room(owner->connection.owner)) &&
	       owner->waiting(owner->connection.owner, relay) > 0;
}

static void tell_held(struct relay *relay)
{
	struct log_text room;
	relay->has_news = true;
	hold_tell(relay_trouble_is_bound(relay) ? relay->pool.in_hand : 0, &relay->trouble);
	log_event(LOG_WARNING, "relay.held", "relay=%s in_hand=%zu why=%s", relay->terms.name, relay->pool.in_hand,
		  log_quoted(buf_view(&relay->trouble), &room));
}

void relay_trouble_look_at_room(struct relay *relay, int64_t now_us)
{
	enum hold_news news = hold_look(&relay->hold, lacks_room(relay, now_us), relay->begun, now_us);
	if (news == HOLD_BEGINS && relay->trouble.len == 0)
		tell_held(relay);
	if (news != HOLD_ENDS || backoff_is_failed(&relay->backoff) || relay->access.is_refused ||
	    relay->disbelief.len > 0)
		return;
	buf_reset(&relay->trouble);
	relay->has_news = true;
	log_event(LOG_INFO, "relay.freed", "relay=%s", relay->terms.name);
}
