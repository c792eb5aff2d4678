#include <assert.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/pace_text.h"
#include "listctl/relay_default.h"
#include "listctl/relay_options.h"
#include "listctl/schedule.h"
#include "store/audit.h"
#include "store/budgets.h"
#include "store/relay_logins.h"
#include "store/relay_tests.h"
#include "store/relays.h"

/* ---- changing ---- */

static enum err audit_relay(struct call *call, const char *action)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	const struct command_option *options = call->command->options;
	buf_addf(&subject, "relay:%s", call->operands[0]);
	buf_add_byte(&detail, '{');
	for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
		if (call->values[i] == NULL)
			continue;
		if (detail.len > 1)
			buf_add_byte(&detail, ',');
		output_json_string(&detail, view_of(options[i].name));
		buf_add_byte(&detail, ':');
		output_json_string(&detail, view_of(call->values[i]));
	}
	buf_add_byte(&detail, '}');
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), buf_view(&detail), call->why);
}

static enum err finish(struct call *call, enum err err)
{
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

/* Of the rows as they are now, with the one that was just enabled. */
static enum err check_enabled(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = relays_load(call->db, &rows, call->why);
	if (err != ERR_OK || db_row_count(rows) <= RELAYS_MOST)
		return err;
	return call_refuse(call, ERR_REFUSED,
			   "%d relays are enabled, and sender uses no more than these; --disable with `listctl relay "
			   "edit` or remove one first, or keep this one disabled",
			   RELAYS_MOST);
}

static enum err add_relay(struct call *call)
{
	const struct relay_row fresh = {
		.name = view_of(call->operands[0]),
		.is_enabled = true,
		.protocol = VIEW_LIT("smtp"),
		.tls = VIEW_LIT("none"),
		.auth = VIEW_LIT("none"),
		.weight = 1,
	};
	if (!relay_name_is_valid(fresh.name))
		return call_misused(
		    call, "a relay's name has 1 to 64 of a-z, 0-9 and -, no - at the ends; \"default\" is that "
			  "of the settings");
	struct relay_draft draft = relay_draft_new(&fresh);
	enum err err = relay_options_take(call, &draft);
	if (err == ERR_OK)
		err = relays_add(call->db, &draft.row, call->why);
	if (err == ERR_EXISTS) {
		buf_reset(call->why);
		call_refuse(call, err, "there is a relay %s already; `listctl relay edit` changes it",
			    call->operands[0]);
	}
	if (err == ERR_OK && draft.row.is_enabled)
		err = check_enabled(call);
	if (err == ERR_OK)
		err = audit_relay(call, "relay.add");
	relay_draft_done(&draft);
	return err;
}

static void tell_of_secret(struct call *call)
{
	const char *auth = call_option(call, "auth");
	if (auth == NULL || view_eq(view_of(auth), VIEW_LIT("none")))
		return;
	call_note(
	    call,
	    "its password or token is read from %s/%s on each host that runs sender (a command when it is executable)",
	    call->settings->relay_secrets, call->operands[0]);
}

static enum err add(struct call *call)
{
	enum err err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, add_relay(call));
	if (err != ERR_OK)
		return err;
	tell_of_secret(call);
	return call_has(call, "disable") ? ERR_OK : relay_default_warn_of_others(call);
}

static enum err edit_relay(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	enum err err = relays_list(call->db, view_of(call->operands[0]), &rows, call->why);
	if (err != ERR_OK)
		return err;
	const struct relay_row row = relays_get(rows, 0);
	struct relay_draft draft = relay_draft_new(&row);
	err = relay_options_take(call, &draft);
	if (err == ERR_OK)
		err = relays_change(call->db, &draft.row, call->why);
	/* What an older listctl enabled beyond may still be changed. */
	if (err == ERR_OK && draft.row.is_enabled && !row.is_enabled)
		err = check_enabled(call);
	if (err == ERR_OK)
		err = audit_relay(call, "relay.edit");
	relay_draft_done(&draft);
	return err;
}

static enum err edit(struct call *call)
{
	if (!call_has_any(call))
		return call_misused(call,
				    "nothing to change was given: one or more of --host, --rate, --weight and the "
				    "others of `listctl relay edit --help`");
	enum err err = call_has(call, "disable") ? relay_default_confirm(call) : ERR_OK;
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, edit_relay(call));
	if (err != ERR_OK)
		return err;
	tell_of_secret(call);
	return call_has(call, "disable") ? relay_default_warn(call) : ERR_OK;
}

static enum err remove_relay(struct call *call)
{
	enum err err = relays_remove(call->db, view_of(call->operands[0]), call->why);
	return err == ERR_OK ? audit_relay(call, "relay.rm") : err;
}

static enum err rm(struct call *call)
{
	enum err err = relay_default_confirm(call);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, remove_relay(call));
	return err == ERR_OK ? relay_default_warn(call) : err;
}

static enum err retry_row(struct call *call, struct view name, bool *ret_was_left_alone)
{
	AUTO_DB_ROWS *rows = NULL;
	size_t logins = 0;
	enum err err = relays_list(call->db, name, &rows, call->why);
	if (err == ERR_OK)
		err = relay_logins_forget(call->db, name, &logins, call->why);
	if (err == ERR_OK)
		err = relays_retry(call->db, name, call->why);
	if (err == ERR_OK)
		*ret_was_left_alone = logins > 0 || relays_get(rows, 0).trouble.len > 0;
	return err;
}

static enum err retry_relay(struct call *call)
{
	struct view name = view_of(call->operands[0]);
	bool was_left_alone = false;
	enum err err = relay_default_is(call, name) ? relay_default_retry(call, &was_left_alone)
						    : retry_row(call, name, &was_left_alone);
	if (err == ERR_OK && !was_left_alone)
		call_note(call, "it was not known to be left alone; running senders connect to it anew");
	return err == ERR_OK ? audit_relay(call, "relay.retry") : err;
}

static enum err retry(struct call *call)
{
	enum err err = db_begin(call->db, call->why);
	return err == ERR_OK ? finish(call, retry_relay(call)) : err;
}

/* ---- showing ---- */

static void add_place(const struct relay_row *row, struct buf *out)
{
	bool is_v6 = view_find_byte(row->host, ':') != VIEW_NONE;
	if (row->socket.len > 0)
		buf_addf(out, "unix:" VIEW_FMT, VIEW_ARG(row->socket));
	else
		buf_addf(out, is_v6 ? "[" VIEW_FMT "]:%u" : VIEW_FMT ":%u", VIEW_ARG(row->host), row->port);
	if (view_eq(row->protocol, VIEW_LIT("lmtp")))
		buf_add(out, VIEW_LIT(" (lmtp)"));
}

static void add_purpose(const struct relay_row *row, struct buf *out)
{
	const struct {
		const char *word;
		struct view names;
	} parts[] = { { "campaigns", row->campaigns }, { "lists", row->lists }, { "domains", row->domains } };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].names.len > 0)
			buf_addf(out, "%s%s " VIEW_FMT, out->len > 0 ? "; " : "", parts[i].word,
				 VIEW_ARG(parts[i].names));
	}
}

static const char *state_of(const struct relay_row *row)
{
	if (!row->is_enabled)
		return "disabled";
	if (row->trouble.len == 0)
		return "enabled";
	return row->is_trouble_everywhere ? "tripped" : "tripped-on-some";
}

/* What the last return-path test found; empty: none was made. */
static struct view path_of(const struct db_rows *tests, struct view name)
{
	for (size_t i = 0; tests != NULL && i < db_row_count(tests); i++) {
		struct relay_test test;
		relay_tests_get(tests, i, &test);
		if (view_eq(test.relay, name))
			return view_of(relay_test_result(&test));
	}
	return (struct view){ 0 };
}

static enum err find_tests(struct call *call, struct db_rows **ret_tests)
{
	const struct relay_tests_terms terms = { view_of(call->settings->bounced_report_addresses) };
	return relay_tests_newest(call->db, &terms, ret_tests, call->why);
}

static void add_step(const struct relay_row *row, struct buf *out)
{
	if (row->steps_lost == 0)
		return;
	buf_addf(out, "%sout of step (%llu time%s, last at ", out->len > 0 ? "; " : "",
		 (unsigned long long)row->steps_lost, row->steps_lost == 1 ? "" : "s");
	schedule_write_instant(row->step_us, out);
	buf_addf(out,
		 "), by a reply that does not fit: " VIEW_FMT
		 "; it is sent one message at a time on a connection since",
		 VIEW_ARG(row->step));
}

/* Why it is left alone, and what its own refusals have cut. */
static void add_trouble(const struct relay_row *row, const struct db_rows *budgets, struct buf *out)
{
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&key, "relay:" VIEW_FMT, VIEW_ARG(row->name));
	buf_add(out, row->trouble);
	add_step(row, out);
	for (size_t i = 0; i < db_row_count(budgets); i++) {
		const struct budget_standing standing = budgets_standing_get(budgets, i);
		if (!view_eq(standing.key, buf_view(&key)) || standing.cut_us == 0)
			continue;
		buf_addf(out, out->len > 0 ? "; " : "");
		pace_text_add_cut(&standing, out);
	}
}

static void show_row(struct call *call, const struct relay_row *row, const struct db_rows *tests,
		     const struct db_rows *budgets)
{
	AUTO_BUF trouble = buf_with_ceiling(4 * LIMIT_WHY);
	add_trouble(row, budgets, &trouble);
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF purpose = buf_with_ceiling(LIMIT_WHY);
	add_place(row, &place);
	add_purpose(row, &purpose);
	output_row(call->out, (struct output_cell[]){
				  cell_text(row->name),
				  cell_text(view_of(state_of(row))),
				  cell_text(buf_view(&place)),
				  cell_text(row->tls),
				  cell_text(row->auth),
				  cell_int(row->weight),
				  cell_text_or_null(path_of(tests, row->name)),
				  cell_text_or_null(buf_view(&purpose)),
				  cell_text_or_null(buf_view(&trouble)),
				  cell_time_or_null(row->retry_us),
			      });
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "relay" },
		{ .name = "state" },
		{ .name = "place" },
		{ .name = "tls" },
		{ .name = "auth" },
		{ .name = "weight", .type = OUTPUT_INT },
		{ .name = "return_path" },
		{ .name = "only_for", .wraps = true },
		{ .name = "trouble", .wraps = true },
		{ .name = "retry_at", .type = OUTPUT_TIME },
	};
	AUTO_DB_ROWS *rows = NULL, *tests = NULL, *budgets = NULL, *troubles = NULL, *steps = NULL;
	AUTO_BUF place = buf_with_ceiling(LIMIT_WHY);
	struct relay_row of_settings;
	bool is_default_used = false;
	enum err err = relays_list(call->db, VIEW_LIT(""), &rows, call->why);
	if (err == ERR_OK)
		err = relay_default_find(call, &place, &is_default_used, &of_settings, &troubles);
	if (err == ERR_OK && is_default_used)
		err = relays_step(call->db, buf_view(&place), &of_settings, &steps, call->why);
	if (err == ERR_OK)
		err = find_tests(call, &tests);
	if (err == ERR_OK)
		err = budgets_list(call->db, &budgets, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct relay_row row = relays_get(rows, i);
		show_row(call, &row, tests, budgets);
	}
	if (is_default_used)
		show_row(call, &of_settings, tests, budgets);
	if (is_default_used)
		call_note(call,
			  "no relay is enabled: sender uses that of the settings (relay.host, relay.port), default");
	return output_end(call->out, call->why);
}

static struct output_cell limit(uint64_t number)
{
	return number == 0 ? cell_null() : cell_int((int64_t)number);
}

static enum err show(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "relay" },
		{ .name = "state" },
		{ .name = "protocol" },
		{ .name = "host" },
		{ .name = "port", .type = OUTPUT_INT },
		{ .name = "socket" },
		{ .name = "tls" },
		{ .name = "tls_name" },
		{ .name = "tls_ca" },
		{ .name = "auth" },
		{ .name = "user" },
		{ .name = "source" },
		{ .name = "helo" },
		{ .name = "weight", .type = OUTPUT_INT },
		{ .name = "connections", .type = OUTPUT_INT },
		{ .name = "rate", .type = OUTPUT_REAL },
		{ .name = "messages_per_connection", .type = OUTPUT_INT },
		{ .name = "in_flight", .type = OUTPUT_INT },
		{ .name = "notify" },
		{ .name = "campaigns", .wraps = true },
		{ .name = "lists", .wraps = true },
		{ .name = "domains", .wraps = true },
		{ .name = "return_path" },
		{ .name = "trouble", .wraps = true },
		{ .name = "trouble_since", .type = OUTPUT_TIME },
		{ .name = "retry_at", .type = OUTPUT_TIME },
		{ .name = "created_at", .type = OUTPUT_TIME },
	};
	AUTO_DB_ROWS *rows = NULL, *tests = NULL, *budgets = NULL;
	enum err err = relays_list(call->db, view_of(call->operands[0]), &rows, call->why);
	if (err == ERR_OK)
		err = find_tests(call, &tests);
	if (err == ERR_OK)
		err = budgets_list(call->db, &budgets, call->why);
	if (err != ERR_OK)
		return err;
	const struct relay_row row = relays_get(rows, 0);
	AUTO_BUF trouble = buf_with_ceiling(4 * LIMIT_WHY);
	add_trouble(&row, budgets, &trouble);
	const struct output_cell cells[] = {
		cell_text(row.name),
		cell_text(view_of(state_of(&row))),
		cell_text(row.protocol),
		cell_text_or_null(row.host),
		limit(row.port),
		cell_text_or_null(row.socket),
		cell_text(row.tls),
		cell_text_or_null(row.tls_name),
		cell_text_or_null(row.tls_ca),
		cell_text(row.auth),
		cell_text_or_null(row.auth_user),
		cell_text_or_null(row.source),
		cell_text_or_null(row.helo),
		cell_int(row.weight),
		limit(row.connections),
		row.messages_per_second > 0 ? cell_real(row.messages_per_second) : cell_null(),
		limit(row.messages_per_connection),
		limit(row.in_flight),
		cell_text_or_null(row.notify),
		cell_text_or_null(row.campaigns),
		cell_text_or_null(row.lists),
		cell_text_or_null(row.domains),
		cell_text_or_null(path_of(tests, row.name)),
		cell_text_or_null(buf_view(&trouble)),
		cell_time_or_null(row.trouble_since_us),
		cell_time_or_null(row.retry_us),
		cell_time(row.created_us),
	};
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one cell a column");
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

/* ---- verbs ---- */

static const char about_relays[] =
    "Without an enabled relay, sender uses that of the settings ([relay] host and port). With several, each message\n"
    "goes to one that fits it and can take it; when one fails, the others take its work. Relays of the same weight\n"
    "take what they can; those of different weights get as much as these say, as fast as the slowest goes. Of the "
    "relays\n"
    "that fit, those for domains go before those for campaigns, these before those for lists, these before those\n"
    "for all. At most 32 relays may be enabled. A campaign with a recipient that no relay fits is held. The word none "
    "takes a limit or a text away.\n"
    "Running senders follow a change within a second; what is under way ends as it began.\n";

static const char about_retry[] =
    "A relay that failed is left alone for a while, ever longer, whatever the reason: it could not be reached, it\n"
    "refused the session or everybody, or our password. This says that it was mended: all running senders begin with\n"
    "it anew within a second, also for those whom a relay has refused and who wait for whether it takes anybody;\n"
    "what is under way ends as it began. \"default\" is the relay of the settings, while no other one is enabled.\n"
    "What its own refusals have slowed is opened by\n"
    "another verb: `listctl pace open relay:NAME`.\n"
    "A login that a relay has refused is tried once an hour by each host's file of the secret, for accounts are "
    "locked\n"
    "by more than that. It is tried at once when the secret's file or the relay (`listctl relay edit`) changes, and by "
    "this;\n"
    "a `listctl relay test` tries it too.\n";

static const struct command_option rm_options[] = {
	{ "yes", NULL, "do not ask, though it is the last one and campaigns go on through that of the settings" },
	{ 0 },
};

const struct command relay_commands[] = {
	{
	    .noun = "relay",
	    .verb = "add",
	    .surplus = "host",
	    .operands = "RELAY",
	    .help = "set up a relay that takes the mail",
	    .details = about_relays,
	    .options = relay_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = add,
	},
	{
	    .noun = "relay",
	    .verb = "edit",
	    .surplus = "host",
	    .operands = "RELAY",
	    .help = "change a relay",
	    .details = about_relays,
	    .options = relay_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = edit,
	},
	{
	    .noun = "relay",
	    .verb = "retry",
	    .operands = "RELAY",
	    .help = "try a relay that is left alone at once",
	    .details = about_retry,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = retry,
	},
	{
	    .noun = "relay",
	    .verb = "rm",
	    .operands = "RELAY",
	    .help = "remove a relay; what it has in hand is ended in order",
	    .options = rm_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = rm,
	},
	{
	    .noun = "relay",
	    .verb = "ls",
	    .operands = "",
	    .help = "show the relays, what they are for and how they do",
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "relay",
	    .verb = "show",
	    .operands = "RELAY",
	    .help = "show all about a relay",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = show,
	},
	{ 0 },
};
