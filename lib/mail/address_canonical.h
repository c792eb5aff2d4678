/* One mailbox, many spellings: a.b+news@googlemail.com is delivered where ab@gmail.com is. The canonical form is the one that all spellings
 * of a mailbox share, for telling whether two addresses are one person's. Never for sending: a copy goes to the address as given.
 *
 * Of each provider only what it says itself: everything from + on (sub-addressing, RFC 5233), octets of the local part that it does not look at,
 * and domains of which each mailbox has all. Of other domains nothing is assumed: there a.b and ab may be two people. The forms are kept in the
 * database: whoever changes a row has to have those of its domains made anew (a migration). */
#ifndef MAIL_ADDRESS_CANONICAL_H
#define MAIL_ADDRESS_CANONICAL_H

#include "base/buf.h"

/* key: as address_key() writes it. True when the form differs from the key: then it is appended to ret_form, at most LIMIT_ADDRESS octets where the
 * key has no more. False: the key is the form, and nothing is appended. The form of a form is itself, and no local part becomes empty. */
bool address_canonical(struct view key, struct buf *ret_form);

#endif
