#include "base/clock.h"
#include "base/limits.h"
#include "listctl/bounce_verbs.h"
#include "listctl/call.h"
#include "listctl/out_file.h"
#include "listctl/report.h"
#include "listctl/retained.h"
#include "mail/address.h"
#include "store/campaigns.h"
#include "store/lists.h"

#define DEFAULT_SINCE_US (INT64_C(90) * CLOCK_US_PER_DAY)

/* ---- writing ---- */

static enum err write_to(struct call *call, const struct report_told *report, FILE *file)
{
	if (call->is_page)
		return report_write_page(report, file, call->why);
	struct output *out = output_new(output_format_of(call->out), file);
	if (out == NULL)
		return call_refuse(call, ERR_MEMORY, "there is no memory left");
	enum err err = report_write(report, out, call->why);
	output_free(out);
	return err;
}

static enum err write_report(struct call *call, const struct report_told *report)
{
	struct out_file out = { 0 };
	enum err err = out_file_open(call_option(call, "output"), &out, call->why);
	if (err == ERR_OK)
		err = write_to(call, report, out.file);
	if (err == ERR_OK)
		err = out_file_commit(&out, call->why);
	out_file_done(&out);
	return err;
}

/* ---- the verbs ---- */

static enum err tell(struct call *call, enum report_kind kind, struct view about, struct report_scope *scope)
{
	struct report_told report = { .head = { .title = report_plans[kind].title, .about = about } };
	if (scope->campaign_id == 0 && scope->since_us == 0)
		scope->since_us = clock_wall_us() - DEFAULT_SINCE_US;
	scope->window_us = call->settings->bounce_window;
	report.head.since_us = scope->since_us;
	report.head.window_us = scope->window_us;
	enum err err = report_read(call, &report_plans[kind], scope, &report);
	if (err == ERR_OK)
		err = write_report(call, &report);
	if (err == ERR_OK && scope->campaign_id == 0)
		err = retained_note(call, scope->since_us);
	report_told_done(&report);
	return err;
}

static enum err report_campaign(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	struct report_scope scope = { 0 };
	enum err err = bounce_since(call, &scope.since_us);
	if (err != ERR_OK)
		return err;
	if (call->operand_count == 0)
		return tell(call, REPORT_CAMPAIGNS, VIEW_LIT(""), &scope);
	if (scope.since_us != 0)
		return call_misused(call, "one campaign is told whole; --since is for all of them: leave out %s",
				    call->operands[0]);
	err = campaigns_find(call->db, view_of(call->operands[0]), &campaign, &rows, call->why);
	if (err != ERR_OK)
		return err;
	if (campaign.started_us == 0)
		return call_refuse(call, ERR_REFUSED, "%s has not started: there is nothing to report yet",
				   call->operands[0]);
	scope.campaign_id = campaign.id;
	err = retained_require(call, campaign.id, call->operands[0]);
	return err != ERR_OK ? err : tell(call, REPORT_CAMPAIGN, campaign.name, &scope);
}

/* --list, or the operand of `report list`. */
static enum err take_list(struct call *call, const char *name, struct report_scope *scope)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	enum err err = lists_find(call->db, view_of(name), &rows, &list, call->why);
	if (err == ERR_OK)
		scope->list_id = (uint64_t)list.id;
	return err;
}

static enum err take_scope(struct call *call, struct report_scope *scope)
{
	const char *list = call_option(call, "list");
	enum err err = bounce_since(call, &scope->since_us);
	return err != ERR_OK || list == NULL ? err : take_list(call, list, scope);
}

static enum err report_list(struct call *call)
{
	struct report_scope scope = { 0 };
	enum err err = bounce_since(call, &scope.since_us);
	if (err == ERR_OK)
		err = take_list(call, call->operands[0], &scope);
	return err == ERR_OK ? tell(call, REPORT_LIST, view_of(call->operands[0]), &scope) : err;
}

static enum err report_domain(struct call *call)
{
	struct report_scope scope = { 0 };
	AUTO_BUF domain = buf_with_ceiling(LIMIT_DOMAIN);
	enum err err = take_scope(call, &scope);
	if (err != ERR_OK)
		return err;
	if (call->operand_count == 0)
		return tell(call, REPORT_OPERATORS, VIEW_LIT(""), &scope);
	scope.group = view_of(call->operands[0]);
	if (view_find_byte(scope.group, '.') != VIEW_NONE)
		err = address_parse_domain(scope.group, &domain, call->why);
	if (err != ERR_OK)
		return err;
	if (domain.len > 0)
		scope.group = buf_view(&domain);
	return tell(call, REPORT_OPERATOR, view_of(call->operands[0]), &scope);
}

static enum err tell_all(struct call *call, enum report_kind kind)
{
	struct report_scope scope = { 0 };
	const char *list = call_option(call, "list");
	enum err err = take_scope(call, &scope);
	return err == ERR_OK ? tell(call, kind, view_of(list), &scope) : err;
}

static enum err report_reasons(struct call *call)
{
	return tell_all(call, REPORT_REASONS);
}

static enum err report_deliverability(struct call *call)
{
	return tell_all(call, REPORT_DELIVERABILITY);
}

/* ---- rows ---- */

#define SINCE                                                                                                          \
	{                                                                                                              \
		"since", "TIME", "only campaigns that started since: 30d ago, or a day; 90d unless told"               \
	}
#define OUTPUT_TO                                                                                                      \
	{                                                                                                              \
		"output", "FILE", "write to FILE, whole or not at all, instead of to standard output, which is - too"  \
	}
static const struct command_option options[] = { SINCE, OUTPUT_TO, { NULL, NULL, NULL } };
static const struct command_option list_options[] = {
	{ "list", "LIST", "only copies that went through LIST" }, SINCE, OUTPUT_TO, { NULL, NULL, NULL }
};

#define ONE_SNAPSHOT                                                                                                   \
	"All numbers are of one instant, which the report names. --format html writes\n"                               \
	"a page that is one file, without a script and without anything from a network.\n"
#define SHARES                                                                                                         \
	"A copy counts once, by the gravest report about it; bounces, complaints and\n"                                \
	"unsubscribes are shares of the accepted copies, so far. \"awaited\" are those\n"                              \
	"whose bounce window (bounce.window) is still open, and \"reports in\" is the\n"                               \
	"share of bounces that have come by now, if they come as late as they did\n"                                   \
	"before; it is not known before 100 reports have come.\n"

const struct command report_commands[] = {
	{
	    .noun = "report",
	    .verb = "campaign",
	    .operands = "[CAMPAIGN]",
	    .help = "what became of a campaign, or how campaigns compare",
	    .details = "Of one campaign: where everybody stands (the sum is the audience), ends over\n"
		       "time, reasons, how late bounces come, mail operators, the slowest domains\n"
		       "and variants. Without CAMPAIGN, all that started since, one a row.\n" SHARES ONE_SNAPSHOT,
	    .options = options,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .writes_pages = true,
	    .run = report_campaign,
	},
	{
	    .noun = "report",
	    .verb = "list",
	    .operands = "LIST",
	    .help = "a list's members, who came and left, and its campaigns",
	    .details = "Who came and left is told by the memberships as they stand now: of one that\n"
		       "ended and began anew only the last change is known.\n" SHARES ONE_SNAPSHOT,
	    .options = options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .writes_pages = true,
	    .run = report_list,
	},
	{
	    .noun = "report",
	    .verb = "domain",
	    .operands = "[GROUP]",
	    .surplus = "list",
	    .help = "what became of copies by mail operator",
	    .details = "An operator is a domain group (`listctl group`), or a domain in none. With\n"
		       "GROUP, which may also be a domain, that one alone, by domain.\n" SHARES ONE_SNAPSHOT,
	    .options = list_options,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .writes_pages = true,
	    .run = report_domain,
	},
	{
	    .noun = "report",
	    .verb = "reasons",
	    .operands = "",
	    .surplus = "list",
	    .help = "why copies failed, where, and an example of each reason",
	    .details = SHARES ONE_SNAPSHOT,
	    .options = list_options,
	    .needs = NEEDS_DATABASE,
	    .writes_pages = true,
	    .run = report_reasons,
	},
	{
	    .noun = "report",
	    .verb = "deliverability",
	    .operands = "",
	    .surplus = "list",
	    .help = "our own trouble: block lists, authentication, rates, relays",
	    .details = "Copies that failed for a reason about the sender or the letter, by operator\n"
		       "and over time; and what is held, closed, slowed down or left alone now.\n" SHARES ONE_SNAPSHOT,
	    .options = list_options,
	    .needs = NEEDS_DATABASE,
	    .writes_pages = true,
	    .run = report_deliverability,
	},
	{ .verb = NULL },
};
