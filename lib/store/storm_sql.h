/* Storms in SQL, written out where they are asked for: the server inlines no function that looks into a table, and would run it anew for each row. */
#ifndef STORE_STORM_SQL_H
#define STORE_STORM_SQL_H

/* The storms of bounce event e. Their times do not overlap, so that there is one at most. */
#define STORM_OF(e)                                                                                                    \
	"storm w WHERE w.key = " e ".storm_key AND w.since <= " e ".received_at AND " e ".received_at < w.until"

/* A report counts for no verdict: a person or an undo has voided it, or a storm holds it or is void. */
#define IS_UNCOUNTED(e)                                                                                                \
	"(" e ".voided OR (" e                                                                                         \
	".storm_key IS NOT NULL AND EXISTS (SELECT FROM " STORM_OF(e) " AND w.state <> 'applied')))"

/* A report is told of: neither is it voided, nor its storm. What a storm holds did come back. */
#define IS_NOT_VOID(e) "NOT " e ".voided AND NOT EXISTS (SELECT FROM " STORM_OF(e) " AND w.state = 'void')"

/* The domain group of an address, or its domain where it is in none. */
#define STORM_GROUP(address_key)                                                                                       \
	"coalesce((SELECT g.name FROM domain_group_domain x JOIN domain_group g ON g.id = x.group_id"                  \
	" WHERE x.domain = split_part(" address_key ", '@', 2)), split_part(" address_key ", '@', 2))"

#endif
