#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/name_list.h"
#include "listctl/pace_options.h"
#include "mail/address.h"
#include "store/audit.h"
#include "store/budgets.h"
#include "store/groups.h"

/* ---- changing ---- */

static enum err audit_group(struct call *call, const char *action, struct view name)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "group:" VIEW_FMT, VIEW_ARG(name));
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), VIEW_LIT(""), call->why);
}

typedef enum err change_domain(struct db *db, struct view group, struct view domain, struct buf *why);

static enum err each_domain(struct call *call, const char *option, struct view group, change_domain *change)
{
	const char *text = call_option(call, option);
	struct view rest = view_of(text), one;
	enum err err = name_list_check(call, option, rest);
	while (err == ERR_OK && name_list_cut(&rest, &one)) {
		AUTO_BUF domain = buf_with_ceiling(LIMIT_DOMAIN);
		err = address_parse_domain(one, &domain, call->why);
		if (err == ERR_OK)
			err = change(call->db, group, buf_view(&domain), call->why);
	}
	return err;
}

/* What a change of limits means for those who wait by the old ones. */
static enum err change_limits(struct call *call, struct view name, bool is_new)
{
	struct domain_group group = { .name = name };
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF key = buf_with_ceiling(LIMIT_WHY);
	enum err err = is_new ? ERR_OK : groups_list(call->db, name, &rows, call->why);
	if (err != ERR_OK)
		return err;
	if (!is_new)
		group = groups_get(rows, 0);
	err = pace_option_count(call, "connections", INT32_MAX, &group.connections);
	if (err == ERR_OK)
		err = pace_option_rate(call, "rate", &group.rate);
	if (err != ERR_OK)
		return err;
	if (is_new)
		return groups_add(call->db, &group, call->why);
	buf_addf(&key, "group:" VIEW_FMT, VIEW_ARG(name));
	err = groups_edit(call->db, &group, call->why);
	return err == ERR_OK ? budgets_wake(call->db, buf_view(&key), call->why) : err;
}

static enum err finish(struct call *call, enum err err)
{
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

static enum err write_group(struct call *call, bool is_new)
{
	struct view name = view_of(call->operands[0]);
	enum err err = change_limits(call, name, is_new);
	if (err == ERR_OK && call_has(call, "add"))
		err = each_domain(call, "add", name, groups_add_domain);
	if (err == ERR_OK && !is_new && call_has(call, "remove"))
		err = each_domain(call, "remove", name, groups_remove_domain);
	return err == ERR_OK ? audit_group(call, is_new ? "group.add" : "group.edit", name) : err;
}

static enum err add(struct call *call)
{
	enum err err = db_begin(call->db, call->why);
	return err == ERR_OK ? finish(call, write_group(call, true)) : err;
}

static enum err edit(struct call *call)
{
	if (!call_has_any(call))
		return call_misused(call, "nothing to change was given: one or more of --add, --remove, --connections "
					  "and --rate");
	enum err err = db_begin(call->db, call->why);
	return err == ERR_OK ? finish(call, write_group(call, false)) : err;
}

static enum err remove_group(struct call *call)
{
	struct view name = view_of(call->operands[0]);
	enum err err = groups_remove(call->db, name, call->why);
	return err == ERR_OK ? audit_group(call, "group.rm", name) : err;
}

static enum err rm(struct call *call)
{
	enum err err = db_begin(call->db, call->why);
	return err == ERR_OK ? finish(call, remove_group(call)) : err;
}

/* ---- showing ---- */

static struct output_cell cell_limit(double limit)
{
	return limit > 0 ? cell_real(limit) : cell_null();
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "group" },
		{ .name = "connections", .type = OUTPUT_INT },
		{ .name = "rate", .type = OUTPUT_REAL },
		{ .name = "domains", .type = OUTPUT_INT },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = groups_list(call->db, VIEW_LIT(""), &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct domain_group group = groups_get(rows, i);
		output_row(call->out,
			   (struct output_cell[]){ cell_text(group.name),
						   group.connections > 0 ? cell_int(group.connections) : cell_null(),
						   cell_limit(group.rate), cell_int(group.domains) });
	}
	return output_end(call->out, call->why);
}

static enum err show(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "group" },
		{ .name = "connections", .type = OUTPUT_INT },
		{ .name = "rate", .type = OUTPUT_REAL },
		{ .name = "domains", .wraps = true },
	};
	AUTO_DB_ROWS *rows = NULL;
	enum err err = groups_list(call->db, view_of(call->operands[0]), &rows, call->why);
	if (err != ERR_OK)
		return err;
	const struct domain_group group = groups_get(rows, 0);
	const struct output_cell cells[] = { cell_text(group.name),
					     group.connections > 0 ? cell_int(group.connections) : cell_null(),
					     cell_limit(group.rate), cell_text(group.listed) };
	return output_object(call->out, columns, ARRAY_LEN(columns), cells, call->why);
}

/* ---- verbs ---- */

#define LIMIT_OPTIONS                                                                                                  \
	{ "connections", "N", "messages under way there at once, of all workers together; none: no limit" },           \
	{                                                                                                              \
		"rate", "N", "messages a second, of all workers together, such as 20 or 0.5; none: no limit"           \
	}

static const struct command_option add_options[] = {
	{ "add", "DOMAINS", "its domains, separated by commas" },
	LIMIT_OPTIONS,
	{ 0 },
};

static const struct command_option edit_options[] = {
	{ "add", "DOMAINS", "domains to put into it, separated by commas" },
	{ "remove", "DOMAINS", "domains to take out of it" },
	LIMIT_OPTIONS,
	{ 0 },
};

static const char about_groups[] =
    "A group holds the domains that one mail operator receives for: its own and those it hosts. Limits,\n"
    "cuts after 421 and 4.7.x, breakers and warm-up are the group's. A domain is in one group at most.\n"
    "Running senders follow a change within a second.\n";

const struct command group_commands[] = {
	{
	    .noun = "group",
	    .verb = "add",
	    .surplus = "add",
	    .operands = "GROUP",
	    .help = "make a group of recipient domains",
	    .details = about_groups,
	    .options = add_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = add,
	},
	{
	    .noun = "group",
	    .verb = "edit",
	    .surplus = "add",
	    .operands = "GROUP",
	    .help = "change a group's domains and limits",
	    .details = about_groups,
	    .options = edit_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = edit,
	},
	{
	    .noun = "group",
	    .verb = "rm",
	    .operands = "GROUP",
	    .help = "remove a group with its limits and its warm-up",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = rm,
	},
	{
	    .noun = "group",
	    .verb = "ls",
	    .operands = "",
	    .help = "show the groups of recipient domains and their limits",
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "group",
	    .verb = "show",
	    .operands = "GROUP",
	    .help = "show a group with its domains",
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = show,
	},
	{ 0 },
};
