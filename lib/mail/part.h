/* One body of a campaign's message: its template and its transfer encoding, quoted-printable or base64, whichever is
 * shorter for the text that all copies share. Lines without a merge field are encoded once, when it is compiled. */
#ifndef MAIL_PART_H
#define MAIL_PART_H

#include "base/buf.h"
#include "mail/template.h"

struct part {
	struct template *template;
	bool base64;
	struct buf encoded; /* quoted-printable: the whole lines of the literals */
	struct buf cuts;    /* an array: how each literal is cut */
};

/* Compiles; ERR_INVALID: `why` has line, column and remedy. Release with part_done(), also after a failure. */
enum err part_compile(struct part *part, struct view source, enum template_slot slot, const struct field_names *known,
		      struct buf *why) MUST_USE;
void part_done(struct part *part); /* accepts a zeroed part */

/* "quoted-printable" or "base64", for Content-Transfer-Encoding. */
const char *part_encoding(const struct part *part);

/* Memory that is reused from one copy to the next. */
struct part_scratch {
	struct buf text;    /* a base64 part before it is encoded */
	struct buf escaped; /* one value */
};

/* Appends the encoded body for one recipient. */
enum err part_write(const struct part *part, const struct template_source *source, struct part_scratch *scratch,
		    struct buf *out, struct buf *why) MUST_USE;

#endif
