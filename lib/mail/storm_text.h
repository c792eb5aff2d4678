/* What a report says, so that the same words about different people are the same text: as phrases are compared (mail/phrase_text.h), without
 * words that hold a digit (codes, addresses of hosts, the ids that large operators write behind their replies), without the words that name the
 * recipient, and cut behind the first ones. */
#ifndef MAIL_STORM_TEXT_H
#define MAIL_STORM_TEXT_H

#include "base/buf.h"

/* Appends it, at most LIMIT_STORM_TEXT octets of whole words. recipient: the address that the report names, or empty. said is UTF-8, and so is what is
 * appended. */
enum err storm_text_write(struct view said, struct view recipient, struct buf *out) MUST_USE;

/* A number of 64 bits for a reason and such a text. False without memory. */
bool storm_text_hash(struct view reason, struct view text, int64_t *ret_hash) MUST_USE;

#endif
