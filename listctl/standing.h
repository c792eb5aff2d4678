/* Whether somebody is written to where a file comes from: which columns tell it by what they are called, and what their words mean, in several
 * languages. Names and words are compared by their letters alone: case, accents, blanks, hyphens and underscores do not count. Pure. */
#ifndef LISTCTL_STANDING_H
#define LISTCTL_STANDING_H

#include "base/view.h"

enum standing {
	STANDING_ACTIVE,
	STANDING_LEFT,    /* unsubscribed, cleaned, blocklisted and the like: never subscribed here */
	STANDING_PENDING, /* has not confirmed */
	STANDING_NO_MAIL, /* a member who receives nothing, by his own wish or another's */
	STANDING_NEVER,   /* nobody there says that he has subscribed */
	STANDING_UNKNOWN,
};

/* How a column tells it. */
enum state_column {
	STATE_COLUMN_NONE,
	STATE_COLUMN_WORD,      /* status: active, unsubscribed */
	STATE_COLUMN_RECEPTION, /* how he receives: whatever is no word for nothing is a way to receive */
	STATE_COLUMN_YES,       /* subscribed: who has no yes (a time is one) gets nothing */
	STATE_COLUMN_CONFIRMED, /* the same, of a confirmation */
	STATE_COLUMN_LEFT,      /* unsubscribed, unsubscribed_at: who has anything but a no */
	STATE_COLUMN_NO_MAIL,   /* the same, of a member who receives nothing */
};

/* By a normalised name (column_names.h). */
enum state_column state_column_of(const char *name);
/* Of a cell. An empty one is active, but unknown where a yes was to be seen. */
enum standing standing_of(enum state_column column, struct view text);

#endif
