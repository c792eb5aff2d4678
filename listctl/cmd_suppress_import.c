#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/columns.h"
#include "listctl/csv_guard.h"
#include "listctl/erased.h"
#include "listctl/field_date.h"
#include "listctl/people_file.h"
#include "listctl/suppress_terms.h"
#include "store/lists.h"

enum { BATCH_SIZE = 500, HASH_TEXT = 2 * ERASURE_SIZE, ERASE_START = 6 /* erase: */, KIND_SHOWN = 60 };

/* What a column of the file may be. */
enum column { VALUE, KIND, LIST, REASON, SOURCE, EXPIRES, COLUMN_COUNT };

static const struct {
	const char *name;
	enum column column;
} column_names[] = {
	{ "value", VALUE },        { "domain", VALUE },    { "kind", KIND },
	{ "list", LIST },          { "reason", REASON },   { "source", SOURCE },
	{ "expires_at", EXPIRES }, { "expires", EXPIRES }, { "until", EXPIRES },
};

/* Of JSON lines, as `export --suppressions` writes them. */
static const struct json_lines_kind objects = {
	{
	    { "value", "value", false },
	    { "email", "value", false },
	    { "address", "value", false },
	    { "domain", "value", false },
	    { "kind", "kind", false },
	    { "list", "list", false },
	    { "reason", "reason", false },
	    { "source", "source", false },
	    { "expires_at", "expires_at", false },
	},
	NULL,
};

struct batch_row {
	struct suppression row;
	struct buf value, reason, source, hash;
};

struct job {
	struct call *call;
	struct people_file *file;
	struct suppress_terms terms;
	struct buf from;         /* the reason of what has none */
	size_t columns;          /* of the header */
	size_t at[COLUMN_COUNT]; /* `columns`: the file has none */
	struct buf list_name;    /* of the last row that named a list */
	int64_t list_id;
	struct batch_row batch[BATCH_SIZE];
	size_t waiting;
	struct erased
	    *erased; /* NULL: nobody was erased, or nobody can tell; opened by the first row of somebody erased too */
	int64_t now_us;
	bool is_dry;
	uint64_t rows, added, ended; /* ended: the row's time is over */
	uint64_t erased_earlier;     /* not stored */
};

static enum err send_batch(struct job *job, struct buf *why)
{
	struct suppression rows[BATCH_SIZE];
	struct suppressions_added added = { 0 };
	for (size_t i = 0; i < job->waiting; i++) {
		const struct batch_row *waiting = &job->batch[i];
		rows[i] = waiting->row;
		rows[i].value = buf_view(&waiting->value);
		rows[i].hash = buf_view(&waiting->hash);
		rows[i].reason = waiting->reason.len > 0 ? buf_view(&waiting->reason) : job->terms.reason;
		rows[i].source = waiting->source.len > 0 ? buf_view(&waiting->source) : VIEW_LIT("import");
	}
	enum err err = job->waiting == 0 ? ERR_OK : suppressions_add(job->call->db, rows, job->waiting, &added, why);
	job->waiting = 0;
	job->added += added.added;
	job->erased_earlier += added.erased;
	return err;
}

static void name_column(struct job *job, struct view name, size_t at)
{
	if (columns_is_address_name(name))
		job->at[VALUE] = at;
	for (size_t i = 0; i < ARRAY_LEN(column_names); i++) {
		if (view_eq_nocase(name, view_of(column_names[i].name)))
			job->at[column_names[i].column] = at;
	}
}

static enum err on_header(void *context, const struct csv_row *row, struct buf *why)
{
	struct job *job = context;
	job->columns = row->count;
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		job->at[i] = row->count;
	for (size_t i = row->count; i-- > 0;)
		name_column(job, view_trim(row->fields[i].text), i);
	if (job->at[VALUE] < row->count)
		return ERR_OK;
	const char *delimiter = people_file_finding(job->file).delimiter;
	buf_addf(why,
		 "%s, line %llu: no column is called email, address, domain or value (parted by %s); add a header "
		 "row, such as email,reason",
		 people_file_name(job->file), (unsigned long long)row->line, delimiter);
	return ERR_INVALID;
}

static enum err refuse_row(const struct job *job, const struct csv_row *row, const char *what, struct buf *why)
{
	buf_addf(why, "%s, line %llu: %s; nothing was imported", people_file_name(job->file),
		 (unsigned long long)row->line, what);
	return ERR_INVALID;
}

/* Trimmed, without the apostrophe before a formula; empty where the file has no such column. */
static struct view cell(const struct job *job, const struct csv_row *row, enum column column)
{
	size_t at = job->at[column];
	return at < job->columns ? view_trim(csv_guard_removed(row->fields[at].text)) : VIEW_LIT("");
}

static bool is_hash(struct view value)
{
	size_t digits = 0;
	while (digits < value.len && memchr("0123456789abcdef", value.data[digits], 16) != NULL)
		digits++;
	return value.len == HASH_TEXT && digits == value.len;
}

/* Hashes of another key name nobody here, and nobody could tell any more who was erased: such a row is refused. */
static enum err check_key(struct job *job, const struct csv_row *row, struct view source, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = job->erased == NULL ? erased_open_first(job->call, &job->erased) : ERR_OK;
	if (err == ERR_NOT_FOUND || err == ERR_REFUSED) {
		buf_add(&cause, buf_view(job->call->why));
		buf_reset(job->call->why);
		return refuse_row(job, row, buf_text(&cause), why);
	}
	if (err != ERR_OK || view_eq(source, erased_source(job->erased)))
		return err;
	buf_addf(&cause,
		 "this was erased by the key " VIEW_FMT ", and the key file here has " VIEW_FMT
		 "; use the `erasure` line of the other key file, before anybody is erased here, or leave the row out",
		 VIEW_ARG(view_skip(source, ERASE_START)),
		 VIEW_ARG(view_skip(erased_source(job->erased), ERASE_START)));
	return refuse_row(job, row, buf_text(&cause), why);
}

/* A domain keeps more mail back than an address: who meant which, is for him to say. */
static enum err check_kind(const struct job *job, const struct csv_row *row, enum suppression_kind kind,
			   struct buf *why)
{
	struct view said = cell(job, row, KIND);
	const char *name = suppression_kind_name(kind);
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	if (said.len == 0 || view_eq_nocase(said, view_of(name)))
		return ERR_OK;
	buf_addf(&cause, "its kind is " VIEW_FMT ", but its value is that of the kind %s; correct one of them",
		 VIEW_ARG(encoding_head(said, KIND_SHOWN)), name);
	return refuse_row(job, row, buf_text(&cause), why);
}

static enum err read_value(struct job *job, const struct csv_row *row, struct batch_row *next, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	struct view value = cell(job, row, VALUE), source = cell(job, row, SOURCE);
	if (!view_eq(cell(job, row, KIND), view_of(suppression_kind_name(SUPPRESSED_ERASED)))) {
		if (suppress_value(value, &next->value, &next->row.kind, &cause) == ERR_OK)
			return check_kind(job, row, next->row.kind, why);
		return refuse_row(job, row, buf_text(&cause), why);
	}
	next->row.kind = SUPPRESSED_ERASED;
	if (!is_hash(value) || !view_starts(source, VIEW_LIT("erase:")))
		return refuse_row(job, row,
				  "this is not what an erasure leaves, 64 hexadecimal digits and the source erase:...",
				  why);
	enum err err = check_key(job, row, source, why);
	return err == ERR_OK ? buf_add(&next->value, value) : err;
}

static enum err read_text(struct job *job, const struct csv_row *row, enum column column, struct buf *text,
			  struct buf *why)
{
	struct view value = cell(job, row, column);
	if (view_has_control(value) || buf_add(text, value) != ERR_OK)
		return refuse_row(job, row, "reason or source has control characters or more than 200 octets", why);
	return ERR_OK;
}

/* --list wins over what the file says. */
static enum err read_list(struct job *job, const struct csv_row *row, struct batch_row *next, struct buf *why)
{
	struct view name = cell(job, row, LIST);
	AUTO_DB_ROWS *rows = NULL;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	struct list list;
	next->row.list_id = job->terms.list_id;
	if (next->row.list_id != 0 || name.len == 0 || next->row.kind == SUPPRESSED_ERASED)
		return ERR_OK;
	if (!view_eq(name, buf_view(&job->list_name))) {
		enum err err = lists_find(job->call->db, name, &rows, &list, &cause);
		if (err != ERR_OK)
			return err == ERR_NOT_FOUND ? refuse_row(job, row, buf_text(&cause), why) : err;
		buf_reset(&job->list_name);
		buf_add(&job->list_name, name);
		job->list_id = list.id;
	}
	next->row.list_id = job->list_id;
	return ERR_OK;
}

static enum err read_end(struct job *job, const struct csv_row *row, struct batch_row *next, struct buf *why)
{
	struct view text = cell(job, row, EXPIRES);
	struct field_date date;
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	next->row.expires_us = next->row.kind == SUPPRESSED_ERASED ? 0 : job->terms.expires_us;
	if (text.len == 0)
		return ERR_OK;
	if (next->row.kind == SUPPRESSED_ERASED)
		return refuse_row(job, row, "an erasure has no end", why);
	if (!field_date_read(text, DATE_ORDER_UNSAYABLE, &date, &cause))
		return refuse_row(job, row, buf_text(&cause), why);
	next->row.expires_us = field_date_us(&date);
	if (next->row.expires_us == 0)
		next->row.expires_us = 1; /* 0 would be for good */
	return ERR_OK;
}

static enum err on_row(void *context, const struct csv_row *row, struct buf *why)
{
	struct job *job = context;
	if (row->count != job->columns)
		return refuse_row(job, row, "the row has not as many fields as the header", why);
	struct batch_row *next = &job->batch[job->waiting];
	buf_reset(&next->value);
	buf_reset(&next->reason);
	buf_reset(&next->source);
	buf_reset(&next->hash);
	next->row = (struct suppression){ 0 };
	enum err err = read_value(job, row, next, why);
	next->row.value = buf_view(&next->value);
	if (err == ERR_OK)
		err = suppress_hash(job->erased, &next->row, &next->hash);
	if (err == ERR_OK)
		err = read_text(job, row, REASON, &next->reason, why);
	if (err == ERR_OK)
		err = read_text(job, row, SOURCE, &next->source, why);
	if (err == ERR_OK)
		err = read_list(job, row, next, why);
	if (err == ERR_OK)
		err = read_end(job, row, next, why);
	if (err != ERR_OK)
		return err;
	people_file_count(job->file, ++job->rows);
	if (next->row.expires_us != 0 && next->row.expires_us <= job->now_us)
		job->ended++;
	return ++job->waiting == BATCH_SIZE ? send_batch(job, why) : ERR_OK;
}

static enum err on_fault(void *context, const struct csv_fault *fault, struct buf *why)
{
	return refuse_row(context, &(struct csv_row){ .line = fault->line }, fault->text, why);
}

static enum err read_all(struct job *job)
{
	const struct people_handlers handlers = {
		.header = on_header,
		.row = on_row,
		.fault = on_fault,
		.context = job,
	};
	enum err err = people_file_read(job->file, &handlers, job->call->why);
	return err == ERR_OK ? send_batch(job, job->call->why) : err;
}

static enum err write_audit(const struct job *job)
{
	AUTO_BUF detail = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	suppress_detail(&detail, job->terms.list_id, job->terms.reason);
	buf_addf(&detail, ", \"rows\": %llu, \"added\": %llu, \"erased_earlier\": %llu, \"ended\": %llu}",
		 (unsigned long long)job->rows, (unsigned long long)job->added, (unsigned long long)job->erased_earlier,
		 (unsigned long long)job->ended);
	return suppress_audit(job->call, "suppress.import", view_of(people_file_name(job->file)), &detail);
}

/* A dry run does all the same, and takes it back. */
static enum err take_all(struct job *job)
{
	enum err err = read_all(job);
	if (err == ERR_OK)
		err = write_audit(job);
	if (err != ERR_OK || !job->is_dry)
		return suppress_finish(job->call, err);
	db_rollback(job->call->db);
	return ERR_OK;
}

static enum err report(const struct job *job)
{
	static const struct output_column columns[] = {
		{ .name = "file" },
		{ .name = "rows", .type = OUTPUT_INT },
		{ .name = "added", .type = OUTPUT_INT },
		{ .name = "there_already", .type = OUTPUT_INT },
		{ .name = "erased_earlier", .type = OUTPUT_INT },
		{ .name = "ended_already", .type = OUTPUT_INT },
		{ .name = "dry_run", .type = OUTPUT_BOOL },
	};
	struct call *call = job->call;
	AUTO_BUF found = buf_with_ceiling(LIMIT_WHY);
	people_file_describe(job->file, &found);
	call_note(call, "%s: %s", people_file_name(job->file), buf_text(&found));
	if (job->ended > 0)
		call_warn(call,
			  "the end of %llu of them has passed: they keep nothing back; `suppress ls --ended` shows "
			  "such, `suppress tidy` removes them",
			  (unsigned long long)job->ended);
	if (job->erased_earlier > 0)
		call_note(call,
			  "erased earlier: %llu, left as they are: what stays of an erasure keeps them out, and their "
			  "addresses are not stored again",
			  (unsigned long long)job->erased_earlier);
	if (job->is_dry)
		call_note(call, "a dry run: nothing was changed");
	return output_object(call->out, columns, ARRAY_LEN(columns),
			     (struct output_cell[]){ cell_text(view_of(people_file_name(job->file))),
						     cell_int((int64_t)job->rows), cell_int((int64_t)job->added),
						     cell_int((int64_t)(job->rows - job->added - job->erased_earlier)),
						     cell_int((int64_t)job->erased_earlier),
						     cell_int((int64_t)job->ended), cell_bool(job->is_dry) },
			     call->why);
}

static void make_room(struct job *job)
{
	job->list_name = buf_with_ceiling(LIMIT_CSV_FIELD);
	job->from = buf_with_ceiling(SUPPRESS_REASON_SIZE);
	for (size_t i = 0; i < BATCH_SIZE; i++) {
		job->batch[i].value = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
		job->batch[i].reason = buf_with_ceiling(SUPPRESS_REASON_SIZE);
		job->batch[i].source = buf_with_ceiling(SUPPRESS_REASON_SIZE);
		job->batch[i].hash = buf_with_ceiling(HASH_TEXT);
	}
}

static void job_done(struct job *job)
{
	for (size_t i = 0; i < BATCH_SIZE; i++) {
		buf_done(&job->batch[i].value);
		buf_done(&job->batch[i].reason);
		buf_done(&job->batch[i].source);
		buf_done(&job->batch[i].hash);
	}
	buf_done(&job->list_name);
	buf_done(&job->from);
	erased_close(job->erased);
	people_file_free(job->file);
}

/* Who reads it later wants to know whence it came. */
static void name_reason(struct job *job)
{
	static const char from[] = "from ";
	struct view name = view_of(people_file_name(job->file));
	size_t slash = view_find_last_byte(name, '/');
	if (call_option(job->call, "reason") != NULL)
		return;
	if (slash != VIEW_NONE)
		name = view_skip(name, slash + 1);
	if (!view_is_utf8(name) || view_has_control(name))
		name = VIEW_LIT("a file");
	buf_addf(&job->from, "%s" VIEW_FMT, from, VIEW_ARG(encoding_head(name, SUPPRESS_REASON_SIZE - sizeof(from))));
	job->terms.reason = buf_view(&job->from);
}

static enum err run_job(struct job *job)
{
	/* Not guessed: an octet too much would be another address. */
	static const struct people_file_wishes wishes = { .encoding = ENCODING_UTF_8,
							  .header = HEADER_YES,
							  .objects = &objects };
	struct call *call = job->call;
	enum err err = suppress_terms_read(call, &job->terms);
	if (err == ERR_OK)
		err = people_file_open(call->operands[0], &wishes, call->quiet, &job->file, call->why);
	if (err != ERR_OK)
		return err;
	make_room(job);
	name_reason(job);
	err = suppress_open_erased(call, &job->erased);
	if (err == ERR_OK)
		err = db_begin(call->db, call->why);
	if (err == ERR_OK)
		err = take_all(job);
	if (err == ERR_OK)
		err = report(job);
	job_done(job);
	return err;
}

static enum err import(struct call *call)
{
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return ERR_MEMORY;
	*job = (struct job){ .call = call, .now_us = clock_wall_us(), .is_dry = call_has(call, "dry-run") };
	enum err err = run_job(job);
	free(job);
	return err;
}

static const struct command_option options[] = {
	SUPPRESS_TERM_OPTIONS,
	{ "dry-run", NULL, "read the file and say what would be added, without adding it" },
	{ NULL, NULL, NULL },
};

const struct command suppress_import_commands[] = {
	{
	    .noun = "suppress",
	    .verb = "import",
	    .operands = "FILE|-",
	    .help = "suppress the addresses and domains of a file",
	    .details =
		"CSV parted by commas, semicolons, tabs or bars, or JSON, an object a line or an\n"
		"array of them; packed by gzip or not.\n"
		"The header has a column email, address, domain or value, and perhaps kind, list, reason,\n"
		"source and expires_at; others are left out, so that what `suppress ls --format csv|json` writes can\n"
		"be read, what `export --suppressions` does, and providers of mail do. --list, and\n"
		"where the file says nothing --reason, --until and --for, hold for all rows; the reason is else\n"
		"the file's name. A kind that is not that of the value is refused. All rows are taken, or none. One "
		"whose end has passed is taken as ended: it keeps nothing back. Erasures come\n"
		"back with their hash, which this installation's erasure key must have made: a row of another\n"
		"key is refused. Of somebody who was erased nothing is stored, and it is told how many those are.\n",
	    .options = options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = import,
	},
	{ 0 },
};
