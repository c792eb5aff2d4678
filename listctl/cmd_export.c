#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "listctl/call.h"
#include "listctl/progress.h"
#include "store/lists.h"
#include "store/subscribers.h"

enum { PAGE_SIZE = 5000, FIXED_COLUMNS = 2, STATE_COLUMNS = 3, MOST_COLUMNS = 1000 };

/* email, name, one column an attribute, and with --state the membership. */
struct sheet {
	struct call *call;
	int64_t list_id;
	struct view state; /* empty: all */
	bool with_state;
	struct output_column columns[MOST_COLUMNS];
	struct output_cell cells[MOST_COLUMNS];
	struct db_rows *names; /* owns the attribute names */
	struct buf name_texts; /* the same with NUL behind each, for the columns */
	size_t attributes, count;
};

static const char *const states[] = { "active", "unconfirmed", "unsubscribed", "disabled", "removed" };

static enum err take_state(struct sheet *sheet)
{
	const char *state = call_option(sheet->call, "state");
	sheet->state = VIEW_LIT("active");
	if (state == NULL)
		return ERR_OK;
	sheet->with_state = true;
	sheet->state = view_of(state);
	if (strcmp(state, "all") == 0) {
		sheet->state = VIEW_LIT("");
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(states[i], state) == 0)
			return ERR_OK;
	}
	return call_misused(sheet->call,
			    "--state takes active, unconfirmed, unsubscribed, disabled, removed or all, not %s", state);
}

static enum err lay_out(struct sheet *sheet)
{
	struct call *call = sheet->call;
	enum err err = members_attribute_names(call->db, sheet->list_id, sheet->state, &sheet->names, call->why);
	if (err != ERR_OK)
		return err;
	sheet->attributes = db_row_count(sheet->names);
	if (sheet->attributes > MOST_COLUMNS - FIXED_COLUMNS - STATE_COLUMNS)
		return call_refuse(call, ERR_TOO_BIG, "the list's members have more than %d different attributes",
				   MOST_COLUMNS - FIXED_COLUMNS - STATE_COLUMNS);
	sheet->name_texts = buf_with_ceiling(1 << 20);
	for (size_t i = 0; i < sheet->attributes; i++) {
		buf_add(&sheet->name_texts, db_get_text(sheet->names, i, 0));
		buf_add_byte(&sheet->name_texts, '\0');
	}
	if (buf_err(&sheet->name_texts) != ERR_OK)
		return buf_err(&sheet->name_texts);
	sheet->columns[0] = (struct output_column){ .name = "email" };
	sheet->columns[1] = (struct output_column){ .name = "name" };
	sheet->count = FIXED_COLUMNS;
	const char *name = sheet->name_texts.data;
	for (size_t i = 0; i < sheet->attributes; i++) {
		sheet->columns[sheet->count++] = (struct output_column){ .name = name };
		name += strlen(name) + 1;
	}
	if (sheet->with_state) {
		sheet->columns[sheet->count++] = (struct output_column){ .name = "_state" };
		sheet->columns[sheet->count++] = (struct output_column){ .name = "_reason" };
		sheet->columns[sheet->count++] = (struct output_column){ .name = "_since", .type = OUTPUT_TIME };
	}
	return ERR_OK;
}

/* The attribute as text; what is no text is written as JSON into *ret_owned, which the caller frees. */
static struct output_cell attribute_cell(const json_t *attributes, const char *name, char **ret_owned)
{
	const json_t *value = json_object_get(attributes, name);
	if (value == NULL || json_is_null(value))
		return cell_null();
	if (json_is_string(value))
		return cell_text(view_from(json_string_value(value), json_string_length(value)));
	*ret_owned = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	return cell_text_or_null(view_of(*ret_owned));
}

static enum err write_member(struct sheet *sheet, const struct member *member)
{
	json_t *attributes = json_loadb(member->attributes.data, member->attributes.len, 0, NULL);
	char *owned[MOST_COLUMNS] = { 0 };
	size_t at = 0;
	if (attributes == NULL)
		return call_refuse(sheet->call, ERR_MEMORY, "the attributes of subscriber %lld cannot be read",
				   (long long)member->subscriber_id);
	sheet->cells[at++] = cell_text(member->address);
	sheet->cells[at++] = cell_text_or_null(member->name);
	for (size_t i = 0; i < sheet->attributes; i++, at++)
		sheet->cells[at] = attribute_cell(attributes, sheet->columns[at].name, &owned[i]);
	if (sheet->with_state) {
		sheet->cells[at++] = cell_text(member->state);
		sheet->cells[at++] = cell_text_or_null(member->reason);
		sheet->cells[at++] = cell_time(member->since_us);
	}
	output_row(sheet->call->out, sheet->cells);
	for (size_t i = 0; i < sheet->attributes; i++)
		free(owned[i]);
	json_decref(attributes);
	return ERR_OK;
}

static enum err write_pages(struct sheet *sheet)
{
	struct call *call = sheet->call;
	uint64_t total, done = 0;
	enum err err = members_count(call->db, sheet->list_id, sheet->state, &total, call->why);
	if (err != ERR_OK)
		return err;
	struct progress progress = progress_begin("exporting", "members", total, call->quiet);
	int64_t last_id = 0;
	size_t got;
	do {
		AUTO_DB_ROWS *rows = NULL;
		err = members_page(call->db, sheet->list_id, sheet->state, last_id, PAGE_SIZE, &rows, call->why);
		got = err == ERR_OK ? db_row_count(rows) : 0;
		for (size_t i = 0; err == ERR_OK && i < got; i++) {
			const struct member member = members_get(rows, i);
			last_id = member.subscriber_id;
			err = write_member(sheet, &member);
		}
		progress_update(&progress, done += got);
	} while (err == ERR_OK && got > 0);
	progress_end(&progress);
	return err;
}

static enum err write_sheet(struct sheet *sheet)
{
	struct call *call = sheet->call;
	AUTO_DB_ROWS *rows = NULL;
	struct list list;
	enum err err = take_state(sheet);
	if (err == ERR_OK)
		err = lists_find(call->db, view_of(call->operands[0]), &rows, &list, call->why);
	if (err != ERR_OK)
		return err;
	sheet->list_id = list.id;
	err = lay_out(sheet);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, sheet->columns, sheet->count);
	err = write_pages(sheet);
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

static enum err export(struct call *call) {
	struct sheet *sheet = calloc(1, sizeof(*sheet)); if (sheet == NULL) return ERR_MEMORY; sheet->call = call;
	enum err err = db_begin_snapshot(call->db, call->why);
	if (err == ERR_OK) err = write_sheet(sheet);
	else call_refuse(call, err, "PostgreSQL is away");
	db_rollback(call->db);
	db_rows_done(sheet->names);
	buf_done(&sheet->name_texts);
	free(sheet);
	return err;
}

static const struct command_option options[] = {
	{ "state", "STATE", "members in this state, or all; adds _state, _reason and _since" },
	{ NULL, NULL, NULL },
};

const struct command export_commands[] = {
	{
	    .verb = "export",
	    .operands = "LIST",
	    .help = "write a list's members as CSV",
	    .details = "The format is CSV unless --format says otherwise. Active members, their names and all\n"
		       "attributes: what is written, import reads back. Text that a spreadsheet would run as a\n"
		       "formula gets an apostrophe in front, which import takes away again.\n",
	    .options = options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = export,
	    .writes_csv = true,
	},
	{ 0 },
};
