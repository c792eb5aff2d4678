/* The client's side of one SMTP or LMTP connection (RFC 5321, 2033; pipelining of RFC 2920, CHUNKING of RFC 3030, STARTTLS
 * of RFC 3207, AUTH of RFC 4954, LIMITS of RFC 9422), as a state machine: bytes in, bytes out, no sockets, no clock. The
 * owner moves bytes between a socket and this, and turns events into decisions.
 *
 * One message costs one round trip at most. A server that offers PIPELINING and CHUNKING gets whole transactions, MAIL,
 * RCPT, BDAT and the content in one write, up to `in_flight` of them before the first one's reply. Another one that
 * offers PIPELINING gets the content of message k, when its 354 has come, and with it MAIL, RCPT and DATA of k+1 (RFC
 * 2920 section 3.1). An envelope that asks first has its content asked for, everywhere, when RCPT was accepted: then a server
 * that has gone meanwhile leaves no doubt of it. The owner writes its journal between SMTP_ASKS_CONTENT and smtp_client_content(): before the first
 * byte that ends the content is given out. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/buf.h"
#include "mail/reply.h"
#include "smtp/envelope.h"
#include "smtp/sasl.h"

struct smtp_client;

/* Once asked for it is required: nothing is ever said in clear instead. */
enum smtp_tls { SMTP_TLS_NONE, SMTP_TLS_STARTTLS, SMTP_TLS_IMPLICIT };

struct smtp_client_options {
	struct view helo;      /* argument of EHLO or LHLO */
	uint64_t max_messages; /* after these, QUIT; 0: no limit but the server's */
	bool is_lmtp;
	enum smtp_tls tls;
	bool is_local;      /* a Unix socket: AUTH needs no TLS there */
	unsigned in_flight; /* whole transactions before the first one's reply; 0 is as 1; at most LIMIT_IN_FLIGHT */
	bool keeps_step;    /* one message at a time, by DATA: a reply too many does not fit where 354 has to stand */
	bool notify_delay;  /* DSN: NOTIFY=FAILURE,DELAY instead of FAILURE */
	const struct smtp_credentials *credentials; /* AUTH before the first message; NULL: none */
};

/* Which command a reply answered. */
enum smtp_step {
	SMTP_STEP_BANNER,
	SMTP_STEP_EHLO,
	SMTP_STEP_STARTTLS,
	SMTP_STEP_AUTH,
	SMTP_STEP_MAIL,
	SMTP_STEP_RCPT,
	SMTP_STEP_DATA,
	SMTP_STEP_FINAL_DOT, /* or BDAT LAST */
	SMTP_STEP_QUIT,
	SMTP_STEP_COUNT
};
const char *smtp_step_name(enum smtp_step step);

enum smtp_event_type {
	SMTP_NEEDS_INPUT,    /* nothing more to say until bytes arrive or the owner does what it was asked */
	SMTP_ASKS_TLS,       /* 220 to STARTTLS: smtp_client_secured() when the handshake is done */
	SMTP_TAKES_ENVELOPE, /* smtp_client_envelope() may be called from now on (said once for each) */
	SMTP_ASKS_CONTENT,   /* message id's turn: call smtp_client_content() or smtp_client_abandon() */
	SMTP_ACCEPTED,       /* message id: 2xx to its content */
	SMTP_REFUSED,  /* message id: refused at `step` (MAIL, RCPT, DATA or FINAL_DOT) with `reply` (4xx or 5xx) */
	SMTP_UNFIT,    /* message id: this server cannot take it, by what it offers; `reply`: as it would be refused */
	SMTP_NOT_SENT, /* message id: given back; the server has not got it */
	SMTP_IN_DOUBT, /* message id: the end of its content was written and no reply to it was read */
	SMTP_TROUBLE,  /* the session itself failed at `step` */
	SMTP_CLOSED    /* the session is over; close the socket */
};

/* Every id that smtp_client_envelope() took comes back in exactly one of ACCEPTED, REFUSED, UNFIT, NOT_SENT and IN_DOUBT.
 *
 * REFUSED: at RCPT, at DATA after RCPT was accepted, or instead of the content's 2xx; at MAIL only where the reply is about the
 * message: too large (552 alone, X.2.3, X.3.4) or something in it or its addresses (X.6). The session goes on. Whether a server that
 * refuses before the content means the message, or would refuse any, is the owner's to judge.
 *
 * UNFIT: nothing was said of it to the server. Another server may take it.
 *
 * NOT_SENT: the end of its content (the final dot, or the last octet of BDAT) was not written; or it was, but what was read
 * rules it out: its own MAIL was refused, or the server said 421 before its turn and closed the connection without another
 * word. After 421 no octet is written, and as long as the fate of a message is open what the server says is read on: one that does
 * not close but answers what it had got takes and refuses as ever, and what it left unanswered when it goes is IN_DOUBT.
 *
 * TROUBLE is: a refusal at banner, EHLO, STARTTLS or AUTH, any other at MAIL (which is about us or the relay, not about the
 * recipient), 421 to anything, a malformed reply, a reply to nothing, something said between STARTTLS and the handshake,
 * a server that lacks what is required, the loss of the connection. It is told once, after the ids that it gave back; only
 * messages that were in flight behind a refused MAIL come to their ends after it. A 421 that answers RCPT or the content is a
 * temporary refusal of that message first. A relay that closes an idle session after it has answered a message makes no
 * trouble: only CLOSED.
 *
 * A server that says a reply too many or too few is out of step: what is read as the reply to one command is that to another. It is known by a
 * reply when none is awaited, by one that comes before its command has left, by a class that cannot answer the command, by
 * an enhanced code that this server gives to another command, and by a refused RSET behind a content that was accepted. Then nothing that is
 * in flight is settled by what it says: what it may have is IN_DOUBT, and TROUBLE is_out_of_step. Where others were accepted before, QUIT is said and what it
 * says read until it closes: it may have to take them still. Therefore a 2xx to BDAT behind which RSET was said is ACCEPTED when that is answered, too: a reply too many
 * has then let the content's own be read.
 *
 * 552 to RCPT is given as 452 (RFC 5321 section 4.5.3.1.10) unless its enhanced code is about the mailbox (5.2.x). */
struct smtp_event {
	enum smtp_event_type type;
	uint64_t id;
	enum smtp_step step;
	/* code 0 when there was none: eof, timeout; or with a text: a sentence on what the server lacks or did wrong, such as how its
	 * reply is malformed. The text is borrowed until the next call. */
	struct reply reply;
	bool is_out_of_step; /* TROUBLE: its replies are not those to our commands */
};

/* Options are copied. ERR_INVALID: a control character in helo, credentials that cannot be said or would be said in clear
 * (neither TLS nor a Unix socket); ERR_TOO_BIG, ERR_MEMORY. */
enum err smtp_client_new(const struct smtp_client_options *options, struct smtp_client **ret_client) MUST_USE;
void smtp_client_done(struct smtp_client *client); /* accepts NULL */

/* Bytes from the socket; then smtp_client_next() until it says SMTP_NEEDS_INPUT or SMTP_CLOSED. At the start, and
 * after each other call that changes something, the same; then write smtp_client_output(). */
void smtp_client_input(struct smtp_client *client, struct view bytes);
/* The owner's timer ran out, or the socket failed, or it is cut off. smtp_client_written() has told all that was written. */
void smtp_client_lost(struct smtp_client *client);
/* The same by the peer's doing: it closed or reset the connection, and all that it had said was given before. */
void smtp_client_closed(struct smtp_client *client);
void smtp_client_next(struct smtp_client *client, struct smtp_event *ret_event);

/* The connection is secure now. With SMTP_TLS_IMPLICIT before any input; with SMTP_TLS_STARTTLS after SMTP_ASKS_TLS, whose
 * handshake the owner begins when smtp_client_output() is empty. All that the server said before is forgotten. The channel
 * binding is that of RFC 9266 (tls-exporter, 32 octets); empty: there is none. */
void smtp_client_secured(struct smtp_client *client, struct view channel_binding);

/* Takes the id, whose end is an event. A message larger than the server's SIZE is SMTP_UNFIT with 552 5.3.4, a non-ASCII address
 * at a server without SMTPUTF8 with 550 5.6.7 (RFC 6531 section 3.2: another server may be tried). One that
 * would pass a limit of the server's for a session (RFC 9422) is SMTP_NOT_SENT, and the session ends. ERR_REFUSED: no
 * SMTP_TAKES_ENVELOPE is open; ERR_INVALID: an address or envid that cannot stand in a command. On any error the
 * id is not taken. */
enum err smtp_client_envelope(struct smtp_client *client, uint64_t id, const struct smtp_envelope *envelope) MUST_USE;

/* The whole message, CRLF line ends; a last line without one is given it. Dot-stuffed, or counted for BDAT, here. On any
 * error nothing of it is sent and smtp_client_abandon() must follow. ERR_INVALID: it holds a bare CR, a bare LF or a NUL;
 * ERR_REFUSED: not asked for, or the session has failed meanwhile (events follow); ERR_TOO_BIG; ERR_MEMORY. */
enum err smtp_client_content(struct smtp_client *client, uint64_t id, struct view message) MUST_USE;
/* The owner will not send what was asked for: NOT_SENT follows, no further envelope is taken, and the session ends: at once
 * where the server waits for the content after 354, else when the messages in flight have come to their ends. */
void smtp_client_abandon(struct smtp_client *client);
/* Takes back the last message unless its content was given: NOT_SENT follows, no further envelope is taken, and the session ends without
 * a word, and without TROUBLE, as soon as those in flight have come to their ends. True when there was one. */
bool smtp_client_withdraw(struct smtp_client *client);
/* No more envelopes: QUIT when nothing is under way. */
void smtp_client_quit(struct smtp_client *client);

/* Bytes to be written; smtp_client_written() says how many were. */
struct view smtp_client_output(const struct smtp_client *client);
void smtp_client_written(struct smtp_client *client, size_t count);

/* What the client waits for now: the owner's timer for it (settings relay.reply_timeout, data_timeout,
 * final_timeout). */
enum smtp_step smtp_client_waits_for(const struct smtp_client *client);
/* How many whole replies were read so far. Only such a one, or what the client itself says, begins the owner's timer anew: of octets and
 * lines of a reply that never ends there is no end. */
uint64_t smtp_client_replies(const struct smtp_client *client);
/* The server has said 421, and the client waits for it to close, or to answer all the same what it had got before. */
bool smtp_client_is_dismissed(const struct smtp_client *client);
/* True when the session is idle between messages: nothing is owed by either side. */
bool smtp_client_is_idle(const struct smtp_client *client);
/* The name of its state, for logs and tests: "BANNER", "FINAL_DOT", ... */
const char *smtp_client_state_name(const struct smtp_client *client);

#endif
