#include "listctl/campaign_verbs.h"

#include "base/limits.h"
#include "listctl/draft.h"
#include "listctl/lint_run.h"
#include "listctl/variants.h"

static const struct output_column columns[] = {
	{ .name = "severity" },
	{ .name = "code" },
	{ .name = "finding", .wraps = true },
	{ .name = "remedy", .wraps = true },
	{ .name = "variant" },
};

struct shown {
	struct call *call;
	unsigned variant; /* 0: the campaign has none */
	size_t counts[LINT_SEVERITY_COUNT];
};

static void show(void *context, const struct lint_finding *finding)
{
	struct shown *shown = context;
	char letter;
	shown->counts[finding->severity]++;
	output_row(shown->call->out, (struct output_cell[]){
					 cell_text(view_of(lint_severity_name(finding->severity))),
					 cell_text(view_of(finding->code)), cell_text(finding->text),
					 cell_text(view_of(finding->remedy)), variants_cell(shown->variant, &letter) });
}

static enum err lint_variant(struct shown *shown, const struct campaign *campaign, const struct destination *to,
			     const struct campaign_variants *variants, unsigned variant)
{
	struct campaign_content content = campaign->content;
	struct lint_job job = {
		.content = &content, .origin = DRAFT_KEPT, .campaign_name = campaign->name, .to = to, .thorough = true
	};
	shown->variant = variants->count > 0 ? variant : 0;
	variants_vary(&content, variants, variant);
	enum err err = draft_compile(shown->call, &content, DRAFT_KEPT, to, campaign->name, &job.composer);
	if (err == ERR_OK)
		err = lint_run(shown->call, &job, show, shown);
	composer_done(job.composer);
	return err;
}

static enum err judge(struct call *call, const struct campaign *campaign, const struct shown *shown)
{
	if (shown->counts[LINT_ERROR] > 0)
		return call_refuse(call, ERR_REFUSED, "campaign " VIEW_FMT ": %zu error%s, %zu warning%s",
				   VIEW_ARG(campaign->name), shown->counts[LINT_ERROR],
				   shown->counts[LINT_ERROR] == 1 ? "" : "s", shown->counts[LINT_WARNING],
				   shown->counts[LINT_WARNING] == 1 ? "" : "s");
	if (shown->counts[LINT_WARNING] + shown->counts[LINT_NOTE] == 0)
		call_note(call, "nothing was found");
	return ERR_OK;
}

static enum err lint_all(struct call *call, const struct campaign *campaign, const struct destination *to)
{
	struct shown shown = { .call = call };
	struct campaign_variants variants;
	enum err err = campaign_variants_read(call->db, campaign->id, &variants, call->why);
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (unsigned variant = 1; err == ERR_OK && (variant == 1 || variant <= variants.count); variant++)
		err = lint_variant(&shown, campaign, to, &variants, variant);
	campaign_variants_done(&variants);
	if (err == ERR_OK)
		err = output_end(call->out, call->why);
	return err == ERR_OK ? judge(call, campaign, &shown) : err;
}

enum err campaign_lint(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	struct destination to = { 0 };
	struct campaign_files files = { 0 };
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = destination_of(call, &campaign, &to);
	if (err == ERR_OK)
		err = campaign_take_files(call, campaign.id, &files, &campaign.content);
	if (err == ERR_OK)
		err = lint_all(call, &campaign, &to);
	campaign_files_done(&files);
	destination_done(&to);
	return err;
}
