/* Returned messages that came another way than through bounced: each is judged as bounced would, for the recipient whose valid token is in
 * it. */
#ifndef LISTCTL_INGEST_H
#define LISTCTL_INGEST_H

#include "listctl/call.h"
#include "store/bounces.h"

struct ingest;

struct ingest_counts {
	size_t messages;
	size_t no_token;  /* without a valid token, or with those of two copies: nobody can be found */
	size_t no_report; /* about nothing that came back */
	size_t events;    /* the rest: events given to the database */
	struct bounces_tally tally;
};

/* Reads the key file of the settings. */
enum err ingest_new(struct call *call, struct ingest **ret_ingest) MUST_USE;
void ingest_done(struct ingest *ingest); /* accepts NULL */

/* Takes one message; those without a token are named on stderr. Commits a portion now and then: a later failure leaves what was
 * committed, and taking the same messages again changes nothing. */
enum err ingest_take(struct ingest *ingest, const char *name, struct view message) MUST_USE;
/* Commits the rest. */
enum err ingest_end(struct ingest *ingest, struct ingest_counts *ret_counts) MUST_USE;

#endif
