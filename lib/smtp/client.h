/* The client's side of one SMTP connection (RFC 5321, 2920 pipelining), as a state machine: bytes in, bytes out, no sockets, no
 * clock. The owner moves bytes between a socket and this, and turns events into decisions.
 *
 * One message costs one round trip: when the 354 for message k has come, the owner hands over its content and then, if
 * there is more to do, the envelope of k+1; both leave in one write (RFC 2920 section 3.1). The owner writes its journal
 * between SMTP_ASKS_CONTENT and smtp_client_content(): before the first byte that ends in the final dot is given out. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/buf.h"
#include "mail/status.h"

struct smtp_client;

struct smtp_client_options {
	struct view helo;      /* EHLO argument */
	uint64_t max_messages; /* after these, QUIT; 0: no limit */
};

/* Which command a reply answered. */
enum smtp_step {
	SMTP_STEP_BANNER,
	SMTP_STEP_EHLO,
	SMTP_STEP_MAIL,
	SMTP_STEP_RCPT,
	SMTP_STEP_DATA,
	SMTP_STEP_FINAL_DOT,
	SMTP_STEP_QUIT,
	SMTP_STEP_COUNT
};
const char *smtp_step_name(enum smtp_step step);

struct smtp_reply {
	unsigned code;        /* 200 to 599 */
	struct status status; /* enhanced code, if its class agrees with the code */
	struct view text;     /* lines joined by LF, without the code; borrowed until the next call on the client */
};

enum smtp_event_type {
	SMTP_NEEDS_INPUT,    /* nothing more to say until bytes arrive */
	SMTP_TAKES_ENVELOPE, /* smtp_client_envelope() may be called now (said once until it is used) */
	SMTP_ASKS_CONTENT,   /* 354 for message id: call smtp_client_content() or smtp_client_abandon() */
	SMTP_ACCEPTED,       /* message id: 2xx to the final dot */
	SMTP_REFUSED, /* message id: refused at `step` with `reply` (4xx or 5xx): about the message or its recipient */
	SMTP_NOT_SENT, /* message id: given back untouched, no content left (connection lost or refused before its 354) */
	SMTP_IN_DOUBT, /* message id: its final dot left (or may have) and no reply was read */
	SMTP_TROUBLE, /* the session itself failed at `step` (banner, EHLO, MAIL 5xx, 421, malformed reply, eof); follows the ids it gives back */
	SMTP_CLOSED   /* the session is over; close the socket */
};

struct smtp_event {
	enum smtp_event_type type;
	uint64_t id;
	enum smtp_step step;
	struct smtp_reply reply; /* code 0 when there was none (eof, timeout, malformed) */
};

enum err smtp_client_new(const struct smtp_client_options *options, struct smtp_client **ret_client) MUST_USE;
void smtp_client_done(struct smtp_client *client); /* accepts NULL */

/* Bytes from the socket; then smtp_client_next() until it says SMTP_NEEDS_INPUT. */
void smtp_client_input(struct smtp_client *client, struct view bytes);
/* The peer closed, or the owner's timer ran out, or the socket failed. */
void smtp_client_lost(struct smtp_client *client);
void smtp_client_next(struct smtp_client *client, struct smtp_event *ret_event);

/* One transaction with one recipient. Addresses without brackets; ENVID and ORCPT are sent when DSN is offered, SIZE when offered.
 * A non-ASCII local part needs SMTPUTF8 of the server: without it the event is SMTP_REFUSED 550 5.6.7 at RCPT. */
struct smtp_envelope {
	struct view from, to;
	struct view envid; /* ENVID (RFC 3461 section 4.4); empty: none */
	size_t size;       /* octets of the message with CRLF; 0: not known */
};
enum err smtp_client_envelope(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope) MUST_USE;

/* The whole message, CRLF line ends. Dot-stuffed and ended here. ERR_INVALID (nothing sent) when it holds a bare CR or LF. */
enum err smtp_client_content(struct smtp_client *client, uint64_t id, struct view message) MUST_USE;
/* The owner will not send what was asked for: the session must end without a final dot; gives SMTP_NOT_SENT and SMTP_CLOSED. */
void smtp_client_abandon(struct smtp_client *client);
/* No more envelopes: QUIT when nothing is under way. */
void smtp_client_quit(struct smtp_client *client);

/* Bytes to be written; smtp_client_written() says how many were. */
struct view smtp_client_output(const struct smtp_client *client);
void smtp_client_written(struct smtp_client *client, size_t count);

/* What the client waits for now: the owner's timer for it (settings relay.reply_timeout, data_timeout, final_timeout). */
enum smtp_step smtp_client_waits_for(const struct smtp_client *client);
/* True when the session is idle between messages: nothing is owed by either side. */
bool smtp_client_is_idle(const struct smtp_client *client);

#endif
