/* Who may be written to: the decision at RCPT. It needs the keys and the clock, never the database. */
#ifndef BOUNCED_GATE_H
#define BOUNCED_GATE_H

#include "base/settings.h"
#include "mail/token.h"

enum gate_verdict {
	GATE_RETURN_PATH, /* a valid token */
	GATE_UNSUBSCRIBE, /* a valid token of that purpose */
	GATE_MAILBOX,     /* postmaster and abuse: kept for a person */
	GATE_REPORTS,     /* one of bounced.report_addresses: acts by a token inside only */
	GATE_NO_SUCH,     /* of our domain, but nothing we gave out */
	GATE_UNKNOWN_KEY,
	GATE_FORGED,
	GATE_EXPIRED,
	GATE_FOREIGN, /* another domain: we do not relay */
	GATE_VERDICT_COUNT
};

struct passage {
	enum gate_verdict verdict;
	struct token token; /* with a valid token */
};

/* What the peer hears. */
struct gate_reply {
	unsigned code;
	const char *status, *text;
};

struct gate;

/* The settings are borrowed for the gate's life. ERR_MEMORY. */
enum err gate_new(const struct settings *settings, const struct keyring *keyring, struct gate **ret_gate) MUST_USE;
void gate_done(struct gate *gate); /* accepts NULL */
/* Takes another keyring from now on; on failure the old one stays. */
enum err gate_set_keys(struct gate *gate, const struct keyring *keyring) MUST_USE;

/* recipient: an address without brackets, or the bare word postmaster. may_report: the peer is in bounced.report_networks; to others the
 * report addresses do not exist. Counted by verdict. */
void gate_ask(struct gate *gate, struct view recipient, bool may_report, int64_t now_us, struct passage *ret_passage);
bool gate_lets_in(enum gate_verdict verdict);
/* Nobody can have it from us: neither now nor earlier. */
bool gate_is_guess(enum gate_verdict verdict);
const struct gate_reply *gate_reply(enum gate_verdict verdict);

/* A token found inside a report: a Message-ID, an ENVID or a return path of ours, not older than bounce.inside_life. */
bool gate_identify(struct gate *gate, struct view text, int64_t now_us, struct token *ret_token) MUST_USE;

/* Whether an address is the return path whose token this is, in any case of its letters. */
bool gate_is_return_path(struct gate *gate, struct view address, const struct token *token, int64_t now_us);
/* Appends the message token of the copy whose return path this is: what stands in its Message-ID. Errors as token_sign(). */
enum err gate_message_token(struct gate *gate, const struct token *return_path, struct buf *out) MUST_USE;

/* Refusals of each cause since the start. */
uint64_t gate_count(const struct gate *gate, enum gate_verdict verdict);
/* One line for each cause that refused somebody since the last call: called every few seconds, so that a flood is no flood of lines. */
void gate_log(struct gate *gate);

#endif
