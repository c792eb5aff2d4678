/* Whom a letter is for: the campaign's own list, whose sender, layout and header fields it has, and whom of that and of further lists. */
#ifndef LISTCTL_DESTINATION_H
#define LISTCTL_DESTINATION_H

#include "listctl/call.h"
#include "store/audiences.h"
#include "store/campaigns.h"
#include "store/lists.h"

struct destination {
	struct list list;
	struct audience audience;
	struct db_rows *list_rows; /* that the list borrows from; NULL: the caller's */
};

/* A campaign's, as it is now; of one that has started, as it was then. Release with destination_done(). */
enum err destination_of(struct call *call, const struct campaign *campaign, struct destination *ret_to) MUST_USE;
void destination_done(struct destination *to); /* accepts a zeroed one */

/* The same for copies that go through one of its lists: their title, List-Id and header fields are that list's. Borrowed: to. */
struct destination destination_through(const struct destination *to, int64_t list_id);

#endif
