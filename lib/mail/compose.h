/* A campaign's message, compiled once, and one recipient's copy made from it: merge fields, headers, MIME
 * multipart/alternative, with files multipart/related around the HTML and multipart/mixed around all (RFC 2046, 2387), CRLF line ends, a 7-bit body (no dot-stuffing: that is lib/smtp's). Only the header of a copy
 * whose address is not ASCII is UTF-8 (RFC 6532); such a copy needs a relay with SMTPUTF8.
 *
 * Pure: the same inputs give the same bytes, so that a retry is the same message. */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include "base/buf.h"
#include "mail/attachment.h"

struct composer;

/* What the campaign and its list give to every copy. Views are borrowed for the call only. */
struct composition {
	struct view subject; /* template */
	struct view from_name, from_address;
	struct view reply_to;                 /* empty: none */
	struct view list_id, list_title;      /* List-Id: "title" <list_id> */
	struct view text_body;                /* template, UTF-8, any line ends */
	struct view html_body;                /* template; empty: text only, no multipart */
	struct view bounce_domain;            /* of the mailto unsubscribe address */
	struct view list_name, campaign_name; /* for {{list.name}}, {{campaign.name}}, Feedback-ID */
	struct view list_headers;             /* lines of mail/list_headers.h; empty: none */
	struct view web_base_url; /* https://HOST[/PATH]; empty: no one-click unsubscribing (RFC 8058), mailto only */
	const struct attachment *files; /* those with a content id go with the HTML, which must be there */
	size_t file_count;
};

/* One recipient. */
struct copy {
	struct view address;    /* To, {{email}} */
	struct view to;         /* of the To field, without the name, when it goes to somebody else; empty: address */
	struct view name;       /* may be empty; left out of To where header_fits() is false */
	struct view attributes; /* a JSON object; empty: no attributes */
	struct view message_token; /* purpose `message`: Message-ID is <token@domain of From> */
	/* List-Unsubscribe: <mailto:unsubscribe+TOKEN@bounce_domain>, with web_base_url <WEB_BASE_URL/u/TOKEN> in front of it */
	struct view unsubscribe_token;
	int64_t date_us; /* Date header, UTC */
};

/* Compiles. ERR_INVALID when a field is neither known nor built in, a section is not closed, or a header would be broken:
 * `why` gives the part ("subject", "text", "html", "from" ...), line, column and remedy.
 * The language is that of mail/template.h. Built in: name, email, unsubscribe (the https: link, or the mailto: link without web_base_url), list.name, list.title,
 * campaign.name; they hide attributes of the same name. known_fields are the attributes that some member of the list has,
 * those inside objects and lists as dotted paths ("orders.sku").
 * The caller releases *ret_composer with composer_done(). */
enum err composer_compile(const struct composition *composition, const struct view *known_fields, size_t field_count,
			  struct composer **ret_composer, struct buf *why) MUST_USE;
void composer_done(struct composer *composer); /* accepts NULL */
/* Of From, in A-labels and lower case; borrowed. */
struct view composer_from_domain(const struct composer *composer);

/* What stands at the end of every copy, behind what composer_write() gives: the files, encoded once for all. Empty when there are
 * none; else whole lines behind a CRLF, as multipart has them, none of which begins with a dot. Borrowed. */
struct view composer_tail(const struct composer *composer);

/* Appends one message, without composer_tail(). ERR_INVALID when this recipient's data cannot be merged (a control character, CR, LF or NUL bound
 * for a header, more than LIMIT_HEADER_VALUE characters, a list where text belongs, attributes that are no JSON): `why`
 * names the field, and out is as before. ERR_TOO_BIG beyond out's ceiling.
 * The composer keeps its scratch memory: after the first copies only attributes, where a template uses them, allocate. */
enum err composer_write(struct composer *composer, const struct copy *copy, struct buf *out, struct buf *why) MUST_USE;

/* How many octets the HTML of one copy has before it is encoded; 0: there is none. For previews. As composer_write(). */
enum err composer_html_size(struct composer *composer, const struct copy *copy, size_t *ret_size,
			    struct buf *why) MUST_USE;

/* Appends the fields that leave a gap in this recipient's copy (empty, without a default, not in a section), each once, ", " between
 * them. For previews. */
enum err composer_gaps(struct composer *composer, const struct copy *copy, struct buf *ret_fields,
		       struct buf *why) MUST_USE;

#endif
