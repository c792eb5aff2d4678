#include "listctl/call.h"

#include "base/limits.h"
#include "listctl/command.h"
#include "listctl/past_time.h"
#include "listctl/progress.h"
#include "listctl/subscriber_steps.h"
#include "listctl/terms.h"
#include "mail/policy.h"
#include "store/audit.h"
#include "store/lists.h"
#include "store/policies.h"
#include "store/simulations.h"

/* ---- showing ---- */

static const struct output_column columns[] = {
	{ "reason", OUTPUT_TEXT, false }, { "failures", OUTPUT_INT, false },           { "days", OUTPUT_INT, false },
	{ "is_own", OUTPUT_BOOL, false }, { "counts_from_relay", OUTPUT_BOOL, false }, { "meaning", OUTPUT_TEXT, true },
};

static bool is_same(struct policy_row one, struct policy_row other)
{
	return one.failures == other.failures && one.days == other.days;
}

/* Not of a reason: what comes before the patient ones disable. */
static void write_probes(struct call *call, const struct policy *policy)
{
	AUTO_BUF meaning = buf_with_ceiling(LIMIT_WHY);
	buf_addf(
	    &meaning,
	    "before a reason that asks for 2 failures or more disables, a letter asks: its bounce disables, silence "
	    "for so many days starts the count anew; at most %u a day",
	    policy->probes_a_day);
	output_row(call->out,
		   (struct output_cell[]){ cell_text(VIEW_LIT("probe")), cell_null(), cell_int(policy->probe_days),
					   cell_bool(true), cell_bool(false), cell_text(buf_view(&meaning)) });
}

static enum err write_policy(struct call *call, const struct policy *policy)
{
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < REASON_COUNT; i++) {
		enum bounce_reason reason = (enum bounce_reason)i;
		struct policy_row row = policy->rows[reason];
		bool counts = row.failures > 0;
		output_row(call->out, (struct output_cell[]){ cell_text(view_of(reason_name(reason))),
							      counts ? cell_int(row.failures) : cell_null(),
							      counts ? cell_int(row.days) : cell_null(),
							      cell_bool(!is_same(row, policy_default.rows[reason])),
							      cell_bool(counts && reason_counts_from_relay(reason)),
							      cell_text(view_of(reason_explained(reason))) });
	}
	if (policy->probe_days > 0)
		write_probes(call, policy);
	return output_end(call->out, call->why);
}

static enum err find_list(struct call *call, int64_t *ret_list_id)
{
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	enum err err = lists_find(call->db, view_of(call->operands[0]), &rows, &list, call->why);
	if (err == ERR_OK)
		*ret_list_id = list.id;
	return err;
}

static enum err policy_show(struct call *call)
{
	if (call->operand_count == 0)
		return write_policy(call, &policy_default);
	int64_t list_id = 0;
	struct policies policies = { 0 };
	enum err err = find_list(call, &list_id);
	if (err == ERR_OK)
		err = policies_read(call->db, &policies, call->why);
	if (err == ERR_OK)
		err = write_policy(call, policies_of(&policies, list_id));
	policies_done(&policies);
	return err;
}

/* ---- setting ---- */

enum { FAILURES_MOST = 1000, DAYS_MOST = 3650 };
/* Of probes: within bounces come back, and the return path lives longer. */
enum { PROBE_DAYS = 10, PROBE_DAYS_MOST = 90, PROBES_A_DAY = 100, PROBES_A_DAY_MOST = 1000000 };

/* One of what an operand asks for. */
struct wish {
	enum bounce_reason reason;
	bool is_default;
	struct policy_row row; /* unless is_default */
	bool is_probe;         /* instead: days 0 for none */
	unsigned probe_days, probes_a_day;
};

static enum err read_reason(struct call *call, struct view name, enum bounce_reason *ret_reason)
{
	if (!reason_from_name(name, ret_reason))
		return call_misused(call, "there is no reason " VIEW_FMT "; `listctl policy show` lists them",
				    VIEW_ARG(name));
	if (policy_default.rows[*ret_reason].failures == 0)
		return call_misused(call,
				    VIEW_FMT " can never count against an address: it is about us, or no bounce at all",
				    VIEW_ARG(name));
	return ERR_OK;
}

static bool read_pair(struct view text, uint64_t most, uint64_t days_most, uint64_t *ret_one, uint64_t *ret_days)
{
	struct view one = { 0 };
	return view_cut(&text, '/', &one) && view_to_u64(one, most, ret_one) && *ret_one > 0 &&
	       view_to_u64(text, days_most, ret_days);
}

static bool read_row(struct view text, struct policy_row *ret_row)
{
	uint64_t many, days;
	if (view_eq(text, VIEW_LIT("never"))) {
		*ret_row = (struct policy_row){ 0 };
		return true;
	}
	if (!read_pair(text, FAILURES_MOST, DAYS_MOST, &many, &days))
		return false;
	*ret_row = (struct policy_row){ .failures = (unsigned)many, .days = (unsigned)days };
	return true;
}

static enum err read_probe(struct call *call, struct view text, struct wish *wish)
{
	uint64_t days = 0, a_day = PROBES_A_DAY;
	wish->is_probe = true;
	if (view_eq(text, VIEW_LIT("on")))
		days = PROBE_DAYS;
	else if (!view_eq(text, VIEW_LIT("off")) && !view_eq(text, VIEW_LIT("default")) &&
		 (!read_pair(text, PROBE_DAYS_MOST, PROBES_A_DAY_MOST, &days, &a_day) || a_day == 0))
		return call_misused(call,
				    "probe=" VIEW_FMT
				    ": after the = stands DAYS/A-DAY (1 to %d days of silence, 1 to %d "
				    "letters a day), on (%d/%d) or off",
				    VIEW_ARG(text), PROBE_DAYS_MOST, PROBES_A_DAY_MOST, PROBE_DAYS, PROBES_A_DAY);
	wish->probe_days = (unsigned)days;
	wish->probes_a_day = (unsigned)a_day;
	return ERR_OK;
}

static enum err read_wish(struct call *call, const char *operand, struct wish *ret_wish)
{
	struct view text = view_of(operand), name = { 0 };
	*ret_wish = (struct wish){ .reason = REASON_OTHER };
	if (view_find_byte(text, '=') == VIEW_NONE || !view_cut(&text, '=', &name))
		return call_misused(call, "%s is no REASON=FAILURES/DAYS, such as mailbox-full=5/30", operand);
	if (view_eq(name, VIEW_LIT("probe")))
		return read_probe(call, text, ret_wish);
	enum err err = read_reason(call, name, &ret_wish->reason);
	if (err != ERR_OK)
		return err;
	ret_wish->is_default = view_eq(text, VIEW_LIT("default"));
	if (!ret_wish->is_default && !read_row(text, &ret_wish->row))
		return call_misused(call, "%s: after the = stands FAILURES/DAYS (1 to %d, 0 to %d), never or default",
				    operand, FAILURES_MOST, DAYS_MOST);
	return ERR_OK;
}

static enum err set_one(struct call *call, int64_t list_id, const struct wish *wish, bool *ret_changed)
{
	if (wish->is_probe)
		return policies_set_probes(call->db, list_id, wish->probe_days, wish->probes_a_day, ret_changed,
					   call->why);
	return policies_set(call->db, list_id, wish->reason, wish->is_default ? NULL : &wish->row, ret_changed,
			    call->why);
}

static enum err set_each(struct call *call, int64_t list_id, size_t *ret_changed, struct buf *detail)
{
	for (size_t i = 1; i < call->operand_count; i++) {
		struct wish wish;
		bool changed = false;
		enum err err = read_wish(call, call->operands[i], &wish);
		if (err == ERR_OK)
			err = set_one(call, list_id, &wish, &changed);
		if (err != ERR_OK)
			return err;
		*ret_changed += changed;
		buf_addf(detail, "%s", i == 1 ? "{\"set\": [" : ", ");
		output_json_string(detail, view_of(call->operands[i]));
	}
	buf_addf(detail, "]");
	return ERR_OK;
}

static enum err set_in_one(struct call *call, size_t *ret_changed)
{
	int64_t list_id = 0;
	struct view reason = { 0 };
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = find_list(call, &list_id);
	if (err == ERR_OK)
		err = set_each(call, list_id, ret_changed, &detail);
	if (err == ERR_OK)
		err = subscriber_text_option(call, "reason", &reason);
	if (err == ERR_OK && reason.len > 0) {
		buf_addf(&detail, ", \"reason\": ");
		output_json_string(&detail, reason);
	}
	buf_addf(&detail, "}");
	buf_addf(&subject, "list:%s", call->operands[0]);
	if (err == ERR_OK && *ret_changed > 0)
		err = audit_append(call->db, view_of(call->actor), "policy.set", buf_view(&subject), buf_view(&detail),
				   call->why);
	return err;
}

static enum err policy_set(struct call *call)
{
	size_t changed = 0;
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = subscriber_finish(call, set_in_one(call, &changed));
	if (err == ERR_OK && changed == 0)
		call_note(call, "nothing changes: the policy of %s is so already", call->operands[0]);
	else if (err == ERR_OK)
		call_note(call,
			  "changed for %s: %zu; it holds from the next bounce on, and `listctl prune %s` shows whom "
			  "it condemns by what is known already",
			  call->operands[0], changed, call->operands[0]);
	return err;
}

/* ---- simulating ---- */

static const struct output_column simulated_columns[] = {
	{ "change", OUTPUT_TEXT, false },     { "list", OUTPUT_TEXT, false },    { "reason", OUTPUT_TEXT, false },
	{ "memberships", OUTPUT_INT, false }, { "example", OUTPUT_TEXT, false },
};

/* What all lists, or the one at hand, would have instead. */
static enum err try_wishes(struct call *call, int64_t list_id, struct policies *policies)
{
	for (size_t i = 0; call_option_at(call, "set", i) != NULL; i++) {
		struct wish wish;
		enum err err = read_wish(call, call_option_at(call, "set", i), &wish);
		const struct policy_row *row = wish.is_default ? &policy_default.rows[wish.reason] : &wish.row;
		if (err == ERR_OK)
			err = wish.is_probe ? policies_try_probes(policies, list_id, wish.probe_days)
					    : policies_try(policies, list_id, wish.reason, *row);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err read_since(struct call *call, int64_t now_us, int64_t *ret_since_us)
{
	const char *since = call_option(call, "since");
	int64_t day_us = 0, span_us = 0;
	*ret_since_us = 0;
	if (since == NULL)
		return ERR_OK;
	if (!past_time_read(view_of(since), &day_us, &span_us))
		return call_misused(call, "--since takes a day or a time back, such as 2026-01-31 or 90d, not %s",
				    since);
	*ret_since_us = span_us > 0 ? now_us - span_us : day_us;
	return ERR_OK;
}

static enum err write_simulated(struct call *call, const struct db_rows *rows)
{
	int64_t sums[2] = { 0 };
	output_begin(call->out, simulated_columns, ARRAY_LEN(simulated_columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct simulated simulated;
		simulated_at(rows, i, &simulated);
		sums[simulated.is_restored] += simulated.memberships;
		output_row(call->out, (struct output_cell[]){
					  cell_text(simulated.is_restored ? VIEW_LIT("restore") : VIEW_LIT("disable")),
					  cell_text(simulated.list), cell_text(simulated.reason),
					  cell_int(simulated.memberships), cell_text(simulated.example) });
	}
	enum err err = output_end(call->out, call->why);
	if (err == ERR_OK)
		call_note(
		    call,
		    "it would disable %lld memberships that are active, and would not have disabled %lld; nothing is "
		    "changed",
		    (long long)sums[false], (long long)sums[true]);
	return err;
}

static void show_progress(void *user, uint64_t done, uint64_t total)
{
	struct progress *progress = user;
	progress->total = total;
	progress_update(progress, done);
}

/* All in one snapshot. */
static enum err simulate_in_one(struct call *call, struct policies *policies)
{
	int64_t list_id = 0;
	AUTO_DB_ROWS *rows = NULL;
	struct progress progress = progress_begin("looking", "people", 0, call->quiet);
	struct simulation_scope scope = { .terms = terms_of(call->settings),
					  .each = call_has(call, "each"),
					  .progress = show_progress,
					  .progress_user = &progress };
	enum err err = call->operand_count > 0 ? find_list(call, &list_id) : ERR_OK;
	if (err == ERR_OK)
		err = read_since(call, scope.terms.now_us, &scope.terms.since_us);
	if (err == ERR_OK)
		err = policies_read(call->db, policies, call->why);
	if (err == ERR_OK)
		err = try_wishes(call, list_id, policies);
	scope.list_id = (uint64_t)list_id;
	scope.terms.policies = policies;
	if (err == ERR_OK)
		err = simulations_read(call->db, &scope, &rows, call->why);
	progress_end(&progress);
	return err == ERR_OK ? write_simulated(call, rows) : err;
}

static enum err policy_simulate(struct call *call)
{
	struct policies policies = { 0 };
	enum err err = db_begin_snapshot(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = simulate_in_one(call, &policies);
	db_rollback(call->db);
	policies_done(&policies);
	return err;
}

static const char show_details[] =
    "A membership is disabled after so many failed messages in a row to its address, over all\n"
    "lists, if at least so many days lie between the first and the last. Reasons without a number\n"
    "never count. counts_from_relay: also when our own relay says it in the SMTP session; the\n"
    "others count only when the receiving side reports them. Without LIST the default is shown;\n"
    "with it is_own tells what LIST has otherwise.\n";

static const char set_details[] =
    "A bounce is the address's, whatever list it came through; each list decides by its own policy\n"
    "whether its membership is disabled. REASON=FAILURES/DAYS: after so many failed messages in a\n"
    "row, at least so many days apart; REASON=never: not at all; REASON=default: as without this\n"
    "verb. A reason that asks for fewer failures also counts towards those that ask for more.\n"
    "Nobody is given back who was disabled before.\n"
    "probe=DAYS/A-DAY: before a reason that asks for two failures or more disables, the member gets\n"
    "no campaigns, but one letter (a probe). Its bounce disables; when nothing comes back within\n"
    "DAYS, the count begins anew. At most A-DAY letters leave within 24 hours, the others wait.\n"
    "probe=on is 10/100, probe=off as without this verb.\n";

static const struct command_option set_options[] = {
	{ "reason", "TEXT", "why; kept in the audit" },
	{ NULL, NULL, NULL },
};

static const char simulate_details[] =
    "All that came back is judged again as if LIST, or every list, had this policy: a row for those\n"
    "of a list with the same reason. disable: who is active and would not be; restore: who was\n"
    "disabled or pruned by a verdict and would not have been, unless a complaint or a suppression\n"
    "forbids it; who would be asked by a probe first is not disabled. Without --set it is the policy in force. With "
    "--since only what was sent from then\n"
    "on counts, and only who was disabled by that is looked at.\n";

static const struct command_option simulate_options[] = {
	{ "set", "REASON=FAILURES/DAYS", "what would be otherwise, as for `policy set`; may be given several times" },
	{ "since", "DAY|AGE", "only what was sent since this day, or within this time, such as 90d" },
	{ "each", NULL, "a row for each membership" },
	{ NULL, NULL, NULL },
};

const struct command policy_commands[] = {
	{
	    .noun = "policy",
	    .verb = "show",
	    .operands = "[LIST]",
	    .help = "show which bounces disable an address, and when",
	    .details = show_details,
	    .most = 1,
	    .needs = NEEDS_FOR_OPERAND,
	    .run = policy_show,
	},
	{
	    .noun = "policy",
	    .verb = "set",
	    .operands = "LIST REASON=FAILURES/DAYS|probe=DAYS/A-DAY...",
	    .help = "change which bounces disable the members of a list, and when",
	    .details = set_details,
	    .options = set_options,
	    .least = 2,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = policy_set,
	},
	{
	    .noun = "policy",
	    .verb = "simulate",
	    .operands = "[LIST]",
	    .help = "show whom another policy would disable, or would not have; changes nothing",
	    .details = simulate_details,
	    .options = simulate_options,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = policy_simulate,
	},
	{ 0 },
};
