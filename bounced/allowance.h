/* How much mail may come in a day that is kept: about one copy, whose address its reader knows, and to a person from one network. Each is a message that
 * stays for weeks, so without a measure whoever has one address could fill the disk. Bounded memory: of those that are counted the one with the
 * fewest makes room. */
#ifndef BOUNCED_ALLOWANCE_H
#define BOUNCED_ALLOWANCE_H

#include "mail/token.h"
#include "net/endpoint.h"

struct allowance;

/* Messages a day; 0: as many as come. ERR_MEMORY. */
enum err allowance_new(size_t per_copy, size_t per_network, struct allowance **ret_allowance) MUST_USE;
void allowance_done(struct allowance *allowance); /* accepts NULL */

/* Whether one more may come now (boot clock); one that may not is counted for the log. */
bool allowance_has_copy(struct allowance *allowance, const struct token *token, int64_t now_us);
bool allowance_has_network(struct allowance *allowance, const struct endpoint *peer, int64_t now_us);

/* One has come. */
void allowance_note_copy(struct allowance *allowance, const struct token *token, int64_t now_us);
void allowance_note_network(struct allowance *allowance, const struct endpoint *peer, int64_t now_us);

/* A log line for what was refused since the last call. */
void allowance_log(struct allowance *allowance);

#endif
