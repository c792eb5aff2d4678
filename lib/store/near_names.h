/* What somebody probably meant who named a list, segment or campaign that there is not: the one whose name is nearest by spelling. */
#ifndef STORE_NEAR_NAMES_H
#define STORE_NEAR_NAMES_H

#include "store/db.h"

enum named { NAMED_LIST, NAMED_SEGMENT, NAMED_CAMPAIGN, NAMED_COUNT };

/* Appends "; did you mean news?" where just one is nearest, and near. False: nothing is appended, for whatever reason. */
bool near_names_add(struct db *db, enum named named, struct view name, struct buf *why);

#endif
