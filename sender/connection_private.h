/* What the files of connection share and nobody else includes: connection.c serves its owner, connection_events.c follows the SMTP client and the socket. */
#ifndef SENDER_CONNECTION_PRIVATE_H
#define SENDER_CONNECTION_PRIVATE_H

#include "sender/connection.h"
#include "sender/patience.h"

enum { TROUBLE_MOST = 400 };

struct connection {
	const struct settings *settings;
	const struct relay_terms *terms;
	struct connection_owner owner;
	struct pool *pool;
	struct pool_member member;
	struct tls_context *tls;
	struct stream *stream;
	struct smtp_client *client;
	struct letter letter;
	char name[JOURNAL_CONNECTION_MOST];
	uint64_t number;
	struct session_limit *limit;
	uint64_t begun, answered;        /* messages */
	int64_t idle_since_us;           /* boot time; 0: it is not */
	bool is_after_lull;              /* what is in hand was begun then */
	bool has_hung_up;                /* the relay, without a word */
	bool has_lost_step, has_refused; /* a reply did not fit; it was a refusal */
	struct recipient **in_hand;
	size_t load, load_most; /* how many in_hand[] holds, and can hold */
	bool is_connected, is_over, is_let_in, has_worked, is_denied;
	bool wants_tls, is_shaking_hands;
	struct patience patience; /* what the deadline was set for */
	struct buf trouble;
};

/* What the socket tells; the owner is the connection. */
extern const struct stream_handlers connection_handlers;

/* Into a line of the pool, and out of it. */
void connection_put(struct connection *connection, enum pool_line line);
void connection_take(struct connection *connection, enum pool_line line);
void connection_end(struct connection *connection);
/* Works off what the client has to say. */
void connection_pump(struct connection *connection);
void connection_start_tls(struct connection *connection);
/* Nothing more can come. */
void connection_lose(struct connection *connection);

#endif
