#include "listctl/bounce_verbs.h"

#include <assert.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/campaign_verbs.h"
#include "listctl/command.h"
#include "listctl/past_time.h"
#include "listctl/safe_text.h"
#include "listctl/waiting.h"
#include "mail/address.h"
#include "mail/reason.h"
#include "store/reports.h"

/* ---- which ---- */

enum err bounce_scope(struct call *call, uint64_t *ret_campaign_id, uint64_t *ret_list_id)
{
	AUTO_DB_ROWS *campaign_rows = NULL;
	AUTO_DB_ROWS *list_rows = NULL;
	struct campaign campaign = { 0 };
	struct list list = { 0 };
	const char *campaign_name = call_option(call, "campaign");
	const char *list_name = call_option(call, "list");
	enum err err = ERR_OK;
	if (campaign_name != NULL)
		err = campaigns_find(call->db, view_of(campaign_name), &campaign, &campaign_rows, call->why);
	if (err == ERR_OK && list_name != NULL)
		err = lists_find(call->db, view_of(list_name), &list_rows, &list, call->why);
	if (err != ERR_OK)
		return err;
	*ret_campaign_id = campaign.id;
	*ret_list_id = (uint64_t)list.id;
	return ERR_OK;
}

enum err bounce_since(struct call *call, int64_t *ret_since_us)
{
	const char *text = call_option(call, "since");
	int64_t day_us, span_us;
	if (text == NULL)
		return ERR_OK;
	if (!past_time_read(view_of(text), &day_us, &span_us))
		return call_misused(call, "--since takes a time such as 7d, or a day such as 2026-11-01, not %s", text);
	int64_t now_us = clock_wall_us();
	if (day_us > now_us)
		return call_misused(call, "--since %s lies ahead: nothing came since; a day begins at 00:00 UTC", text);
	*ret_since_us = day_us > 0 ? day_us : span_us < now_us ? now_us - span_us : 0;
	return ERR_OK;
}

static enum err read_words(struct call *call, struct report_filter *filter)
{
	enum bounce_kind kind;
	enum bounce_reason reason;
	filter->kind = view_of(call_option(call, "kind"));
	filter->reason = view_of(call_option(call, "reason"));
	if (filter->kind.len > 0 && !kind_from_name(filter->kind, &kind))
		return call_misused(call,
				    "--kind is bounce-hard, bounce-soft, delay, complaint, auto-reply, not-bounce or "
				    "unknown, not " VIEW_FMT,
				    VIEW_ARG(filter->kind));
	if (filter->reason.len > 0 && !reason_from_name(filter->reason, &reason))
		return call_misused(call, "there is no reason " VIEW_FMT "; `listctl policy show` lists them",
				    VIEW_ARG(filter->reason));
	return ERR_OK;
}

static enum err read_address(struct call *call, struct buf *key)
{
	const char *text = call_option(call, "address");
	if (text == NULL)
		return ERR_OK;
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	enum err err = address_parse(view_of(text), &address, call->why);
	return err != ERR_OK ? err : address_key(buf_view(&address), key);
}

/* ---- ls ---- */

static const struct output_column ls_columns[] = {
	{ "bounce", OUTPUT_INT, false },     { "at", OUTPUT_TIME, false },     { "campaign", OUTPUT_TEXT, false },
	{ "email", OUTPUT_TEXT, false },     { "kind", OUTPUT_TEXT, false },   { "reason", OUTPUT_TEXT, false },
	{ "status", OUTPUT_TEXT, false },    { "source", OUTPUT_TEXT, false }, { "standing", OUTPUT_TEXT, false },
	{ "diagnostic", OUTPUT_TEXT, true },
};

static enum err bounce_ls(struct call *call)
{
	enum { MOST = 1000000 };
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS);
	struct report_filter filter = { 0 };
	uint64_t limit;
	enum err err = call_limit(call, MOST, 0, &limit);
	if (err == ERR_OK)
		err = read_words(call, &filter);
	if (err == ERR_OK)
		err = bounce_since(call, &filter.since_us);
	if (err == ERR_OK)
		err = read_address(call, &key);
	if (err == ERR_OK)
		err = bounce_scope(call, &filter.campaign_id, &filter.list_id);
	filter.limit = (size_t)limit;
	filter.address_key = buf_view(&key);
	struct waiting waiting;
	waiting_begin(call, "looking", &waiting);
	if (err == ERR_OK)
		err = reports_events(call->db, &filter, &rows, call->why);
	waiting_end(&waiting);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, ls_columns, ARRAY_LEN(ls_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct report_event e;
		report_event_at(rows, i, &e);
		output_row(call->out,
			   (struct output_cell[]){ cell_int((int64_t)e.id), cell_time(e.received_us),
						   cell_text_or_null(e.campaign), cell_text_or_null(e.address),
						   cell_text(e.kind), cell_text(e.reason), cell_text_or_null(e.status),
						   cell_text(e.source), cell_text(view_of(report_event_standing(&e))),
						   cell_text_or_null(e.diagnostic) });
	}
	return output_end(call->out, call->why);
}

/* ---- show ---- */

static const struct output_column show_columns[] = {
	{ "bounce", OUTPUT_INT, false },
	{ "received_at", OUTPUT_TIME, false },
	{ "campaign", OUTPUT_TEXT, false },
	{ "list", OUTPUT_TEXT, false },
	{ "email", OUTPUT_TEXT, false },
	{ "kind", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, false },
	{ "meaning", OUTPUT_TEXT, true },
	{ "rule", OUTPUT_TEXT, false },
	{ "code", OUTPUT_INT, false },
	{ "status", OUTPUT_TEXT, false },
	{ "source", OUTPUT_TEXT, false },
	{ "standing", OUTPUT_TEXT, false },
	{ "storm", OUTPUT_INT, false },
	{ "judged_at", OUTPUT_TIME, false },
	{ "reported_by", OUTPUT_TEXT, false },
	{ "reported_recipient", OUTPUT_TEXT, false },
	{ "text", OUTPUT_TEXT, true },
};

static enum err write_event(struct call *call, const struct report_event *event)
{
	enum bounce_reason reason;
	bool known = reason_from_name(event->reason, &reason);
	const struct output_cell cells[] = {
		cell_int((int64_t)event->id),
		cell_time(event->received_us),
		cell_text_or_null(event->campaign),
		cell_text_or_null(event->list),
		cell_text_or_null(event->address),
		cell_text(event->kind),
		cell_text(event->reason),
		known ? cell_text(view_of(reason_explained(reason))) : cell_null(),
		cell_text_or_null(event->rule),
		event->code == 0 ? cell_null() : cell_int(event->code),
		cell_text_or_null(event->status),
		cell_text(event->source),
		cell_text(view_of(report_event_standing(event))),
		event->storm_id == 0 ? cell_null() : cell_int((int64_t)event->storm_id),
		cell_time_or_null(event->judged_us),
		cell_text_or_null(event->reporting_mta),
		cell_text_or_null(event->recipient),
		cell_text_or_null(event->diagnostic),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(show_columns), "one cell per column");
	return output_object(call->out, show_columns, ARRAY_LEN(show_columns), cells, call->why);
}

static enum err write_message(struct call *call, const struct report_event *event, bool octets)
{
	AUTO_DB_ROWS *rows = NULL;
	struct view message;
	enum err err = reports_message(call->db, event->campaign_id, event->id, &message, &rows, call->why);
	if (err != ERR_OK)
		return err;
	if (!octets)
		safe_text_print(message, stdout);
	else if (message.len > 0)
		fwrite(message.data, 1, message.len, stdout);
	return ERR_OK;
}

static enum err bounce_show(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct report_event event;
	uint64_t id;
	if (!view_to_u64(view_of(call->operands[0]), INT64_MAX, &id))
		return call_misused(call, "a bounce is a number, not %s; `listctl bounce ls` lists them",
				    call->operands[0]);
	enum err err = reports_event(call->db, id, &event, &rows, call->why);
	if (err != ERR_OK)
		return err;
	bool octets = call_has(call, "octets");
	return octets || call_has(call, "raw") ? write_message(call, &event, octets) : write_event(call, &event);
}

/* ---- the verbs ---- */

static const struct command_option ls_options[] = {
	{ "campaign", "NAME", "only of this campaign" },
	{ "list", "LIST", "only of copies that went through this list" },
	{ "address", "ADDRESS", "only of this subscriber" },
	{ "kind", "KIND", "only bounce-hard, bounce-soft, delay, complaint, auto-reply ..." },
	{ "reason", "REASON", "only with this reason, such as user-unknown" },
	{ "since", "TIME", "only of the last 7d, 12h ..., or since a day such as 2026-11-01" },
	{ "limit", "COUNT", "at most so many; 100 unless told" },
	{ 0 },
};
static const struct command_option show_options[] = {
	{ "raw", NULL, "print the returned message, control characters made harmless" },
	{ "octets", NULL, "print the returned message octet for octet" },
	{ 0 },
};
static const struct command_option report_options[] = {
	{ "campaign", "NAME", "only of this campaign" },
	{ "list", "LIST", "only of copies that went through this list" },
	{ "by", "reason|domain|both", "one table: by reason, by domain, or by each pair of them" },
	{ 0 },
};

static const struct command_option classify_options[] = {
	{ "rules", "FILE", "with the rules of this file instead of those of bounce.rules" },
	{ "why", NULL, "tell the rule that decided, the reply code, and the line with its words" },
	{ 0 },
};

static const struct command_option reclassify_options[] = {
	{ "apply", NULL, "record what has changed, and let memberships follow, as one batch that can be undone" },
	{ "campaign", "NAME", "only of this campaign" },
	{ "list", "LIST", "only of copies that went through this list" },
	{ "since", "TIME", "only of the last 7d, 12h ..., or since a day such as 2026-11-01" },
	{ "rules", "FILE", "by the rules of this file instead of those of bounce.rules; not with --apply" },
	{ 0 },
};

static const char report_details[] =
    "Counts people, not messages: several reports about one copy are one. percent is of the\n"
    "copies handed to the relay (to that domain). Delays, automatic replies, orphans and voided\n"
    "bounces are left out.\n";
static const char classify_details[] =
    "With --format json one object a line: file, kind, reason, status, recipients. A file that\n"
    "cannot be read is told on stderr; the others are still classified, and the exit code is 1.\n"
    "With --why also rule, code, place (diagnostic, paragraph, notice or subject: the text that\n"
    "the rule was found in; structure: no words decided) and line.\n";
static const char rules_details[] =
    "check reads FILE, or that of bounce.rules, and tries each rule's example, those built in too;\n"
    "ls lists all rules in the order in which they are tried. How rules are written is told by\n"
    "verpost-rules(5). A file that is not sound is refused with its line, and the exit code is 1.\n";
static const char reclassify_details[] =
    "Reads the messages that are kept (bounce.keep_raw) by the rules of now, and counts by pairs\n"
    "what they were and what they are, with up to three bounces of each and the words of one.\n"
    "Nothing is changed without --apply. With it the verdict follows: who was disabled, or pruned\n"
    "since, by what does not disable any more is active again, unless a suppression or complaint\n"
    "forbids it; who is to be disabled now is. `listctl undo BATCH` takes all of it back. Who was\n"
    "unsubscribed by what is no complaint any more stays so. It may run beside bounced, be stopped\n"
    "at any time, and run again, which changes what is left to change.\n";
static const char ingest_details[] =
    "FILE is one message, an mbox or a Maildir; stdin without it. The recipient is found by a\n"
    "valid token: a return path in Delivered-To, X-Original-To, Envelope-To or To, or what the\n"
    "report holds inside. Addresses in a report are never trusted; a report that came to one copy's\n"
    "return path and tells of another copy is named and counts for nobody. A message given twice, or that\n"
    "bounced has received too, counts once. The exit code is 1 when no message had a token.\n";

const struct command bounce_commands[] = {
	{
	    .noun = "bounce",
	    .verb = "ls",
	    .surplus = "campaign",
	    .operands = "",
	    .help = "list what came back",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = bounce_ls,
	},
	{
	    .noun = "bounce",
	    .verb = "show",
	    .operands = "BOUNCE",
	    .help = "show one bounce with its evidence",
	    .options = show_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = bounce_show,
	},
	{
	    .noun = "bounce",
	    .verb = "report",
	    .surplus = "campaign",
	    .operands = "",
	    .help = "count what came back by reason and domain",
	    .details = report_details,
	    .options = report_options,
	    .needs = NEEDS_DATABASE,
	    .run = bounce_report,
	},
	{
	    .noun = "bounce",
	    .verb = "classify",
	    .operands = "FILE...",
	    .help = "say what returned messages mean, without a database",
	    .details = classify_details,
	    .options = classify_options,
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_NO_SETTINGS,
	    .run = bounce_classify,
	},
	{
	    .noun = "bounce",
	    .verb = "rules",
	    .operands = "check|ls [FILE]",
	    .help = "check the rules by which returned messages are read, or list them",
	    .details = rules_details,
	    .least = 1,
	    .most = 2,
	    .needs = NEEDS_NO_SETTINGS,
	    .run = bounce_rules,
	},
	{
	    .noun = "bounce",
	    .verb = "reclassify",
	    .surplus = "campaign",
	    .operands = "",
	    .help = "read what came back again by the rules of now",
	    .details = reclassify_details,
	    .options = reclassify_options,
	    .needs = NEEDS_DATABASE,
	    .run = bounce_reclassify,
	},
	{
	    .noun = "bounce",
	    .verb = "ingest",
	    .operands = "[FILE]",
	    .help = "take in returned messages that came another way",
	    .details = ingest_details,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = bounce_ingest,
	},
	{ 0 },
};
