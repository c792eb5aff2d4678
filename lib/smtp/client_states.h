/* The inside of struct smtp_client, for client.c (the owner's side), client_states.c (the table and how things end),
 * client_session.c (the session's replies) and client_message.c (a message's commands and replies) only. */
#ifndef SMTP_CLIENT_STATES_H
#define SMTP_CLIENT_STATES_H

#include "smtp/auth.h"
#include "smtp/client.h"
#include "smtp/domain_set.h"

/* Replies come in the order of the commands, so what is awaited is a queue; the state is its head or, when nothing
 * is awaited, the resting state: whose turn it is. */
enum state {
	STATE_BANNER,
	STATE_EHLO,
	STATE_LHLO,
	STATE_HELO,
	STATE_STARTTLS,
	STATE_TLS, /* rests: the owner makes the handshake */
	STATE_AUTH,
	STATE_READY, /* rests: the owner may give an envelope */
	STATE_RSET,
	STATE_MAIL,
	STATE_RCPT,
	STATE_DATA,
	STATE_CONTENT, /* rests: the owner gives the content */
	STATE_FINAL_DOT,
	STATE_VOID_DOT, /* the dot alone that ends a DATA without recipient (RFC 2920 section 3.2(4)) */
	STATE_BDAT,     /* BDAT LAST and all of the content */
	STATE_QUIT,
	STATE_CLOSED, /* rests for good */
	STATE_COUNT
};

enum {
	/* With DATA: one whose content is out and one whose envelope is. */
	TRANSACTIONS_LEAST = 2,
	COMMANDS_MOST = 4,               /* of a transaction that wait for replies: RSET, MAIL, RCPT and DATA or BDAT */
	EVENTS_BESIDES_TRANSACTIONS = 4, /* TROUBLE, CLOSED; two to spare */
	CHANNEL_BINDING_MOST = 64,
};

struct awaited {
	enum state state;
	uint64_t end; /* where the command ends in all that was ever said: no reply can come before it is written */
};

/* 421: the server closes now, and does not execute what was pipelined behind (RFC 5321 section 4.2.3). Not all do as they say. */
enum farewell {
	FAREWELL_UNSAID,
	FAREWELL_LAST_WORD, /* nothing was said since but 421 again */
	FAREWELL_BELIED     /* it went on */
};

/* One message from smtp_client_envelope() to the last reply to its commands. They come to their ends in their order. */
struct transaction {
	uint64_t id;
	bool is_over;     /* its end was told; replies to its commands may still come */
	bool has_content; /* it was given, and is out or on its way */
	bool is_odd;      /* its RCPT was answered as another command is */
	bool is_unclean;  /* RSET before it was refused: it may have been added to the one before it */
	bool asks_first;  /* BDAT waits for the reply to RCPT */
	enum state
	    unsaid;    /* of those before its content, the first command that was not said; STATE_CONTENT: all were */
	uint64_t last; /* where the octet that ends its content stands in all that was ever said */
};

/* Commands whose success has an enhanced code that tells them from each other. */
enum client_word { CLIENT_WORD_MAIL, CLIENT_WORD_RCPT, CLIENT_WORD_RSET, CLIENT_WORD_COUNT };

struct smtp_client {
	struct smtp_offers offers;
	uint64_t max_messages, taken, answered, accepted;
	bool is_lmtp, is_local, notify_delay, keeps_step;
	enum smtp_tls tls;
	bool is_secured, has_to_ask_tls;
	char channel_binding[CHANNEL_BINDING_MOST];
	size_t channel_binding_len;
	struct auth *auth; /* NULL: there are no credentials, or they are accepted */
	enum state state, rest;
	/* Rings: both grow at their ends only. */
	struct awaited *awaited;
	size_t awaited_first, awaited_count, awaited_cap;
	struct transaction *transactions;
	size_t transaction_first, transaction_count, transaction_cap;
	unsigned in_flight;
	struct buf mail_line, rcpt_line; /* of the last transaction */
	struct domain_set domains;
	bool needs_reset;             /* the server still holds a transaction that failed */
	bool has_offered, has_to_ask; /* TAKES_ENVELOPE was said; ASKS_CONTENT is to be said */
	bool quits, ends;             /* the owner wants no more; the session was refused and is being ended */
	bool is_withdrawn;            /* it is being ended for a message was taken back whose commands were said */
	struct status usual[CLIENT_WORD_COUNT]; /* what the server said first to each of them */
	bool is_out_of_step;                    /* a reply came that cannot be that to what was said */
	struct smtp_event held; /* its content was accepted, and the reply to the RSET behind it is to bear that out */
	bool has_held;
	struct buf held_text;
	enum farewell farewell;
	struct smtp_event *events;
	size_t event_first, event_count, event_cap;
	struct reply_parser parser;
	struct buf in, out;
	size_t in_at, out_at; /* what was read of in, and written of out */
	uint64_t written;     /* octets of all that was ever written */
	uint64_t replies;     /* whole ones that were ever read */
	struct buf hello, note;
};

/* How the client looks at its transactions: whose replies come next, and whose commands were said last. */
struct transaction *client_front(struct smtp_client *client);
struct transaction *client_back(struct smtp_client *client);
struct transaction *client_begin(struct smtp_client *client, uint64_t id);
void client_drop_front(struct smtp_client *client);
void client_drop_back(struct smtp_client *client);

/* What was just added to the output will be answered. These leave the state settled. */
void client_await(struct smtp_client *client, enum state state);
void client_say(struct smtp_client *client, enum state state, struct view line);
void client_say_quit(struct smtp_client *client);
void client_rest_in(struct smtp_client *client, enum state state);

struct smtp_event *client_tell(struct smtp_client *client, enum smtp_event_type type, uint64_t id,
			       const struct reply *reply);
uint64_t client_said(const struct smtp_client *client);

/* Tells the end of a transaction, once. */
void client_end(struct smtp_client *client, struct transaction *transaction, enum smtp_event_type end,
		const struct reply *reply);
/* Gives the ids back, then TROUBLE (unless it was told) and CLOSED: the connection is good for nothing more. */
void client_break_off(struct smtp_client *client, const struct reply *reply);
/* The same with a sentence of our own, about that step. */
void client_break_off_for(struct smtp_client *client, enum smtp_step step, struct view why);
/* The server has closed after 421, as it said: without trouble, which was told. */
void client_leave(struct smtp_client *client);
/* The server refuses the session but speaks SMTP: what has no content yet is given back, its other replies are read and QUIT is
 * said. */
void client_end_session(struct smtp_client *client, const struct reply *reply);
void client_end_session_for(struct smtp_client *client, enum smtp_step step, struct view why);
/* One or the other: a reply of a class that cannot answer the command is as bad as a malformed one. */
void client_refuse_session(struct smtp_client *client, const struct reply *reply);
void client_close(struct smtp_client *client);
/* A reply that cannot be that to the command whose turn it is. */
void client_lose_step(struct smtp_client *client, const struct reply *reply);
/* The end of the message that is held, if one is: ACCEPTED, or IN_DOUBT where we are out of step. */
void client_tell_held(struct smtp_client *client);
/* The last transaction, which has no content, is given back, and the session ended. */
void client_withdraw(struct smtp_client *client);
/* Its recipient or its content was refused. */
void client_refuse(struct smtp_client *client, struct transaction *transaction, const struct reply *reply);
/* The reply to the content of the first transaction, whose turn is over then. */
void client_end_content(struct smtp_client *client, const struct reply *reply);
/* Nothing is owed by either side and the session has been of use: it may end without a word about it. */
bool client_is_done_with(const struct smtp_client *client);

static inline unsigned class_of(const struct reply *reply)
{
	return reply->code / 100;
}

static inline bool is_refusal(const struct reply *reply)
{
	return class_of(reply) == 4 || class_of(reply) == 5;
}

/* Whole transactions go out with their content. */
bool client_uses_chunks(const struct smtp_client *client);
/* What may be said now of the last transaction's commands before its content; BDAT is said with it. */
void client_say_commands(struct smtp_client *client);
/* With BDAT: all commands of the last transaction that were not said, and its content. On failure nothing was said. */
enum err client_say_chunk(struct smtp_client *client, struct view message) MUST_USE;
/* EHLO or LHLO. */
void client_say_hello(struct smtp_client *client);

void client_on_reply(struct smtp_client *client, const struct reply *reply);
enum smtp_step client_step(const struct smtp_client *client);

/* One handler per state; while it runs client->state is still the state whose reply this is. */
typedef void reply_handler(struct smtp_client *client, const struct reply *reply);
reply_handler client_on_banner, client_on_ehlo, client_on_lhlo, client_on_helo, client_on_starttls, client_on_auth,
    client_on_rset, client_on_mail, client_on_rcpt, client_on_data, client_on_final_dot, client_on_void_dot,
    client_on_bdat;

#endif
