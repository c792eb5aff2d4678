#include "listctl/campaign_verbs.h"

#include "listctl/audience_options.h"
#include "listctl/command.h"
#include "listctl/dns_preflight.h"
#include "listctl/signing.h"
#include "listctl/variants.h"

/* A variant of the letter as it is kept. */
static enum err compile(struct call *call, const struct campaign *campaign, const struct destination *to,
			const struct campaign_variants *variants, unsigned variant)
{
	struct campaign_content content = campaign->content;
	struct composer *composer = NULL;
	variants_vary(&content, variants, variant);
	enum err err = draft_compile(call, &content, DRAFT_KEPT, to, campaign->name, &composer);
	composer_done(composer);
	return err;
}

enum err campaign_check_letter(struct call *call, const struct campaign *campaign)
{
	struct destination to;
	struct campaign_variants variants = { 0 };
	enum err err = destination_of(call, campaign, &to);
	if (err != ERR_OK)
		return err;
	err = campaign_variants_read(call->db, campaign->id, &variants, call->why);
	for (unsigned variant = 1; err == ERR_OK && (variant == 1 || variant <= variants.count); variant++)
		err = compile(call, campaign, &to, &variants, variant);
	campaign_variants_done(&variants);
	destination_done(&to);
	return err;
}

enum err campaign_check_sending(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = campaign_named(call, &campaign, &rows);
	if (err == ERR_OK)
		err = campaign_check_letter(call, &campaign);
	if (err == ERR_OK)
		err = signing_check(call, campaign.content.from_address);
	return err == ERR_OK ? dns_preflight(call, campaign.content.from_address) : err;
}

struct view call_actor(const struct call *call)
{
	return view_of(call->actor);
}

enum err campaign_named(struct call *call, struct campaign *ret_campaign, struct db_rows **ret_rows)
{
	return campaigns_find(call->db, view_of(call->operands[0]), ret_campaign, ret_rows, call->why);
}

/* ---- the verbs ---- */

static const struct command_option content_options[] = {
	{ "subject", "TEXT", "the subject; may hold merge fields" },
	{ "text", "FILE", "the plain text part, a template in UTF-8; made from the HTML unless given" },
	{ "html", "FILE", "the whole HTML part, a template in UTF-8; \"\" takes it away again" },
	{ "preheader", "TEXT", "what mailboxes show beside the subject; may hold merge fields" },
	{ "allow-html", NULL, "HTML in a Markdown letter stands as it is, not as text" },
	{ "from", "\"NAME <ADDRESS>\"", "the sender; the list's unless given" },
	{ "reply-to", "ADDRESS", "where answers go; the list's unless given, \"\" for nowhere else" },
	{ "variant", "\"SHARE% SUBJECT\"",
	  "an A/B test: so many get the letter with this subject, such as \"50% Another subject\"; may be given "
	  "several "
	  "times; those given replace all that there were, \"\" alone takes them away" },
	{ "variant-letter", "\"SHARE% LETTER\"",
	  "likewise another letter; its images and attachments are the campaign's own" },
	{ "in-doubt", "resend|hold",
	  "a message whose final reply was never read is sent again with the same Message-ID, or held; as "
	  "campaign.in_doubt says unless told" },
	AUDIENCE_OPTIONS,
	{ 0 },
};
static const struct command_option preview_options[] = {
	{ "variant", "A|B|...", "which one; A unless told" },
	{ "html", "FILE",
	  "write the HTML as a page for a browser, its images in it; - writes it to the standard output" },
	{ "raw", NULL, "the whole message as it is sent, headers and encodings included" },
	{ 0 },
};
static const struct command_option test_options[] = {
	{ "variant", "A|B|...", "only this one; all, each with its letter in the mark, unless told" },
	{ "as", "SUBSCRIBER", "whose copy is sent; somebody of the audience at random unless told" },
	{ "plain", NULL, "the subject as it is, without [test] in front" },
	{ "relay", "RELAY", "through this relay; the one that fits campaign and address unless told" },
	{ "timeout", "TIME", "how long to wait for the relay's answer (relay.test_timeout)" },
	{ 0 },
};
static const struct command_option schedule_options[] = {
	{ "at", "\"YYYY-MM-DD HH:MM\"", "the local time to start at" },
	{ "zone", "ZONE", "the IANA time zone of that time, such as Asia/Jakarta" },
	{ "offset", "+HH:MM", "which of two instants, when the clocks show that time twice or never" },
	{ "not-after", "TIME",
	  "when it could not start by then, it waits for a person: a local time, or 2h after --at; with --local-to 2h "
	  "after the first instant (UTC+14)" },
	{ "window", "\"DAYS HH:MM-HH:MM\"",
	  "send only then, such as \"mon-fri 08:00-18:00\"; may be given several times" },
	{ "local-to", "ATTRIBUTE",
	  "each recipient at that time in the zone that their attribute names; without --window and --offset" },
	{ "expire", "TIME",
	  "give temporarily refused ones up so long after their first attempt, such as 8h; from 1m to 30d" },
	{ "clear", NULL, "take the time away: the campaign is a draft again" },
	{ 0 },
};
static const struct command_option pause_options[] = {
	{ "reason", "TEXT", "why, for those who look at it later" },
	{ 0 },
};
static const struct command_option yes_options[] = {
	{ "yes", NULL, "do not ask; needed where nobody can be asked, without a terminal" },
	{ 0 },
};
static const struct command_option delete_options[] = {
	{ "yes", NULL, "changes nothing, for nothing is asked: `cancel` needs it" },
	{ 0 },
};
static const struct command_option status_options[] = {
	{ "recipients", "PLACE", "list who is accepted, refused, expired, skipped, in_doubt, deferred or pending" },
	{ 0 },
};
static const struct command_option watch_options[] = {
	{ "until", "finished|sent", "finished: the campaign has ended; sent: nobody is pending any more" },
	{ "interval", "SECONDS", "how often to look; 1 unless told" },
	{ 0 },
};
static const struct command_option ls_options[] = {
	{ "list", "LIST", "only campaigns to this list" },
	{ 0 },
};
static const struct command_option show_options[] = {
	{ "text", NULL, "print the plain text template" },
	{ "html", NULL, "print the HTML template" },
	{ 0 },
};
static const struct command_option in_doubt_options[] = {
	{ "resend", NULL, "send them again, with the same Message-ID" },
	{ "hold", NULL, "send nothing until told otherwise" },
	{ "settle", NULL, "take them as sent, for good" },
	{ "all", NULL, "list every doubt there ever was, with what became of the recipient" },
	{ "yes", NULL, "do not ask before all are settled; needed where there is no terminal to ask on" },
	{ 0 },
};

static const char template_details[] =
    "LETTER is FILE.md (Markdown) or FILE.html, or a folder with letter.md or letter.html and,\n"
    "if wanted, letter.txt; or a complete message FILE.eml. The .md or .html may begin with front matter: lines such "
    "as\n"
    "\"subject: News for {{name|you}}\" between two lines ---; verpost-template(7) has examples.\n"
    "Its keys are subject, from, reply-to, preheader and html (yes allows HTML in Markdown);\n"
    "options win over them. The HTML goes into the list's layout (`listctl list edit --layout`),\n"
    "unless it is a whole document with <html>; the text is letter.txt, or made from the HTML.\n"
    "Both are frozen in the campaign: what changes later in file or layout changes nothing here.\n"
    "\n"
    "Merge fields: {{name}} {{email}} {{list.name}} {{list.title}} {{campaign.name}}\n"
    "{{unsubscribe}} and every attribute that a member of one of its lists has; {{city|there}}\n"
    "gives \"there\" to those without a city; {{#city}}...{{/city}} stands only for those\n"
    "with one, {{^city}}...{{/city}} only for those without. {{{x}}} is x unescaped in HTML.\n"
    "A field that nobody has and a section that is not closed are refused.\n";
static const char schedule_details[] =
    "A time that the zone's clocks skip (set forward) or show twice (set back) is refused with\n"
    "the instants it could mean; --offset says which. The campaign goes to those who are active\n"
    "members at the moment it starts. Each call replaces the whole schedule; `start` begins at\n"
    "once, keeps --window and --expire and drops the rest.\n"
    "\n"
    "--not-after: when sender was down, or no window was open, until then, the campaign stays\n"
    "scheduled and says why, until `resume` (it starts then, and keeps its windows and local\n"
    "times), `start` (which drops the local times), another `schedule` or `cancel`.\n"
    "\n"
    "--window: by the clocks of --zone. Outside of them nothing is begun, retries neither, and\n"
    "the campaign does not start; messages under way are finished. \"fri 22:00-06:00\" closes on\n"
    "Saturday; \"09:00-17:00\" is every day; 24:00 is the end of a day. A window that lies in an\n"
    "hour which the clocks skip does not open on that day, one that begins there opens when they\n"
    "are set forward, one in an hour that they show twice opens for both. Not with --local-to.\n"
    "\n"
    "--local-to: the attribute holds names such as Europe/Berlin, in any case. Who has none, or\n"
    "something else there, gets it at that time in --zone; `show` and `status` tell how many they\n"
    "are. The campaign starts, and its audience is frozen, when the time comes at the first place\n"
    "on earth (UTC+14); --not-after counts from there, and must not be over already. Who is further east than the "
    "clock is now\n"
    "gets it at the start. Where the clocks skip the time it is as much later, where they show it\n"
    "twice it is the second.\n";
static const char in_doubt_details[] =
    "A message whose end was sent and whose reply was never read is in doubt: the relay may have\n"
    "it or not. By itself it is sent again once, or held, as the campaign says (--in-doubt of\n"
    "create; campaign.in_doubt in the settings unless told). --resend and --hold undo each other\n"
    "until it is sent; --settle writes `accepted` into the ledger and cannot be undone. Those that a\n"
    "sender has in hand (in_hand), being sent to or about to be, are left alone, which fails when\n"
    "they were named; it lets go of them within seconds when no relay works for them, and after\n"
    "a pause. --resend sends nothing to who has left the list or is suppressed: they stay in doubt, which\n"
    "fails, too, when they were named; so does who leaves before his copy has gone again (reply says\n"
    "so). A finished campaign that is told to send some again runs\n"
    "until they have come to an end; a canceled one sends nothing again. An address that is not in\n"
    "doubt refuses the whole call. Every decision is in the audit.\n";
static const char status_details[] =
    "audience = accepted + refused + expired + skipped + in_doubt + deferred + pending, counted\n"
    "at one instant. accepted: the relay took it. in_doubt: sent, but the relay's answer was\n"
    "never read. deferred: waits for another attempt. skipped: unsubscribed, suppressed, ...\n"
    "\n"
    "After pause and cancel the state is pausing and canceling until messages whose content has\n"
    "started have ended (up to sender.stop_timeout); under_way is how many they are. A campaign is\n"
    "canceling, and has no ended_at, as long as somebody of it is pending or deferred. under_way is also\n"
    "told of a running campaign whose window has closed or whose sender stops. A worker that\n"
    "died has none under way; whom it had opened stays pending until its journal is read.\n";

static const char report_details[] =
    "A row for each variant (--variant of create); one for a campaign that has none. sent: accepted,\n"
    "refused or given up. bounced and complained: accepted, and a report came back that says so.\n"
    "unsubscribed: accepted, and left the list since, before its next campaign started.\n";

static const struct command_option resume_options[] = {
	{ "group", "GROUP", "only this group of domains, which a breaker holds" },
	{ 0 },
};

const struct command campaign_commands[] = {
	{
	    .noun = "campaign",
	    .verb = "create",
	    .operands = "NAME LIST [LETTER]",
	    .help = "write a campaign for a list",
	    .details = template_details,
	    .options = content_options,
	    .least = 2,
	    .most = 3,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_create,
	},
	{
	    .noun = "campaign",
	    .verb = "edit",
	    .operands = "NAME [LETTER]",
	    .help = "change a campaign that has not started",
	    .details = template_details,
	    .options = content_options,
	    .least = 1,
	    .most = 2,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_edit,
	},
	{
	    .noun = "campaign",
	    .verb = "preview",
	    .operands = "NAME [ADDRESS]",
	    .help = "show one recipient's copy, of a random one unless named",
	    .details =
		"Of somebody whom the campaign would go to, as their copy goes through the list that they are\n"
		"reached through: with its title, List-Id and links. Who is named and a member of one of its lists,\n"
		"but not in the audience, is shown the same with a warning. Once the campaign has started, the list "
		"is\n"
		"the one that was chosen then. JSON has email, list, in_audience, gaps (fields that are empty) and "
		"message.\n",
	    .options = preview_options,
	    .least = 1,
	    .most = 2,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_preview,
	},
	{
	    .noun = "campaign",
	    .verb = "lint",
	    .operands = "NAME",
	    .help = "say what may keep a campaign from being delivered or read",
	    .details =
		"Sizes, missing text, images without alt, links that lead nowhere, no link to unsubscribe, subjects\n"
		"and header fields that filters distrust, fields that are empty for some, domains that are not\n"
		"aligned. Each finding has a code, which stays the same, and a remedy. Exit 1 when there are errors.\n"
		"create and edit warn of the same, but for notes and DKIM, and of a large list ask some of the\n"
		"members for whom fields are empty, where lint asks all. What is published is told by `listctl "
		"dns`.\n",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_lint,
	},
	{
	    .noun = "campaign",
	    .verb = "test",
	    .operands = "NAME ADDRESS...",
	    .help = "send one recipient's copy to other addresses",
	    .details =
		"sender writes, signs and sends the copy as a worker would, at any time of the campaign's life,\n"
		"and tells what the relay said. Nothing of it stands in the ledger. To is the given address,\n"
		"{{email}} and all other fields are the member's, title and List-Id those of the list that reaches\n"
		"them; the link to unsubscribe is nobody's, and what bounces is about nobody. Exit 1 unless the relay "
		"has taken all. sender must run.\n",
	    .options = test_options,
	    .least = 2,
	    .most = CAMPAIGN_TEST_MOST + 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_test,
	},
	{
	    .noun = "campaign",
	    .verb = "schedule",
	    .surplus = "at",
	    .operands = "NAME",
	    .help = "start a campaign at a local time",
	    .details = schedule_details,
	    .options = schedule_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_schedule,
	},
	{
	    .noun = "campaign",
	    .verb = "start",
	    .operands = "NAME",
	    .help = "start a campaign now",
	    .details =
		"Of a schedule the windows and the expiry stay: outside of its windows it waits for the next one.\n"
		"--at, --not-after and --local-to are dropped: all get it at once. A campaign that waits for a\n"
		"person because it was late starts with its local times kept by `resume`.\n",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_start,
	},
	{
	    .noun = "campaign",
	    .verb = "pause",
	    .surplus = "reason",
	    .operands = "NAME",
	    .help = "begin no further message",
	    .options = pause_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_pause,
	},
	{
	    .noun = "campaign",
	    .verb = "resume",
	    .operands = "NAME",
	    .help = "go on with a paused campaign, or with a group of domains in it that is held",
	    .details =
		"What a breaker has stopped goes on, and the breakers count anew from now. A scheduled campaign\n"
		"that waits for a person (hold_reason says why: it was late, or the test of a relay failed)\n"
		"is due now, keeps windows, local times and expiry, and drops a --not-after that has passed.\n",
	    .options = resume_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_resume,
	},
	{
	    .noun = "campaign",
	    .verb = "cancel",
	    .operands = "NAME",
	    .help = "end a campaign for good; who has not been sent to is skipped",
	    .details =
		"Whom no sender has in hand is skipped at once. Until the others are, which senders see to within\n"
		"seconds, or up to sender.stop_timeout for messages whose content has started, it is `canceling`.\n"
		"Should no sender run any more, `cancel` may be said again.\n",
	    .options = yes_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_cancel,
	},
	{
	    .noun = "campaign",
	    .verb = "status",
	    .surplus = "recipients",
	    .operands = "NAME",
	    .help = "where a campaign's recipients stand",
	    .details = status_details,
	    .options = status_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_status,
	},
	{
	    .noun = "campaign",
	    .verb = "report",
	    .operands = "NAME",
	    .help = "what became of a campaign's messages, by variant",
	    .details = report_details,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_report,
	},
	{
	    .noun = "campaign",
	    .verb = "watch",
	    .operands = "NAME",
	    .help = "follow a campaign until it ends",
	    .details = "Writes a line when something changes; with --format json, an object a line.\n",
	    .options = watch_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_watch,
	},
	{
	    .noun = "campaign",
	    .verb = "in-doubt",
	    .operands = "NAME [ADDRESS...]",
	    .help = "list the doubtful, and decide about all of them or some",
	    .details = in_doubt_details,
	    .options = in_doubt_options,
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_in_doubt,
	},
	{
	    .noun = "campaign",
	    .verb = "ls",
	    .surplus = "list",
	    .operands = "",
	    .help = "list the campaigns",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_ls,
	},
	{
	    .noun = "campaign",
	    .verb = "show",
	    .operands = "NAME",
	    .help = "show a campaign",
	    .options = show_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_show,
	},
	{
	    .noun = "campaign",
	    .verb = "delete",
	    .operands = "NAME",
	    .help = "delete a draft",
	    .options = delete_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = campaign_delete,
	},
	{ 0 },
};
