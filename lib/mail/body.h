/* One body of a campaign's message: its template and its transfer encoding, quoted-printable or base64, whichever is
 * shorter for the text that all copies share. Lines without a merge field are encoded once, when it is compiled. */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include "base/buf.h"
#include "mail/template.h"

struct body {
	struct template *template;
	bool base64;
	struct buf encoded; /* quoted-printable: the whole lines of the literals */
	struct buf cuts;    /* an array: how each literal is cut */
};

/* Compiles; ERR_INVALID: `why` has line, column and remedy. Release with body_done(), also after a failure. */
enum err body_compile(struct body *body, struct view source, enum slot_language language,
		      const struct merge_names *known, struct buf *why) MUST_USE;
void body_done(struct body *body); /* accepts a zeroed one */

/* "quoted-printable" or "base64", for Content-Transfer-Encoding. */
const char *body_encoding(const struct body *body);

/* Memory that is reused from one copy to the next. */
struct body_scratch {
	struct buf text;    /* a base64 body before it is encoded */
	struct buf escaped; /* one value */
};

/* Appends the encoded body for one recipient. */
enum err body_write(const struct body *body, const struct template_source *source, struct body_scratch *scratch,
		    struct buf *out, struct buf *why) MUST_USE;

#endif
