/* An owner of an SMTP client with some messages to send, who writes down what happens; and scripts of what a server says to
 * it. */
#ifndef TESTS_SUPPORT_SMTP_OWNER_H
#define TESTS_SUPPORT_SMTP_OWNER_H

#include "smtp/client.h"
#include "tests/support/unit.h"

struct owner {
	struct smtp_client *client;
	uint64_t next, last; /* ids to send */
	struct buf trace;    /* events */
	struct buf wire;     /* all that was written */
	const char *to;
	struct view envid;
	size_t size;
	bool takes;
	bool asks_first;     /* from the second message on */
	uint64_t asked;      /* whose content was asked for and not given */
	bool holds_content;  /* ... until "GIVE" */
	bool stays;          /* does not quit when there is nothing more to send */
	bool is_out_of_step; /* as the trouble said */
	bool is_silent;      /* takes are not written down: when they come depends on how the replies are split */
	struct view binding; /* for "TLS" */
};

/* Options: NULL for none but the EHLO argument "me.example", which is set in any case. */
struct owner owner_new(const struct smtp_client_options *options, uint64_t messages);
void owner_done(struct owner *owner);

/* Reacts until the client needs input; true while the session is open. */
bool owner_drain(struct owner *owner);
void owner_write(struct owner *owner, size_t count);
/* The server says this; what follows is written. */
bool owner_turn(struct owner *owner, struct view bytes);
/* The same, with words that stand for other things: "EOF" (the peer closes), "LOST" (the connection fails), "TLS" (the handshake is done),
 * "GIVE" (the content that was asked for), "QUIT" (the owner has had enough),
 * "WITHDRAW" (he takes the last message back). Others are cut in two at `split`. */
bool owner_play(struct owner *owner, const char *says, size_t split);
/* Gives the content of the message that was asked for: "ID1\r\n" for the first. */
void owner_give(struct owner *owner);

/* User "me" at mx.example.net:587. */
struct smtp_credentials owner_credentials(enum sasl_mechanism mechanism, const char *secret);
/* A session under TLS whose server offers that in one line of its reply to EHLO; the wire begins behind it. */
struct owner owner_secured(const struct smtp_credentials *credentials, const char *offers, const char *binding);

struct script {
	const char *label;
	const char *says[16];
	const char *trace, *wire;
	uint64_t messages;
};

/* Plays it with each turn's bytes cut in two at `split`, to a session that is over. */
void script_play(const struct script *script, const struct smtp_client_options *options, size_t split);
/* The same by an owner whose messages ask first, from the second one on. */
void script_play_asking(const struct script *script, size_t split);
void script_play_split_everywhere(const struct script *script, const struct smtp_client_options *options);

#define BARE "250 me\r\n"
#define PIPE "250-me\r\n250 PIPELINING\r\n"
#define CHUNK "250-me\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
#define EHLO "EHLO me.example\r\n"
#define MAIL "MAIL FROM:<b+tok@example.net>\r\n"
#define RCPT "RCPT TO:<you@example.org>\r\n"
#define GROUP MAIL RCPT "DATA\r\n"
#define OK3 "250 a\r\n250 b\r\n354 c\r\n"

#endif
