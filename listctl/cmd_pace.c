#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/pace_options.h"
#include "mail/address.h"
#include "store/audit.h"
#include "store/budgets.h"
#include "store/groups.h"
#include "store/warmups.h"

/* ---- pace ---- */

static struct output_cell real_or_null(double number)
{
	return number > 0 ? cell_real(number) : cell_null();
}

static struct output_cell int_or_null(int64_t number)
{
	return number > 0 ? cell_int(number) : cell_null();
}

static enum err pace_ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "what" },
		{ .name = "of" },
		{ .name = "limit", .type = OUTPUT_REAL },
		{ .name = "rate", .type = OUTPUT_REAL },
		{ .name = "connections", .type = OUTPUT_INT },
		{ .name = "taken", .type = OUTPUT_INT },
		{ .name = "of_day", .type = OUTPUT_INT },
		{ .name = "used", .type = OUTPUT_INT },
		{ .name = "workers", .type = OUTPUT_INT },
		{ .name = "cut_at", .type = OUTPUT_TIME },
		{ .name = "closed_until", .type = OUTPUT_TIME },
		{ .name = "reason", .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = budgets_list(call->db, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct budget_standing row = budgets_standing_get(rows, i);
		output_row(call->out, (struct output_cell[]){
					  cell_text(row.key), cell_text_or_null(row.name), real_or_null(row.limit),
					  real_or_null(row.rate), int_or_null(row.slots),
					  row.slots > 0 ? cell_int(row.taken) : cell_null(), int_or_null(row.of_day),
					  row.of_day > 0 ? cell_int(row.used) : cell_null(), cell_int(row.workers),
					  cell_time_or_null(row.cut_us), cell_time_or_null(row.closed_until_us),
					  cell_text_or_null(row.reason) });
	}
	return output_end(call->out, call->why);
}

/* A group's name, a domain, or a key as `pace ls` shows it. */
static enum err find_key(struct call *call, struct buf *key)
{
	struct view text = view_of(call->operands[0]);
	if (view_find_byte(text, ':') != VIEW_NONE)
		return buf_add(key, text);
	if (view_find_byte(text, '.') == VIEW_NONE) {
		buf_addf(key, "group:" VIEW_FMT, VIEW_ARG(text));
		return buf_err(key);
	}
	buf_addf(key, "domain:");
	return address_parse_domain(text, key, call->why);
}

/* The person may have meant the relay of that name. */
static void name_relay(struct call *call)
{
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF whatever = buf_with_ceiling(LIMIT_WHY);
	AUTO_DB_ROWS *rows = NULL;
	buf_addf(&key, "relay:%s", call->operands[0]);
	if (budgets_list(call->db, &rows, &whatever) != ERR_OK)
		return;
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct budget_standing standing = budgets_standing_get(rows, i);
		if (standing.cut_us != 0 && view_eq(standing.key, buf_view(&key)))
			buf_addf(call->why, "; but the relay of that name is: `listctl pace open " VIEW_FMT "`",
				 VIEW_ARG(standing.key));
	}
}

static enum err open_key(struct call *call, struct view key)
{
	enum err err = budgets_uncut(call->db, key, call->why);
	if (err == ERR_NOT_FOUND)
		name_relay(call);
	if (err == ERR_OK)
		err = budgets_wake(call->db, key, call->why);
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "pace:" VIEW_FMT, VIEW_ARG(key));
	return err == ERR_OK ? audit_append(call->db, view_of(call->actor), "pace.open", buf_view(&subject),
					    VIEW_LIT(""), call->why)
			     : err;
}

static enum err pace_open(struct call *call)
{
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	enum err err = find_key(call, &key);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = open_key(call, buf_view(&key));
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

/* ---- warm-up ---- */

/* Less would never reach --until. */
#define GROWTH_LEAST 1.01
#define GROWTH_MOST 10.0

static struct view option_view(struct call *call, const char *name)
{
	const char *text = call_option(call, name);
	return text == NULL ? VIEW_LIT("") : view_of(text);
}

static enum err read_warmup(struct call *call, struct warmup_row *row)
{
	enum { FIRST_MOST = 1000000000 };
	const char *growth = call_option(call, "growth");
	enum err err = pace_option_count(call, "first", FIRST_MOST, &row->first);
	if (err == ERR_OK)
		err = pace_option_count(call, "until", INT64_MAX, &row->until);
	if (err != ERR_OK)
		return err;
	if (row->first == 0 || row->until <= row->first)
		return call_misused(call, "--first N and --until M are needed, and M must be more than N");
	if (growth != NULL &&
	    (!pace_number(view_of(growth), &row->growth) || row->growth < GROWTH_LEAST || row->growth > GROWTH_MOST))
		return call_misused(call, "--growth takes a number from 1.01 to 10, such as 1.5, not %s", growth);
	return ERR_OK;
}

static enum err audit_warmup(struct call *call, const char *action, const struct warmup_row *row)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "warmup:" VIEW_FMT ":" VIEW_FMT, VIEW_ARG(row->relay), VIEW_ARG(row->group));
	buf_addf(&detail, "{\"first\": %lld, \"growth\": %.9g, \"until\": %lld}", (long long)row->first, row->growth,
		 (long long)row->until);
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), buf_view(&detail), call->why);
}

static enum err warmup_set(struct call *call)
{
	struct warmup_row row = { .relay = option_view(call, "relay"),
				  .group = option_view(call, "group"),
				  .growth = 1.5 };
	enum err err = read_warmup(call, &row);
	if (err == ERR_OK)
		err = warmups_set(call->db, &row, call->why);
	return err == ERR_OK ? audit_warmup(call, "warmup.set", &row) : err;
}

static enum err warmup_rm(struct call *call)
{
	const struct warmup_row row = { .relay = option_view(call, "relay"), .group = option_view(call, "group") };
	enum err err = warmups_remove(call->db, row.relay, row.group, call->why);
	return err == ERR_OK ? audit_warmup(call, "warmup.rm", &row) : err;
}

static enum err warmup_ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "relay" },
		{ .name = "group" },
		{ .name = "day", .type = OUTPUT_INT },
		{ .name = "today", .type = OUTPUT_INT },
		{ .name = "used", .type = OUTPUT_INT },
		{ .name = "first", .type = OUTPUT_INT },
		{ .name = "growth", .type = OUTPUT_REAL },
		{ .name = "until", .type = OUTPUT_INT },
		{ .name = "ended", .type = OUTPUT_BOOL },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = warmups_list(call->db, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct warmup_row row = warmups_get(rows, i);
		output_row(call->out,
			   (struct output_cell[]){ cell_text_or_null(row.relay), cell_text_or_null(row.group),
						   cell_int(row.day), row.today < 0 ? cell_null() : cell_int(row.today),
						   cell_int(row.used), cell_int(row.first), cell_real(row.growth),
						   cell_int(row.until), cell_bool(row.today < 0) });
	}
	return output_end(call->out, call->why);
}

/* ---- verbs ---- */

static const struct command_option set_options[] = {
	{ "first", "N", "messages of the first day, which is today" },
	{ "growth", "F", "a day's number is that of the day before times this (1.5); 1.01 to 10" },
	{ "until", "N", "the first day whose number reaches this has no limit any more" },
	{ "relay", "RELAY", "only what goes through this relay of `listctl relay ls`" },
	{ "group", "GROUP", "only what goes to this group of domains" },
	{ 0 },
};

static const struct command_option rm_options[] = {
	{ "relay", "RELAY", "the one for this relay" },
	{ "group", "GROUP", "the one for this group of domains" },
	{ 0 },
};

const struct command pace_commands[] = {
	{
	    .noun = "pace",
	    .verb = "ls",
	    .operands = "",
	    .help = "show what is limited, cut or closed now, and how much of it is taken",
	    .details = "limit is messages a second as set, rate what is in force: less after 421 or 4.7.x,\n"
		       "growing by a tenth a minute. Where everything was refused it is closed for a while.\n"
		       "of is the relay and the group that a warm-up is for.\n"
		       "taken is the connections that workers hold; used is of the day's number of a warm-up.\n",
	    .needs = NEEDS_DATABASE,
	    .run = pace_ls,
	},
	{
	    .noun = "pace",
	    .verb = "open",
	    .operands = "GROUP|DOMAIN|relay:RELAY",
	    .help = "end a cut: send at full speed again to where messages were refused",
	    .details =
		"A relay that was slowed by its own refusals is named relay:NAME, as `listctl pace ls` shows it.\n"
		"What was parked for it is tried at once. The next 421 or 4.7.x cuts it again.\n",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = pace_open,
	},
	{
	    .noun = "warmup",
	    .verb = "set",
	    .operands = "",
	    .help = "limit the messages of a day, growing day by day, for a new relay or group",
	    .details =
		"Without --relay and --group it is for all mail; so for the relay of the settings alone,\n"
		"which is in use while no relay is enabled, give no --relay. Days are those of UTC. What a day has\n"
		"no room for waits until the next one. Setting it again begins with the first day anew.\n",
	    .options = set_options,
	    .needs = NEEDS_DATABASE,
	    .run = warmup_set,
	},
	{
	    .noun = "warmup",
	    .verb = "rm",
	    .operands = "",
	    .help = "end a warm-up: no limit of the day any more",
	    .options = rm_options,
	    .needs = NEEDS_DATABASE,
	    .run = warmup_rm,
	},
	{
	    .noun = "warmup",
	    .verb = "ls",
	    .operands = "",
	    .help = "show warm-ups with today's number and how much of it is used",
	    .needs = NEEDS_DATABASE,
	    .run = warmup_ls,
	},
	{ 0 },
};
