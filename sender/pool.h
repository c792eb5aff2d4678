/* The connections of one relay, and what each of them wants now: lines in which each stands at most once, so that a turn of the event loop
 * costs what happened in it and not how many connections there are. A connection puts itself into lines and takes itself out. */
#ifndef SENDER_POOL_H
#define SENDER_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct connection;

enum pool_line {
	POOL_ALL,
	POOL_OPENING,     /* has not said yet that it takes an envelope */
	POOL_IDLE,        /* nobody in hand, opening ones too */
	POOL_HUNGRY,      /* takes an envelope */
	POOL_DIRTY,       /* has something to write, or a new time to wait for */
	POOL_OVER,        /* only to be buried */
	POOL_PROVEN,      /* has brought somebody to an end */
	POOL_JUST_PROVEN, /* and the relay was not told yet */
	POOL_LINE_COUNT
};

/* A connection's places in the lines; begins zeroed but for `connection`. */
struct pool_member {
	struct connection *connection;
	struct {
		struct pool_member *prev, *next;
		bool is_in;
	} places[POOL_LINE_COUNT];
};

/* Begins zeroed. */
struct pool {
	struct {
		struct pool_member *first, *last;
		size_t count;
	} lines[POOL_LINE_COUNT];
	size_t in_hand; /* messages, of all its connections */
};

/* At the end of the line, unless it stands there. */
void pool_put(struct pool *pool, struct pool_member *member, enum pool_line line);
/* Out of the line, if it stands there. */
void pool_take(struct pool *pool, struct pool_member *member, enum pool_line line);
/* Out of all lines. */
void pool_leave(struct pool *pool, struct pool_member *member);

/* NULL: the line is empty. */
struct connection *pool_first(const struct pool *pool, enum pool_line line);
/* The one behind this member; NULL: it is the last. */
struct connection *pool_next(const struct pool_member *member, enum pool_line line);
size_t pool_count(const struct pool *pool, enum pool_line line);

#endif
