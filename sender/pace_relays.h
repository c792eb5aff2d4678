/* Between a worker's politeness and its relays. */
#ifndef SENDER_PACE_RELAYS_H
#define SENDER_PACE_RELAYS_H

#include "sender/delivery.h"
#include "sender/relays.h"

/* Those in these slots, in ret_relays (room for RELAYS_MOST); how many. */
size_t pace_relays_for(struct pace *pace, const struct relays *relays, uint64_t slots,
		       struct pace_relay *ret_relays[RELAYS_MOST]);
/* Says how many connections each relay may have, and hears how many it has. */
void pace_relays_limit(struct pace *pace, struct relays *relays, int64_t now_us);
/* What a relay's word means for the pace. */
enum pace_end pace_relays_end(const struct smtp_event *event, const struct delivery_terms *terms);
/* Whether a relay that ends a session in trouble says that it wants less. others_work: other connections to it do; then it may only bound
 * how many it takes. */
bool pace_relays_is_throttled(const struct smtp_event *trouble, const struct delivery_terms *terms, bool others_work);

#endif
