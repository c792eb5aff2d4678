/* A complete message (RFC 5322, RFC 2045 to 2049, 2183, 2231, 2387, 2392) as a person saved it from a program, taken apart to become a letter:
 *
 *   the subject, the sender, where answers go; one text, one HTML, decoded to UTF-8; all else is a file.
 *
 * Strict: what cannot be sent as it was meant is refused and named, never guessed or left out. Parts are numbered as IMAP does (RFC 3501
 * section 6.4.5): "part 1.2 (text/html)". */
#ifndef MAIL_EML_H
#define MAIL_EML_H

#include "base/buf.h"
#include "base/limits.h"

enum eml_field { EML_SUBJECT, EML_FROM, EML_REPLY_TO, EML_FIELD_COUNT };

struct eml {
	struct eml_value {
		struct buf text; /* decoded; a mailbox as NAME <ADDRESS> */
		size_t line;     /* where its field begins in the message, from 1; 0: it has none */
	} fields[EML_FIELD_COUNT];
	struct eml_body {
		struct buf text;  /* empty: there is none */
		struct buf place; /* "part 1.1 (text/plain)" */
	} text, html;
	struct eml_file {
		struct buf name, content_id, place; /* content_id empty: it has none */
		struct buf content;
		bool is_taken; /* the caller's mark */
	} files[LIMIT_FILES];
	size_t file_count;
	struct buf dropped; /* names of header fields that are not taken, ", " between */
};

/* Reads. ERR_INVALID, ERR_TOO_BIG: `why` names the part and what to do. *ret_eml begins zeroed; release it with eml_done(), also after a
 * failure. Needs parts_library_open() (mail/parts.h). */
enum err eml_read(struct view raw, struct eml *ret_eml, struct buf *why) MUST_USE;
void eml_done(struct eml *eml);

/* Its name in a header, "Subject". */
const char *eml_field_name(enum eml_field field);

#endif
