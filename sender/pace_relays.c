#include "sender/pace_relays.h"

static struct pace_relay *known(struct pace *pace, const struct relay *relay)
{
	return relay_is_quitting(relay) ? NULL : pace_relay(pace, view_of(relay_terms(relay)->name));
}

size_t pace_relays_for(struct pace *pace, const struct relays *relays, const struct recipient *recipient,
		       struct pace_relay *ret_relays[RELAYS_MOST])
{
	size_t count = 0;
	for (size_t i = 0; i < relays_count(relays) && count < RELAYS_MOST; i++) {
		const struct relay *relay = relays_at(relays, i);
		bool fits = (recipient->relays & UINT64_C(1) << relay_slot(relay)) != 0;
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

enum pace_end pace_relays_end(const struct smtp_event *event, const struct delivery_terms *terms)
{
	if (event->type == SMTP_NOT_SENT || event->type == SMTP_UNFIT)
		return PACE_NOT_SENT;
	if (event->type == SMTP_ACCEPTED)
		return PACE_ACCEPTED;
	return delivery_is_throttled(event, terms) ? PACE_THROTTLED : PACE_ELSE;
}
