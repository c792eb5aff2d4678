/* A refusal before the content, at DATA or MAIL: is it about this recipient, or would the relay refuse anybody? Its reply does not say. So the
 * first one is not the end of a recipient: he is given back and tried again behind the others, and refused again he is refused. A
 * relay that refuses different recipients one after the other so, and answers the content of none between, is distrusted: it is to be left
 * alone as one that cannot be reached. Then one more of them is enough, after that two, four and so on, until it has answered a content: so
 * all who wait are tried in an hour or two, though nobody else is there to prove that it means them. Pure. */
#ifndef SENDER_DISTRUST_H
#define SENDER_DISTRUST_H

#include <stdbool.h>

/* So many different recipients in a row: more than neighbours in a list whom a relay may refuse for their own sake, one domain of them begun
 * on some connections at once; and few enough to be found out within a second. They are no worse off for it. */
enum { DISTRUST_AT = 32, DISTRUST_MOST = 1024 };

/* Of a relay. Begins zeroed. */
struct distrust {
	unsigned refused; /* different recipients in a row */
	unsigned bears;   /* so many before it is left alone again; 0: it is not distrusted */
};

enum distrust_verdict {
	DISTRUST_STANDS, /* he is refused */
	DISTRUST_AGAIN,  /* he is given back */
	DISTRUST_TRIPS,  /* he is given back, and the relay left alone */
};
/* The relay refused this recipient, and he has been refused so before or not. */
enum distrust_verdict distrust_refused(struct distrust *distrust, bool is_refused_before);
/* The relay answered a content, whatever it said. */
void distrust_answered(struct distrust *distrust);
/* It has refused somebody and answered no content since: another one will tell. */
bool distrust_is_open(const struct distrust *distrust);

#endif
