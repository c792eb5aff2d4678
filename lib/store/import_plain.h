/* The short way of an import: where nobody was before, those who are new for sure (import_batch_mark()) are copied straight into `subscriber`, and
 * nothing is asked of them. They join their list in import_steps_merge(), with the others. */
#ifndef STORE_IMPORT_PLAIN_H
#define STORE_IMPORT_PLAIN_H

#include "store/import_steps.h"

/* Adds to the filter what people are left out for: suppressed addresses and domains, erased people. */
enum err import_plain_load_outs(struct db *db, struct import_filter *filter, struct buf *why) MUST_USE;
/* Makes people of the batch's plain rows, marks->plain of them. When somebody else has made one of them meanwhile, nobody is plain any more, and
 * all go the long way. */
enum err import_plain_add(struct db *db, struct import_batch *batch, struct import_marks *marks,
			  struct buf *why) MUST_USE;

#endif
