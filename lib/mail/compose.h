/* A campaign's template, compiled once, and one recipient's message made from it: merge fields, MIME multipart/alternative,
 * headers, 7-bit wire text with CRLF line ends (no dot-stuffing: that is lib/smtp's).
 *
 * Pure: the same inputs give the same bytes, so that a retry is the same message. */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include "base/buf.h"

struct composer;

/* What the campaign and its list give to every copy. Views are borrowed for the call only. */
struct composition {
	struct view subject; /* may hold merge fields */
	struct view from_name, from_address;
	struct view reply_to;            /* empty: none */
	struct view list_id, list_title; /* List-Id: "title" <list_id> */
	struct view text_body;           /* template, UTF-8, any line ends */
	struct view html_body;           /* empty: text only, no multipart */
	struct view
	    bounce_domain; /* of the mailto unsubscribe address; also the right side of Message-ID is from_address's domain */
	struct view list_name, campaign_name; /* for {{list.name}}, {{campaign.name}}, Feedback-ID */
};

/* One recipient. */
struct copy {
	struct view address;           /* To */
	struct view name;              /* may be empty */
	struct view attributes;        /* a JSON object */
	struct view message_token;     /* purpose `message`: Message-ID is <token@domain of From> */
	struct view unsubscribe_token; /* List-Unsubscribe: <mailto:unsubscribe+TOKEN@bounce_domain> */
	int64_t date_us;               /* Date header, UTC */
};

/* Compiles. ERR_INVALID when a field is not in `known_fields` and not built in, a section is not closed, or a header would be
 * broken; `why` gives part ("subject", "text", "html"), line, column and remedy.
 * Built-in fields: name, email, list.name, list.title, campaign.name, unsubscribe (the mailto: link). known_fields are
 * the attribute names some member of the list has; {{x|default}} is allowed for any of them.
 * The caller releases *ret_composer with composer_done(). */
enum err composer_compile(const struct composition *composition, const struct view *known_fields, size_t field_count,
			  struct composer **ret_composer, struct buf *why) MUST_USE;
void composer_done(struct composer *composer); /* accepts NULL */

/* Appends one message. ERR_INVALID when this recipient's data cannot be merged (a control character, CR, LF or NUL bound for a header, or more than
 * LIMIT_HEADER_VALUE characters): `why` names the field. ERR_TOO_BIG beyond out's ceiling. */
enum err composer_write(struct composer *composer, const struct copy *copy, struct buf *out, struct buf *why) MUST_USE;

#endif
