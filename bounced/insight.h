/* What stands in a message, without a word about whom it concerns or what follows from it. The only place where content from outside is
 * parsed; it needs neither keys nor clock nor database, so that a process can do it that has nothing else. */
#ifndef BOUNCED_INSIGHT_H
#define BOUNCED_INSIGHT_H

#include "mail/intake.h"

/* Where a word stands: the first of these that is so. */
enum sighting {
	SIGHT_NOWHERE,
	SIGHT_MESSAGE_ID, /* in the Message-ID */
	SIGHT_TEST_FIELD, /* in X-Verpost-Test */
	SIGHT_TEXT, /* nowhere but in a line of its own: who answers or returns a message quotes it, or has it in his head as well */
	SIGHTING_COUNT
};

/* What is asked of a message. Borrowed. */
struct inquiry {
	struct view message; /* with the Return-Path in front */
	size_t content_at;   /* where it begins as it came */
	/* Words to look for; an empty one is nowhere. With any, the message is sealed (mail/seal.h). */
	const struct view *words;
	size_t word_count;
};

struct insight {
	struct report *report;
	struct buf sightings; /* an octet for each word */
	struct buf seal;
};

/* ERR_OK whatever the content says; ERR_MEMORY. The caller releases *ret_insight. */
enum err insight_read(struct intake *intake, const struct inquiry *inquiry, struct insight *ret_insight) MUST_USE;
void insight_done(struct insight *insight); /* accepts a zeroed one */

/* For a message that could not be read. ERR_MEMORY. */
enum err insight_of_unread(size_t word_count, struct insight *ret_insight) MUST_USE;

enum sighting insight_sighting(const struct insight *insight, size_t word);

#endif
