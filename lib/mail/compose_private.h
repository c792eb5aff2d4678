/* The inside of a composer, shared by what compiles it (compose_compile.c) and what writes copies (compose.c). */
#ifndef MAIL_COMPOSE_PRIVATE_H
#define MAIL_COMPOSE_PRIVATE_H

#include "mail/compose.h"
#include "mail/merge.h"
#include "mail/body.h"

/* "=_" occurs in neither encoding, since quoted-printable follows "=" with a hexadecimal digit or a line end and base64 has
 * no "_": whatever a copy says, this is no line of it (RFC 2045 section 6.7). */
#define BOUNDARY "=_verpost"
/* None begins as another does. */
#define BOUNDARY_RELATED "=_related_verpost"
#define BOUNDARY_MIXED "=_mixed_verpost"

enum { MAX_BODIES = 2 };

struct composer {
	/* what all copies share */
	struct template *subject;
	struct body bodies[MAX_BODIES];
	struct buf body_heads[MAX_BODIES]; /* what stands before each body, boundaries included */
	struct buf closing;                /* what stands behind the last one when there are no files */
	struct buf tail;                   /* and when there are */
	size_t body_count;
	bool uses_attributes;
	struct buf first_headers;  /* From, Reply-To */
	struct buf subject_header; /* empty when the subject has fields */
	struct buf last_headers;   /* List-Id to MIME-Version */
	struct buf from_domain, bounce_domain;
	struct buf list_name, list_title, campaign_name;
	struct buf web_base; /* https://HOST[/PATH]/u/; empty: none */

	/* memory of the copy under way */
	struct merge merge;
	struct buf unsubscribe; /* mailto:unsubscribe+TOKEN@... */
	struct buf one_click;   /* WEB_BASE TOKEN; empty: none */
	struct buf line;        /* a value or a subject */
	struct buf date;        /* of the copies before, which mostly have the same */
	int64_t date_us;        /* what `date` says; meaningless while it is empty */
	struct body_scratch scratch;
};

/* The templates in turn: the subject, then the bodies; NULL beyond the last. */
const struct template *composer_template(const struct composer *composer, size_t index);

#endif
