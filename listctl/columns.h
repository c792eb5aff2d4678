/* What the columns of a CSV of people mean, by its header row, and a row read by them: address, name, attributes. Pure. */
#ifndef LISTCTL_COLUMNS_H
#define LISTCTL_COLUMNS_H

#include "listctl/csv_import.h"

struct columns;

/* Reads the header row. The address column is recognised by the usual names, or is the one called address_column (NULL: not said); name,
 * or first and last name, become the name; names that begin with _ are left out, except _state; the rest become attributes,
 * their names in [a-z0-9_]. ERR_INVALID with a sentence that begins with input_name: no address column, two columns of one meaning, a name
 * that cannot be one. The caller frees *ret_columns. */
enum err columns_from_header(const struct csv_row *row, const char *input_name, const char *address_column,
			     struct columns **ret_columns, struct buf *why) MUST_USE;
void columns_free(struct columns *columns); /* accepts NULL */

/* Borrowed from the columns until the next row is read. */
struct person {
	struct view address, address_key;
	struct view name;       /* empty: not said */
	struct view attributes; /* a JSON object of texts; an empty cell without quotation marks is left out */
};

enum refusal_kind {
	REFUSAL_FIELDS,  /* more or fewer fields than the header */
	REFUSAL_ADDRESS, /* not an address */
	REFUSAL_CONTROL, /* a control character, CR and LF among them */
	REFUSAL_LONG,    /* more attributes than one person may have */
	REFUSAL_UNNAMED, /* a value in a column without a name */
	REFUSAL_STATE,   /* _state says that the person is no active member */
	REFUSAL_ENCODED, /* an encoded word (RFC 2047) instead of what it stands for */
	REFUSAL_KIND_COUNT
};
const char *refusal_name(enum refusal_kind kind);

struct refusal {
	enum refusal_kind kind;
	const char *column; /* its name; "" when the row as a whole is refused */
	struct view text;   /* a sentence; borrowed as above */
};

/* False: refused, and *ret_refusal says why. */
bool columns_read(struct columns *columns, const struct csv_row *row, struct person *ret_person,
		  struct refusal *ret_refusal) MUST_USE;

/* True for what an address column is usually called: "E-Mail Address" and the like. */
bool columns_is_address_name(struct view header);

#endif
