/* The verbs of `listctl bounce` that read messages. */
#ifndef LISTCTL_BOUNCE_VERBS_H
#define LISTCTL_BOUNCE_VERBS_H

#include "listctl/call.h"

enum err bounce_classify(struct call *call); /* cmd_bounce_classify.c */
enum err bounce_ingest(struct call *call);   /* cmd_bounce_ingest.c */

#endif
