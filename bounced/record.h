/* What one received message means: the events, unsubscribes, letters and returns of relay tests that will be stored for it. It is made in two
 * steps: record_new() keeps the message and knows what is asked of it, record_judge() concludes from what was found in it (insight.h). A
 * record owns everything it holds, so that it outlives the session it came through.
 *
 * Whom a report is about is told by the token of the address that it came to, unless a message token of another copy stands inside and
 * none of that address's: then a relay has rewritten MAIL FROM, and the copy inside is meant. That is believed of bounced.report_networks
 * only, for a Message-ID travels on with every answer and in archives; from others it is kept for a person. A report address has no token
 * of its own.
 * Campaign 0 is that of relay tests and probes: what comes for it never is an event of somebody. Which of them it is about the database knows
 * (batch.h): a report is given as one about a test. */
#ifndef BOUNCED_RECORD_H
#define BOUNCED_RECORD_H

#include "bounced/gate.h"
#include "bounced/insight.h"
#include "store/bounces.h"
#include "store/departures.h"
#include "store/mailboxes.h"
#include "store/relay_tests.h"

/* A recipient of the message. */
struct destination {
	struct passage passage;
	struct view address; /* kept with the record */
	size_t word;         /* of the return path of a relay's test: the inquiry's word for it */
};

struct record {
	struct record *next; /* in the committer's queues */
	void *owner;         /* the session that waits for it, NULL when it has gone; the loop's thread only */
	int64_t received_us;
	struct buf message, names;
	struct view sender;
	struct destination *destinations;
	size_t destination_count;
	unsigned char hash[BOUNCE_HASH_SIZE];
	struct buf tokens; /* of relays' tests: the words of the inquiry stand in it */
	struct view *words;
	struct inquiry inquiry;
	struct insight insight;
	bool may_report; /* who brought it is believed about other copies than that of the address */
	bool is_unread;  /* nobody could read it */
	struct bounce_event *events;
	size_t event_count;
	struct departure *departures; /* unsubscribes */
	size_t departure_count;
	struct mailbox_message *letters;
	size_t letter_count;
	struct relay_test_return *tests;
	size_t test_count;
	enum err outcome; /* of the commit */
};

/* A message with its envelope; passages[i] is the gate's word about recipients[i]. Borrowed for the call. */
struct arrival {
	struct view sender; /* empty: the null sender */
	const struct view *recipients;
	const struct passage *passages;
	size_t recipient_count;
	struct view trace; /* its Received field; empty: none is kept */
	bool may_report;   /* its peer is in bounced.report_networks, and speaks for itself */
	struct view message;
	int64_t now_us;
};

/* ERR_OK whatever the content says; ERR_MEMORY. The caller releases *ret_record. */
enum err record_new(struct gate *gate, const struct arrival *arrival, struct record **ret_record) MUST_USE;
/* Takes what was found by the record's inquiry, NULL when nobody could read the message: then it is unknown, and kept. ERR_MEMORY. */
enum err record_judge(struct record *record, struct gate *gate, struct insight *insight) MUST_USE;
void record_done(struct record *record); /* accepts NULL */

/* True when nothing is to be stored: the message is answered 250 and forgotten. */
bool record_is_empty(const struct record *record);

#endif
