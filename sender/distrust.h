/* A refusal for good before the content, at DATA or MAIL, or at RCPT for no reason of the address's own: is it about this recipient, or his
 * destination, or would the relay refuse anybody? Its reply does not say. So the first one is not the end of a recipient: he is given back and tried again behind the others, and refused again he
 * is refused, if the relay has answered the content of somebody between; else he waits (sender/dispatch.c). A relay that refuses different recipients one after the other so, of more than one destination, and answers the content of none
 * between, is distrusted: it is to be left alone as one that cannot be reached. Then one more of them is enough, after that two, four and so
 * on, until it has answered a content: so all who wait are tried in an hour or two. Of one destination alone it is told by nobody that the relay is to blame: breakers hold that one (sender/breaker.h). Another one counts in the
 * same way those whom a relay puts off, while others accept; what answers there is a message accepted. Pure. */
#ifndef SENDER_DISTRUST_H
#define SENDER_DISTRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/view.h"

/* So many different recipients in a row: more than the breaker of one campaign or group needs by its default (breaker.policy_min), and few
 * enough to be found out within a second. They are no worse off for it. */
enum { DISTRUST_AT = 64, DISTRUST_MOST = 1024 };

/* Fewer than this in a row, which is less than a breaker needs (BREAKER_RUN), may be meant themselves; behind so many who were answered, for each of them. */
enum { DISTRUST_FEW = 20, DISTRUST_ANSWERED_FOR_EACH = 2 };

/* Of a relay. Begins zeroed. */
struct distrust {
	unsigned refused; /* different recipients in a row */
	unsigned bears;   /* so many before it is left alone again; 0: it is not distrusted */
	bool is_mixed;    /* they were of several destinations */
	/* The last of them. */
	int64_t campaign_id;
	size_t destination_len;
	char destination[LIMIT_DOMAIN];
};

/* The relay refused a recipient whom it had not refused before. His destination: the name of his domain's group, or the domain when it is in
 * none. True: it is to be left alone. */
bool distrust_refused(struct distrust *distrust, int64_t campaign_id, struct view destination);
/* The relay answered a content, whatever it said. */
void distrust_answered(struct distrust *distrust);
/* It has refused somebody and answered no content since: another one will tell. */
bool distrust_is_open(const struct distrust *distrust);
/* It refuses few in a row, behind so many of the same campaign whose content it has answered, and is not distrusted. */
bool distrust_is_of_few(const struct distrust *distrust, uint64_t answered);
/* It is distrusted, and of this campaign and destination was the last whom it refused: somebody else tells more. */
bool distrust_knows(const struct distrust *distrust, int64_t campaign_id, struct view destination);

#endif
