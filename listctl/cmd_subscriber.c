#include "base/limits.h"
#include "listctl/attribute_options.h"
#include "listctl/former.h"
#include "listctl/outlook.h"
#include "listctl/subscriber_steps.h"
#include "listctl/terms.h"
#include "listctl/turn.h"
#include "listctl/who.h"
#include "store/lists.h"

enum { TEXT_MOST = 200 };

enum err subscriber_text_option(struct call *call, const char *option, struct view *ret_text)
{
	const char *given = call_option(call, option);
	struct view text = view_trim(view_of(given));
	if (given != NULL && (text.len == 0 || text.len > TEXT_MOST || !view_is_utf8(text) || view_has_control(text)))
		return call_misused(call, "--%s takes 1 to %d octets of UTF-8 text without control characters", option,
				    TEXT_MOST);
	*ret_text = text;
	return ERR_OK;
}

enum err subscriber_finish(struct call *call, enum err err)
{
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

/* ---- set ---- */

static enum err write_set(struct call *call, struct who *who, const struct view *name,
			  const struct attribute_options *attributes, struct view reason)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = who_find(call, call->operands[0], true, who);
	if (err == ERR_OK)
		err = people_set(call->db, who->person.id, name, buf_view(&attributes->set), &attributes->unset,
				 call->why);
	if (err != ERR_OK)
		return err;
	buf_addf(&detail, "{\"name\": %s, \"attributes\": ", name == NULL ? "false" : "true");
	output_json_string(&detail, buf_view(&attributes->names));
	if (reason.len > 0) {
		buf_add(&detail, VIEW_LIT(", \"reason\": "));
		output_json_string(&detail, reason);
	}
	buf_add_byte(&detail, '}');
	return who_audit(call, "subscriber.set", &who->person, buf_view(&detail));
}

static enum err set(struct call *call)
{
	struct attribute_options attributes = { 0 };
	struct who who = { 0 };
	struct view name = view_trim(view_of(call_option(call, "name"))), reason;
	enum err err = attribute_text_check(call, "name", name);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "reason", &reason);
	if (err == ERR_OK)
		err = attribute_options_read(call, &attributes);
	if (err == ERR_OK && !attributes.any && !call_has(call, "name"))
		err = call_misused(call, "nothing to change was given: --name, --set or --unset");
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = subscriber_finish(
		    call, write_set(call, &who, call_has(call, "name") ? &name : NULL, &attributes, reason));
	if (err == ERR_OK)
		call_note(call, VIEW_FMT " is changed", VIEW_ARG(who.person.address));
	if (err == ERR_OK)
		err = subscriber_tell(call, who.person.id);
	who_done(&who);
	attribute_options_done(&attributes);
	return err;
}

/* ---- move ---- */

/* Somebody else has the address, or another spelling of its mailbox. */
static enum err check_free(struct call *call, const struct spelt *spelt, int64_t id)
{
	AUTO_DB_ROWS *rows = NULL;
	struct person_row other;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err =
	    people_find(call->db, buf_view(&spelt->key), buf_view(&spelt->canonical), 0, true, &rows, &other, &cause);
	if (err == ERR_NOT_FOUND || (err == ERR_OK && other.id == id))
		return ERR_OK;
	if (err != ERR_OK)
		return call_refuse(call, err, "%s", buf_text(&cause));
	return call_refuse(call, ERR_EXISTS, "there is a subscriber " VIEW_FMT " already; two people cannot become one",
			   VIEW_ARG(other.address));
}

/* The address was somebody else's before, who has moved: files of before the move mean that person. */
static enum err check_former(struct call *call, const struct person_row *person, const struct spelt *spelt)
{
	AUTO_DB_ROWS *rows = NULL;
	struct former_address former;
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	if (call_has(call, "reassigned"))
		return ERR_OK;
	enum err err = former_addresses_find(call->db, buf_view(&spelt->key), buf_view(&spelt->canonical), &rows,
					     &former, call->why);
	if (err == ERR_NOT_FOUND || (err == ERR_OK && former.subscriber_id == person->id))
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	former_text(&former, &text);
	return call_refuse(call, ERR_REFUSED,
			   "%s is the %s; if it is " VIEW_FMT "'s now, --reassigned REASON lets them have it",
			   call->operands[1], buf_text(&text), VIEW_ARG(person->address));
}

/* Whoever is not to be written to does not become somebody else who is. */
static enum err check_may_move(struct call *call, const struct person_row *person, const struct spelt *spelt)
{
	struct spelt old = { .address = buf_with_ceiling(LIMIT_ADDRESS),
			     .key = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
			     .canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT) };
	buf_add(&old.key, person->key);
	buf_add(&old.canonical, person->canonical);
	enum err err = check_free(call, spelt, person->id);
	if (err == ERR_OK)
		err = check_former(call, person, spelt);
	if (err == ERR_OK)
		err = who_check_suppressed_anywhere(call, &old, person->id);
	if (err == ERR_OK)
		err = who_check_suppressed_anywhere(call, spelt, person->id);
	if (err == ERR_OK && !view_eq(person->key, buf_view(&spelt->key)))
		err = spelt_judge(call, spelt);
	spelt_done(&old);
	return err;
}

/* An import that has asked already who has moved must not have the former address in hand. */
static enum err write_move(struct call *call, struct who *who, const struct spelt *spelt)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = turn_take(call);
	if (err == ERR_OK)
		err = who_find(call, call->operands[0], true, who);
	if (err == ERR_OK)
		err = check_may_move(call, &who->person, spelt);
	if (err == ERR_OK)
		err = people_move(call->db, who->person.id, buf_view(&spelt->address), buf_view(&spelt->key),
				  buf_view(&spelt->canonical), call->why);
	if (err != ERR_OK)
		return err;
	buf_addf(&detail, "{\"subscriber_id\": %lld, \"from\": ", (long long)who->person.id);
	output_json_string(&detail, who->person.key);
	buf_add(&detail, VIEW_LIT(", \"reason\": "));
	output_json_string(&detail, view_of(call_option(call, "reason")));
	if (call_has(call, "reassigned")) {
		buf_add(&detail, VIEW_LIT(", \"reassigned\": "));
		output_json_string(&detail, view_of(call_option(call, "reassigned")));
	}
	buf_add_byte(&detail, '}');
	const struct person_row moved = { .id = who->person.id, .key = buf_view(&spelt->key) };
	return who_audit(call, "subscriber.move", &moved, buf_view(&detail));
}

static enum err move(struct call *call)
{
	struct spelt spelt;
	struct who who = { 0 };
	struct view reason, reassigned;
	enum err err = spelt_read(call->operands[1], &spelt, call->why);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "reason", &reason);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "reassigned", &reassigned);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = subscriber_finish(call, write_move(call, &who, &spelt));
	if (err == ERR_OK)
		call_note(call, VIEW_FMT " has moved to " VIEW_FMT "; memberships, history and links stay",
			  VIEW_ARG(who.person.address), VIEW_ARG(buf_view(&spelt.address)));
	if (err == ERR_OK)
		err = subscriber_tell(call, who.person.id);
	who_done(&who);
	spelt_done(&spelt);
	return err;
}

/* ---- unsubscribe, resubscribe, confirm ---- */

struct step_kind {
	const char *action, *from, *to, *done, *nothing;
	bool needs_reason, asks_suppressions;
};

static const struct step_kind unsubscribing = {
	"subscriber.unsubscribe",
	"active,unconfirmed,disabled,removed",
	"unsubscribed",
	"unsubscribed from",
	"is no member",
	false,
	false,
};
static const struct step_kind resubscribing = {
	"subscriber.resubscribe",     "unsubscribed", "active", "a member again of",
	"has not unsubscribed there", true,           true,
};
static const struct step_kind confirming = {
	"subscriber.confirm",
	"unconfirmed",
	"active",
	"confirmed as a member of",
	"does not wait to be confirmed there",
	false,
	true,
};

static enum err find_list(struct call *call, int64_t *ret_list_id)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list = { 0 };
	bool is_all = call_takes(call, "all") && call_has(call, "all");
	*ret_list_id = 0;
	if (is_all && call->operand_count == 2)
		return call_misused(call, "--all or LIST, not both");
	if (is_all)
		return ERR_OK;
	if (call->operand_count < 2)
		return call_misused(call, "LIST and ADDRESS are needed%s",
				    call_takes(call, "all") ? ", or --all and ADDRESS" : "");
	enum err err = lists_find(call->db, view_of(call->operands[0]), &rows, &list, call->why);
	*ret_list_id = list.id;
	return err;
}

static enum err check_not_suppressed(struct call *call, const struct who *who, int64_t list_id)
{
	struct spelt spelt = { .address = buf_with_ceiling(LIMIT_ADDRESS),
			       .key = buf_with_ceiling(LIMIT_ADDRESS_TEXT),
			       .canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT) };
	buf_add(&spelt.key, who->person.key);
	buf_add(&spelt.canonical, who->person.canonical);
	enum err err = who_check_suppressed(call, &spelt, list_id);
	spelt_done(&spelt);
	return err;
}

static enum err audit_step(struct call *call, const struct step_kind *kind, const struct who *who,
			   const struct membership_step *step, const struct db_rows *lists)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	buf_add(&detail, VIEW_LIT("{\"lists\": ["));
	for (size_t i = 0; i < db_row_count(lists); i++) {
		buf_addf(&detail, "%s", i > 0 ? ", " : "");
		output_json_string(&detail, db_get_text(lists, i, 0));
	}
	buf_add(&detail, VIEW_LIT("], \"reason\": "));
	output_json_string(&detail, step->reason);
	buf_add(&detail, VIEW_LIT(", \"consent\": "));
	output_json_string(&detail, step->consent_source);
	buf_add_byte(&detail, '}');
	return who_audit(call, kind->action, &who->person, buf_view(&detail));
}

static void warn_of_verdict(void *user, const struct verdict_history *history)
{
	struct call *call = user;
	AUTO_BUF score = buf_with_ceiling(LIMIT_WHY);
	const char *operand = call->operands[call->operand_count - 1];
	if (!history->verdict.disable)
		return;
	outlook_write_score(&history->verdict, &score);
	call_warn(call,
		  "mail to it has come back, %s: the next prune or bounce takes the membership away again; `listctl "
		  "explain %s` tells why",
		  buf_text(&score), operand);
}

/* What came back stays known while somebody is away. */
static enum err warn_of_bounces(struct call *call, const struct who *who, const struct membership_step *step)
{
	const struct verdict_terms terms = terms_of(call->settings);
	return view_eq(step->to, VIEW_LIT("active"))
		   ? verdicts_read(call->db, &who->person.id, 1, &terms, warn_of_verdict, call, call->why)
		   : ERR_OK;
}

static enum err write_step(struct call *call, const struct step_kind *kind, const struct membership_step *step,
			   struct db_rows **ret_lists, int64_t *ret_id)
{
	struct who who = { 0 };
	const char *operand = call->operands[call->operand_count - 1];
	enum err err = who_find(call, operand, true, &who);
	if (err == ERR_OK && kind->asks_suppressions)
		err = check_not_suppressed(call, &who, step->list_id);
	if (err == ERR_OK)
		err = people_step(call->db, who.person.id, step, ret_lists, call->why);
	if (err == ERR_OK && db_row_count(*ret_lists) == 0)
		err = call_refuse(call, ERR_NOT_FOUND, "%s %s; `listctl subscriber show %s` tells where they are",
				  operand, kind->nothing, operand);
	if (err == ERR_OK)
		err = audit_step(call, kind, &who, step, *ret_lists);
	if (err == ERR_OK)
		err = warn_of_bounces(call, &who, step);
	*ret_id = who.person.id;
	who_done(&who);
	return err;
}

static enum err take_step(struct call *call, const struct step_kind *kind)
{
	struct membership_step step = { .from = view_of(kind->from), .to = view_of(kind->to) };
	AUTO_DB_ROWS *lists = NULL;
	int64_t id = 0;
	enum err err = subscriber_text_option(call, "reason", &step.reason);
	if (err == ERR_OK && call_takes(call, "consent"))
		err = subscriber_text_option(call, "consent", &step.consent_source);
	if (err == ERR_OK && kind->needs_reason && step.reason.len == 0)
		err = call_misused(call, "--reason is needed: why is somebody who has left written to again?");
	if (step.reason.len == 0)
		step.reason = VIEW_LIT("listctl");
	if (err == ERR_OK)
		err = find_list(call, &step.list_id);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = subscriber_finish(call, write_step(call, kind, &step, &lists, &id));
	for (size_t i = 0; err == ERR_OK && i < db_row_count(lists); i++)
		call_note(call, "%s is %s " VIEW_FMT, call->operands[call->operand_count - 1], kind->done,
			  VIEW_ARG(db_get_text(lists, i, 0)));
	return err == ERR_OK ? subscriber_tell(call, id) : err;
}

static enum err unsubscribe(struct call *call)
{
	return take_step(call, &unsubscribing);
}

static enum err resubscribe(struct call *call)
{
	return take_step(call, &resubscribing);
}

static enum err confirm_membership(struct call *call)
{
	return take_step(call, &confirming);
}

/* ---- the rows ---- */

static const struct command_option add_options[] = {
	{ "name", "NAME", "how the person is called" },
	{ "set", "NAME=VALUE",
	  "an attribute; NAME:number=42, NAME:boolean, NAME:date, NAME:json and NAME:tags=a,b for other types; may be "
	  "given several times" },
	{ "status", "active|unconfirmed", "unconfirmed is not written to until confirmed; active unless told" },
	{ "consent", "TEXT", "how the person agreed; kept with the membership" },
	{ "consent-time", "TIME", "when; such as 2026-03-04 or 2026-03-04T10:20:30Z" },
	{ "resubscribe", "REASON", "a member again although they have unsubscribed, as they asked for" },
	{ "reassigned", "REASON", "the address is another person's now than of whoever had it before a move" },
	{ "reason", "TEXT", "why; kept in the audit" },
	{ NULL, NULL, NULL },
};
static const struct command_option set_options[] = {
	{ "name", "NAME", "how the person is called; \"\" takes it away" },
	{ "set", "NAME=VALUE",
	  "an attribute; NAME:number=42, NAME:boolean, NAME:date, NAME:json and NAME:tags=a,b for other types; may be "
	  "given several times" },
	{ "unset", "NAME", "take an attribute away; may be given several times" },
	{ "reason", "TEXT", "why; kept in the audit" },
	{ NULL, NULL, NULL },
};
static const struct command_option move_options[] = {
	{ "reassigned", "REASON", "the new address was another person's before a move, and is this one's now" },
	{ "reason", "TEXT", "why; kept in the audit" },
	{ NULL, NULL, NULL },
};
static const struct command_option unsubscribe_options[] = {
	{ "all", NULL, "from every list" },
	{ "reason", "TEXT", "why; shown by `subscriber show` and `explain`" },
	{ NULL, NULL, NULL },
};
static const struct command_option resubscribe_options[] = {
	{ "reason", "TEXT", "why; needed, and audited" },
	{ "consent", "TEXT", "how the person agreed; kept with the membership, with the time of now" },
	{ NULL, NULL, NULL },
};
static const struct command_option confirm_options[] = {
	{ "consent", "TEXT", "how the person agreed; kept with the membership, with the time of now" },
	{ "reason", "TEXT", "why; shown by `subscriber show`" },
	{ NULL, NULL, NULL },
};
static const struct command_option find_options[] = {
	{ "anywhere", NULL, "a part of an address, a name or an attribute, in any case; looks at everybody" },
	{ "limit", "NUMBER", "how many are shown; 50 unless told" },
	{ NULL, NULL, NULL },
};

#define SUBSCRIBER_VERB(verb_name, operand_text, least_count, most_count, option_rows, function)                       \
	.noun = "subscriber", .verb = (verb_name), .operands = (operand_text), .least = (least_count),                 \
	.most = (most_count), .options = (option_rows), .needs = NEEDS_DATABASE, .run = (function)

const struct command subscriber_commands[] = {
	{
	    SUBSCRIBER_VERB("add", "LIST ADDRESS", 2, 2, add_options, subscriber_add),
	    .help = "add a person to a list, or change one who is there",
	    .details =
		"The same rules hold as for an import: who is suppressed, erased, disabled or has unsubscribed is\n"
		"refused. Somebody known by another spelling of the mailbox is that person; an address that\n"
		"somebody had before a move is theirs, unless --reassigned says why not.\n",
	},
	{
	    SUBSCRIBER_VERB("show", "ADDRESS|#ID", 1, 1, NULL, subscriber_show),
	    .help = "show a person: attributes, memberships, consent, former addresses, last changes",
	},
	{
	    SUBSCRIBER_VERB("set", "ADDRESS|#ID", 1, 1, set_options, set),
	    .surplus = "set",
	    .help = "change a person's name and attributes",
	},
	{
	    SUBSCRIBER_VERB("move", "ADDRESS|#ID NEW-ADDRESS", 2, 2, move_options, move),
	    .help = "give a person another address; memberships, history and links stay",
	    .details =
		"Refused when the new address is somebody's, when it was somebody else's before a move, unless\n"
		"--reassigned says why it is this person's now, and when the old or the new one is suppressed,\n"
		"for the whole installation or for a list the person is or was in; an address rule warns of the\n"
		"new one, or refuses it (`listctl address-rule ls`).\n"
		"Running campaigns write to the new one from their next window on. The old one is kept with the\n"
		"person: `import` and `subscriber add` leave it out from now on. Waits for an import that runs.\n",
	},
	{
	    SUBSCRIBER_VERB("unsubscribe", "LIST ADDRESS|#ID", 1, 2, unsubscribe_options, unsubscribe),
	    .help = "end a membership as the person wishes; running campaigns honour it",
	},
	{
	    SUBSCRIBER_VERB("resubscribe", "LIST ADDRESS|#ID", 2, 2, resubscribe_options, resubscribe),
	    .help = "make somebody who has unsubscribed a member again, for a reason",
	},
	{
	    SUBSCRIBER_VERB("confirm", "LIST ADDRESS|#ID", 2, 2, confirm_options, confirm_membership),
	    .help = "make an unconfirmed member an active one",
	},
	{
	    SUBSCRIBER_VERB("find", "TEXT", 1, 1, find_options, subscriber_find),
	    .help = "find people by the beginning of their address, or by a part of anything",
	    .details =
		"Of a whole address whoever has its mailbox is found, in another spelling too (FOUND AS says which\n"
		"mailbox), and who had the address, or one that begins so, before a move. A domain of another script\n"
		"may be written in either form.\n",
	},
	{ 0 },
};
