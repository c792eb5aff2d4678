/* A copy of a campaign for a tester (store/campaign_tests.h): as a worker would write and sign it for the reader it was asked for, but to
 * another address, and with tokens by which whatever comes back is about nobody. */
#ifndef SENDER_SAMPLE_H
#define SENDER_SAMPLE_H

#include "sender/letter.h"
#include "sender/setup.h"
#include "store/campaign_tests.h"

struct sample;

/* Loads and compiles. `why` says what keeps it from being sent: a template that does not compile, missing keys where they are required. */
enum err sample_new(struct db *db, const struct setup *setup, const struct campaign_test *test,
		    struct sample **ret_sample, struct buf *why) MUST_USE;
void sample_done(struct sample *sample); /* accepts NULL */

struct view sample_address(const struct sample *sample);
/* Writes the letter anew; each time the same. ERR as letter_write(). */
enum err sample_write(const struct sample *sample, const struct letterhead *letterhead, struct letter *letter,
		      struct buf *why) MUST_USE;

#endif
