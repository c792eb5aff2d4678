/* Domain groups: the domains that one mail operator receives for, and what may go there at once. */
#ifndef STORE_GROUPS_H
#define STORE_GROUPS_H

#include "store/db.h"

/* Views from groups_get() are borrowed from its rows. */
struct domain_group {
	struct view name;
	int64_t connections; /* messages under way at once, of all workers; 0: no limit */
	double rate;         /* messages a second of all workers; 0: no limit */
	int64_t domains;     /* how many */
	struct view listed;  /* their names, in order, separated by blanks */
};

/* ERR_EXISTS; ERR_REFUSED: it is no name. Only name, connections and rate are read. */
enum err groups_add(struct db *db, const struct domain_group *group, struct buf *why) MUST_USE;
/* Sets the limits. ERR_NOT_FOUND. */
enum err groups_edit(struct db *db, const struct domain_group *group, struct buf *why) MUST_USE;
/* With its domains and its warm-up. ERR_NOT_FOUND. */
enum err groups_remove(struct db *db, struct view name, struct buf *why) MUST_USE;

/* The domain, in lower case and A-labels, belongs to that group. ERR_EXISTS: it is in another one, which `why` names; what is in
 * this one already stays so. */
enum err groups_add_domain(struct db *db, struct view name, struct view domain, struct buf *why) MUST_USE;
/* ERR_NOT_FOUND: it is not in that group. */
enum err groups_remove_domain(struct db *db, struct view name, struct view domain, struct buf *why) MUST_USE;

/* All of them by name, or the one of this name (ERR_NOT_FOUND); for groups_get(). */
enum err groups_list(struct db *db, struct view name_or_empty, struct db_rows **ret_rows, struct buf *why) MUST_USE;
struct domain_group groups_get(const struct db_rows *rows, size_t row);

/* Every domain that is in a group: a row (domain, name of its group). */
enum err groups_domains(struct db *db, struct db_rows **ret_rows, struct buf *why) MUST_USE;

#endif
