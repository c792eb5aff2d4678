#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "listctl/bounce_verbs.h"
#include "listctl/call.h"
#include "listctl/json_walk.h"
#include "listctl/out_file.h"
#include "listctl/progress.h"
#include "listctl/retained.h"
#include "listctl/sheet.h"
#include "store/exports.h"
#include "store/lists.h"
#include "store/segments.h"
#include "store/subscribers.h"

/* So much is looked at before the header of a CSV file is written. */
enum { AHEAD_ROWS = 1000, AHEAD_OCTETS = 4 << 20, WRITE_AT = 64 << 10, LINE_CEILING = AHEAD_OCTETS + (8 << 20) };

/* A row of members in pieces: what stands before the attributes, they themselves, and what stands behind them. */
struct pieces {
	struct view before, attributes, behind;
};

struct job {
	struct call *call;
	struct list list;
	struct db_rows *list_rows; /* owns list's views; NULL: all lists */
	struct view state;         /* empty: all */
	int64_t segment_id;        /* 0: none */
	int64_t since_us;          /* of bounces; 0: all */
	bool with_membership, with_consent, is_json, guard;
	enum export_kind kind; /* of plain rows */
	struct out_file out;
	struct buf line, before, behind;
	struct progress progress;
	uint64_t rows;
	/* members as CSV */
	struct sheet *sheet;
	struct buf held; /* pieces of the first rows, each behind its length */
	size_t held_rows;
	bool is_laid_out; /* the header is written */
	bool is_wider;    /* a row did not fit under it: all are read again */
};

/* ---- what is asked for ---- */

static const char *const states[] = { "active", "unconfirmed", "unsubscribed", "disabled", "removed" };

static enum err take_state(struct job *job)
{
	const char *state = call_option(job->call, "state");
	job->state = VIEW_LIT("active");
	if (state == NULL)
		return ERR_OK;
	job->with_membership = true;
	job->state = view_of(state);
	if (strcmp(state, "all") == 0) {
		job->state = VIEW_LIT("");
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(states[i], state) == 0)
			return ERR_OK;
	}
	return call_misused(job->call,
			    "--state takes active, unconfirmed, unsubscribed, disabled, removed or all, not %s", state);
}

static enum err take_format(struct job *job)
{
	enum output_format format = output_format_of(job->call->out);
	if (format == FORMAT_TABLE)
		return call_misused(job->call, "an export is CSV or JSON lines: --format takes csv or json");
	job->is_json = format == FORMAT_JSON;
	job->guard = !call_has(job->call, "raw");
	return ERR_OK;
}

/* ---- writing ---- */

static enum err flush(struct job *job)
{
	enum err err = buf_err(&job->line);
	if (err == ERR_OK)
		err = out_file_write(&job->out, buf_view(&job->line), job->call->why);
	buf_reset(&job->line);
	return err;
}

static enum err end_row(struct job *job)
{
	return job->line.len > WRITE_AT || buf_err(&job->line) != ERR_OK ? flush(job) : ERR_OK;
}

static void count_row(struct job *job)
{
	if (++job->rows % 256 == 0)
		progress_update(&job->progress, job->rows);
}

static void add_cell(struct job *job, struct view text, struct buf *line)
{
	if (text.len > 0)
		output_csv_cell(line, text, job->guard);
}

static void add_name(struct buf *line, const char *name)
{
	if (line->data[line->len - 1] != '{')
		buf_add(line, VIEW_LIT(", "));
	output_json_string(line, view_of(name));
	buf_add(line, VIEW_LIT(": "));
}

/* As it is elsewhere: an id is a number. */
static void add_number(struct buf *line, const char *name, struct view digits)
{
	add_name(line, name);
	buf_add(line, digits);
}

static void add_member(struct buf *line, const char *name, struct view text)
{
	add_name(line, name);
	if (text.data == NULL)
		buf_add(line, VIEW_LIT("null"));
	else
		output_json_string(line, text);
}

/* ---- members as CSV ---- */

static void hold(struct job *job, struct view piece)
{
	buf_add(&job->held, view_from(&piece.len, sizeof(piece.len)));
	buf_add(&job->held, piece);
}

static struct view take_held(struct view *held)
{
	size_t len;
	memcpy(&len, held->data, sizeof(len));
	struct view piece = view_head(view_skip(*held, sizeof(len)), len);
	*held = view_skip(*held, sizeof(len) + len);
	return piece;
}

static enum err write_header(struct job *job)
{
	sheet_arrange(job->sheet);
	buf_add(&job->line, VIEW_LIT("email,name"));
	sheet_header(job->sheet, job->guard, &job->line);
	if (job->with_consent)
		buf_add(&job->line, VIEW_LIT(",_consent_source,_consent_time"));
	buf_add(&job->line, job->with_membership ? VIEW_LIT(",_state,_reason,_since\r\n") : VIEW_LIT("\r\n"));
	job->is_laid_out = true;
	return end_row(job);
}

static enum err write_pieces(struct job *job, const struct pieces *row)
{
	size_t start = job->line.len;
	buf_add(&job->line, row->before);
	if (!sheet_row(job->sheet, row->attributes, job->guard, &job->line)) {
		buf_cut(&job->line, start);
		job->is_wider = true;
		return sheet_learn(job->sheet, row->attributes, job->call->why);
	}
	buf_add(&job->line, row->behind);
	buf_add(&job->line, VIEW_LIT("\r\n"));
	return end_row(job);
}

/* The header is known by the first rows: writes it, and them. */
static enum err lay_out(struct job *job)
{
	enum err err = buf_err(&job->held);
	if (err == ERR_OK)
		err = write_header(job);
	struct view held = buf_view(&job->held);
	while (err == ERR_OK && held.len > 0) {
		struct pieces row;
		row.before = take_held(&held);
		row.attributes = take_held(&held);
		row.behind = take_held(&held);
		err = write_pieces(job, &row);
	}
	buf_done(&job->held);
	return err;
}

static enum err look_ahead(struct job *job, const struct pieces *row)
{
	enum err err = sheet_learn(job->sheet, row->attributes, job->call->why);
	hold(job, row->before);
	hold(job, row->attributes);
	hold(job, row->behind);
	bool is_enough = ++job->held_rows == AHEAD_ROWS || job->held.len > AHEAD_OCTETS;
	return err == ERR_OK && is_enough ? lay_out(job) : err;
}

static enum err on_csv_member(void *context, const struct view *fields, size_t count, struct buf *why)
{
	struct job *job = context;
	(void)why;
	buf_reset(&job->before);
	buf_reset(&job->behind);
	add_cell(job, fields[MEMBER_ADDRESS], &job->before);
	buf_add_byte(&job->before, ',');
	add_cell(job, fields[MEMBER_NAME], &job->before);
	if (job->with_consent) {
		buf_add_byte(&job->behind, ',');
		add_cell(job, fields[MEMBER_CONSENT_SOURCE], &job->behind);
		buf_add_byte(&job->behind, ',');
		add_cell(job, fields[MEMBER_CONSENT_TIME], &job->behind);
	}
	if (count > MEMBER_FIELDS) {
		buf_add_byte(&job->behind, ',');
		add_cell(job, fields[MEMBER_STATE], &job->behind);
		buf_add_byte(&job->behind, ',');
		add_cell(job, fields[MEMBER_REASON], &job->behind);
		buf_add_byte(&job->behind, ',');
		output_time(&job->behind, db_field_time(fields[MEMBER_SINCE]));
	}
	const struct pieces row = { .before = buf_view(&job->before),
				    .attributes = db_field_jsonb(fields[MEMBER_ATTRIBUTES]),
				    .behind = buf_view(&job->behind) };
	count_row(job);
	if (job->is_wider)
		return sheet_learn(job->sheet, row.attributes, job->call->why);
	return job->is_laid_out ? write_pieces(job, &row) : look_ahead(job, &row);
}

static enum err read_members(struct job *job, db_row_handler *handler)
{
	job->rows = 0;
	if (job->segment_id != 0)
		return exports_segment(job->call->db, job->segment_id, job->list.id, handler, job, job->call->why);
	return exports_members(job->call->db, job->list.id, job->state, job->with_membership, handler, job,
			       job->call->why);
}

/* Once, and from the start again when a later row brought what the first ones had not: then all is known. */
static enum err write_csv_members(struct job *job)
{
	enum err err = read_members(job, on_csv_member);
	if (err == ERR_OK && !job->is_laid_out)
		err = lay_out(job);
	if (err != ERR_OK || !job->is_wider)
		return err;
	job->is_wider = false;
	buf_reset(&job->line);
	err = out_file_restart(&job->out, job->call->why);
	if (err == ERR_OK)
		err = write_header(job);
	return err == ERR_OK ? read_members(job, on_csv_member) : err;
}

/* ---- members as JSON lines ---- */

static enum err on_json_member(void *context, const struct view *fields, size_t count, struct buf *why)
{
	struct job *job = context;
	struct buf *line = &job->line;
	(void)why;
	buf_add_byte(line, '{');
	add_member(line, "email", fields[MEMBER_ADDRESS]);
	add_member(line, "name", fields[MEMBER_NAME]);
	buf_add(line, VIEW_LIT(", \"attributes\": "));
	buf_add(line, db_field_jsonb(fields[MEMBER_ATTRIBUTES]));
	if (fields[MEMBER_CONSENT_SOURCE].data != NULL)
		add_member(line, "_consent_source", fields[MEMBER_CONSENT_SOURCE]);
	if (fields[MEMBER_CONSENT_TIME].data != NULL)
		add_member(line, "_consent_time", fields[MEMBER_CONSENT_TIME]);
	if (count > MEMBER_FIELDS) {
		AUTO_BUF since = buf_with_ceiling(LIMIT_WHY);
		output_time(&since, db_field_time(fields[MEMBER_SINCE]));
		add_member(line, "_state", fields[MEMBER_STATE]);
		add_member(line, "_reason", fields[MEMBER_REASON]);
		add_member(line, "_since", buf_view(&since));
	}
	buf_add(line, VIEW_LIT("}\n"));
	count_row(job);
	return end_row(job);
}

static enum err export_members(struct job *job)
{
	uint64_t total = 0; /* of a segment: to count it would take as long as to write it */
	enum err err = job->segment_id != 0
			   ? ERR_OK
			   : members_count(job->call->db, job->list.id, job->state, &total, job->call->why);
	/* Columns only where something would stand in them. */
	if (err == ERR_OK && job->list.id != 0 && !job->is_json)
		err = exports_any_consent(job->call->db, job->list.id, job->state, &job->with_consent, job->call->why);
	if (err != ERR_OK)
		return err;
	job->progress = progress_begin("exporting", "members", total, job->call->quiet);
	if (job->is_json)
		return read_members(job, on_json_member);
	job->sheet = sheet_new();
	if (job->sheet == NULL)
		return ERR_MEMORY;
	return write_csv_members(job);
}

/* ---- bounces, suppressions ---- */

static enum err on_plain_row(void *context, const struct view *fields, size_t count, struct buf *why)
{
	struct job *job = context;
	size_t columns;
	const struct export_column *names = exports_columns(job->kind, &columns);
	(void)why;
	if (job->is_json)
		buf_add_byte(&job->line, '{');
	for (size_t i = 0; i < count && i < columns; i++) {
		if (job->is_json && names[i].is_number)
			add_number(&job->line, names[i].name, fields[i]);
		else if (job->is_json)
			add_member(&job->line, names[i].name, fields[i]);
		else if (i > 0)
			buf_add_byte(&job->line, ',');
		if (!job->is_json)
			add_cell(job, fields[i], &job->line);
	}
	buf_add(&job->line, job->is_json ? VIEW_LIT("}\n") : VIEW_LIT("\r\n"));
	count_row(job);
	return end_row(job);
}

static enum err export_rows(struct job *job)
{
	size_t columns;
	const struct export_column *names = exports_columns(job->kind, &columns);
	for (size_t i = 0; !job->is_json && i < columns; i++)
		buf_addf(&job->line, "%s%s", i > 0 ? "," : "", names[i].name);
	if (!job->is_json)
		buf_add(&job->line, VIEW_LIT("\r\n"));
	job->progress = progress_begin("exporting", "rows", 0, job->call->quiet);
	return exports_rows(job->call->db, job->kind, job->list.id, job->since_us, on_plain_row, job, job->call->why);
}

/* ---- the verb ---- */

static enum err find_segment(struct job *job)
{
	const char *name = call_option(job->call, "segment");
	AUTO_DB_ROWS *rows = NULL;
	enum err err = name == NULL ? ERR_OK : segments_list(job->call->db, view_of(name), &rows, job->call->why);
	if (err == ERR_OK && name != NULL)
		job->segment_id = segments_get(rows, 0).id;
	return err;
}

/* What is no list may be meant as what is to be written. */
static enum err hint_at_option(struct call *call, enum err err)
{
	static const char *const options[] = { "bounces", "suppressions" };
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(call->operands[0], options[i]) == 0)
			buf_addf(call->why, "; `listctl export --%s` writes all %s", options[i], options[i]);
	}
	return err;
}

static enum err find_list(struct job *job)
{
	struct call *call = job->call;
	bool is_plain = call_has(call, "bounces") || call_has(call, "suppressions");
	if (call_has(call, "bounces") && call_has(call, "suppressions"))
		return call_misused(call, "--bounces or --suppressions, not both");
	if (is_plain && call_has(call, "state"))
		return call_misused(call, "--state is about members; it does not go with --bounces or --suppressions");
	if (call_has(call, "since") && !call_has(call, "bounces"))
		return call_misused(call, "--since is about what came back; it goes with --bounces alone");
	if (call_has(call, "segment") && (is_plain || call_has(call, "state")))
		return call_misused(
		    call,
		    "--segment is about active members; it does not go with --state, --bounces and --suppressions");
	enum err err = find_segment(job);
	if (err == ERR_OK)
		err = bounce_since(call, &job->since_us);
	if (err != ERR_OK)
		return err;
	if (call->operand_count == 0)
		return is_plain || job->segment_id != 0
			   ? ERR_OK
			   : call_misused(call, "LIST is missing: the members of which list?");
	err = lists_find(call->db, view_of(call->operands[0]), &job->list_rows, &job->list, call->why);
	return err == ERR_NOT_FOUND ? hint_at_option(call, err) : err;
}

static enum err write_all(struct job *job)
{
	struct call *call = job->call;
	job->kind = call_has(call, "bounces") ? EXPORT_BOUNCES : EXPORT_SUPPRESSIONS;
	bool is_plain = call_has(call, "bounces") || call_has(call, "suppressions");
	enum err err = is_plain ? export_rows(job) : export_members(job);
	if (err == ERR_OK)
		err = flush(job);
	progress_end(&job->progress);
	if (err == ERR_OK && call_has(call, "bounces"))
		err = retained_note(call, 0);
	return err == ERR_OK ? out_file_commit(&job->out, call->why) : err;
}

static enum err run_job(struct job *job)
{
	struct call *call = job->call;
	enum err err = take_state(job);
	if (err == ERR_OK)
		err = take_format(job);
	if (err == ERR_OK)
		err = db_begin_snapshot(call->db, call->why);
	if (err == ERR_OK)
		err = find_list(job);
	if (err == ERR_OK)
		err = out_file_open(call_option(call, "output"), &job->out, call->why);
	if (err == ERR_OK)
		err = write_all(job);
	if (err == ERR_OK && job->out.path != NULL)
		call_note(call, "%s: %llu rows", job->out.path, (unsigned long long)job->rows);
	return err;
}

static enum err export(struct call *call) {
	struct job job = { .call = call,
			   .line = buf_with_ceiling(LINE_CEILING),
			   .before = buf_with_ceiling(LINE_CEILING),
			   .behind = buf_with_ceiling(LINE_CEILING),
			   .held = buf_with_ceiling(LINE_CEILING) };
	enum err err = run_job(&job);
	db_rollback(call->db);
	out_file_done(&job.out);
	sheet_free(job.sheet);
	db_rows_done(job.list_rows);
	buf_done(&job.line);
	buf_done(&job.before);
	buf_done(&job.behind);
	buf_done(&job.held);
	return err;
}

static const struct command_option options[] = {
	{ "state", "STATE", "members in this state, or all; adds _state, _reason and _since" },
	{ "segment", "NAME", "only who is in this segment: of LIST, or of everybody without LIST" },
	{ "output", "FILE", "write to FILE, which is there only when it is whole; - is standard output" },
	{ "raw", NULL, "leave text that a spreadsheet would run as a formula as it is; for other programs" },
	{ "bounces", NULL,
	  "everything that came back, of copies that went through LIST or of all, instead of members" },
	{ "since", "TIME", "with --bounces: only what came since, 7d ago or a day (UTC)" },
	{ "suppressions", NULL, "what is suppressed, for LIST or everywhere, instead of members" },
	{ NULL, NULL, NULL },
};

const struct command export_commands[] = {
	{
	    .verb = "export",
	    .operands = "[LIST]",
	    .surplus = "output",
	    .help = "write members, a segment, bounces or suppressions as CSV or JSON lines",
	    .details =
		"CSV unless --format json asks for JSON lines, one object each. Active members, their names\n"
		"and all attributes, and how and when they agreed to LIST where that is known\n"
		"(_consent_source, _consent_time): what is written, import reads back as it was. The column of an\n"
		"attribute that holds no texts says so: age:number, vip:boolean, tags:json. One whose name\n"
		"would mean something else to import is called attribute:NAME, such as attribute:status\n"
		"or attribute:City Name.\n"
		"\n"
		"In CSV, text that a spreadsheet would run as a formula, as it begins with = + - or @, gets\n"
		"an apostrophe in front, which import takes away again. --raw leaves all as it is: then import\n"
		"takes away an apostrophe that was in the text ('=1 becomes =1).\n",
	    .options = options,
	    .least = 0,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = export,
	    .writes_csv = true,
	},
	{ 0 },
};
