/* The relay of the settings file, which has no row and is in use while none is enabled; and who is left without one. */
#ifndef LISTCTL_RELAY_DEFAULT_H
#define LISTCTL_RELAY_DEFAULT_H

#include "listctl/call.h"
#include "store/relays.h"

/* Its host and port as sender names it: in logs, in `campaign status`. */
void relay_default_place(const struct call *call, struct buf *out);
/* A row for it, named `default`, when no relay is enabled; *ret_row borrows from *ret_rows, which the caller releases, and from place. */
enum err relay_default_find(struct call *call, struct buf *place, bool *ret_is_used, struct relay_row *ret_row,
			    struct db_rows **ret_rows) MUST_USE;

/* Before the relay of this name is disabled or removed: when it is the last one that is enabled, and a campaign runs or is scheduled, mail would go on through the
 * settings' relay, which a person has to want. */
enum err relay_default_confirm(struct call *call) MUST_USE;
/* Whether that names this one: "default", or its host and port. */
bool relay_default_is(const struct call *call, struct view name);
/* All workers that use it begin with it anew. ERR_REFUSED: none does. */
enum err relay_default_retry(struct call *call, bool *ret_was_left_alone) MUST_USE;
/* No relay is enabled now: says what that means. */
enum err relay_default_warn(struct call *call) MUST_USE;
/* All enabled relays are for some only: says what becomes of the others. */
enum err relay_default_warn_of_others(struct call *call) MUST_USE;

#endif
