/* One connection to the relay: a socket and the SMTP client's machine. Nothing is written in a callback: the owner lets each turn of the
 * event loop end with connection_write(), after the journal has been written. */
#ifndef SENDER_CONNECTION_H
#define SENDER_CONNECTION_H

#include "net/stream.h"
#include "sender/letter.h"
#include "sender/pool.h"
#include "sender/queue.h"
#include "sender/setup.h"
#include "smtp/client.h"

struct connection;

/* What a connection asks of and tells its owner. */
struct connection_owner {
	void *owner;
	/* 354: may the content go? True only with its intent in the journal. */
	bool (*may_send)(void *owner, struct recipient *recipient, const char *connection);
	/* A recipient's end on this connection: ACCEPTED, REFUSED, NOT_SENT or IN_DOUBT. */
	void (*told)(void *owner, struct recipient *recipient, const struct smtp_event *event, const char *connection);
};

/* Begins to connect, and enters the pool. `number` tells connections of a process apart. ERR_MEMORY, ERR_IO. */
enum err connection_new(const struct setup *setup, struct loop *loop, const struct endpoint *endpoint, uint64_t number,
			const struct connection_owner *owner, struct pool *pool,
			struct connection **ret_connection) MUST_USE;
/* Closes at once and leaves the pool; what was under way has been told before (connection_cut). Accepts NULL. */
void connection_done(struct connection *connection);
/* Its places in the pool. */
const struct pool_member *connection_member(const struct connection *connection);

/* The recipient's letter: written by the owner before connection_begin(). */
struct letter *connection_letter(struct connection *connection);
/* Hands the envelope over. ERR_INVALID: this recipient's address cannot be said in SMTP; the connection stays hungry. */
enum err connection_begin(struct connection *connection, struct recipient *recipient) MUST_USE;

/* Ends it now: what is under way is told as NOT_SENT or IN_DOUBT. */
void connection_cut(struct connection *connection);
/* QUIT when nothing is under way. */
void connection_quit(struct connection *connection);
/* One that is dirty: gives the socket what is to be written, and sets the time to wait for, from now (boot time). */
void connection_write(struct connection *connection, int64_t now_us);

/* Out of POOL_JUST_PROVEN: its relay knows. */
void connection_note_proven(struct connection *connection);
/* It has brought some recipient to an end. */
bool connection_has_worked(const struct connection *connection);
/* Why it failed, for people; empty when it did not. */
struct view connection_trouble(const struct connection *connection);
/* Whether one of them is of that run (NULL: of any). */
bool connection_serves(const struct connection *connection, const struct run *run);

#endif
