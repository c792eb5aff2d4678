/* Shared by columns.c (the header) and columns_row.c (a row). */
#ifndef LISTCTL_COLUMNS_PRIVATE_H
#define LISTCTL_COLUMNS_PRIVATE_H

#include "base/limits.h"
#include "listctl/columns.h"

struct column {
	enum role role;
	enum field_type type;
	bool may_tell_state; /* an attribute by whose value some people are known to have left */
	bool is_wished;
	bool is_plain; /* "attribute:name": an attribute, whatever it is called */
	char name[COLUMN_NAME_SIZE];
	char key[COLUMN_NAME_SIZE + 4]; /* "name": as it stands in JSON */
};

struct columns {
	size_t count;
	struct column rows[LIMIT_CSV_COLUMNS];
	size_t states[LIMIT_CSV_COLUMNS]; /* those that tell who has left */
	size_t state_count;
	size_t first_name, last_name; /* count: none */
	bool has_name;                /* a name column makes first and last name plain attributes */
	enum date_order date_order;
	bool takes_pending;
	const struct known_export *known;
	struct buf header; /* the header's fields, NUL behind each */
	struct buf address, key, name, attributes, text, consent_source;
	int64_t consent_us, opt_in_us;
};

#endif
