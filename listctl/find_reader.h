/* Whose copy a verb shows or sends. */
#ifndef LISTCTL_FIND_READER_H
#define LISTCTL_FIND_READER_H

#include "listctl/call.h"
#include "store/readers.h"

/* The member of one of the lists with that address, as a person writes it, of whom is warned who is not in the audience; NULL: one of the audience at
 * random. ERR_INVALID, ERR_NOT_FOUND. The caller releases *ret_rows, from which *ret_reader borrows. */
enum err find_reader(struct call *call, const struct audience *audience, const char *address, struct reader *ret_reader,
		     struct db_rows **ret_rows) MUST_USE;

#endif
