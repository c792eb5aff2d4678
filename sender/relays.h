/* The relays of a worker: those that have an enabled row, or the one of the settings when there is no row. They are read again
 * when rows change: a relay that changed or went quits, with what it has in hand coming to its end, and is replaced. What is not
 * at its end after relay.final_timeout is cut off, after sender.stop_timeout if the journal is short of room.
 *
 * Together they have no more in hand than the journal has room for, each its share. Among those that take an envelope the one comes next
 * that has had the least for its weight. Relays of the same weight take what they can. Of two with different weights the one that has had its
 * part waits for the other, while that one goes on: so work moves to the others when one is left alone or does not answer. */
#ifndef SENDER_RELAYS_H
#define SENDER_RELAYS_H

#include "sender/relay.h"

struct relays;

/* Without any relay until the first relays_set(). room: messages that the journal has room for. */
enum err relays_new(const struct setup *setup, struct loop *loop, const struct relay_owner *owner, uint64_t room,
		    struct relays **ret_relays) MUST_USE;
void relays_done(struct relays *relays); /* accepts NULL; cuts nothing off by itself */

/* Takes over rows of relays_load(). A row that cannot be used is logged and left out; others than the first RELAYS_MOST too. On ERR_MEMORY
 * all is as before, and what the rows lack is still there. settings_retried_us: when a person said that the relay of the settings is to be tried at once. */
enum err relays_set(struct relays *relays, struct db_rows *rows, int64_t settings_retried_us) MUST_USE;
/* The slots of relays that the last relays_set() left as they were. */
uint64_t relays_kept(const struct relays *relays);
/* The relays, a bit for each slot, that a recipient may go through; 0: none fits it. */
uint64_t relays_route(struct relays *relays, struct run *run, struct view address);

/* The slot's bit of the one of that name that is not quitting; 0: none. */
uint64_t relays_named(const struct relays *relays, struct view name);
/* Who should have a recipient that one of them (its slot's bit) put off then, of others that work: the same one, if it has accepted somebody since; else those
 * that accepted somebody later than it did; 0: nothing tells. */
uint64_t relays_preferred(const struct relays *relays, uint64_t deferred_by, int64_t since_us, uint64_t others,
			  int64_t now_us);
/* Those of others that accepted somebody later than this one did. */
uint64_t relays_that_accept(const struct relays *relays, const struct relay *relay, uint64_t others);

/* The slots of those for which relay_works(), and that are not stuck. */
uint64_t relays_working(const struct relays *relays, int64_t now_us);
/* Those that relay_is_stuck() has been true of for some seconds; of those that are not quitting, the others; and all but those that are stuck or in trouble,
 * also such as are there no more. */
uint64_t relays_stuck(const struct relays *relays, int64_t now_us);
uint64_t relays_not_stuck(const struct relays *relays, int64_t now_us);
uint64_t relays_away(const struct relays *relays, int64_t now_us);
/* Of the relay in that slot; empty: there is none. */
const char *relays_name(const struct relays *relays, unsigned slot);

/* What relay.h says, for each of them. */
void relays_feed(struct relays *relays, int64_t now_us);
void relays_write(struct relays *relays, int64_t now_us);
void relays_quit(struct relays *relays);
void relays_cut(struct relays *relays, const struct run *run);
void relays_withdraw(struct relays *relays, const struct run *run);
int64_t relays_wait(const struct relays *relays, int64_t now_us);

/* Those that were replaced and still have something in hand, too. */
size_t relays_count(const struct relays *relays);
/* How many messages their connections may have in hand at once, when none is left alone. */
uint64_t relays_in_hand_most(const struct relays *relays);
struct relay *relays_at(const struct relays *relays, size_t index);
bool relays_have_news(const struct relays *relays);

#endif
