#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/erased.h"
#include "listctl/suppress_terms.h"
#include "mail/address.h"
#include "mail/address_canonical.h"

enum { PAGE_SIZE = 5000, HASH_TEXT = 2 * ERASURE_SIZE };

/* ---- add and rm ---- */

static enum err add_each(struct call *call, const struct suppress_terms *terms, size_t *ret_added)
{
	size_t added = 0;
	for (size_t i = 0; i < call->operand_count; i++) {
		AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
		struct suppression row = { .list_id = terms->list_id,
					   .reason = terms->reason,
					   .expires_us = terms->expires_us,
					   .source = VIEW_LIT("listctl") };
		enum err err = suppress_value(view_of(call->operands[i]), &value, &row.kind, call->why);
		if (err != ERR_OK)
			return err;
		row.value = buf_view(&value);
		size_t one = 0;
		err = suppressions_add(call->db, &row, 1, &one, call->why);
		if (err == ERR_OK && one > 0)
			err = suppress_audit(call, "suppress.add", row.value, terms->list_id);
		if (err != ERR_OK)
			return err;
		added += one;
	}
	*ret_added = added;
	return ERR_OK;
}

static enum err add(struct call *call)
{
	struct suppress_terms terms;
	size_t added = 0;
	enum err err = suppress_terms_read(call, &terms);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = suppress_finish(call, add_each(call, &terms, &added));
	if (err == ERR_OK)
		call_note(call, "suppressed: %zu, there already: %zu", added, call->operand_count - added);
	return err;
}

/* Somebody who was erased and wants to come back: the address is known again by its hash alone. The audit names the hash. */
static enum err remove_erased(struct call *call, struct erased *erased, struct view key, bool *ret_removed)
{
	AUTO_BUF hash = buf_with_ceiling(HASH_TEXT);
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = erased == NULL ? ERR_NOT_FOUND : erased_text(erased, key, &hash);
	if (err == ERR_OK)
		err = suppressions_remove(call->db, buf_view(&hash), 0, &cause);
	*ret_removed = err == ERR_OK;
	if (err == ERR_OK)
		return suppress_audit(call, "suppress.rm", buf_view(&hash), 0);
	return err == ERR_NOT_FOUND ? ERR_OK : call_refuse(call, err, "%s", buf_text(&cause));
}

static enum err remove_one(struct call *call, struct erased *erased, int64_t list_id, const char *operand)
{
	AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	enum suppression_kind kind;
	bool was_erased = false;
	enum err err = suppress_value(view_of(operand), &value, &kind, call->why);
	if (err == ERR_OK && kind == SUPPRESSED_ADDRESS && list_id == 0)
		err = remove_erased(call, erased, buf_view(&value), &was_erased);
	if (err != ERR_OK)
		return err;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	err = suppressions_remove(call->db, buf_view(&value), list_id, &cause);
	if (err == ERR_NOT_FOUND && was_erased)
		return ERR_OK;
	if (err != ERR_OK)
		return call_refuse(call, err, "%s", buf_text(&cause));
	return suppress_audit(call, "suppress.rm", buf_view(&value), list_id);
}

static enum err remove_each(struct call *call, struct erased *erased, int64_t list_id)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < call->operand_count; i++)
		err = remove_one(call, erased, list_id, call->operands[i]);
	return err;
}

static enum err rm(struct call *call)
{
	int64_t list_id;
	struct erased *erased = NULL;
	enum err err = suppress_find_list(call, &list_id);
	if (err == ERR_OK)
		err = erased_open(call, &erased);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, remove_each(call, erased, list_id));
	erased_close(erased);
	if (err == ERR_OK)
		call_note(call, "no longer suppressed: %zu; memberships stay as they are", call->operand_count);
	return err;
}

/* ---- looking ---- */

static const struct output_column columns[] = {
	{ .name = "value" },
	{ .name = "kind" },
	{ .name = "list" },
	{ .name = "reason", .wraps = true },
	{ .name = "source" },
	{ .name = "created_at", .type = OUTPUT_TIME },
	{ .name = "expires_at", .type = OUTPUT_TIME },
};

static void write_row(struct call *call, const struct suppression *row)
{
	output_row(call->out, (struct output_cell[]){
				  cell_text(row->value), cell_text(view_of(suppression_kind_name(row->kind))),
				  cell_text_or_null(row->list_name), cell_text(row->reason), cell_text(row->source),
				  cell_time(row->created_us), cell_time_or_null(row->expires_us) });
}

static enum err ls(struct call *call)
{
	int64_t list_id, last_id = 0;
	enum err err = suppress_find_list(call, &list_id);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	size_t got;
	do {
		AUTO_DB_ROWS *rows = NULL;
		err =
		    suppressions_page(call->db, list_id, call_has(call, "ended"), last_id, PAGE_SIZE, &rows, call->why);
		got = err == ERR_OK ? db_row_count(rows) : 0;
		for (size_t i = 0; i < got; i++) {
			const struct suppression row = suppressions_get(rows, i);
			last_id = row.id;
			write_row(call, &row);
		}
	} while (got > 0);
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

static enum err check_one(struct call *call, struct erased *erased, const char *operand, size_t *found)
{
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_BUF canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_BUF hash = buf_with_ceiling(HASH_TEXT);
	AUTO_DB_ROWS *rows = NULL;
	enum err err = address_parse(view_of(operand), &address, call->why);
	if (err == ERR_OK)
		err = address_key(buf_view(&address), &key);
	if (err == ERR_OK && !address_canonical(buf_view(&key), &canonical))
		buf_reset(&canonical);
	if (err == ERR_OK && erased != NULL)
		err = erased_text(erased, buf_view(&key), &hash);
	if (err == ERR_OK)
		err =
		    suppressions_of(call->db, buf_view(&key), buf_view(&canonical), buf_view(&hash), &rows, call->why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++, (*found)++) {
		const struct suppression row = suppressions_get(rows, i);
		write_row(call, &row);
	}
	return err;
}

static enum err check(struct call *call)
{
	struct erased *erased = NULL;
	size_t found = 0;
	enum err err = erased_open(call, &erased);
	output_begin(call->out, columns, ARRAY_LEN(columns));
	for (size_t i = 0; err == ERR_OK && i < call->operand_count; i++)
		err = check_one(call, erased, call->operands[i], &found);
	erased_close(erased);
	if (err == ERR_OK && found == 0)
		call_note(call, "nothing is suppressed there");
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

static enum err remove_ended(struct call *call, uint64_t *ret_removed)
{
	enum err err = suppressions_remove_ended(call->db, ret_removed, call->why);
	return err == ERR_OK ? suppress_audit(call, "suppress.tidy", VIEW_LIT("ended"), 0) : err;
}

static enum err tidy(struct call *call)
{
	uint64_t removed = 0;
	enum err err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = suppress_finish(call, remove_ended(call, &removed));
	if (err == ERR_OK)
		call_note(call, "suppressions that had ended, removed: %llu", (unsigned long long)removed);
	return err;
}

/* ---- the rows ---- */

static const struct command_option add_options[] = {
	SUPPRESS_TERM_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct command_option list_option[] = {
	{ "list", "LIST", "those of this list, not those of the whole installation" },
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
	    .details = "Running campaigns honour it too, from the next window on. A domain does not include the\n"
		       "domains below it. One that lasts longer takes the place of one that ends earlier.\n",
	    .options = add_options,
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = add,
	},
	{
	    .noun = "suppress",
	    .verb = "rm",
	    .operands = "ADDRESS|DOMAIN...",
	    .help = "take a suppression back, or let somebody erased come back",
	    .options = list_option,
	    .least = 1,
	    .most = OPERANDS_ANY,
	    .needs = NEEDS_DATABASE,
	    .run = rm,
	},
	{
	    .noun = "suppress",
	    .verb = "ls",
	    .operands = "",
	    .help = "show what is suppressed, why, since when and until when",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "suppress",
	    .verb = "check",
	    .operands = "ADDRESS...",
	    .help = "show what keeps mail from addresses, erasures included",
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
	    .needs = NEEDS_DATABASE,
	    .run = tidy,
	},
	{ 0 },
};
