/* The verbs of `listctl campaign`, which stand in several files, and what these share. */
#ifndef LISTCTL_CAMPAIGN_VERBS_H
#define LISTCTL_CAMPAIGN_VERBS_H

#include "listctl/call.h"
#include "store/campaign_files.h"
#include "store/campaigns.h"
#include "store/lists.h"

/* cmd_campaign_write.c: what is sent */
enum err campaign_create(struct call *call);
enum err campaign_edit(struct call *call);
/* cmd_campaign_preview.c */
enum err campaign_preview(struct call *call);

/* cmd_campaign_lint.c: what may go wrong */
enum err campaign_lint(struct call *call);

/* cmd_campaign_test.c: a copy to testers */
enum { CAMPAIGN_TEST_MOST = 20 };
enum err campaign_test(struct call *call);

/* cmd_campaign_schedule.c: when it is sent */
enum err campaign_schedule(struct call *call);

/* cmd_campaign_run.c: the steps of its life */
enum err campaign_start(struct call *call);
enum err campaign_pause(struct call *call);
enum err campaign_resume(struct call *call);
enum err campaign_cancel(struct call *call);
enum err campaign_delete(struct call *call);

/* cmd_campaign_show.c: what it is */
enum err campaign_ls(struct call *call);
enum err campaign_show(struct call *call);
/* cmd_campaign_status.c: where it stands */
enum err campaign_status(struct call *call);
/* cmd_campaign_report.c: what became of it, by variant */
enum err campaign_report(struct call *call);
/* cmd_campaign_watch.c */
enum err campaign_watch(struct call *call);
/* cmd_campaign_in_doubt.c */
enum err campaign_in_doubt(struct call *call);

/* The campaign named by the first operand. The caller releases *ret_rows. */
enum err campaign_named(struct call *call, struct campaign *ret_campaign, struct db_rows **ret_rows) MUST_USE;
/* The files that the campaign has. Release *files with campaign_files_done(). */
enum err campaign_take_files(struct call *call, uint64_t campaign_id, struct campaign_files *files,
			     struct campaign_content *content) MUST_USE;
/* Whether what the campaign keeps, all variants of it, can still be compiled: rules become stricter, and fields go. */
enum err campaign_check_letter(struct call *call, const struct campaign *campaign) MUST_USE;
/* Refuses what campaign_check_letter() does. Warns when the campaign named by the first operand is not going to be signed, or the DNS has not what it needs; ERR_REFUSED as dkim.required and
 * dns.check say. */
enum err campaign_check_sending(struct call *call) MUST_USE;
struct view call_actor(const struct call *call);

#endif
