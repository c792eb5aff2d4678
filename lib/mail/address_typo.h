/* A domain that is one slip of the finger away from that of a great provider: gmial.com, hotmail.con, www.yahoo.fr. Mail to such a domain goes to
 * nobody, or to whoever has registered it because of its visitors.
 *
 * Told only where a slip is likelier than a domain of somebody's own: one letter left out, repeated, exchanged with its neighbour, or hit beside
 * the right one on the keyboard, in a name that is no word; or an ending that is none (.con), or that of another country where the provider has
 * no mail (gmail.co). What other providers really have is known and left alone (ymail.com, mail.com, gmx.net). */
#ifndef MAIL_ADDRESS_TYPO_H
#define MAIL_ADDRESS_TYPO_H

#include "base/buf.h"

/* domain: lower case, A-labels. True: the domain that is meant is appended to ret_meant, never domain itself. False: nothing is appended. */
bool address_typo(struct view domain, struct buf *ret_meant);

#endif
