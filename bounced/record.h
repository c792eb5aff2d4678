/* What one received message means: the events, unsubscribes and letters that will be stored for it. The only place where content
 * from outside is parsed. A record owns everything it holds, so that it outlives the session it came through. */
#ifndef BOUNCED_RECORD_H
#define BOUNCED_RECORD_H

#include "bounced/gate.h"
#include "mail/intake.h"
#include "store/bounces.h"
#include "store/departures.h"
#include "store/mailboxes.h"

struct record {
	struct record *next; /* in the committer's queues */
	void *owner;         /* the session that waits for it, NULL when it has gone; the loop's thread only */
	struct buf message, names;
	struct report *report;
	struct bounce_event *events;
	size_t event_count;
	struct departure *departures; /* unsubscribes */
	size_t departure_count;
	struct mailbox_message *letters;
	size_t letter_count;
	enum err outcome; /* of the commit */
};

/* A message with its envelope; passages[i] is the gate's word about recipients[i]. Borrowed for the call. */
struct arrival {
	struct view sender; /* empty: the null sender */
	const struct view *recipients;
	const struct passage *passages;
	size_t recipient_count;
	struct view message;
	int64_t now_us;
};

/* ERR_OK whatever the content says; ERR_MEMORY. The caller releases *ret_record. */
enum err record_new(struct intake *intake, struct gate *gate, const struct arrival *arrival,
		    struct record **ret_record) MUST_USE;
void record_done(struct record *record); /* accepts NULL */

/* True when nothing is to be stored: the message is answered 250 and forgotten. */
bool record_is_empty(const struct record *record);

#endif
