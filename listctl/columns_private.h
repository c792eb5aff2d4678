/* Shared by columns.c (the header), columns_wishes.c (what a person says of it), columns_row.c (a row), columns_state.c (who is to be left out) and columns_object.c (JSON in a cell). */
#ifndef LISTCTL_COLUMNS_PRIVATE_H
#define LISTCTL_COLUMNS_PRIVATE_H

#include "base/limits.h"
#include "listctl/columns.h"
#include "listctl/standing.h"

enum { DOUBT_SIZE = 41, DOUBTS_MOST = 5 };

struct column {
	enum role role;
	enum field_type type;
	enum state_column state; /* how it tells who is written to */
	bool may_tell_state;     /* it does, perhaps, and is an attribute all the same */
	bool tells_state;        /* it does: a word for it was found */
	bool has_unknown;        /* a row was taken with a word that is none */
	bool is_wished;
	bool is_plain;               /* "attribute:name": an attribute of just that name */
	char name[COLUMN_NAME_SIZE]; /* normalised; of a plain one for messages, perhaps cut */
	size_t exact_at, exact_len;  /* in columns.exact: the name of a plain one */
	size_t key_at, key_len;      /* in columns.keys: "name": as it stands in JSON */
};

/* A word in a column of states, and in how many rows. */
struct doubt {
	const struct column *column;
	char word[DOUBT_SIZE];
	uint64_t rows;
};

struct columns {
	size_t count;
	struct column rows[LIMIT_CSV_COLUMNS];
	size_t states[LIMIT_CSV_COLUMNS]; /* those that tell who has left */
	size_t state_count;
	size_t first_name, last_name; /* count: none */
	size_t suspended, suspended_from, suspended_until;
	bool has_name; /* a name column makes first and last name plain attributes */
	enum date_order date_order;
	bool takes_pending;
	enum standing file_standing;      /* of everybody, by the file's name; STANDING_UNKNOWN: it says nothing */
	bool wants_consent;               /* a row without a time of consent is of somebody who never subscribed */
	int64_t now_us;                   /* 0: not said */
	struct doubt doubts[DOUBTS_MOST]; /* the first ones */
	size_t doubt_count;
	uint64_t more_doubts; /* rows with other words */
	const struct known_export *known;
	struct buf header; /* the header's fields, NUL behind each */
	struct buf exact, keys;
	struct buf members; /* names of the JSON object at hand, sorted */
	struct buf address, key, name, attributes, text, consent_source;
	int64_t consent_us, opt_in_us;
};

static inline struct view column_key(const struct columns *columns, const struct column *column)
{
	return view_slice(buf_view(&columns->keys), column->key_at, column->key_at + column->key_len);
}

extern const char columns_hidden_control[]; /* a sentence for REFUSAL_CONTROL */

static inline struct view column_exact(const struct columns *columns, const struct column *column)
{
	return view_slice(buf_view(&columns->exact), column->exact_at, column->exact_at + column->exact_len);
}

static inline bool column_is_attribute(const struct column *column)
{
	return column->role == ROLE_ATTRIBUTE || column->role == ROLE_FIRST_NAME || column->role == ROLE_LAST_NAME;
}

/* Behind the columns that a rejects file begins with, which no number counts. */
size_t columns_first_counted(const struct columns *columns);
/* The column is the attribute that is written so, without the prefix. */
void columns_name_plain(struct columns *columns, struct column *column, struct view written);
/* Before it is settled which column is the address, and when all have their names. */
enum err columns_apply_maps(struct columns *columns, const struct csv_row *row, const struct column_wishes *wishes,
			    const char *input_name, struct buf *why) MUST_USE;
enum err columns_apply_types(struct columns *columns, const struct column_wishes *wishes, const char *input_name,
			     uint64_t line, struct buf *why) MUST_USE;

/* Appends what separates it from the attribute before. */
void columns_begin_attribute(struct columns *columns);
/* text NULL: it stands in columns->text. Always false. */
bool columns_refuse(struct columns *columns, enum refusal_kind kind, const char *column, const char *text,
		    struct refusal *ret_refusal);
/* Seconds since 1970, or a date and perhaps a time. */
bool columns_read_time(struct view text, enum date_order order, int64_t *ret_us, struct buf *why) MUST_USE;
/* False: whoever the row is about is not to be written to. */
bool columns_check_states(struct columns *columns, const struct csv_row *row, struct refusal *ret_refusal) MUST_USE;
/* The members of a JSON object become attributes. */
bool columns_read_object(struct columns *columns, const struct column *column, struct view text,
			 struct refusal *ret_refusal) MUST_USE;

#endif
