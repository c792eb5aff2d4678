/* Whose copy a verb shows or sends. */
#ifndef LISTCTL_FIND_READER_H
#define LISTCTL_FIND_READER_H

#include "listctl/call.h"
#include "store/readers.h"

/* The member of the list with that address, as a person writes it; NULL: an active one at random. ERR_INVALID, ERR_NOT_FOUND. The caller releases
 * *ret_rows, from which *ret_reader borrows. */
enum err find_reader(struct call *call, uint64_t list_id, const char *address, struct reader *ret_reader,
		     struct db_rows **ret_rows) MUST_USE;

#endif
