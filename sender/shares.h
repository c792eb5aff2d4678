/* How many messages each relay may have in hand, so that together they fit into a worker's journal: one that answers nothing must not take
 * the room of those that work. Pure. */
#ifndef SENDER_SHARES_H
#define SENDER_SHARES_H

#include <stddef.h>
#include <stdint.h>

/* Of the room for so many messages: what relays that were replaced still hold is taken; at least a quarter of it is kept for them and for
 * relays that come later. */
uint64_t shares_room(uint64_t journal, uint64_t held_by_leaving);
/* The least room of a journal with which relays that ask for so much together get all of it. */
uint64_t shares_journal_for(uint64_t asked);

/* Each gets what it asks for, while that is no more than an equal part of what the others leave; else that part, at least 1. */
void shares_divide(uint64_t room, const uint64_t *asks, size_t count, uint64_t *ret_shares);

#endif
