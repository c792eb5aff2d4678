#include <stdlib.h>

#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/columns.h"
#include "listctl/csv_guard.h"
#include "listctl/input.h"
#include "mail/address.h"
#include "store/audit.h"
#include "store/lists.h"
#include "store/suppressions.h"

enum { READ_STEP = 64 << 10, PAGE_SIZE = 5000, BATCH_SIZE = 500, REASON_SIZE = 200 };

/* What a person writes: an address, or a domain (with @ in front or without). Appends the form that is compared. */
static enum err normalise(struct view text, struct buf *ret_value, bool *ret_is_domain, struct buf *why)
{
	text = view_trim(text);
	size_t at = view_find_byte(text, '@');
	*ret_is_domain = at == VIEW_NONE || at == 0;
	if (*ret_is_domain)
		return address_parse_domain(view_skip(text, at == 0 ? 1 : 0), ret_value, why);
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
	enum err err = address_parse(text, &address, why);
	return err == ERR_OK ? address_key(buf_view(&address), ret_value) : err;
}

/* --list LIST as an id, 0 for the whole installation. */
static enum err find_list(struct call *call, int64_t *ret_list_id)
{
	const char *name = call_option(call, "list");
	struct list list = { 0 };
	AUTO_DB_ROWS *rows = NULL;
	enum err err = name == NULL ? ERR_OK : lists_find(call->db, view_of(name), &rows, &list, call->why);
	if (err == ERR_OK)
		*ret_list_id = list.id;
	return err;
}

static enum err find_reason(struct call *call, struct view *ret_reason)
{
	const char *given = call_option(call, "reason");
	struct view reason = given == NULL ? VIEW_LIT("by hand") : view_trim(view_of(given));
	if (reason.len == 0 || reason.len > REASON_SIZE || !view_is_utf8(reason) || view_has_control(reason))
		return call_misused(call, "--reason takes 1 to 200 octets of UTF-8 text without control characters");
	*ret_reason = reason;
	return ERR_OK;
}

static enum err audit_change(struct call *call, const char *action, struct view value, int64_t list_id)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF detail = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "suppression:" VIEW_FMT, VIEW_ARG(value));
	buf_addf(&detail, "{\"list_id\": %lld}", (long long)list_id);
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), buf_view(&detail), call->why);
}

static enum err finish(struct call *call, enum err err)
{
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

/* ---- add and rm ---- */

static enum err add_each(struct call *call, int64_t list_id, struct view reason, size_t *ret_added)
{
	size_t added = 0;
	for (size_t i = 0; i < call->operand_count; i++) {
		AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
		struct suppression row = { .list_id = list_id, .reason = reason, .source = VIEW_LIT("listctl") };
		enum err err = normalise(view_of(call->operands[i]), &value, &row.is_domain, call->why);
		if (err != ERR_OK)
			return err;
		row.value = buf_view(&value);
		size_t one = 0;
		err = suppressions_add(call->db, &row, 1, &one, call->why);
		if (err == ERR_OK && one > 0)
			err = audit_change(call, "suppress.add", row.value, list_id);
		if (err != ERR_OK)
			return err;
		added += one;
	}
	*ret_added = added;
	return ERR_OK;
}

static enum err add(struct call *call)
{
	struct view reason;
	int64_t list_id;
	size_t added = 0;
	enum err err = find_reason(call, &reason);
	if (err == ERR_OK)
		err = find_list(call, &list_id);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = finish(call, add_each(call, list_id, reason, &added));
	if (err == ERR_OK)
		call_note(call, "suppressed: %zu, there already: %zu", added, call->operand_count - added);
	return err;
}

static enum err remove_each(struct call *call, int64_t list_id)
{
	for (size_t i = 0; i < call->operand_count; i++) {
		AUTO_BUF value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
		bool is_domain;
		enum err err = normalise(view_of(call->operands[i]), &value, &is_domain, call->why);
		if (err == ERR_OK)
			err = suppressions_remove(call->db, buf_view(&value), list_id, call->why);
		if (err == ERR_OK)
			err = audit_change(call, "suppress.rm", buf_view(&value), list_id);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err rm(struct call *call)
{
	int64_t list_id;
	enum err err = find_list(call, &list_id);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	err = finish(call, remove_each(call, list_id));
	if (err == ERR_OK)
		call_note(call, "no longer suppressed: %zu; memberships stay as they are", call->operand_count);
	return err;
}

/* ---- ls ---- */

static enum err ls(struct call *call)
{
	static const struct output_column columns[] = {
		{ .name = "value" },  { .name = "kind" },
		{ .name = "list" },   { .name = "reason", .wraps = true },
		{ .name = "source" }, { .name = "created_at", .type = OUTPUT_TIME },
	};
	int64_t list_id, last_id = 0;
	enum err err = find_list(call, &list_id);
	if (err != ERR_OK)
		return err;
	output_begin(call->out, columns, ARRAY_LEN(columns));
	size_t got;
	do {
		AUTO_DB_ROWS *rows = NULL;
		err = suppressions_page(call->db, list_id, last_id, PAGE_SIZE, &rows, call->why);
		got = err == ERR_OK ? db_row_count(rows) : 0;
		for (size_t i = 0; i < got; i++) {
			const struct suppression row = suppressions_get(rows, i);
			last_id = row.id;
			output_row(call->out, (struct output_cell[]){
						  cell_text(row.value),
						  cell_text(row.is_domain ? VIEW_LIT("domain") : VIEW_LIT("address")),
						  cell_text_or_null(row.list_name), cell_text(row.reason),
						  cell_text(row.source), cell_time(row.created_us) });
		}
	} while (got > 0);
	return err == ERR_OK ? output_end(call->out, call->why) : err;
}

/* ---- import ---- */

struct batch_row {
	struct suppression row;
	struct buf value, reason;
};

struct job {
	struct call *call;
	struct input input;
	struct csv_reader *reader;
	int64_t list_id;
	struct view reason;
	bool has_header;
	size_t columns, value_at, reason_at; /* reason_at == columns: none */
	struct batch_row batch[BATCH_SIZE];
	size_t waiting;
	uint64_t rows, added;
};

static enum err send_batch(struct job *job, struct buf *why)
{
	struct suppression rows[BATCH_SIZE];
	size_t added = 0;
	for (size_t i = 0; i < job->waiting; i++) {
		rows[i] = job->batch[i].row;
		rows[i].value = buf_view(&job->batch[i].value);
		rows[i].reason = job->batch[i].reason.len > 0 ? buf_view(&job->batch[i].reason) : job->reason;
	}
	enum err err = job->waiting == 0 ? ERR_OK : suppressions_add(job->call->db, rows, job->waiting, &added, why);
	job->waiting = 0;
	job->added += added;
	return err;
}

static bool is_value_name(struct view name)
{
	return columns_is_address_name(name) || view_eq_nocase(name, VIEW_LIT("value")) ||
	       view_eq_nocase(name, VIEW_LIT("domain"));
}

static enum err on_header(struct job *job, const struct csv_row *row, struct buf *why)
{
	job->has_header = true;
	job->columns = job->value_at = job->reason_at = row->count;
	for (size_t i = row->count; i-- > 0;) {
		struct view name = view_trim(row->fields[i].text);
		if (is_value_name(name))
			job->value_at = i;
		if (view_eq_nocase(name, VIEW_LIT("reason")))
			job->reason_at = i;
	}
	if (job->value_at < row->count)
		return ERR_OK;
	buf_addf(why,
		 "%s, line %llu: no column is called email, address, domain or value; add a header row, such as "
		 "email,reason",
		 job->input.name, (unsigned long long)row->line);
	return ERR_INVALID;
}

static enum err refuse_row(const struct job *job, const struct csv_row *row, const char *what, struct buf *why)
{
	buf_addf(why, "%s, line %llu: %s; nothing was imported", job->input.name, (unsigned long long)row->line, what);
	return ERR_INVALID;
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct job *job = context;
	if (!job->has_header)
		return on_header(job, row, why);
	if (row->count != job->columns)
		return refuse_row(job, row, "the row has not as many fields as the header", why);
	struct batch_row *next = &job->batch[job->waiting];
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	buf_reset(&next->value);
	buf_reset(&next->reason);
	next->row = (struct suppression){ .list_id = job->list_id, .source = VIEW_LIT("import") };
	if (normalise(csv_guard_removed(row->fields[job->value_at].text), &next->value, &next->row.is_domain, &cause) !=
	    ERR_OK)
		return refuse_row(job, row, buf_text(&cause), why);
	if (job->reason_at < job->columns) {
		struct view reason = view_trim(csv_guard_removed(row->fields[job->reason_at].text));
		if (view_has_control(reason) || buf_add(&next->reason, reason) != ERR_OK)
			return refuse_row(job, row, "the reason has control characters or more than 200 octets", why);
	}
	job->rows++;
	return ++job->waiting == BATCH_SIZE ? send_batch(job, why) : ERR_OK;
}

static enum err read_all(struct job *job)
{
	struct buf *why = job->call->why;
	char bytes[READ_STEP];
	size_t got;
	enum err err;
	do {
		err = input_read(&job->input, bytes, sizeof(bytes), &got, why);
		if (err == ERR_OK && got > 0)
			err = csv_reader_feed(job->reader, view_from(bytes, got), why);
	} while (err == ERR_OK && got > 0);
	if (err == ERR_OK)
		err = csv_reader_finish(job->reader, why);
	if (err == ERR_OK && !job->has_header)
		return call_refuse(job->call, ERR_INVALID, "%s is empty", job->input.name);
	if (err == ERR_OK)
		err = send_batch(job, why);
	return err == ERR_OK ? audit_change(job->call, "suppress.import", view_of(job->input.name), job->list_id) : err;
}

static enum err run_job(struct job *job)
{
	struct call *call = job->call;
	enum err err = find_reason(call, &job->reason);
	if (err == ERR_OK)
		err = find_list(call, &job->list_id);
	if (err == ERR_OK)
		err = input_open(call->operands[0], "reading", call->quiet, &job->input, call->why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < BATCH_SIZE; i++) {
		job->batch[i].value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
		job->batch[i].reason = buf_with_ceiling(REASON_SIZE);
	}
	job->reader = csv_reader_new(job->input.name, ',', on_row, job);
	err = job->reader == NULL ? ERR_MEMORY : db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = finish(call, read_all(job));
	for (size_t i = 0; i < BATCH_SIZE; i++) {
		buf_done(&job->batch[i].value);
		buf_done(&job->batch[i].reason);
	}
	csv_reader_free(job->reader);
	input_close(&job->input);
	return err;
}

static enum err import(struct call *call)
{
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return ERR_MEMORY;
	job->call = call;
	enum err err = run_job(job);
	if (err == ERR_OK)
		call_note(call, "suppressed: %llu, there already: %llu", (unsigned long long)job->added,
			  (unsigned long long)(job->rows - job->added));
	free(job);
	return err;
}

/* ---- the rows ---- */

static const struct command_option add_options[] = {
	{ "list", "LIST", "for this list only, not for the whole installation" },
	{ "reason", "TEXT", "why; shown by `suppress ls` and `explain`" },
	{ NULL, NULL, NULL },
};

static const struct command_option list_option[] = {
	{ "list", "LIST", "those of this list, not those of the whole installation" },
	{ NULL, NULL, NULL },
};

static const struct command_option ls_options[] = {
	{ "list", "LIST", "only those of this list" },
	{ NULL, NULL, NULL },
};

const struct command suppress_commands[] = {
	{
	    .noun = "suppress",
	    .verb = "add",
	    .operands = "ADDRESS|DOMAIN...",
	    .help = "never write to an address or a domain again",
	    .details = "Running campaigns honour it too, from the next window on. A domain does not include the\n"
		       "domains below it.\n",
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
	    .help = "take a suppression back",
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
	    .help = "show what is suppressed, why and since when",
	    .options = ls_options,
	    .needs = NEEDS_DATABASE,
	    .run = ls,
	},
	{
	    .noun = "suppress",
	    .verb = "import",
	    .operands = "FILE.csv|-",
	    .help = "suppress the addresses and domains of a CSV file",
	    .details = "The header has a column email, address, domain or value, and perhaps reason; other\n"
		       "columns are left out, so that what `suppress ls --format csv` writes can be read.\n"
		       "All rows are taken, or none.\n",
	    .options = add_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = import,
	},
	{ 0 },
};
