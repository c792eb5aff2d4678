/* E-mail addresses as people and CSV files write them: an address for sending and a key for comparing.
 *
 * The grammar is the Mailbox of RFC 5321 section 4.1.2 as extended by RFC 6531 section 3.3, narrowed by policy: no quoted
 * local part, no address literal, no source route, no `%` or `!` routing, and a domain of two labels at least. A domain
 * in another script becomes A-labels (RFC 5891, UTS 46 non-transitional); a local part in another script stays UTF-8, in
 * NFC, and needs a relay with SMTPUTF8. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/buf.h"

/* Appends the address for sending: text without blanks at its ends, the local part as given (NFC), the domain in lower
 * case and A-labels. ERR_INVALID leaves ret_address as it was and appends one sentence to `why`; each rule has its own
 * sentence, and none repeats octets that could upset a terminal. Parsing its own output changes nothing. */
enum err address_parse(struct view text, struct buf *ret_address, struct buf *why) MUST_USE;

/* The same for a domain alone, as a suppression names it. */
enum err address_parse_domain(struct view text, struct buf *ret_domain, struct buf *why) MUST_USE;

/* Appends the key that equal addresses share: lower case by Unicode's rules, NFC. For comparing only, never for sending:
 * RFC 5321 section 2.4 leaves a local part's case to its host. The key of a key is itself. ERR_INVALID: not UTF-8. */
enum err address_key(struct view address, struct buf *ret_key) MUST_USE;

/* What stands after the last `@`; empty without one. */
struct view address_domain(struct view address);

/* Appends the address with its domain as people read it: U-labels for A-labels (RFC 5890 section 2.3.2). False: it has none, or one that cannot be
 * read, and nothing is appended. */
bool address_unicode(struct view address, struct buf *ret_text);

/* False when sending to it needs SMTPUTF8 (RFC 6531 section 3.4). */
bool address_is_ascii(struct view address);

#endif
