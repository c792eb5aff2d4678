/* Whose turn it is among relays that fit the same recipients: each message costs a relay one step for its weight, and who has paid least comes
 * next. Relays of the same weight take what they can; of two with different weights the one that is ahead waits for the other as long as that
 * one goes on, so that the weights say how much each gets, not its speed. Pure. */
#ifndef SENDER_WEIGH_H
#define SENDER_WEIGH_H

#include <stdbool.h>
#include <stdint.h>

/* Begins zeroed but for the weight, which may change at any time. */
struct weighed {
	unsigned weight; /* at least 1 */
	uint64_t paid;
	int64_t begun_us; /* boot time of its newest message; 0: none yet */
};

/* `one` is ahead of `other`, which has somebody to send to and could, and must not get more now. */
bool weigh_waits(const struct weighed *one, const struct weighed *other, int64_t now_us);
/* Before it pays the first time, and after it could not work: it does not get all at once what it has missed. */
void weigh_catch_up(struct weighed *one, const struct weighed *other);
/* A message was begun. */
void weigh_pay(struct weighed *one, int64_t now_us);

#endif
