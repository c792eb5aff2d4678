/* Those whom what came back may condemn, over a whole database: read in portions of people, each by a few statements over sets, so that neither
 * many people nor many campaigns cost a look-up for each pair of them. */
#ifndef STORE_SUSPECTS_H
#define STORE_SUSPECTS_H

#include "store/verdicts.h"

/* How far a long reading has come; done and total are people, as far as is known. */
typedef void suspects_progress(void *user, uint64_t done, uint64_t total);

struct suspects_scope {
	uint64_t list_id; /* 0: all lists */
	bool with_gone;   /* members who were disabled or removed too, not only active ones */
	suspects_progress *progress;
	void *progress_user;
};

/* Changes and locks nothing. Tells the history of everyone with such a membership about whom something was judged and whom it
 * may condemn, in the order of their ids; nobody whom the verdict condemns is left out, some whom it does not are told too. Successes are
 * told of those alone whom failures by themselves would condemn. Errors as db_run(). */
enum err suspects_read(struct db *db, const struct suspects_scope *scope, const struct verdict_terms *terms,
		       void (*told)(void *user, const struct verdict_history *history), void *user,
		       struct buf *why) MUST_USE;

#endif
