#include "listctl/campaign_verbs.h"

#include <assert.h>

#include "base/limits.h"
#include "listctl/confirm.h"
#include "mail/address.h"
#include "store/doubts.h"

static const struct output_column columns[] = {
	{ "subscriber", OUTPUT_INT, false },  { "email", OUTPUT_TEXT, false },
	{ "attempt", OUTPUT_INT, false },     { "at", OUTPUT_TIME, false },
	{ "place", OUTPUT_TEXT, false },      { "decision", OUTPUT_TEXT, false },
	{ "decided_at", OUTPUT_TIME, false }, { "next_attempt_at", OUTPUT_TIME, false },
	{ "in_hand", OUTPUT_BOOL, false },    { "host", OUTPUT_TEXT, false },
	{ "worker", OUTPUT_TEXT, true },      { "connection", OUTPUT_TEXT, true },
	{ "reply", OUTPUT_TEXT, true },
};

static enum err list(struct call *call, uint64_t campaign_id)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = doubts_list(call->db, campaign_id, call_has(call, "all"), &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct doubtful d;
		doubtful_at(rows, i, &d);
		const struct output_cell cells[] = {
			cell_int((int64_t)d.subscriber_id),
			cell_text_or_null(d.address),
			cell_int(d.attempt),
			cell_time(d.at_us),
			cell_text(d.place),
			cell_text_or_null(d.decision),
			cell_time_or_null(d.decided_us),
			cell_time_or_null(d.next_us),
			cell_bool(d.is_in_hand),
			cell_text_or_null(d.host),
			cell_text_or_null(d.worker),
			cell_text_or_null(d.connection),
			cell_text_or_null(d.reply),
		};
		static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one cell per column");
		output_row(call->out, cells);
	}
	return output_end(call->out, call->why);
}

struct choice {
	const char *option, *done;
	enum doubt_decision decision;
};

static const struct choice choices[] = {
	{ "resend", "are sent again", DOUBT_RESEND },
	{ "hold", "are held", DOUBT_HOLD },
	{ "settle", "are taken as sent", DOUBT_SETTLE },
};
static_assert(ARRAY_LEN(choices) == DOUBT_DECISION_COUNT, "one option per decision");

static enum err choose(struct call *call, const struct choice **ret_choice)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		if (!call_has(call, choices[i].option))
			continue;
		if (*ret_choice != NULL)
			return call_misused(call, "--%s and --%s exclude each other", (*ret_choice)->option,
					    choices[i].option);
		*ret_choice = &choices[i];
	}
	if (*ret_choice == NULL && call->operand_count > 1)
		return call_misused(call, "addresses go with --resend, --hold or --settle");
	if (*ret_choice != NULL && call_has(call, "all"))
		return call_misused(call, "--all only lists; without addresses --%s is for all in doubt",
				    (*ret_choice)->option);
	return ERR_OK;
}

static enum err read_keys(struct call *call, struct db_array *keys)
{
	for (size_t i = 1; i < call->operand_count; i++) {
		AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
		AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS);
		enum err err = address_parse(view_of(call->operands[i]), &address, call->why);
		if (err == ERR_OK)
			err = address_key(buf_view(&address), &key);
		if (err != ERR_OK)
			return err;
		db_array_add_bytes(keys, buf_view(&key));
	}
	return ERR_OK;
}

/* Who was named was not decided about: that is a failure. */
static enum err tell_of_busy(struct call *call, size_t busy, bool are_named)
{
	static const char format[] =
	    "%zu are in the hands of a sender, which sends to them or is about to, and were left alone (in_hand in "
	    "`listctl campaign in-doubt %s`); one that no relay works for is let go within seconds, and `listctl "
	    "campaign "
	    "pause %s` makes all be let go: then say this again";
	if (are_named)
		return call_refuse(call, ERR_REFUSED, format, busy, call->operands[0], call->operands[0]);
	call_warn(call, format, busy, call->operands[0], call->operands[0]);
	return ERR_OK;
}

/* Likewise. */
static enum err tell_of_gone(struct call *call, const struct doubts_decided *decided, bool are_named)
{
	static const char format[] =
	    "%zu of %zu kept in doubt: left or suppressed, so nothing is sent to them again, though the relay may have "
	    "the first copy; `listctl campaign in-doubt %s --settle` takes it as sent";
	size_t all = decided->gone + decided->count;
	if (are_named)
		return call_refuse(call, ERR_REFUSED, format, decided->gone, all, call->operands[0]);
	call_warn(call, format, decided->gone, all, call->operands[0]);
	return ERR_OK;
}

static enum err decide(struct call *call, const struct campaign *campaign, const struct choice *choice)
{
	AUTO_DB_ARRAY keys = db_array_of(DB_TEXT);
	struct doubts_decided decided;
	enum err err = read_keys(call, &keys);
	if (err == ERR_OK && choice->decision == DOUBT_SETTLE && keys.count == 0)
		err = confirm(call, "take all in doubt of %s as sent, for good?", call->operands[0]);
	if (err == ERR_OK)
		err = doubts_decide(call->db, campaign->id, choice->decision, keys.count == 0 ? NULL : &keys,
				    call_actor(call), &decided, call->why);
	if (err != ERR_OK)
		return err;
	call_note(call, "%zu in doubt %s", decided.count, choice->done);
	if (decided.has_reopened)
		call_note(call, "campaign %s had finished; it runs again until they have come to an end",
			  call->operands[0]);
	if (decided.gone > 0)
		err = tell_of_gone(call, &decided, keys.count > 0);
	if (err == ERR_OK && decided.busy > 0)
		err = tell_of_busy(call, decided.busy, keys.count > 0);
	return err;
}

enum err campaign_in_doubt(struct call *call)
{
	const struct choice *choice = NULL;
	AUTO_DB_ROWS *rows = NULL;
	struct campaign campaign;
	enum err err = choose(call, &choice);
	if (err == ERR_OK)
		err = campaign_named(call, &campaign, &rows);
	if (err != ERR_OK)
		return err;
	return choice == NULL ? list(call, campaign.id) : decide(call, &campaign, choice);
}
