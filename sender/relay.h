/* One relay: the connections to it, and when it is to be left alone.
 *
 * A connection that ends in trouble before it brought anyone to an end counts against the relay, unless another one works: then only
 * its place is left alone for a while (a relay may bound how many it takes). One that refuses many recipients in a row before their
 * content, of several destinations, is no better. When the relay is left alone (tripped), nothing is begun until the time has come; then one connection tries, and
 * the others follow when it works. */
#ifndef SENDER_RELAY_H
#define SENDER_RELAY_H

#include "sender/access.h"
#include "sender/connection.h"
#include "sender/distrust.h"

struct relay;

struct relay_owner {
	struct connection_owner connection;
	/* The next recipient for this relay, its letter written; NULL: none now. */
	struct recipient *(*next)(void *owner, struct relay *relay, struct letter *letter);
	/* The address of a recipient that next() gave cannot be said in SMTP. */
	void (*unspeakable)(void *owner, struct recipient *recipient);
	/* How many recipients wait for this relay: no more connections are opened than that. */
	size_t (*waiting)(void *owner, const struct relay *relay);
	/* Whether the journal has room for another message; NULL: no journal is kept. */
	bool (*has_room)(void *owner);
};

struct relay_parts {
	const struct settings *settings;
	struct loop *loop;
	struct relay_owner owner;
	unsigned slot;       /* its number in sender/routes.h */
	size_t places;       /* how many connections there may be */
	bool logs_in_freely; /* a person asks for it: sender/login.h */
};

/* Copies the terms. */
enum err relay_new(const struct relay_parts *parts, const struct relay_terms *terms, struct relay **ret_relay) MUST_USE;
void relay_done(struct relay *relay); /* accepts NULL; cuts nothing off by itself */

/* Each turn of the event loop, all times boot time: buries what is over and opens connections; hands out envelopes, one at a time; and
 * writes what is to be written. */
void relay_look_after(struct relay *relay, int64_t now_us);
/* Some connection takes an envelope, and the relay is not left alone. */
bool relay_takes(const struct relay *relay, int64_t now_us);
/* It has connections, is not left alone and not quitting. */
bool relay_works(const struct relay *relay, int64_t now_us);
/* Somebody waits for it and it takes nobody, for no limit of ours: it is left alone, or does not answer. */
bool relay_is_stuck(const struct relay *relay, int64_t now_us);
/* False: next() had nobody for it. */
bool relay_feed_one(struct relay *relay, int64_t now_us);
/* One whom the relay has refused or failed under tells less of it than another: it was left alone, or has refused somebody before his content. */
bool relay_wants_fresh(const struct relay *relay);
/* For the owner: it refused this recipient for good before his content, which is noted with him. */
void relay_refused(struct relay *relay, struct recipient *recipient, struct view destination,
		   const struct smtp_event *event, int64_t now_us);
/* Such a refusal does not stand, for nothing shows that the relay takes anybody: people are told until it answers a content. */
void relay_disbelieved(struct relay *relay, const struct recipient *recipient, const struct smtp_event *event);
/* It answered a content, whatever it said; and whether it has done so after that time. */
void relay_answered(struct relay *relay, int64_t now_us);
bool relay_has_answered_since(const struct relay *relay, int64_t since_us);
/* It accepted somebody; when it did last (0: never), whether that was after this time, and whether it keeps what is in its hands waiting. */
void relay_accepted(struct relay *relay, int64_t now_us);
int64_t relay_accepted_at(const struct relay *relay);
bool relay_has_accepted_since(const struct relay *relay, int64_t since_us);
bool relay_is_silent(const struct relay *relay, int64_t now_us);
/* It put this recipient off, while others accept. */
void relay_deferred(struct relay *relay, const struct recipient *recipient, struct view destination,
		    const struct smtp_event *event, int64_t now_us);
const struct distrust *relay_distrust(const struct relay *relay);
void relay_write(struct relay *relay, int64_t now_us);

/* No further recipient; connections end when they have done what they have in hand. */
void relay_quit(struct relay *relay);
/* No connection is left. */
bool relay_is_empty(const struct relay *relay);
/* Cuts off connections with a recipient of that run (NULL: any) in hand. */
void relay_cut(struct relay *relay, const struct run *run);
/* Takes back those of that run (NULL: all) whose content has not started. */
void relay_withdraw(struct relay *relay, const struct run *run);

const struct relay_terms *relay_terms(const struct relay *relay);
/* What may change while its connections stand. */
void relay_adjust(struct relay *relay, const struct relay_terms *terms, size_t places);
/* No more connections than that (SIZE_MAX: no limit beside its places): those that stand beyond quit when they would
 * take another envelope. */
void relay_limit(struct relay *relay, size_t most);
/* No more messages in hand than that, whatever its connections would take: its share of the journal. When that holds it back for long,
 * it is news. */
void relay_bound(struct relay *relay, uint64_t most);
size_t relay_in_hand(const struct relay *relay);
size_t relay_connections(const struct relay *relay);
/* How many messages its connections might have in hand at once. */
uint64_t relay_in_hand_most(const struct relay *relay);
unsigned relay_slot(const struct relay *relay);
bool relay_is_quitting(const struct relay *relay);
/* How long until relay_feed() should be called though nothing happened; -1: no need. */
int64_t relay_wait(const struct relay *relay, int64_t now_us);

/* What people should be told of it: true once for each change, and when it has first answered. The reason is empty when it works; retry in
 * wall clock. */
bool relay_has_news(const struct relay *relay);
struct view relay_trouble(const struct relay *relay);
int64_t relay_retry_in(const struct relay *relay, int64_t now_us);
/* How often it said a reply that did not fit what was said, and which one the last time. */
uint64_t relay_steps_lost(const struct relay *relay, struct view *ret_said);
void relay_told_news(struct relay *relay);
/* It is not there any more, so there is no trouble with it. */
void relay_forget_trouble(struct relay *relay);

/* How one is let in there. */
const struct access *relay_access(const struct relay *relay);
/* Its login's news are told; and what the database says to login_asks(). */
void relay_told_login(struct relay *relay);
void relay_login_answered(struct relay *relay, const struct relay_login_answer *answer, int64_t now_us);

#endif
