/* The inside of struct smtp_server, for server.c (the owner's side, lines and content) and server_session.c
 * (commands and answers) only. */
#ifndef SMTP_SERVER_SESSION_H
#define SMTP_SERVER_SESSION_H

#include "smtp/data.h"
#include "smtp/server.h"

/* Where the session stands; bits, because a command may be in order in several. */
enum session {
	SESSION_SILENT = 1,   /* no greeting yet */
	SESSION_START = 2,    /* greeted, EHLO is to come */
	SESSION_READY = 4,    /* between transactions */
	SESSION_MAIL = 8,     /* a sender, no recipient */
	SESSION_RCPT = 16,    /* a sender and recipients */
	SESSION_CONTENT = 32, /* between 354 and the final dot */
	SESSION_MESSAGE = 64, /* the message awaits its answer */
	SESSION_TLS = 128,    /* 220 to STARTTLS; the handshake is to come */
	SESSION_CLOSED = 256,
};
enum {
	IN_TRANSACTION = SESSION_MAIL | SESSION_RCPT,
	AFTER_HELO = SESSION_READY | IN_TRANSACTION,
	ANY_TIME = SESSION_START | AFTER_HELO,
};

struct smtp_server {
	unsigned asks;
	bool offers_tls, is_lmtp;
	size_t max_recipients;
	uint64_t max_messages, max_errors, messages, errors;
	enum session session;
	bool is_asking, was_told;
	enum smtp_server_step asked;
	bool is_extended; /* EHLO or LHLO, not HELO */
	bool is_secure, was_told_tls;
	bool is_discarding; /* the rest of a line that was refused already */
	struct buf hostname, helo, from, subject, addresses;
	struct view *recipients;
	size_t recipient_count;
	bool smtputf8;
	struct data_reader data;
	struct buf in, out;
	size_t in_at, out_at;
	uint64_t written, greeting_end;
};

void session_set(struct smtp_server *server, enum session session);
void session_reply(struct smtp_server *server, unsigned code, struct view status, struct view text);
void session_reply_and_close(struct smtp_server *server, unsigned code, const char *status, const char *text);
/* The reply to a content: in LMTP one for each recipient (RFC 2033 section 4.2). */
void session_reply_to_content(struct smtp_server *server, unsigned code, struct view status, struct view text);
/* Forgets what the peer has said, but not how often it was wrong. */
void session_begin_anew(struct smtp_server *server);
/* A reply that counts as an error of the peer. */
void session_reply_error(struct smtp_server *server, unsigned code, const char *status, const char *text);
/* Makes it the owner's turn, or takes the usual answer where the owner is not asked. */
void session_ask(struct smtp_server *server, enum smtp_server_step step, struct view subject);
void session_conclude(struct smtp_server *server, enum smtp_server_step step, const struct smtp_server_answer *given);
/* Executes one line without its CRLF. */
void session_run(struct smtp_server *server, struct view line);

#endif
