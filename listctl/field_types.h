/* What a cell becomes in JSON, by the type of its column. Pure. */
#ifndef LISTCTL_FIELD_TYPES_H
#define LISTCTL_FIELD_TYPES_H

#include "listctl/field_date.h"

enum field_type {
	FIELD_TEXT,
	FIELD_NUMBER,  /* exactly as it is written */
	FIELD_BOOLEAN, /* yes and no in several languages, 1 and 0 */
	FIELD_DATE,    /* a text in ISO 8601 */
	FIELD_JSON,
	FIELD_TAGS, /* words parted by commas, each perhaps in quotation marks: a list of texts */
	FIELD_TYPE_COUNT
};

/* "number", "boolean", "date", "json", "text", "tags". */
bool field_type_from_name(struct view name, enum field_type *ret_type) MUST_USE;
const char *field_type_name(enum field_type type);
/* "age:number" without its type; the header itself, and *ret_type as it was, where none is behind it. */
struct view field_type_cut(struct view header, enum field_type *ret_type);

/* Appends the cell as JSON; with an empty cell of a type other than text nothing is appended. text is UTF-8 without control characters,
 * json aside. False: `why` says what is wrong, out may hold half of it. */
bool field_type_add(enum field_type type, enum date_order order, struct view text, struct buf *out,
		    struct buf *why) MUST_USE;

#endif
