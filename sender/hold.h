/* Whether the journal holds a relay back: for how long nobody was begun through it though somebody waits and a connection is free. A busy
 * relay is at its bound all the time and goes on; one that stays there is told to people. Pure. */
#ifndef SENDER_HOLD_H
#define SENDER_HOLD_H

#include "base/buf.h"

/* Begins zeroed. */
struct hold {
	int64_t since_us;    /* 0: it is not held back */
	uint64_t begun_then; /* messages begun until then */
	bool is_told;
};

enum hold_news { HOLD_NO_NEWS, HOLD_BEGINS, HOLD_ENDS };

/* A look, at boot time. lacks_room: only the journal is in the way now; begun: messages so far. BEGINS once when it has lasted for HOLD_MOST_S
 * seconds, ENDS once after that. */
enum { HOLD_MOST_S = 10 };
enum hold_news hold_look(struct hold *hold, bool lacks_room, uint64_t begun, int64_t now_us);
/* What BEGINS means, for people. at_bound: so many messages in hand are all that it may have; 0: the journal itself is full. */
void hold_tell(size_t at_bound, struct buf *out);

#endif
