/* The client's side of one SMTP connection (RFC 5321, 2920 pipelining), as a state machine: bytes in, bytes out, no
 * sockets, no clock. The owner moves bytes between a socket and this, and turns events into decisions.
 *
 * One message costs one round trip: when the 354 for message k has come, the owner hands over its content and then,
 * if there is more to do, the envelope of k+1; both leave in one write (RFC 2920 section 3.1). The owner writes its
 * journal between SMTP_ASKS_CONTENT and smtp_client_content(): before the first byte that ends in the final dot is
 * given out. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/buf.h"
#include "mail/reply.h"
#include "smtp/envelope.h"

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

enum smtp_event_type {
	SMTP_NEEDS_INPUT,    /* nothing more to say until bytes arrive or the owner does what it was asked */
	SMTP_TAKES_ENVELOPE, /* smtp_client_envelope() may be called from now on (said once for each) */
	SMTP_ASKS_CONTENT,   /* 354 for message id: call smtp_client_content() or smtp_client_abandon() */
	SMTP_ACCEPTED,       /* message id: 2xx to the final dot */
	SMTP_REFUSED,        /* message id: refused at `step` (RCPT or FINAL_DOT) with `reply` (4xx or 5xx) */
	SMTP_NOT_SENT,       /* message id: given back; the server has not got it: none of its final dot was written */
	SMTP_IN_DOUBT,       /* message id: some or all of its final dot was written and no reply to it was read */
	SMTP_TROUBLE,        /* the session itself failed at `step`, after the ids that it gave back */
	SMTP_CLOSED          /* the session is over; close the socket */
};

/* Every id that smtp_client_envelope() took comes back in exactly one of ACCEPTED, REFUSED, NOT_SENT and IN_DOUBT.
 *
 * TROUBLE is: a refusal at banner, EHLO, MAIL or DATA (which is about us or the relay, not about the recipient),
 * 421 to anything, a malformed reply, a reply to nothing, the loss of the connection. A 421 that answers RCPT or
 * the final dot is a temporary refusal of that message first. A relay that closes an idle session after it has
 * answered a message makes no trouble: only CLOSED.
 *
 * 552 to RCPT is given as 452 (RFC 5321 section 4.5.3.1.10) unless its enhanced code is about the mailbox (5.2.x). */
struct smtp_event {
	enum smtp_event_type type;
	uint64_t id;
	enum smtp_step step;
	/* code 0 when there was none (eof, timeout, malformed); the text is borrowed until the next call */
	struct reply reply;
};

/* Options are copied. ERR_INVALID: a control character in helo; ERR_TOO_BIG, ERR_MEMORY. */
enum err smtp_client_new(const struct smtp_client_options *options, struct smtp_client **ret_client) MUST_USE;
void smtp_client_done(struct smtp_client *client); /* accepts NULL */

/* Bytes from the socket; then smtp_client_next() until it says SMTP_NEEDS_INPUT or SMTP_CLOSED. At the start, and
 * after each other call that changes something, the same; then write smtp_client_output(). */
void smtp_client_input(struct smtp_client *client, struct view bytes);
/* The peer closed, or the owner's timer ran out, or the socket failed. smtp_client_written() has told all that was
 * written. */
void smtp_client_lost(struct smtp_client *client);
void smtp_client_next(struct smtp_client *client, struct smtp_event *ret_event);

/* Takes the id, whose end is an event. A message larger than the server's SIZE is SMTP_REFUSED 552 5.3.4 at RCPT,
 * and a non-ASCII address at a server without SMTPUTF8 550 5.6.7 at RCPT, without a word to the server. ERR_REFUSED:
 * no SMTP_TAKES_ENVELOPE is open; ERR_INVALID: an address or envid that cannot stand in a command. On any error the
 * id is not taken. */
enum err smtp_client_envelope(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope) MUST_USE;

/* The whole message, CRLF line ends. Dot-stuffed and ended here. On any error nothing of it is sent and
 * smtp_client_abandon() must follow. ERR_INVALID: it holds a bare CR, a bare LF or a NUL; ERR_REFUSED: not asked for,
 * or the session has failed meanwhile (events follow); ERR_TOO_BIG; ERR_MEMORY. */
enum err smtp_client_content(struct smtp_client *client, uint64_t id, struct view message) MUST_USE;
/* The owner will not send what was asked for: the session must end without a final dot: NOT_SENT and CLOSED follow.
 */
void smtp_client_abandon(struct smtp_client *client);
/* No more envelopes: QUIT when nothing is under way. */
void smtp_client_quit(struct smtp_client *client);

/* Bytes to be written; smtp_client_written() says how many were. */
struct view smtp_client_output(const struct smtp_client *client);
void smtp_client_written(struct smtp_client *client, size_t count);

/* What the client waits for now: the owner's timer for it (settings relay.reply_timeout, data_timeout,
 * final_timeout). */
enum smtp_step smtp_client_waits_for(const struct smtp_client *client);
/* True when the session is idle between messages: nothing is owed by either side. */
bool smtp_client_is_idle(const struct smtp_client *client);
/* The name of its state, for logs and tests: "BANNER", "FINAL_DOT", ... */
const char *smtp_client_state_name(const struct smtp_client *client);

#endif
