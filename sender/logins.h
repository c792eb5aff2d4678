/* Logins at relays and the database: what became of one is told, and whether one may be made is asked for. */
#ifndef SENDER_LOGINS_H
#define SENDER_LOGINS_H

#include "sender/relay.h"
#include "store/db.h"

/* Something is to be told or asked. */
bool logins_are_due(const struct relay *relay);
/* Does it; outside of a transaction. who: the worker's id, or another word that tells who asks. Errors as db_run(). */
enum err logins_turn(struct db *db, struct relay *relay, const char *who, int64_t boot_us, struct buf *why) MUST_USE;

#endif
