/* What the first part of a CSV without a header shows of its columns: how many there are, and in which the address stands. By most of its rows, so that
 * one that is bad does not speak for all. Pure. */
#ifndef LISTCTL_FIRST_ROWS_H
#define LISTCTL_FIRST_ROWS_H

#include "listctl/csv_import.h"

struct first_rows {
	size_t count;   /* of columns; 0: no row holds an address */
	size_t address; /* which one */
};

/* start is text in an encoding that holds ASCII, parted by delimiter. Rows of one field count tie with those of another: the first row wins. */
enum err first_rows_look(struct view start, char delimiter, struct first_rows *ret_rows) MUST_USE;
/* Which field holds an address; count: none. attribute:x@y names a column and is none. */
size_t first_rows_address(const struct csv_row *row);

#endif
