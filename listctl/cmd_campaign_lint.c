#include "listctl/campaign_verbs.h"

#include "base/limits.h"
#include "listctl/draft.h"
#include "listctl/lint_run.h"

static const struct output_column columns[] = {
	{ .name = "severity" },
	{ .name = "code" },
	{ .name = "finding", .wraps = true },
	{ .name = "remedy", .wraps = true },
};

struct shown {
	struct call *call;
	size_t counts[LINT_SEVERITY_COUNT];
};

static void show(void *context, const struct lint_finding *finding)
{
	struct shown *shown = context;
	shown->counts[finding->severity]++;
	output_row(shown->call->out,
		   (struct output_cell[]){ cell_text(view_of(lint_severity_name(finding->severity))),
					   cell_text(view_of(finding->code)), cell_text(finding->text),
					   cell_text(view_of(finding->remedy)) });
}

static enum err show_findings(struct call *call, const struct campaign *campaign, const struct list *list,
			      struct composer *composer)
{
	struct shown shown = { .call = call };
	output_begin(call->out, columns, ARRAY_LEN(columns));
	enum err err = lint_run(call, &campaign->content, list, composer, true, show, &shown);
	if (err == ERR_OK)
		err = output_end(call->out, call->why);
	if (err != ERR_OK)
		return err;
	if (shown.counts[LINT_ERROR] > 0)
		return call_refuse(call, ERR_REFUSED, "campaign " VIEW_FMT ": %zu error%s, %zu warning%s",
				   VIEW_ARG(campaign->name), shown.counts[LINT_ERROR],
				   shown.counts[LINT_ERROR] == 1 ? "" : "s", shown.counts[LINT_WARNING],
				   shown.counts[LINT_WARNING] == 1 ? "" : "s");
	if (shown.counts[LINT_WARNING] + shown.counts[LINT_NOTE] == 0)
		call_note(call, "nothing was found");
	return ERR_OK;
}

enum err campaign_lint(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	AUTO_DB_ROWS *list_rows = NULL;
	struct campaign campaign;
	struct list list;
	struct composer *composer = NULL;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = lists_find(call->db, campaign.list_name, &list_rows, &list, call->why);
	if (err != ERR_OK)
		return err;
	campaign_take_list(&campaign, &list);
	err = draft_compile(call, &campaign.content, &list, campaign.name, &composer);
	if (err == ERR_OK)
		err = show_findings(call, &campaign, &list, composer);
	composer_done(composer);
	return err;
}
