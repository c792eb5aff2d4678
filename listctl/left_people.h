/* Whom an import left as they were, for what is known of them here: they go into the rejects file by their address, with the reason. Who was erased does
 * not. */
#ifndef LISTCTL_LEFT_PEOPLE_H
#define LISTCTL_LEFT_PEOPLE_H

#include "listctl/import_job.h"

/* After the merge, before the transaction ends. Errors as db_run(), or of the rejects file. */
enum err left_people_name(struct import_job *job) MUST_USE;

#endif
