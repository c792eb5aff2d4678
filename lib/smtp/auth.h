/* The AUTH command as a client says it (RFC 4954): the lines around what a mechanism of smtp/sasl.h says. */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include "base/buf.h"
#include "smtp/sasl.h"

struct auth;

/* Copies the credentials; done wipes them. ERR_INVALID: they cannot be said; ERR_MEMORY. */
enum err auth_new(const struct smtp_credentials *credentials, struct auth **ret_auth) MUST_USE;
void auth_done(struct auth *auth); /* accepts NULL */

/* Appends the line "AUTH ...". With an initial response when the mechanism has one and the line stays within 512 octets;
 * else it follows when the server asks for it. `offered` has the bits 1u << SASL_x of the server's mechanisms. False:
 * nothing was appended, and auth_trouble() says why. */
bool auth_begin(struct auth *auth, unsigned offered, struct view channel_binding, struct buf *out) MUST_USE;
/* Appends the line that answers a 334 with this text: "*", which cancels, when the text is not base64 or not what this
 * mechanism's server may say. */
void auth_answer(struct auth *auth, struct view text, struct buf *out);

bool auth_is_canceled(const struct auth *auth);
/* Why it did not begin or was canceled, or why an exchange that the server ends with 235 is not to be trusted; empty: it is
 * well. */
struct view auth_trouble(const struct auth *auth);
/* What the server gave as its reason before it refuses (RFC 7628 section 3.2.2): JSON, printable ASCII; empty: nothing. */
struct view auth_reason(const struct auth *auth);

#endif
