#include "base/limits.h"
#include "listctl/address_rule_file.h"
#include "listctl/call.h"
#include "store/audit.h"

enum { REASON_SIZE = 200 };

/* ---- what is given ---- */

static enum err read_kind(struct call *call, struct view text, enum address_rule_kind *ret_kind)
{
	if (address_rule_kind_from_name(text, ret_kind))
		return ERR_OK;
	return call_misused(call, "the kind is role, disposable or typo, not " VIEW_FMT, VIEW_ARG(view_head(text, 40)));
}

/* --action; *ret_says false: it was not given. */
static enum err read_action(struct call *call, enum address_rule_action *ret_action, bool *ret_says)
{
	const char *text = call_option(call, "action");
	*ret_says = text != NULL;
	if (text == NULL || address_rule_action_from_name(view_of(text), ret_action))
		return ERR_OK;
	return call_misused(call, "--action takes warn, refuse or off, not %s", text);
}

static enum err check_reason(struct call *call)
{
	const char *given = call_option(call, "reason");
	struct view reason = view_of(given);
	if (given == NULL ||
	    (reason.len > 0 && reason.len <= REASON_SIZE && view_is_utf8(reason) && !view_has_control(reason)))
		return ERR_OK;
	return call_misused(call, "--reason takes 1 to 200 octets of UTF-8 text without control characters");
}

/* KIND VALUE... with --action and --hint: the rule without its value. */
struct wish {
	struct address_rule rule;
	bool says_action;
	struct buf hint;
};

static enum err read_wish(struct call *call, bool takes_options, struct wish *wish)
{
	const char *hint = takes_options ? call_option(call, "hint") : NULL;
	enum err err = read_kind(call, view_of(call->operands[0]), &wish->rule.kind);
	wish->rule.action = ADDRESS_WARN;
	if (err == ERR_OK && takes_options)
		err = read_action(call, &wish->rule.action, &wish->says_action);
	if (err == ERR_OK)
		err = check_reason(call);
	if (err == ERR_OK && hint != NULL)
		err = address_rule_value(ADDRESS_DISPOSABLE, view_of(hint), &wish->hint, call->why);
	wish->rule.hint = buf_view(&wish->hint);
	return err;
}

/* ---- the audit ---- */

static void add_reason(struct call *call, struct buf *detail)
{
	const char *reason = call_option(call, "reason");
	if (reason == NULL)
		return;
	buf_addf(detail, "%s\"reason\": ", detail->len > 1 ? ", " : "");
	output_json_string(detail, view_of(reason));
}

static enum err audit_rule(struct call *call, const char *action, const struct address_rule *rule, bool says_action)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY), detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "address-rule:%s:" VIEW_FMT, address_rule_kind_name(rule->kind), VIEW_ARG(rule->value));
	buf_add_byte(&detail, '{');
	if (says_action)
		buf_addf(&detail, "\"action\": \"%s\"", address_rule_action_name(rule->action));
	if (rule->hint.len > 0) {
		buf_addf(&detail, "%s\"hint\": ", detail.len > 1 ? ", " : "");
		output_json_string(&detail, rule->hint);
	}
	add_reason(call, &detail);
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

/* ---- add, set and rm ---- */

typedef enum err change_rule(struct call *call, const struct wish *wish, const struct address_rule *rule);

static enum err change_each(struct call *call, const struct wish *wish, change_rule *change)
{
	enum err err = ERR_OK;
	for (size_t i = 1; err == ERR_OK && i < call->operand_count; i++) {
		AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
		struct address_rule rule = wish->rule;
		err = address_rule_value(rule.kind, view_of(call->operands[i]), &value, call->why);
		rule.value = buf_view(&value);
		if (err == ERR_OK)
			err = change(call, wish, &rule);
	}
	return err;
}

static enum err change(struct call *call, bool takes_options, change_rule *one, const char *done)
{
	struct wish wish = { .hint = buf_with_ceiling(LIMIT_DOMAIN) };
	enum err err = read_wish(call, takes_options, &wish);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, change_each(call, &wish, one));
	if (err == ERR_OK)
		call_note(call, "rules %s: %zu", done, call->operand_count - 1);
	buf_done(&wish.hint);
	return err;
}

static enum err add_one(struct call *call, const struct wish *wish, const struct address_rule *rule)
{
	(void)wish;
	if (!address_rule_is_whole(rule, call->why)) {
		buf_addf(call->why, "; --hint DOMAIN gives it");
		return ERR_INVALID;
	}
	enum err err = address_rules_add(call->db, rule, call->why);
	return err == ERR_OK ? audit_rule(call, "address-rule.add", rule, true) : err;
}

static enum err add(struct call *call)
{
	return change(call, true, add_one, "added");
}

static enum err set_one(struct call *call, const struct wish *wish, const struct address_rule *rule)
{
	if (!wish->says_action && rule->hint.len == 0)
		return call_misused(call, "nothing to change was given: --action, --hint or both");
	enum err err = address_rules_set(call->db, rule, wish->says_action, call->why);
	return err == ERR_OK ? audit_rule(call, "address-rule.set", rule, wish->says_action) : err;
}

static enum err set(struct call *call)
{
	return change(call, true, set_one, "changed");
}

static enum err remove_one(struct call *call, const struct wish *wish, const struct address_rule *rule)
{
	(void)wish;
	enum err err = address_rules_remove(call->db, rule->kind, rule->value, call->why);
	return err == ERR_OK ? audit_rule(call, "address-rule.rm", rule, false) : err;
}

static enum err rm(struct call *call)
{
	return change(call, false, remove_one, "removed");
}

/* ---- ls ---- */

/* --kind; *ret_says false: it was not given. */
static enum err kind_option(struct call *call, enum address_rule_kind *ret_kind, bool *ret_says)
{
	const char *text = call_option(call, "kind");
	*ret_says = text != NULL;
	return text == NULL ? ERR_OK : read_kind(call, view_of(text), ret_kind);
}

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "kind" }, { .name = "value" },  { .name = "action" },
		{ .name = "hint" }, { .name = "source" }, { .name = "changed_at", .type = OUTPUT_TIME },
	};
	enum address_rule_kind kind;
	bool says_kind, own_only = call_has(call, "own");
	AUTO_DB_ROWS *rows = NULL;
	enum err err = kind_option(call, &kind, &says_kind);
	if (err == ERR_OK)
		err = address_rules_list(call->db, says_kind ? &kind : NULL, &rows, call->why);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < db_row_count(rows); i++) {
		const struct address_rule_row row = address_rules_get(rows, i);
		if (row.rule.kind == ADDRESS_RULE_KIND_COUNT || (own_only && row.is_builtin))
			continue;
		output_row(
		    call->out,
		    (struct output_cell[]){
			cell_text(view_of(address_rule_kind_name(row.rule.kind))), cell_text(row.rule.value),
			cell_text(view_of(address_rule_action_name(row.rule.action))), cell_text_or_null(row.rule.hint),
			cell_text(row.is_builtin ? VIEW_LIT("builtin") : VIEW_LIT("own")), cell_time(row.changed_us) });
	}
	return output_end(call->out, call->why);
}

/* ---- import ---- */

static enum err audit_import(struct call *call, const struct address_rule_counts *counts)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY), detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "address-rule:%s", call->operands[0]);
	buf_addf(&detail, "{\"added\": %llu, \"changed\": %llu, \"removed\": %llu", (unsigned long long)counts->added,
		 (unsigned long long)counts->changed, (unsigned long long)counts->removed);
	add_reason(call, &detail);
	buf_add_byte(&detail, '}');
	return audit_append(call->db, view_of(call->actor), "address-rule.import", buf_view(&subject),
			    buf_view(&detail), call->why);
}

static enum err write_set(struct call *call, const struct address_rule_set *set, const enum address_rule_kind *kind)
{
	struct address_rule_counts counts;
	bool replaces = call_has(call, "replace"), is_dry = call_has(call, "dry-run");
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = address_rules_write(call->db, set, replaces ? kind : NULL, &counts, call->why);
	if (err == ERR_OK && !is_dry)
		err = audit_import(call, &counts);
	if (err == ERR_OK && is_dry)
		db_rollback(call->db);
	else
		err = finish(call, err);
	if (err == ERR_OK)
		call_note(call, "%srules added: %llu, changed: %llu, as they were: %llu, removed: %llu",
			  is_dry ? "(dry run, nothing is changed) " : "", (unsigned long long)counts.added,
			  (unsigned long long)counts.changed, (unsigned long long)counts.unchanged,
			  (unsigned long long)counts.removed);
	return err;
}

static enum err import(struct call *call)
{
	enum address_rule_kind kind;
	enum address_rule_action action;
	bool says_kind = false, says_action = false;
	enum err err = kind_option(call, &kind, &says_kind);
	if (err == ERR_OK)
		err = read_action(call, &action, &says_action);
	if (err == ERR_OK)
		err = check_reason(call);
	if (err == ERR_OK && call_has(call, "replace") && !says_kind)
		err = call_misused(call, "--replace removes rules of one kind: say --kind");
	if (err != ERR_OK)
		return err;
	const struct address_rule_defaults defaults = { .kind = says_kind ? &kind : NULL,
							.action = says_action ? &action : NULL };
	struct address_rule_set set = address_rule_set_empty();
	err = address_rule_file_read(call, call->operands[0], &defaults, &set);
	if (err == ERR_OK)
		err = write_set(call, &set, defaults.kind);
	address_rule_set_done(&set);
	return err;
}

/* ---- the rows ---- */

#define REASON_OPTION                                                                                                  \
	{                                                                                                              \
		"reason", "TEXT", "why, for the audit"                                                                 \
	}

static const char about_rules[] =
    "KIND is role (VALUE is what stands before the @), disposable (VALUE is a domain; those below\n"
    "it are meant, too) or typo (VALUE is a domain that is another one mistyped). The value * of\n"
    "kind typo stands for all slips that are found without a row of their own. An import, and\n"
    "whoever adds a person, warns of an address, refuses it or, with off, says nothing.\n";

static const struct command_option add_options[] = {
	{ "action", "ACTION", "warn, refuse or off; warn unless told" },
	{ "hint", "DOMAIN", "of a typo: the domain that is meant" },
	REASON_OPTION,
	{ 0 },
};

static const struct command_option set_options[] = {
	{ "action", "ACTION", "warn, refuse or off" },
	{ "hint", "DOMAIN", "of a typo: the domain that is meant" },
	REASON_OPTION,
	{ 0 },
};

static const struct command_option rm_options[] = { REASON_OPTION, { 0 } };

static const struct command_option ls_options[] = {
	{ "kind", "KIND", "only role, disposable or typo" },
	{ "own", NULL, "only those that did not come with verpost" },
	{ 0 },
};

static const struct command_option import_options[] = {
	{ "kind", "KIND", "of rows that do not say it: role, disposable or typo" },
	{ "action", "ACTION", "of rows that do not say it: warn, refuse or off" },
	{ "replace", NULL, "remove the installation's own rules of that kind which are not in the file" },
	{ "dry-run", NULL, "do everything, then take it back: shows what would change" },
	REASON_OPTION,
	{ 0 },
};

const struct command address_rule_commands[] = {
	{
	    .noun = "address-rule",
	    .verb = "ls",
	    .operands = "",
	    .help = "show the rules on role, disposable and mistyped addresses",
	    .details = "What --format csv writes can be read by `address-rule import`.\n",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "address-rule",
	    .verb = "add",
	    .operands = "KIND VALUE...",
	    .help = "make rules on addresses of your own",
	    .details = about_rules,
	    .options = add_options,
	    .least = 2,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = add,
	},
	{
	    .noun = "address-rule",
	    .verb = "set",
	    .operands = "KIND VALUE...",
	    .help = "change what rules on addresses do",
	    .details = about_rules,
	    .options = set_options,
	    .least = 2,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = set,
	},
	{
	    .noun = "address-rule",
	    .verb = "rm",
	    .operands = "KIND VALUE...",
	    .help = "remove rules on addresses of your own",
	    .details = "One that came with verpost cannot be removed: `address-rule set --action off`\n"
		       "switches it off, and it stays so through upgrades.\n",
	    .options = rm_options,
	    .least = 2,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = rm,
	},
	{
	    .noun = "address-rule",
	    .verb = "import",
	    .operands = "FILE|-",
	    .help = "take rules on addresses from a file, such as a list of disposable domains",
	    .details = "The file is CSV; its header names kind, value (or domain), action and hint, others are left\n"
		       "out. With --kind it may also be a list: one value a line, # before remarks. A rule that is\n"
		       "there keeps what it does unless the file or --action says otherwise. All rows are taken,\n"
		       "or none.\n",
	    .options = import_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = import,
	},
	{ 0 },
};
