/* Header fields that a list puts into its copies besides those that every copy has: RFC 2369's about the list, and fields of its own.
 *
 * Kept as lines "Name: value", each ended by LF, UTF-8, neither encoded nor folded, each name once. What a list may not say is checked when a
 * line is set and once more when it is written, so that no way into the database adds a second From. */
#ifndef MAIL_LIST_HEADERS_H
#define MAIL_LIST_HEADERS_H

#include "base/buf.h"

enum {
	LIST_HEADERS_MOST = 20,
	LIST_HEADERS_NAME_MOST = 64, /* octets */
	LIST_HEADERS_URL_MOST = 500, /* octets: a URL is never folded */
};

/* RFC 2369 sections 3.1, 3.4 to 3.6; List-Unsubscribe is each copy's own (mail/compose.h). */
enum list_field { LIST_HELP, LIST_OWNER, LIST_ARCHIVE, LIST_POST, LIST_FIELD_COUNT };
const char *list_field_name(enum list_field field);
/* Appends the field's value, "<https://...>": text is a URL with https, http or mailto, or an address where mail is meant (owner, post), or "no"
 * for LIST_POST. ERR_INVALID with a sentence. */
enum err list_field_value(enum list_field field, struct view text, struct buf *ret_value, struct buf *why) MUST_USE;

/* https://HOST[/PATH], fit for a header between < and >, without query and fragment. */
bool list_headers_is_web(struct view url);

/* ERR_INVALID with a sentence: no name of a field (RFC 5322 section 2.2), or one that the program or the way of the message writes. */
enum err list_headers_check_name(struct view name, struct buf *why) MUST_USE;

/* Sets a line, or removes it when the value is empty; lines is as before on failure. ERR_INVALID: `why` says what is wrong with name or value;
 * ERR_TOO_BIG: more than LIST_HEADERS_MOST. */
enum err list_headers_set(struct buf *lines, struct view name, struct view value, struct buf *why) MUST_USE;
/* The value of that name, in any case; empty: none. Borrowed. */
struct view list_headers_get(struct view lines, struct view name);
/* Cuts the next line off *lines; false at the end. */
bool list_headers_next(struct view *lines, struct view *ret_name, struct view *ret_value);

/* Appends them as fields of a message. ERR_INVALID: `why` names the line that may not stand there. */
enum err list_headers_write(struct view lines, struct buf *out, struct buf *why) MUST_USE;

#endif
