/* The return path: PREFIX+TOKEN@BOUNCE-DOMAIN. One address a recipient and campaign, so that whatever comes back says by itself
 * whom it is about. The same shape with the word "unsubscribe" is the mailto address of List-Unsubscribe. */
#ifndef MAIL_VERP_H
#define MAIL_VERP_H

#include "base/buf.h"

/* Appends the address. */
enum err verp_write(struct view prefix, struct view token, struct view domain, struct buf *out) MUST_USE;

/* Splits an address of that prefix and domain (both compared without case; a final dot of the domain is dropped). The token is borrowed
 * from address and not yet checked. */
bool verp_split(struct view address, struct view prefix, struct view domain, struct view *ret_token) MUST_USE;

/* 1 to 5 letters and digits, and the local part with a token stays within LIMIT_RETURN_PATH_LOCAL. */
bool verp_prefix_is_valid(struct view prefix) MUST_USE;
/* Letters, digits, hyphens and dots within LIMIT_DOMAIN: a domain in its ASCII form. */
bool verp_domain_is_valid(struct view domain) MUST_USE;

#endif
