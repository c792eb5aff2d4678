#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/confirm.h"
#include "listctl/erased.h"
#include "listctl/suppress_terms.h"
#include "listctl/waiting.h"
#include "listctl/who.h"

enum { PAGE_SIZE = 5000, HASH_TEXT = 2 * ERASURE_SIZE };

/* ---- add and rm ---- */

static void write_detail(const struct suppress_terms *terms, struct buf *detail)
{
	AUTO_BUF end = buf_with_ceiling(LIMIT_WHY);
	suppress_detail(detail, terms->list_id, terms->reason);
	if (terms->expires_us != 0)
		suppress_end(&end, terms->expires_us);
	buf_addf(detail, terms->expires_us == 0 ? ", \"until\": null}" : ", \"until\": \"%s\"}", buf_text(&end));
}

/* Where it is not what the administrator wrote. */
static void tell_mailbox(struct call *call, const char *operand, const struct suppression *row)
{
	struct spelt spelt = { 0 };
	if (row->kind == SUPPRESSED_ADDRESS && spelt_read(operand, &spelt, call->why) == ERR_OK &&
	    spelt.canonical.len > 0)
		call_note(call, "%s is another spelling of " VIEW_FMT ": that is suppressed, in all its spellings",
			  operand, VIEW_ARG(row->value));
	spelt_done(&spelt);
}

static enum err add_one(struct call *call, struct erased *erased, const char *operand, struct suppression *row,
			const struct buf *detail, struct suppressions_added *added)
{
	AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_BUF hash = buf_with_ceiling(HASH_TEXT);
	struct suppressions_added one = { 0 };
	enum err err = suppress_value(view_of(operand), &value, &row->kind, call->why);
	row->value = buf_view(&value);
	if (err == ERR_OK)
		err = suppress_hash(erased, row, &hash);
	row->hash = buf_view(&hash);
	if (err != ERR_OK)
		return err;
	tell_mailbox(call, operand, row);
	err = suppressions_add(call->db, row, 1, &one, call->why);
	if (err == ERR_OK && one.added > 0)
		err = suppress_audit(call, "suppress.add", row->value, detail);
	added->added += one.added;
	added->erased += one.erased;
	return err;
}

static enum err add_each(struct call *call, struct erased *erased, const struct suppress_terms *terms,
			 struct suppressions_added *added)
{
	enum err err = ERR_OK;
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	write_detail(terms, &detail);
	for (size_t i = 0; err == ERR_OK && i < call->operand_count; i++) {
		struct suppression row = { .list_id = terms->list_id,
					   .reason = terms->reason,
					   .expires_us = terms->expires_us,
					   .source = VIEW_LIT("listctl") };
		err = add_one(call, erased, call->operands[i], &row, &detail, added);
	}
	return err;
}

static void tell_added(const struct call *call, const struct suppressions_added *added)
{
	size_t there = call->operand_count - added->added - added->erased;
	if (added->erased == 0)
		call_note(call, "suppressed: %zu, there already: %zu", added->added, there);
	else
		call_note(call,
			  "suppressed: %zu, there already: %zu, erased earlier: %zu, left as they are: what stays of "
			  "an erasure keeps them out, and their addresses are not stored again",
			  added->added, there, added->erased);
}

static enum err add(struct call *call)
{
	struct suppress_terms terms;
	struct suppressions_added added = { 0 };
	struct erased *erased = NULL;
	enum err err = suppress_terms_read(call, &terms);
	if (err == ERR_OK)
		err = suppress_open_erased(call, &erased);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, add_each(call, erased, &terms, &added));
	erased_close(erased);
	if (err == ERR_OK)
		tell_added(call, &added);
	return err;
}

struct removal {
	struct call *call;
	struct erased *erased;
	struct buf untold; /* why nobody can tell who was erased; empty: it can be told */
	int64_t list_id;
	struct view reason;
};

static enum err audit_removal(const struct removal *removal, struct view value, int64_t list_id)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	suppress_detail(&detail, list_id, removal->reason);
	buf_add_byte(&detail, '}');
	return suppress_audit(removal->call, "suppress.rm", value, &detail);
}

/* ERR_NOT_FOUND without a sentence. */
static enum err remove_value(const struct removal *removal, struct view value, int64_t list_id)
{
	enum err err = suppressions_remove(removal->call->db, value, list_id, removal->call->why);
	return err == ERR_OK ? audit_removal(removal, value, list_id) : err;
}

/* Somebody who was erased and wants to come back: the address is known again by its hash alone. The audit names the hash. */
static enum err remove_erased(const struct removal *removal, struct view key)
{
	AUTO_BUF hash = buf_with_ceiling(HASH_TEXT);
	enum err err = removal->erased == NULL ? ERR_NOT_FOUND : erased_text(removal->erased, key, &hash);
	return err == ERR_OK ? remove_value(removal, buf_view(&hash), 0) : err;
}

/* Says what was looked for, and where there is one. */
static enum err refuse_absent(const struct removal *removal, struct view value)
{
	struct call *call = removal->call;
	const char *list = call_option(call, "list");
	AUTO_DB_ROWS *rows = NULL;
	enum err err = suppressions_of_value(call->db, value, &rows, call->why);
	if (err != ERR_OK)
		return err;
	buf_addf(call->why, VIEW_FMT " is not suppressed for %s%s", VIEW_ARG(value),
		 list == NULL ? "the whole installation" : "the list ", list == NULL ? "" : list);
	for (size_t i = 0; i < db_row_count(rows); i++) {
		struct view name = suppressions_get(rows, i).list_name;
		if (name.len == 0)
			buf_addf(call->why, "%s for the whole installation (without --list)", i == 0 ? "; it is" : ",");
		else
			buf_addf(call->why, "%s for the list " VIEW_FMT " (--list " VIEW_FMT ")",
				 i == 0 ? "; it is" : ",", VIEW_ARG(name), VIEW_ARG(name));
	}
	if (db_row_count(rows) == 0)
		buf_addf(call->why,
			 ", nor anywhere else; `listctl suppress check` tells what keeps mail from an address");
	if (removal->untold.len > 0)
		buf_addf(call->why, ". And " VIEW_FMT, VIEW_ARG(buf_view(&removal->untold)));
	return ERR_NOT_FOUND;
}

/* What an erasure has left, as `suppress ls` shows it: the only name of what another key has made. */
static bool is_hash(struct view text)
{
	size_t digits = 0;
	while (digits < text.len && memchr("0123456789abcdef", text.data[digits], 16) != NULL)
		digits++;
	return text.len == HASH_TEXT && digits == text.len;
}

/* The mailbox, and the spelling by itself: so it was kept formerly. ERR_NOT_FOUND without a sentence. */
static enum err remove_mailbox(const struct removal *removal, struct view mailbox, const char *operand)
{
	struct spelt spelt = { 0 };
	enum err as_written = ERR_NOT_FOUND, err = spelt_read(operand, &spelt, removal->call->why);
	if (err == ERR_OK)
		err = remove_value(removal, mailbox, removal->list_id);
	if ((err == ERR_OK || err == ERR_NOT_FOUND) && spelt.canonical.len > 0)
		as_written = remove_value(removal, buf_view(&spelt.key), removal->list_id);
	spelt_done(&spelt);
	return as_written == ERR_NOT_FOUND ? err : as_written;
}

static enum err remove_one(const struct removal *removal, const char *operand)
{
	AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	enum suppression_kind kind = SUPPRESSED_ERASED;
	enum err err = is_hash(view_of(operand)) ? buf_add(&value, view_of(operand))
						 : suppress_value(view_of(operand), &value, &kind, removal->call->why);
	if (err != ERR_OK)
		return err;
	enum err erased = ERR_NOT_FOUND;
	if (kind == SUPPRESSED_ADDRESS && removal->list_id == 0)
		erased = remove_erased(removal, buf_view(&value));
	if (erased != ERR_OK && erased != ERR_NOT_FOUND)
		return erased;
	err = kind == SUPPRESSED_ADDRESS ? remove_mailbox(removal, buf_view(&value), operand)
					 : remove_value(removal, buf_view(&value), removal->list_id);
	if (err != ERR_NOT_FOUND)
		return err;
	return erased == ERR_OK ? ERR_OK : refuse_absent(removal, buf_view(&value));
}

static enum err remove_each(const struct removal *removal)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < removal->call->operand_count; i++)
		err = remove_one(removal, removal->call->operands[i]);
	return err;
}

/* What was erased by a foreign key can still be taken away, and everything else too. */
static enum err remove_named(struct removal *removal)
{
	struct call *call = removal->call;
	enum err err = erased_open_if_known(call, &removal->erased, &removal->untold);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, remove_each(removal));
	if (err == ERR_OK)
		call_note(call, "no longer suppressed: %zu; memberships stay as they are", call->operand_count);
	return err;
}

static enum err remove_by(const struct removal *removal, struct view source, uint64_t *ret_removed)
{
	struct call *call = removal->call;
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = suppressions_remove_erased_by(call->db, source, ret_removed, call->why);
	if (err == ERR_OK && *ret_removed == 0)
		return call_refuse(call, ERR_NOT_FOUND,
				   "nobody was erased by a key with the fingerprint %s; `listctl suppress ls` shows "
				   "it in the source, as erase:...",
				   call_option(call, "erased-by"));
	suppress_detail(&detail, 0, removal->reason);
	buf_addf(&detail, ", \"removed\": %llu}", (unsigned long long)*ret_removed);
	return err == ERR_OK ? suppress_audit(call, "suppress.rm", source, &detail) : err;
}

/* All that one erasure key has left: of an installation that is gone with its key, or of a file that should not have been taken. */
static enum err remove_erased_by(const struct removal *removal)
{
	struct call *call = removal->call;
	AUTO_BUF source = buf_with_ceiling(LIMIT_WHY);
	uint64_t removed = 0;
	buf_addf(&source, "erase:%s", call_option(call, "erased-by"));
	enum err err = confirm(call, "forget everybody who was erased by this key? An import then takes them in again");
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, remove_by(removal, buf_view(&source), &removed));
	if (err == ERR_OK)
		call_note(call, "erasures taken away: %llu", (unsigned long long)removed);
	return err;
}

static enum err rm(struct call *call)
{
	struct removal removal = { .call = call, .untold = buf_with_ceiling(LIMIT_WHY) };
	bool by_key = call_has(call, "erased-by");
	enum err err = suppress_reason(call, "", &removal.reason);
	if (err == ERR_OK && by_key == (call->operand_count > 0))
		err = call_misused(call, "either addresses and domains, or --erased-by");
	if (err == ERR_OK && by_key && call_has(call, "list"))
		err =
		    call_misused(call, "--erased-by goes without --list: an erasure holds for the whole installation");
	if (err == ERR_OK)
		err = suppress_find_list(call, &removal.list_id);
	if (err == ERR_OK)
		err = by_key ? remove_erased_by(&removal) : remove_named(&removal);
	erased_close(removal.erased);
	buf_done(&removal.untold);
	return err;
}

/* ---- looking ---- */

/* The first one is of `check` alone: which of its operands the row is about. */
static const struct output_column columns[] = {
	{ .name = "asked" },
	{ .name = "value" },
	{ .name = "kind" },
	{ .name = "list" },
	{ .name = "reason", .wraps = true },
	{ .name = "source" },
	{ .name = "created_at", .type = OUTPUT_TIME },
	{ .name = "expires_at", .type = OUTPUT_TIME },
};

/* For programs: `suppress import` takes the end as exactly as it was. */
static const struct output_column exact_columns[] = {
	{ .name = "asked" },
	{ .name = "value" },
	{ .name = "kind" },
	{ .name = "list" },
	{ .name = "reason" },
	{ .name = "source" },
	{ .name = "created_at", .type = OUTPUT_TIME },
	{ .name = "expires_at" },
};
static_assert(ARRAY_LEN(exact_columns) == ARRAY_LEN(columns), "the same columns");

static bool is_exact(const struct call *call)
{
	return output_format_of(call->out) != FORMAT_TABLE;
}

static void begin_rows(struct call *call, bool asked)
{
	size_t from = asked ? 0 : 1;
	output_begin(call->out, (is_exact(call) ? exact_columns : columns) + from, ARRAY_LEN(columns) - from);
}

/* asked: the operand of `check`; NULL: everything is shown. */
static void write_row(struct call *call, const char *asked, const struct suppression *row)
{
	AUTO_BUF end = buf_with_ceiling(LIMIT_WHY);
	if (row->expires_us != 0)
		suppress_end(&end, row->expires_us);
	const struct output_cell cells[] = { cell_text(view_of(asked)),
					     cell_text(row->value),
					     cell_text(view_of(suppression_kind_name(row->kind))),
					     cell_text_or_null(row->list_name),
					     cell_text(row->reason),
					     cell_text(row->source),
					     cell_time(row->created_us),
					     is_exact(call) ? cell_text_or_null(buf_view(&end))
							    : cell_time_or_null(row->expires_us) };
	static_assert(ARRAY_LEN(cells) == ARRAY_LEN(columns), "one a column");
	output_row(call->out, asked == NULL ? cells + 1 : cells);
}

static enum err ls(struct call *call)
{
	int64_t list_id, last_id = 0;
	enum err err = suppress_find_list(call, &list_id);
	if (err != ERR_OK)
		return err;
	begin_rows(call, false);
	struct waiting waiting;
	waiting_begin_rows(call, "listing", &waiting);
	size_t got;
	do {
		AUTO_DB_ROWS *rows = NULL;
		err =
		    suppressions_page(call->db, list_id, call_has(call, "ended"), last_id, PAGE_SIZE, &rows, call->why);
		got = err == ERR_OK ? db_row_count(rows) : 0;
		waiting_rows(&waiting, got);
		for (size_t i = 0; i < got; i++) {
			const struct suppression row = suppressions_get(rows, i);
			last_id = row.id;
			write_row(call, NULL, &row);
		}
	} while (got > 0);
	waiting_end(&waiting);
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

static enum err find_of_address(struct call *call, struct erased *erased, const char *operand, struct db_rows **rows)
{
	struct spelt spelt = { 0 };
	AUTO_BUF hash = buf_with_ceiling(HASH_TEXT);
	enum err err = spelt_read(operand, &spelt, call->why);
	if (err == ERR_OK && erased != NULL)
		err = erased_text(erased, buf_view(&spelt.key), &hash);
	if (err == ERR_OK)
		err = suppressions_of(call->db, buf_view(&spelt.key), buf_view(&spelt.canonical), buf_view(&hash), rows,
				      call->why);
	spelt_done(&spelt);
	return err;
}

/* Of a domain what keeps mail from all its addresses. */
static enum err check_one(struct call *call, struct erased *erased, const char *operand)
{
	AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_DB_ROWS *rows = NULL;
	enum suppression_kind kind;
	enum err err = suppress_value(view_of(operand), &value, &kind, call->why);
	if (err == ERR_OK)
		err = kind == SUPPRESSED_DOMAIN
			  ? suppressions_of(call->db, buf_view(&value), VIEW_LIT(""), VIEW_LIT(""), &rows, call->why)
			  : find_of_address(call, erased, operand, &rows);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		const struct suppression row = suppressions_get(rows, i);
		write_row(call, operand, &row);
	}
	if (err == ERR_OK && db_row_count(rows) == 0)
		call_note(call, "%s: nothing is suppressed there", operand);
	return err;
}

static enum err check(struct call *call)
{
	struct erased *erased = NULL;
	enum err err = erased_open(call, &erased);
	begin_rows(call, true);
	for (size_t i = 0; err == ERR_OK && i < call->operand_count; i++)
		err = check_one(call, erased, call->operands[i]);
	erased_close(erased);
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

static enum err remove_ended(struct call *call, struct view reason, uint64_t *ret_removed)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = suppressions_remove_ended(call->db, ret_removed, call->why);
	suppress_detail(&detail, 0, reason);
	buf_addf(&detail, ", \"removed\": %llu}", (unsigned long long)*ret_removed);
	return err == ERR_OK ? suppress_audit(call, "suppress.tidy", VIEW_LIT("ended"), &detail) : err;
}

static enum err tidy(struct call *call)
{
	uint64_t removed = 0;
	struct view reason;
	enum err err = suppress_reason(call, "", &reason);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, remove_ended(call, reason, &removed));
	if (err == ERR_OK)
		call_note(call, "suppressions that had ended, removed: %llu", (unsigned long long)removed);
	return err;
}

/* ---- the rows ---- */

static const struct command_option add_options[] = {
	SUPPRESS_TERM_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct command_option rm_options[] = {
	{ "list", "LIST", "those of this list, not those of the whole installation" },
	{ "reason", "TEXT", "why; kept in the audit" },
	{ "erased-by", "KEY", "instead: all erasures by the key with this fingerprint, the KEY of a source erase:KEY" },
	{ "yes", NULL, "do not ask, with --erased-by; needed where there is no terminal to ask on" },
	{ NULL, NULL, NULL },
};

static const struct command_option tidy_options[] = {
	{ "reason", "TEXT", "why; kept in the audit" },
	{ NULL, NULL, NULL },
};

static const struct command_option ls_options[] = {
	{ "list", "LIST", "only those of this list" },
	{ "ended", NULL, "those that have ended, instead of those in force" },
	{ NULL, NULL, NULL },
};

const struct command suppress_commands[] = {
	{
	    .noun = "suppress",
	    .verb = "add",
	    .operands = "ADDRESS|DOMAIN...",
	    .help = "never write to an address or a domain again, or not until a day",
	    .details = "Running campaigns honour it too, from the next window on. A domain, which may also be written\n"
		       "@DOMAIN or '*@DOMAIN', does not include the domains below it. One that lasts longer takes the "
		       "place of one that ends earlier.\n"
		       "An address stands for its mailbox: of ja.ne.x+news@gmail.com what is suppressed, and shown\n"
		       "by `suppress ls`, is janex@gmail.com, in all its spellings (`listctl address check` shows the\n"
		       "mailbox of an address). Of somebody who was erased nothing is stored: the hash that stays\n"
		       "of them keeps them out.\n",
	    .options = add_options,
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = add,
	},
	{
	    .noun = "suppress",
	    .verb = "rm",
	    .operands = "ADDRESS|DOMAIN|HASH...",
	    .help = "take a suppression back, or let somebody erased come back",
	    .details =
		"Somebody who was erased is named by the address, or by the hash that `suppress ls` shows. What\n"
		"another installation's erasure key has made is known by its hash alone, or all of it by\n"
		"--erased-by.\n",
	    .options = rm_options,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = rm,
	},
	{
	    .noun = "suppress",
	    .verb = "ls",
	    .surplus = "list",
	    .operands = "",
	    .help = "show what is suppressed, why, since when and until when",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "suppress",
	    .verb = "check",
	    .operands = "ADDRESS|DOMAIN...",
	    .help = "show what keeps mail from addresses, erasures included, or from whole domains",
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = check,
	},
	{
	    .noun = "suppress",
	    .verb = "tidy",
	    .operands = "",
	    .help = "remove the suppressions that have ended",
	    .options = tidy_options,
	    .needs = NEEDS_DATABASE,
	    .run = tidy,
	},
	{ 0 },
};
