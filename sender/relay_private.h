/* What the files of relay share and nobody else includes: relay.c opens and buries connections and serves the owner, relay_trouble.c says when
 * the relay is to be left alone, and what people are told of it. */
#ifndef SENDER_RELAY_PRIVATE_H
#define SENDER_RELAY_PRIVATE_H

#include "sender/access.h"
#include "sender/backoff.h"
#include "sender/hold.h"
#include "sender/relay.h"
#include "sender/relay_endpoints.h"
#include "sender/vacancies.h"

struct relay {
	struct relay_parts parts;
	struct relay_terms terms;
	struct access access;
	struct connection *trial; /* it logs in, and the others wait for how it fares; NULL: none */
	struct relay_endpoints endpoints;
	struct pool pool;
	struct vacancies vacancies;
	uint64_t opened; /* connections so far */
	size_t most;     /* connections that politeness allows */
	size_t excess;   /* so many of those that stand are still to quit */
	struct backoff backoff;
	uint64_t bound; /* messages in hand that the journal allows */
	uint64_t begun; /* messages so far */
	struct hold hold;
	struct session_limit limit;
	uint64_t steps_lost; /* how often a reply of its did not fit; from then on one message at a time a connection */
	struct buf step;     /* what it said then, the last time */
	struct distrust distrust;
	struct distrust deferring; /* the same of those whom it puts off while other relays accept theirs */
	bool is_quitting, has_news;
	struct buf trouble;
	struct buf refusal; /* for which it is to be left alone; empty: it is not */
	struct buf
	    disbelief; /* a refusal of somebody that does not stand, and it has answered no content since; empty: none */
	int64_t answered_us; /* when it answered a content last; 0: never */
	int64_t accepted_us; /* when it accepted one last; 0: never */
};

/* Of a login: whether it may be tried is the access's. */
void relay_trouble_end_access(struct relay *relay, enum login_end end, struct connection *connection, int64_t now_us);
/* It is left alone from now on. */
void relay_trouble_fail(struct relay *relay, struct view trouble, int64_t now_us);
/* A connection has brought somebody to an end. */
void relay_trouble_work(struct relay *relay, int64_t now_us);
/* One trouble is over, or has come; another one may be there still. */
void relay_trouble_retell(struct relay *relay, int64_t now_us);
/* True: it is distrusted from this turn on, and all connections have to quit. */
bool relay_trouble_is_distrusted(struct relay *relay, int64_t now_us);
/* It said something that does not fit: its connections begin anew with one message at a time. */
void relay_trouble_lose_step(struct relay *relay, struct view said);
/* No connection may have more in hand, by its share of the journal. */
bool relay_trouble_is_bound(const struct relay *relay);
void relay_trouble_look_at_room(struct relay *relay, int64_t now_us);

#endif
