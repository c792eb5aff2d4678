/* One connection to a relay: a socket, TLS when the relay's terms say so, and the SMTP client's machine. Nothing is written in a callback:
 * the owner lets each turn of the event loop end with connection_write(), after the journal has been written. */
#ifndef SENDER_CONNECTION_H
#define SENDER_CONNECTION_H

#include "net/stream.h"
#include "sender/letter.h"
#include "sender/pool.h"
#include "sender/queue.h"
#include "sender/relay_terms.h"
#include "sender/session_limit.h"

struct connection;

/* What a connection asks of and tells its owner. */
struct connection_owner {
	void *owner;
	/* 354: may the content go? True only with its intent in the journal. */
	bool (*may_send)(void *owner, struct recipient *recipient, const char *connection);
	/* A recipient's end on this connection: ACCEPTED, REFUSED, UNFIT, NOT_SENT or IN_DOUBT. */
	void (*told)(void *owner, struct recipient *recipient, const struct smtp_event *event, const char *connection);
	/* A refusal of this recipient that does not show that the relay works: it may refuse everybody so. NULL: only those that are not at RCPT. */
	bool (*proves_nothing)(void *owner, const struct smtp_event *refusal);
	/* The session failed; others_work: other connections to that relay do. NULL: nobody asks. */
	void (*troubled)(void *owner, const char *relay, const struct smtp_event *event, bool others_work);
};

/* What it is made with; all but the secret is borrowed as long as it lives. */
struct connection_parts {
	const struct settings *settings;
	const struct relay_terms *terms;
	struct loop *loop;
	struct pool *pool;
	struct tls_context *tls; /* NULL: the terms ask for none */
	struct view secret;      /* of the terms' user */
	const struct endpoint *endpoint;
	uint64_t number; /* tells the connections of a relay apart, and grows */
	struct session_limit *limit;
	bool keeps_step; /* one message at a time: the relay was out of step */
	struct connection_owner owner;
};

/* Begins to connect, and enters the pool. ERR_MEMORY, ERR_IO with errno; ERR_INVALID: the credentials cannot be said. */
enum err connection_new(const struct connection_parts *parts, struct connection **ret_connection) MUST_USE;
/* Closes at once and leaves the pool; what was under way has been told before (connection_cut). Accepts NULL. */
void connection_done(struct connection *connection);
/* Its places in the pool. */
const struct pool_member *connection_member(const struct connection *connection);

/* The recipient's letter: written by the owner before connection_begin(). */
struct letter *connection_letter(struct connection *connection);
/* Hands the envelope over, at boot time. The content waits for the reply to RCPT where the relay may have gone unheard, or he may have the
 * message already. ERR_INVALID: this recipient's address cannot be said in SMTP; the connection stays hungry. */
enum err connection_begin(struct connection *connection, struct recipient *recipient, int64_t now_us) MUST_USE;

/* Ends it now: what is under way is told as NOT_SENT or IN_DOUBT. */
void connection_cut(struct connection *connection);
/* Gives back whom it has begun of that run (NULL: of any) and whose content has not started: NOT_SENT, without trouble. It takes nobody
 * after that, and ends when the others have come to their ends. */
void connection_withdraw(struct connection *connection, const struct run *run);
/* QUIT when nothing is under way. */
void connection_quit(struct connection *connection);
/* One that is dirty: gives the socket what is to be written, and sets the time to wait for, from now (boot time). */
void connection_write(struct connection *connection, int64_t now_us);

/* Out of POOL_JUST_PROVEN: its relay knows. */
void connection_note_proven(struct connection *connection);
/* The relay has taken our secret, where it wants one, and would have taken an envelope. */
bool connection_is_let_in(const struct connection *connection);
/* It has brought some recipient to an end. */
bool connection_has_worked(const struct connection *connection);
/* The relay does not know us: AUTH was refused for good. */
bool connection_is_denied(const struct connection *connection);
/* Why it failed, for people; empty when it did not. */
struct view connection_trouble(const struct connection *connection);
/* The relay has hung up without a word, and not for want of work: behind so many messages that it answered. 0: it has not. */
uint64_t connection_hung_up_behind(const struct connection *connection, int64_t now_us);
/* True once: it said a reply that cannot be that to what was said: connection_trouble(). A refusal without a message behind a lull only means that it has
 * waited long enough. */
bool connection_take_lost_step(struct connection *connection, int64_t now_us);
uint64_t connection_number(const struct connection *connection);
/* Whether one of them is of that run (NULL: of any). */
bool connection_serves(const struct connection *connection, const struct run *run);

#endif
