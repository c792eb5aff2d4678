/* Whether a campaign will be signed, judged by this host's copy of the keys (dkim.dir). */
#ifndef LISTCTL_SIGNING_H
#define LISTCTL_SIGNING_H

#include "listctl/call.h"

/* Warns when mail from that address is not signed, or when the keys cannot be read here, which says nothing of sender. ERR_REFUSED: it is not
 * signed, and dkim.required is set. */
enum err signing_check(struct call *call, struct view from_address) MUST_USE;

/* Appends who signs it, "example.org (rsa v20261126)", that nobody does and why, or why it cannot be told. */
void signing_describe(const struct settings *settings, struct view from_address, struct buf *out);

/* Appends the domain whose keys will sign mail from that address, nothing when there are none. False: who asks may not read them. */
bool signing_domain(const struct settings *settings, struct view from_address, struct buf *ret_domain) MUST_USE;

#endif
