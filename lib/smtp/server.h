/* The server's side of one SMTP connection (RFC 5321, 2920, 1870, 2034, 3207, 6531), or of LMTP (RFC 2033), as a state machine: bytes in,
 * bytes out, no sockets, no clock. It keeps the protocol (order, line ends, limits); the owner decides what is accepted.
 *
 * The owner's turn is an event SMTP_SERVER_ASKS; the session stands still until smtp_server_answer(), at once or
 * later. Commands that were pipelined meanwhile are kept and not executed.
 *
 * DATA ends with CRLF . CRLF and nothing else. A message with a bare CR, a bare LF or a NUL is read to that end,
 * refused with 550 5.6.0 and the connection closed: what other software takes for an end inside it is never
 * executed here (SMTP smuggling). */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "base/buf.h"

struct smtp_server;

/* Where the owner can be asked. */
enum smtp_server_step {
	SMTP_SERVER_BANNER,  /* before the greeting */
	SMTP_SERVER_HELO,    /* EHLO, HELO or LHLO; subject: its argument */
	SMTP_SERVER_MAIL,    /* subject: the sender's address without brackets, empty for <> */
	SMTP_SERVER_RCPT,    /* subject: the recipient's address without brackets */
	SMTP_SERVER_DATA,    /* before 354 */
	SMTP_SERVER_MESSAGE, /* the whole message: smtp_server_message() */
	SMTP_SERVER_QUIT,    /* before 221 */
	SMTP_SERVER_STEP_COUNT
};

struct smtp_server_options {
	struct view hostname; /* in the greeting and the replies */
	unsigned
	    asks; /* bits 1u << SMTP_SERVER_x: the steps at which the owner is asked; others get their usual reply */
	size_t max_message;    /* octets; offered as SIZE */
	size_t max_recipients; /* of one message; further ones hear 452 4.5.3 */
	uint64_t max_messages; /* of the session; then 421; 0: no limit */
	uint64_t max_errors;   /* wrong commands and refused recipients of the session; then 421; 0: no limit */
	bool offers_tls;       /* the owner can begin a handshake */
	bool is_lmtp;          /* LHLO, and a reply to the content for each recipient, all alike */
};

struct smtp_server_event {
	enum smtp_server_event_type {
		SMTP_SERVER_NEEDS_INPUT, /* nothing to do until bytes arrive, were written, or the owner answers */
		SMTP_SERVER_ASKS,        /* the owner's turn: smtp_server_answer() */
		SMTP_SERVER_STARTS_TLS,  /* 220 was written, nothing was read behind STARTTLS: the owner's handshake */
		SMTP_SERVER_CLOSED       /* over: write the output and close the socket */
	} type;
	enum smtp_server_step step;
	struct view subject; /* borrowed until the next call on the server */
};

/* What was read in the present transaction. Borrowed until the answer to SMTP_SERVER_MESSAGE. */
struct smtp_server_message {
	struct view helo;
	struct view from;              /* empty: <> */
	const struct view *recipients; /* those that were accepted, in their order */
	size_t recipient_count;
	struct view content; /* CRLF line ends, dots unstuffed; the first LIMIT_INTAKE_HEAD octets when it was cut */
	/* Larger than max_message: a 2xx answer is sent as 552 5.3.4, so that the head can be recorded first. */
	bool cut;
	bool smtputf8;
	bool extended; /* greeted with EHLO or LHLO */
	bool secure;   /* by STARTTLS */
};

/* Options are copied. ERR_MEMORY. */
enum err smtp_server_new(const struct smtp_server_options *options, struct smtp_server **ret_server) MUST_USE;
void smtp_server_done(struct smtp_server *server); /* accepts NULL */

/* Call smtp_server_next() until SMTP_SERVER_NEEDS_INPUT or SMTP_SERVER_CLOSED: at the start (it gives the
 * greeting), and after each input, answer and written. */
void smtp_server_next(struct smtp_server *server, struct smtp_server_event *ret_event);
/* Bytes from the socket. Any before the greeting was written, or behind STARTTLS and not encrypted, are refused with 554 and the connection
 * closed. */
void smtp_server_input(struct smtp_server *server, struct view bytes);
/* The handshake after SMTP_SERVER_STARTS_TLS has succeeded: the session begins anew, without a greeting (RFC 3207 section 4.2). */
void smtp_server_secured(struct smtp_server *server);
/* False while the server has enough unread bytes: the owner stops reading from the socket (stream_pause_input)
 * until it is true again. */
bool smtp_server_wants_input(const struct smtp_server *server);

/* The owner's decision about what was asked. The usual reply: code 0. status is an enhanced code such as "5.1.1" or
 * empty; text is one line. A reply 421 or 554-at-banner, and any answer with `close`, ends the session after it was
 * written. */
struct smtp_server_answer {
	unsigned code;
	struct view status, text;
	bool close;
};
void smtp_server_answer(struct smtp_server *server, const struct smtp_server_answer *answer);

/* After SMTP_SERVER_ASKS with SMTP_SERVER_MESSAGE, until its answer; also in part (from, recipients) at RCPT and
 * DATA. */
void smtp_server_message(const struct smtp_server *server, struct smtp_server_message *ret_message);
/* True between 354 and the final dot. */
bool smtp_server_is_in_data(const struct smtp_server *server);
/* The owner ends the session (its timer, its shutdown): 421 4.4.2 with the text, unless it is over already. A
 * message that waits for its answer is answered 421 too. */
void smtp_server_shut(struct smtp_server *server, struct view text);

/* Bytes to be written; smtp_server_written() says how many were. */
struct view smtp_server_output(const struct smtp_server *server);
void smtp_server_written(struct smtp_server *server, size_t count);

#endif
