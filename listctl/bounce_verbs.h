/* The verbs of `listctl bounce` that have files of their own. */
#ifndef LISTCTL_BOUNCE_VERBS_H
#define LISTCTL_BOUNCE_VERBS_H

#include "listctl/call.h"

enum err bounce_classify(struct call *call);   /* cmd_bounce_classify.c */
enum err bounce_rules(struct call *call);      /* cmd_bounce_rules.c */
enum err bounce_reclassify(struct call *call); /* cmd_bounce_reclassify.c */
enum err bounce_report(struct call *call);     /* cmd_bounce_report.c */

/* --campaign and --list of the verb, as ids; 0: not given. */
enum err bounce_scope(struct call *call, uint64_t *ret_campaign_id, uint64_t *ret_list_id) MUST_USE;
/* --since: "7d" ago, or a day; untouched when it is not given. */
enum err bounce_since(struct call *call, int64_t *ret_since_us) MUST_USE;
enum err bounce_ingest(struct call *call); /* cmd_bounce_ingest.c */

#endif
