/* How far two words are apart by spelling: letters added, lost, changed, or swapped with a neighbour, in whatever case (of ASCII). Pure. */
#ifndef BASE_EDITS_H
#define BASE_EDITS_H

#include "base/view.h"

/* SIZE_MAX where one is longer than LIMIT_FIELD_NAME. */
size_t edits_between(struct view a, struct view b);
/* Two thirds of the known word are right. */
static inline bool edits_are_few(struct view known, size_t edits)
{
	return edits <= known.len / 3;
}

#endif
