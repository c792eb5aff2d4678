/* What a person is told where an answer would hold more if the retention had not dropped it. */
#ifndef LISTCTL_RETAINED_H
#define LISTCTL_RETAINED_H

#include "listctl/call.h"

/* One line to stderr when ledgers are gone that ended at since_us (0: ever) or later: they are not in what follows. */
enum err retained_note(struct call *call, int64_t since_us) MUST_USE;
/* ERR_REFUSED when this campaign's ledger is gone, and where its sums are. */
enum err retained_require(struct call *call, uint64_t campaign_id, const char *name) MUST_USE;
/* One line to stderr when this campaign's ledger is gone: what is told of it are its sums. */
enum err retained_tell(struct call *call, uint64_t campaign_id) MUST_USE;

#endif
