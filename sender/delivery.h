/* From what the relay said to what becomes of the recipient. Pure. */
#ifndef SENDER_DELIVERY_H
#define SENDER_DELIVERY_H

#include "mail/classify.h"
#include "sender/queue.h"
#include "sender/retry.h"
#include "smtp/client.h"

struct delivery_terms {
	const struct classifier *classifier;
	const struct retry *retry;
	int64_t
	    soon_us; /* wait before a doubtful one is sent to again, and the first one after a refusal that does not stand */
	int64_t now_us; /* wall clock */
};

/* Fills in recipient->row for ACCEPTED and REFUSED, and UNFIT, which is as if it were refused. True when it is a refusal about us: our own trouble, never the subscriber's
 * (see reason_counts_from_relay()). */
bool delivery_decide(struct recipient *recipient, const struct smtp_event *event, const struct delivery_terms *terms);

/* A refusal for good before the content that may be what everybody would hear: at DATA, at MAIL about the message, or at RCPT for a reason that is
 * never the address's own (see reason_counts_from_relay()). See sender/distrust.h. */
bool delivery_blames_nobody(const struct smtp_event *event, const struct delivery_terms *terms);

/* A refusal for now. */
bool delivery_is_deferral(const struct smtp_event *event);

/* Such a refusal does not stand (sender/distrust.h): he is tried again after soon_us, twice as long each time, until these are the waits of the
 * schedule. False: his time is over, and he is refused in the relay's words. */
bool delivery_disbelieve(struct recipient *recipient, const struct smtp_event *event,
			 const struct delivery_terms *terms);

/* A refusal, of a message or a session, by which the other side says that it wants less for now: 421 or 4.7.x. Not greylisting, which is about one message, nor a 421
 * by which a system says of itself that it closes (4.3.x, 4.4.x). */
bool delivery_is_throttled(const struct smtp_event *event, const struct delivery_terms *terms);

/* Fills in recipient->row as it is to be when nothing more is heard: what the journal holds while the content is on its way. */
void delivery_doubt(struct recipient *recipient, const char *connection, const struct delivery_terms *terms);

/* When an earlier attempt of his is in doubt and what recipient->row says now is not about his address (a refusal of us, or his time is over): nothing is
 * known of that copy by it, so he is in doubt again, with the relay's words. True: he is. */
bool delivery_keep_doubt(struct recipient *recipient, const char *relay);

/* The relay failed again and again before anything was said of it: it is tried later, by the schedule. */
void delivery_put_off(struct recipient *recipient, struct view why, const struct delivery_terms *terms);

/* Its data cannot be sent: skipped, or held if it has been in doubt; with the reason for people in `why`. */
void delivery_skip(struct recipient *recipient, const char *reason, struct view why, int64_t now_us);

/* The finding of a refused row that counts against the address; false when it does not. */
bool delivery_counts(const struct classifier *classifier, const struct ledger_row *row, struct finding *ret_finding);

#endif
