/* Files in a letter: images that its HTML shows, and attachments. What a file is its name's ending says and its first octets
 * confirm; programs are refused, as nearly all receivers do. */
#ifndef MAIL_ATTACHMENT_H
#define MAIL_ATTACHMENT_H

#include "base/buf.h"

/* All borrowed. */
struct attachment {
	struct view name;
	struct view type;       /* of MIME */
	struct view content_id; /* shown where the HTML says cid: and this; empty: an attachment */
	struct view content;
};

/* What it is. ERR_INVALID: `why` says what is wrong with it and what to do; it does not repeat the name. */
enum err attachment_check(struct view name, struct view content, const char **ret_type, struct buf *why) MUST_USE;
/* Whether such a type can be shown within a letter. */
bool attachment_is_image(struct view type);

/* How a file of such a type is called; NULL: there is none. */
const char *attachment_ending(struct view type);

/* A file that systems and editors leave in folders: Thumbs.db, .DS_Store, letter.md~. */
bool attachment_is_litter(struct view name);

/* The name alone: no path, no controls, those of direction included, UTF-8, no litter. */
enum err attachment_check_name(struct view name, struct buf *why) MUST_USE;

/* Appends a Content-ID (RFC 2392) for the number-th file of a letter: another one for other content. */
enum err attachment_write_id(size_t number, struct view content, struct view domain, struct buf *out) MUST_USE;

/* Appends its part, header and content in base 64, every line ended (RFC 2045, 2183, 2231, 2392). */
enum err attachment_write(const struct attachment *attachment, struct buf *out) MUST_USE;

#endif
