#include "sender/pace_relays.h"

#include <assert.h>

static struct pace_relay *known(struct pace *pace, const struct relay *relay)
{
	return relay_is_quitting(relay) ? NULL : pace_relay(pace, view_of(relay_terms(relay)->name));
}

size_t pace_relays_for(struct pace *pace, const struct relays *relays, uint64_t slots,
		       struct pace_relay *ret_relays[RELAYS_MOST])
{
	size_t count = 0;
	for (size_t i = 0; i < relays_count(relays) && count < RELAYS_MOST; i++) {
		const struct relay *relay = relays_at(relays, i);
		bool fits = (slots & UINT64_C(1) << relay_slot(relay)) != 0;
		struct pace_relay *one = fits ? known(pace, relay) : NULL;
		if (one != NULL)
			ret_relays[count++] = one;
	}
	return count;
}

void pace_relays_limit(struct pace *pace, struct relays *relays, int64_t now_us)
{
	for (size_t i = 0; i < relays_count(relays); i++) {
		struct relay *relay = relays_at(relays, i);
		struct pace_relay *one = known(pace, relay);
		if (one == NULL)
			continue;
		int64_t slots = pace_relay_slots(one, now_us);
		relay_limit(relay, slots == INT64_MAX ? SIZE_MAX : (size_t)slots);
		pace_relay_holds(one, relay_connections(relay));
	}
}

/* What a refusal at each step is about. At DATA the destination is known; who ends the session there is the relay. */
static const enum {
	OF_DESTINATION,
	OF_RELAY,
	OF_CONNECTION,
	OF_EITHER,
	OF_NO_PACE
} about[] = {
	[SMTP_STEP_BANNER] = OF_CONNECTION, [SMTP_STEP_EHLO] = OF_CONNECTION,
	[SMTP_STEP_STARTTLS] = OF_NO_PACE,  [SMTP_STEP_AUTH] = OF_NO_PACE,
	[SMTP_STEP_MAIL] = OF_RELAY,        [SMTP_STEP_RCPT] = OF_DESTINATION,
	[SMTP_STEP_DATA] = OF_EITHER,       [SMTP_STEP_FINAL_DOT] = OF_DESTINATION,
	[SMTP_STEP_QUIT] = OF_NO_PACE,
};
static_assert(ARRAY_LEN(about) == SMTP_STEP_COUNT, "one row per step");

bool pace_relays_is_throttled(const struct smtp_event *trouble, const struct delivery_terms *terms, bool others_work)
{
	bool is_relays = about[trouble->step] == OF_RELAY || about[trouble->step] == OF_EITHER ||
			 (about[trouble->step] == OF_CONNECTION && !others_work);
	return is_relays && delivery_is_throttled(trouble, terms);
}

enum pace_end pace_relays_end(const struct smtp_event *event, const struct delivery_terms *terms)
{
	if (event->type == SMTP_NOT_SENT || event->type == SMTP_UNFIT)
		return PACE_NOT_SENT;
	if (event->type == SMTP_ACCEPTED)
		return PACE_ACCEPTED;
	if (!delivery_is_throttled(event, terms))
		return PACE_ELSE;
	return about[event->step] == OF_RELAY ? PACE_RELAY_THROTTLED : PACE_THROTTLED;
}
