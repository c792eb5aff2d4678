#include "listctl/campaign_verbs.h"
#include "listctl/report.h"
#include "listctl/retained.h"

/* The part of `report campaign` about variants, alone. */
enum err campaign_report(struct call *call)
{
	static const struct report_plan plan = { "Campaign", { FACT_VARIANTS }, 1 };
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	struct report_told report = { .count = 0 };
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = retained_require(call, campaign.id, call->operands[0]);
	if (err != ERR_OK)
		return err;
	const struct report_scope scope = { .campaign_id = campaign.id, .window_us = call->settings->bounce_window };
	err = report_read(call, &plan, &scope, &report);
	if (err == ERR_OK)
		err = report_write_rows(&report.parts[0], db_row_count(report.parts[0].rows), call->out, call->why);
	report_told_done(&report);
	return err;
}
