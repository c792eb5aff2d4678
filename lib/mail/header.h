/* Header fields of a message (RFC 5322 section 2.2, RFC 2047). Lines fold at 76 characters wherever there is a place to
 * fold; text that is not plain ASCII becomes encoded words, in B or Q, whichever is shorter, never within a character.
 *
 * Field names and the words around data are the program's own. Data passes header_check() where it enters, so that a
 * person learns what is wrong; the writers refuse the same characters once more, so that no mistake elsewhere can add a
 * field or end the header block. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/buf.h"

/* Data bound for a header: UTF-8, no control character (CR, LF and NUL among them), no character that some programs
 * take for a line end (U+0085, U+2028, U+2029), at most LIMIT_HEADER_VALUE characters. ERR_INVALID appends to `why` what
 * `what` names ("the field \"name\"") and what is wrong with it. */
enum err header_check(struct view what, struct view value, struct buf *why) MUST_USE;

/* The same without regard to its length, without a word. */
bool header_takes(struct view text);

/* The same of a text that may have lines and tabs, which a header shows as blanks. */
bool header_takes_lines(struct view text);
/* Appends it as a header shows it: each line end and tab as a blank. */
void header_add_one_line(struct view text, struct buf *out);

/* Whether a piece of it looks like an encoded word (RFC 2047 section 2): programs that do not tell data from headers would decode it. */
bool header_has_encoded_word(struct view text);

/* Whether header_check() would let it pass. */
bool header_fits(struct view value);

/* Each appends one whole field, CRLF included, or returns ERR_INVALID when a piece holds a control character or is no
 * UTF-8; on any failure out is as before. */

/* Unstructured text, such as a subject. */
enum err header_write_text(struct view name, struct view text, struct buf *out) MUST_USE;
/* display <address>, the display name quoted or encoded; an empty one leaves the bare address. */
enum err header_write_mailbox(struct view name, struct view display, struct view address, struct buf *out) MUST_USE;
/* "display" <id>, as List-Id has it (RFC 2919 section 3): always with brackets. */
enum err header_write_id(struct view name, struct view display, struct view id, struct buf *out) MUST_USE;
/* A value that is neither encoded nor folded: dates, identifiers, links. */
enum err header_write_plain(struct view name, struct view value, struct buf *out) MUST_USE;

#endif
