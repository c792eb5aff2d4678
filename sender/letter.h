/* One recipient's copy, ready to be handed to the relay: the envelope and the message. */
#ifndef SENDER_LETTER_H
#define SENDER_LETTER_H

#include "mail/compose.h"
#include "mail/dkim.h"
#include "mail/token.h"
#include "store/openings.h"

/* Its buffers are used again for the next one. */
struct letter {
	struct buf from;    /* the return path */
	struct buf envid;   /* the message token */
	struct buf message; /* CRLF line ends, not dot-stuffed; signed when its domain has keys */
	struct buf plain;   /* the same, unsigned */
	struct buf unsubscribe;
};

struct letter letter_new(void);
void letter_done(struct letter *letter);

/* What all letters of an installation share. Borrowed. */
struct letterhead {
	struct token_maker *tokens;
	struct dkim_signer *signer;
	struct view bounce_domain, bounce_prefix;
};

/* The keys that sign a campaign's letters. Borrowed. */
struct signing {
	struct dkim_key *keys[DKIM_SIGNATURES];
	size_t count; /* 0: they go unsigned */
};

/* What its tokens are about. */
struct letter_ids {
	int64_t campaign_id, subscriber_id; /* of return path and Message-ID */
	int64_t list_id, leaver_id;         /* of the link to unsubscribe */
	unsigned key_id;
	unsigned day;
};

/* Writes the letter anew; the same recipient gives the same bytes at every attempt while its data stays. ERR_INVALID: its data cannot be
 * merged, `why` says which; ERR_NOT_FOUND: the key that its tokens were begun with is gone; ERR_TOO_BIG; ERR_MEMORY. */
enum err letter_write(const struct letterhead *letterhead, struct composer *composer, const struct signing *signing,
		      const struct opened *opened, struct letter *letter, struct buf *why) MUST_USE;

/* The same with tokens of the caller's choice; the copy's tokens are set here. */
enum err letter_write_copy(const struct letterhead *letterhead, struct composer *composer,
			   const struct signing *signing, const struct letter_ids *ids, struct copy *copy,
			   struct letter *letter, struct buf *why) MUST_USE;

#endif
