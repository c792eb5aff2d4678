/* Which keys of an import have not come before, for sure, in memory that does not grow: a Bloom filter. Ten million keys leave it with one wrong
 * guess in two hundred; more only make it guess more. */
#ifndef STORE_IMPORT_FILTER_H
#define STORE_IMPORT_FILTER_H

#include <stdbool.h>

#include "base/view.h"

struct import_filter;
struct import_filter *import_filter_new(void); /* NULL: no memory */
void import_filter_free(struct import_filter *filter);
/* False: this key is added for the first time. True: it may have been added before. */
bool import_filter_add(struct import_filter *filter, struct view key);
/* The same question, and nothing is added. */
bool import_filter_may_have(const struct import_filter *filter, struct view key);

#endif
