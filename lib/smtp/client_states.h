/* The inside of struct smtp_client, for client.c (the owner's side) and client_states.c (the server's replies)
 * only. */
#ifndef SMTP_CLIENT_STATES_H
#define SMTP_CLIENT_STATES_H

#include "smtp/client.h"

/* Replies come in the order of the commands, so what is awaited is a queue; the state is its head or, when nothing
 * is awaited, the resting state: whose turn it is. */
enum state {
	STATE_BANNER,
	STATE_EHLO,
	STATE_HELO,
	/* STARTTLS and AUTH take their place here. */
	STATE_READY, /* rests: the owner may give an envelope */
	STATE_RSET,
	STATE_MAIL,
	STATE_RCPT,
	STATE_DATA,
	STATE_CONTENT, /* rests: the owner gives the content */
	STATE_FINAL_DOT,
	STATE_VOID_DOT, /* the dot alone that ends a DATA without recipient (RFC 2920 section 3.2(4)) */
	STATE_QUIT,
	STATE_CLOSED, /* rests for good */
	STATE_COUNT
};

enum {
	AWAITED_MAX = 6, /* the dot, RSET, MAIL, RCPT, DATA; one to spare */
	EVENTS_MAX = 6,  /* two ids, TROUBLE, CLOSED; two to spare */
};

struct awaited {
	enum state state;
	uint64_t end; /* where the command ends in all that was ever said: no reply can come before it is written */
};

/* The message whose MAIL, RCPT and DATA are out. */
struct open_message {
	enum { OPEN_NONE, OPEN_WANTED, OPEN_REFUSED } phase; /* refused: its RCPT, while DATA is still to be answered */
	uint64_t id;
	enum state unsaid; /* the first of its commands that was not said; STATE_CONTENT: all were */
};

/* The message whose content is out. */
struct sent_message {
	bool is_awaited;
	uint64_t id;
	uint64_t dot_at; /* where its final dot stands in all that was ever said */
};

struct smtp_client {
	struct smtp_offers offers;
	uint64_t max_messages, taken, answered;
	bool notify_delay;
	enum state state, rest;
	struct awaited awaited[AWAITED_MAX];
	size_t awaited_count;
	struct open_message open;
	struct sent_message sent;
	struct buf mail_line, rcpt_line; /* of the open message */
	bool needs_reset;                /* the server still holds a transaction whose RCPT it refused */
	bool has_offered, has_to_ask;    /* TAKES_ENVELOPE was said; ASKS_CONTENT is to be said */
	bool quits, ends;                /* the owner wants no more; the session was refused and is being ended */
	struct smtp_event events[EVENTS_MAX];
	size_t event_count;
	struct reply_parser parser;
	struct buf in, out;
	size_t in_at, out_at; /* what was read of in, and written of out */
	uint64_t written;     /* octets of all that was ever written */
	struct buf hello;
};

/* What of the machine the owner's calls need; each leaves the state settled. */
void client_await(struct smtp_client *client, enum state state);
void client_say_commands(struct smtp_client *client);
void client_say_quit(struct smtp_client *client);
void client_tell(struct smtp_client *client, enum smtp_event_type type, uint64_t id, const struct reply *reply);
uint64_t client_said(const struct smtp_client *client);
/* Gives the ids back, then TROUBLE and CLOSED: the connection is good for nothing more. */
void client_break_off(struct smtp_client *client, const struct reply *reply);
void client_close(struct smtp_client *client);
void client_give_back(struct smtp_client *client);
/* Nothing is owed by either side and the session has been of use: it may end without a word about it. */
bool client_is_done_with(const struct smtp_client *client);
void client_on_reply(struct smtp_client *client, const struct reply *reply);
enum smtp_step client_step(const struct smtp_client *client);

#endif
