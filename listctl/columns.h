/* What the columns of a file of people mean, by its header row and by what the caller wishes, and a row read by them: address, name, attributes,
 * consent. Pure. */
#ifndef LISTCTL_COLUMNS_H
#define LISTCTL_COLUMNS_H

#include "listctl/csv_import.h"
#include "listctl/field_types.h"
#include "listctl/known_exports.h"

enum { COLUMN_WISHES = 128 };

/* --map: a column by its name in the header, or by its number from 1, and what it is: a role's word or an attribute's name. */
struct column_map {
	struct view column;
	size_t number; /* 0: by name */
	enum role role;
	bool is_plain;               /* attribute:name */
	struct view exact;           /* that name */
	char name[COLUMN_NAME_SIZE]; /* of an attribute */
};
/* --type: an attribute and its type. */
struct column_type {
	char name[COLUMN_NAME_SIZE];
	struct view exact; /* of attribute:name; else empty */
	enum field_type type;
};
/* Parse "COLUMN=FIELD" and "FIELD=TYPE". False: `why` says what is wrong. They borrow the text. */
bool column_map_parse(const char *text, struct column_map *ret_map, struct buf *why) MUST_USE;
bool column_type_parse(const char *text, struct column_type *ret_type, struct buf *why) MUST_USE;

struct column_wishes {
	const char *address_column; /* NULL: not said */
	struct column_map maps[COLUMN_WISHES];
	size_t map_count;
	struct column_type types[COLUMN_WISHES];
	size_t type_count;
	enum date_order date_order;
	bool
	    takes_pending; /* who has not confirmed is no reason to leave the row out: nobody is going to be written to unasked */
	bool
	    is_status_said; /* a person has said what they become: then neither the file's name nor a time that is missing leaves anybody out */
	int64_t now_us;     /* tells who is suspended no longer; 0: nobody */
	const bool *states; /* by column: an earlier reading has found words for a member's state; NULL: in none */
};

struct columns;

/* Reads the header row. The address column is recognised by the usual names, or is the one that the wishes (NULL: none) name; name,
 * or first and last name, become the name; names that begin with _ are left out, but _state, _consent_source and _consent_time; in the export of
 * another list manager, what it knows is taken for what it is there; one called attribute:NAME is the attribute of just that name, whatever columns of
 * that name mean elsewhere (listctl/attribute_header.h); the rest become attributes, their names in [a-z0-9_], of the type behind a colon
 * ("age:number") or else texts. ERR_INVALID with a sentence that begins with input_name: no address column, two columns of one meaning, a name that
 * cannot be one, a wish about a column that is not there. The caller frees *ret_columns. */
enum err columns_from_header(const struct csv_row *row, const char *input_name, const struct column_wishes *wishes,
			     struct columns **ret_columns, struct buf *why) MUST_USE;
void columns_free(struct columns *columns); /* accepts NULL */

/* The name of the column with the addresses. */
const char *columns_address_name(const struct columns *columns);
/* Which one it is, from 0. */
size_t columns_address_at(const struct columns *columns);
/* NULL: no export that is known. */
const struct known_export *columns_export(const struct columns *columns);
/* "OPTIN_IP, LEID": the columns that are read over though nobody has said so, those of a rejects file aside. */
void columns_left_out(const struct columns *columns, struct buf *names);
/* True: a column called status or the like tells who is written to, though rows were taken with words in it that do not; all is to be read anew, with
 * what is then added to states, LIMIT_CSV_COLUMNS of them, as a wish. */
bool columns_find_states(const struct columns *columns, bool *states);
/* "status `foo` (12), status `bar` (1)": the words for which rows were left out as REFUSAL_DOUBT. */
void columns_doubts(const struct columns *columns, struct buf *words);
/* True for a row that is the header once more, as where exports were put one behind the other. */
bool columns_is_header(const struct columns *columns, const struct csv_row *row);

/* Borrowed from the columns until the next row is read. */
struct person {
	struct view address, address_key;
	struct view name; /* empty: not said */
	struct view
	    attributes; /* a JSON object; an empty cell is left out, unless in quotation marks in a file that is no other manager's export */
	struct view consent_source;
	int64_t consent_us; /* 0: not said */
};

enum refusal_kind {
	REFUSAL_FIELDS,   /* more or fewer fields than the header */
	REFUSAL_ADDRESS,  /* not an address */
	REFUSAL_CONTROL,  /* a control character, CR and LF among them */
	REFUSAL_LONG,     /* more attributes than one person may have */
	REFUSAL_UNNAMED,  /* a value in a column without a name */
	REFUSAL_ENCODED,  /* an encoded word (RFC 2047) instead of what it stands for */
	REFUSAL_VALUE,    /* not of the column's type */
	REFUSAL_STATE,    /* a word for a member's state that is not known */
	REFUSAL_QUOTE,    /* the row cannot be parted: a quotation mark */
	REFUSAL_BIG,      /* a field or the row is too long, or there are too many */
	REFUSAL_ENCODING, /* octets that are no text */
	REFUSAL_NUL,
	REFUSAL_JSON,    /* a line that is no JSON object about a person */
	REFUSAL_RULE,    /* a rule on addresses */
	REFUSAL_LEFT,    /* has left or bounced where the file comes from */
	REFUSAL_PENDING, /* has not confirmed there */
	REFUSAL_NO_MAIL, /* is a member there who receives nothing */
	REFUSAL_NEVER,   /* nothing there says that he has subscribed */
	REFUSAL_DOUBT, /* nobody knows what is said of him there, in a column that says of others that they are written to */
	REFUSAL_FORMER, /* the former address of somebody who has moved */
	REFUSAL_KIND_COUNT
};
const char *refusal_name(enum refusal_kind kind);
/* True where nothing is wrong with the row: it is left out, and no reason to refuse the file. */
bool refusal_is_harmless(enum refusal_kind kind);

struct refusal {
	enum refusal_kind kind;
	const char *column; /* its name; "" when the row as a whole is refused */
	struct view text;   /* a sentence; borrowed as above */
};

/* False: refused, and *ret_refusal says why. */
bool columns_read(struct columns *columns, const struct csv_row *row, struct person *ret_person,
		  struct refusal *ret_refusal) MUST_USE;

/* The key of the row's address, for a row that is left out. False: it has none that can be read. */
bool columns_read_key(struct columns *columns, const struct csv_row *row, struct view *ret_key) MUST_USE;

/* True for what an address column is usually called: "E-Mail Address" and the like. */
bool columns_is_address_name(struct view header);

#endif
