#include <assert.h>

#include "listctl/report.h"

#define COLUMNS(rows) .columns = (rows), .count = ARRAY_LEN(rows)

#define SENT_AND_RATES                                                                                                 \
	{ "bounced_hard", OUTPUT_INT, false }, { "bounced_soft", OUTPUT_INT, false },                                  \
	    { "bounced_percent", OUTPUT_REAL, false }, { "complained", OUTPUT_INT, false },                            \
	    { "complained_percent", OUTPUT_REAL, false }, { "unsubscribed", OUTPUT_INT, false },                       \
	    { "unsubscribed_percent", OUTPUT_REAL, false }, { "awaited", OUTPUT_INT, false },                          \
	{                                                                                                              \
		"reports_in_percent", OUTPUT_REAL, false                                                               \
	}

static const struct output_column campaign_columns[] = {
	{ "campaign", OUTPUT_TEXT, false },   { "lists", OUTPUT_TEXT, false },
	{ "subject", OUTPUT_TEXT, true },     { "state", OUTPUT_TEXT, false },
	{ "started_at", OUTPUT_TIME, false }, { "ended_at", OUTPUT_TIME, false },
	{ "audience", OUTPUT_INT, false },    { "sent", OUTPUT_INT, false },
	{ "accepted", OUTPUT_INT, false },    SENT_AND_RATES,
};
static const struct output_column totals_columns[] = {
	{ "campaigns", OUTPUT_INT, false },
	{ "sent", OUTPUT_INT, false },
	{ "accepted", OUTPUT_INT, false },
	{ "refused", OUTPUT_INT, false },
	{ "expired", OUTPUT_INT, false },
	{ "skipped", OUTPUT_INT, false },
	SENT_AND_RATES,
};
static const struct output_column places_columns[] = {
	{ "place", OUTPUT_TEXT, false },
	{ "recipients", OUTPUT_INT, false },
	{ "audience_percent", OUTPUT_REAL, false },
};
static const struct output_column time_columns[] = {
	{ "at", OUTPUT_TIME, false },     { "accepted", OUTPUT_INT, false }, { "refused", OUTPUT_INT, false },
	{ "expired", OUTPUT_INT, false }, { "skipped", OUTPUT_INT, false },
};
static const struct output_column days_columns[] = {
	{ "from", OUTPUT_TIME, false },        { "accepted", OUTPUT_INT, false }, { "refused", OUTPUT_INT, false },
	{ "expired", OUTPUT_INT, false },      { "skipped", OUTPUT_INT, false },  { "bounced_hard", OUTPUT_INT, false },
	{ "bounced_soft", OUTPUT_INT, false },
};
static const struct output_column late_columns[] = {
	{ "within", OUTPUT_TEXT, false },
	{ "bounced_hard", OUTPUT_INT, false },
	{ "bounced_soft", OUTPUT_INT, false },
	{ "so_far_percent", OUTPUT_REAL, false },
};
static const struct output_column reasons_columns[] = {
	{ "reason", OUTPUT_TEXT, false },       { "about_us", OUTPUT_BOOL, false },
	{ "refused", OUTPUT_INT, false },       { "expired", OUTPUT_INT, false },
	{ "bounced_hard", OUTPUT_INT, false },  { "bounced_soft", OUTPUT_INT, false },
	{ "complained", OUTPUT_INT, false },    { "copies", OUTPUT_INT, false },
	{ "sent_percent", OUTPUT_REAL, false },
};
#define MEASURES                                                                                                       \
	{ "sent", OUTPUT_INT, false }, { "accepted", OUTPUT_INT, false }, { "refused", OUTPUT_INT, false },            \
	    { "expired", OUTPUT_INT, false }, { "skipped", OUTPUT_INT, false }, { "retried", OUTPUT_INT, false },      \
	    { "deferred_minutes", OUTPUT_REAL, false }, { "mean_minutes", OUTPUT_REAL, false },                        \
	    { "bounced_hard", OUTPUT_INT, false }, { "bounced_soft", OUTPUT_INT, false },                              \
	    { "bounced_percent", OUTPUT_REAL, false }, { "complained", OUTPUT_INT, false },                            \
	{                                                                                                              \
		"complained_percent", OUTPUT_REAL, false                                                               \
	}
#define MEASURES_ARE                                                                                                   \
	"Retried: ended after more than one attempt, and deferred for so many minutes in the mean. Mean minutes: "     \
	"from "                                                                                                        \
	"the start of the campaign to acceptance. Shares are of accepted copies."
static const struct output_column operators_columns[] = { { "operator", OUTPUT_TEXT, false }, MEASURES };
static const struct output_column domains_columns[] = { { "domain", OUTPUT_TEXT, false }, MEASURES };
static const struct output_column relays_columns[] = { { "relay", OUTPUT_TEXT, false }, MEASURES };
static const struct output_column slowest_columns[] = {
	{ "domain", OUTPUT_TEXT, false },       { "accepted", OUTPUT_INT, false },
	{ "retried", OUTPUT_INT, false },       { "deferred_minutes", OUTPUT_REAL, false },
	{ "mean_minutes", OUTPUT_REAL, false }, { "longest_minutes", OUTPUT_REAL, false },
};
static const struct output_column variants_columns[] = {
	{ "variant", OUTPUT_TEXT, false },     { "share", OUTPUT_REAL, false },   { "subject", OUTPUT_TEXT, true },
	{ "sent", OUTPUT_INT, false },         { "accepted", OUTPUT_INT, false }, { "refused", OUTPUT_INT, false },
	{ "expired", OUTPUT_INT, false },      { "bounced", OUTPUT_INT, false },  { "complained", OUTPUT_INT, false },
	{ "unsubscribed", OUTPUT_INT, false },
};
static const struct output_column campaigns_columns[] = {
	{ "campaign", OUTPUT_TEXT, false },     { "list", OUTPUT_TEXT, false },
	{ "started_at", OUTPUT_TIME, false },   { "state", OUTPUT_TEXT, false },
	{ "sent", OUTPUT_INT, false },          { "accepted", OUTPUT_INT, false },
	{ "refused", OUTPUT_INT, false },       { "expired", OUTPUT_INT, false },
	{ "bounced_hard", OUTPUT_INT, false },  { "bounced_soft", OUTPUT_INT, false },
	{ "hard_percent", OUTPUT_REAL, false }, { "soft_percent", OUTPUT_REAL, false },
	{ "complained", OUTPUT_INT, false },    { "complained_percent", OUTPUT_REAL, false },
	{ "unsubscribed", OUTPUT_INT, false },  { "unsubscribed_percent", OUTPUT_REAL, false },
	{ "awaited", OUTPUT_INT, false },
};
static const struct output_column list_columns[] = {
	{ "list", OUTPUT_TEXT, false },        { "title", OUTPUT_TEXT, true },    { "created_at", OUTPUT_TIME, false },
	{ "members", OUTPUT_INT, false },      { "active", OUTPUT_INT, false },   { "unconfirmed", OUTPUT_INT, false },
	{ "unsubscribed", OUTPUT_INT, false }, { "disabled", OUTPUT_INT, false }, { "removed", OUTPUT_INT, false },
};
static const struct output_column growth_columns[] = {
	{ "week_of", OUTPUT_TIME, false },   { "joined", OUTPUT_INT, false },   { "unsubscribed", OUTPUT_INT, false },
	{ "complained", OUTPUT_INT, false }, { "disabled", OUTPUT_INT, false }, { "removed", OUTPUT_INT, false },
	{ "change", OUTPUT_INT, false },
};
static const struct output_column where_columns[] = {
	{ "reason", OUTPUT_TEXT, false },     { "list", OUTPUT_TEXT, false },  { "campaign", OUTPUT_TEXT, false },
	{ "started_at", OUTPUT_TIME, false }, { "copies", OUTPUT_INT, false }, { "sent_percent", OUTPUT_REAL, false },
};
static const struct output_column examples_columns[] = {
	{ "reason", OUTPUT_TEXT, false },        { "kind", OUTPUT_TEXT, false },        { "words", OUTPUT_TEXT, true },
	{ "reporting_mta", OUTPUT_TEXT, false }, { "received_at", OUTPUT_TIME, false },
};
static const struct output_column us_columns[] = {
	{ "reason", OUTPUT_TEXT, false },      { "operator", OUTPUT_TEXT, false },
	{ "refused", OUTPUT_INT, false },      { "expired", OUTPUT_INT, false },
	{ "bounced_hard", OUTPUT_INT, false }, { "bounced_soft", OUTPUT_INT, false },
	{ "complained", OUTPUT_INT, false },   { "copies", OUTPUT_INT, false },
};
static const struct output_column us_days_columns[] = {
	{ "began_on", OUTPUT_TIME, false },
	{ "sent", OUTPUT_INT, false },
	{ "about_us", OUTPUT_INT, false },
	{ "about_us_percent", OUTPUT_REAL, false },
};
static const struct output_column trouble_columns[] = {
	{ "what", OUTPUT_TEXT, false },  { "name", OUTPUT_TEXT, false },  { "how", OUTPUT_TEXT, false },
	{ "reason", OUTPUT_TEXT, true }, { "since", OUTPUT_TIME, false }, { "until", OUTPUT_TIME, false },
};

#define BOUNCES_ARE                                                                                                    \
	"A copy counts once, by the gravest report about it. Bounces, complaints and unsubscribes are shares of the "  \
	"accepted copies, so far. "

static const struct report_section sections[] = {
	[FACT_CAMPAIGN] = { "campaign", "At a glance",
			    BOUNCES_ARE
			    "Awaited: accepted copies whose bounce window is still open. Reports in: the share "
			    "of bounces that have come by now, if they come as late as they did before.",
			    COLUMNS(campaign_columns), .is_one = true },
	[FACT_TOTALS] = { "totals", "All together",
			  BOUNCES_ARE
			  "Awaited: accepted copies whose bounce window is still open. Reports in: the share "
			  "of bounces that have come by now, if they come as late as they did before.",
			  COLUMNS(totals_columns), .is_one = true },
	[FACT_PLACES] = { "places", "Where everybody stands",
			  "Each recipient of the frozen audience is in exactly one place: together they are the "
			  "audience.",
			  COLUMNS(places_columns), .chart = { CHART_BARS, 0, 2, 1, .is_share = true } },
	[FACT_TIME] = { "time", "How it went out",
			"Recipients by the time of their end. The last row holds what came later, too.",
			COLUMNS(time_columns), .chart = { CHART_COLUMNS, 0, 1, 4 } },
	[FACT_DAYS] = { "days", "Over time",
			"Copies by the day, or week, of their end, and what came back of them since.",
			COLUMNS(days_columns), .chart = { CHART_COLUMNS, 0, 1, 3 } },
	[FACT_LATE] = { "late", "How late bounces come",
			"Bounces of accepted copies by the time from the relay's word to the report; each row has "
			"those that came later "
			"than the row above. Some are on their way while copies are awaited.",
			COLUMNS(late_columns), .chart = { CHART_BARS, 0, 1, 2 } },
	[FACT_REASONS] = { "reasons", "Why copies failed",
			   "Refused and expired: the relay's own word. Bounced: it had accepted them. Shares are of "
			   "all "
			   "copies sent. Reasons about us never count against an address.",
			   COLUMNS(reasons_columns), .chart = { CHART_BARS, 0, 2, 5 } },
	[FACT_OPERATORS] = { "operators", "By mail operator",
			     "Domains that one operator receives for are one row (listctl group). " MEASURES_ARE,
			     COLUMNS(operators_columns), .most = 20,
			     .chart = { CHART_BARS, 0, 11, 1, .is_share = true, .weight = 2 } },
	[FACT_DOMAINS] = { "domains", "By domain", MEASURES_ARE, COLUMNS(domains_columns), .most = 30,
			   .chart = { CHART_BARS, 0, 11, 1, .is_share = true, .weight = 2 } },
	[FACT_RELAYS] = { "relays", "By relay",
			  "Through which relay copies came to their end; without a name it is not known (an end that a "
			  "crash left "
			  "behind, or of before relays were kept). " MEASURES_ARE,
			  COLUMNS(relays_columns), .chart = { CHART_BARS, 0, 11, 1, .is_share = true, .weight = 2 } },
	[FACT_SLOWEST] = { "slowest", "Slowest domains",
			   "Mean and longest time from the start of the campaign until the copy was accepted. Domains "
			   "with less "
			   "than one in ten thousand of all copies are left out.",
			   COLUMNS(slowest_columns), .chart = { CHART_BARS, 0, 4, 1 } },
	[FACT_VARIANTS] = { "variants", "By variant",
			    "What became of each letter. Unsubscribed: since, before the list's next campaign started.",
			    COLUMNS(variants_columns) },
	[FACT_CAMPAIGNS] = { "campaigns", "From campaign to campaign",
			     "The oldest first. Shares are of accepted copies, so far: of a young campaign bounces are "
			     "still "
			     "coming (awaited: accepted copies whose bounce window is open).",
			     COLUMNS(campaigns_columns), .chart = { CHART_COLUMNS, 0, 10, 2, .is_share = true } },
	[FACT_LIST] = { "list", "Members", "As they stand now. Only active members are written to.",
			COLUMNS(list_columns), .is_one = true },
	[FACT_GROWTH] = { "growth", "Who came and who left",
			  "Memberships as they stand now, by the week in which they began, and by that of the last "
			  "change "
			  "of those that ended. Disabled by the verdict over bounces, removed by prune.",
			  COLUMNS(growth_columns), .chart = { CHART_COLUMNS, 0, 1, 5, .up = 1 } },
	[FACT_WHERE] = { "by_campaign", "Reason by reason, where",
			 "Failed copies of each campaign. Shares are of the copies sent of it.", COLUMNS(where_columns),
			 .most = 40 },
	[FACT_EXAMPLES] = { "examples", "In their words", "The newest report of each reason, as it was written.",
			    COLUMNS(examples_columns) },
	[FACT_US] = { "about_us", "What operators hold against us",
		      "Failed copies whose reason is about the sender or the letter, not about the address.",
		      COLUMNS(us_columns), .most = 20 },
	[FACT_US_DAYS] = { "about_us_over_time", "Our own trouble over time",
			   "Copies that failed for a reason about us, as a share of those sent, by the day on which "
			   "their campaigns "
			   "began.",
			   COLUMNS(us_days_columns), .chart = { CHART_COLUMNS, 0, 3, 1, .is_share = true } },
	[FACT_TROUBLE] = { "trouble", "Trouble now",
			   "Relays that are left alone, destinations that are closed or slowed down, groups that are "
			   "held and "
			   "campaigns that are paused.",
			   COLUMNS(trouble_columns) },
};
static_assert(ARRAY_LEN(sections) == FACT_COUNT, "one row per fact");

const struct report_section *report_section_of(enum report_fact fact)
{
	return &sections[fact];
}

const struct report_plan report_plans[REPORT_KIND_COUNT] = {
	[REPORT_CAMPAIGN] = { "Campaign",
			      { FACT_CAMPAIGN, FACT_PLACES, FACT_TIME, FACT_REASONS, FACT_LATE, FACT_OPERATORS,
				FACT_RELAYS, FACT_SLOWEST, FACT_VARIANTS },
			      9 },
	[REPORT_CAMPAIGNS] = { "Campaigns",
			       { FACT_TOTALS, FACT_CAMPAIGNS, FACT_REASONS, FACT_OPERATORS, FACT_RELAYS },
			       5 },
	[REPORT_LIST] = { "List",
			  { FACT_LIST, FACT_GROWTH, FACT_TOTALS, FACT_CAMPAIGNS, FACT_REASONS, FACT_OPERATORS },
			  6 },
	[REPORT_OPERATORS] = { "Mail operators",
			       { FACT_TOTALS, FACT_OPERATORS, FACT_SLOWEST, FACT_DAYS, FACT_LATE },
			       5 },
	[REPORT_OPERATOR] = { "Mail operator",
			      { FACT_TOTALS, FACT_DOMAINS, FACT_REASONS, FACT_DAYS, FACT_LATE, FACT_CAMPAIGNS },
			      6 },
	[REPORT_REASONS] = { "Reasons", { FACT_TOTALS, FACT_REASONS, FACT_WHERE, FACT_EXAMPLES }, 4 },
	[REPORT_DELIVERABILITY] = { "Deliverability",
				    { FACT_TROUBLE, FACT_TOTALS, FACT_US_DAYS, FACT_US, FACT_RELAYS, FACT_CAMPAIGNS },
				    6 },
};
