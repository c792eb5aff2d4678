/* The message of a return-path test: small, from and to the return path of (campaign 0, the test's id), with the message token where a
 * campaign's copies have it and, should a relay replace the Message-ID, in a header of its own and in the text. It has the fields that copies
 * have and relays like to change, those of lists among them. The same facts give the same bytes. */
#ifndef SENDER_PROBE_H
#define SENDER_PROBE_H

#include "sender/letter.h"

struct probe_facts {
	int64_t test_id, now_us;
	unsigned key_id;
	struct view relay;        /* its name, for the subject */
	struct view from_address; /* of the From line; the return path when empty or not plain ASCII */
};

/* Writes the letter anew: the envelope goes from letter->from to letter->from. ERR_NOT_FOUND: the key is gone; ERR_INVALID; ERR_TOO_BIG;
 * ERR_MEMORY. */
enum err probe_write(const struct letterhead *letterhead, const struct probe_facts *facts,
		     struct letter *letter) MUST_USE;

#endif
