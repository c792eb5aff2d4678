/* What a change of a segment means for the campaigns that are still to ask who is in it. */
#ifndef LISTCTL_SEGMENT_USES_H
#define LISTCTL_SEGMENT_USES_H

#include "listctl/call.h"
#include "store/segments.h"

/* Names them, and whom they would go to now. The change is made by then: what is in the way of counting is warned of and no failure. */
void segment_uses_tell(struct call *call, const struct segment *segment);

#endif
