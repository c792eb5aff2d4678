#include "listctl/report.h"

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/waiting.h"

/* ---- reading ---- */

static enum err read_parts(struct call *call, const struct report_plan *plan, const struct report_scope *scope,
			   struct report_told *report)
{
	AUTO_DB_ROWS *now = NULL;
	enum err err = report_facts_read(call->db, FACT_SNAPSHOT, scope, &now, call->why);
	if (err == ERR_OK)
		report->head.snapshot_us = db_get_time(now, 0, 0);
	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		struct report_part *part = &report->parts[report->count];
		part->section = report_section_of(plan->facts[i]);
		err = report_facts_read(call->db, plan->facts[i], scope, &part->rows, call->why);
		report->count += err == ERR_OK;
	}
	return err;
}

static enum err count_copies(struct call *call, const struct report_scope *scope)
{
	struct waiting waiting;
	waiting_begin_counting(call, "counting", "people", &waiting);
	enum err err = report_copies_collect(call->db, scope, waiting_progress, &waiting, call->why);
	waiting_end(&waiting);
	return err;
}

enum err report_read(struct call *call, const struct report_plan *plan, const struct report_scope *scope,
		     struct report_told *report)
{
	struct waiting waiting;
	enum err err = report_copies_prepare(call->db, call->why);
	if (err == ERR_OK)
		err = db_begin_snapshot(call->db, call->why);
	if (err == ERR_OK)
		err = count_copies(call, scope);
	waiting_begin(call, "adding up", &waiting);
	if (err == ERR_OK)
		err = read_parts(call, plan, scope, report);
	waiting_end(&waiting);
	db_rollback(call->db); /* nothing was changed that stays */
	return err;
}

void report_told_done(struct report_told *report)
{
	for (size_t i = 0; i < report->count; i++)
		db_rows_done(report->parts[i].rows);
}

/* ---- writing ---- */

static const struct output_column head_columns[] = {
	{ "report", OUTPUT_TEXT, false },
	{ "about", OUTPUT_TEXT, false },
	{ "since", OUTPUT_TIME, false },
	{ "snapshot_at", OUTPUT_TIME, false },
	{ "bounce_window_days", OUTPUT_REAL, false },
};

struct output_cell report_cell(const struct report_part *part, size_t row, size_t column)
{
	const struct db_rows *rows = part->rows;
	if (db_is_null(rows, row, column))
		return cell_null();
	switch (part->section->columns[column].type) {
	case OUTPUT_INT:
		return cell_int(db_get_int(rows, row, column));
	case OUTPUT_REAL:
		return cell_real(db_get_double(rows, row, column));
	case OUTPUT_BOOL:
		return cell_bool(db_get_bool(rows, row, column));
	case OUTPUT_TIME:
		return cell_time(db_get_time(rows, row, column));
	case OUTPUT_TEXT:
	case OUTPUT_JSON:
	case OUTPUT_TYPE_COUNT:
		break;
	}
	return cell_text(db_get_text(rows, row, column));
}

size_t report_rows_shown(const struct report_part *part)
{
	size_t count = db_row_count(part->rows), most = part->section->most;
	return most == 0 || count < most ? count : most;
}

enum { MOST_COLUMNS = 32 };

static void read_row(const struct report_part *part, size_t row, struct output_cell *cells)
{
	for (size_t i = 0; i < part->section->count; i++)
		cells[i] = report_cell(part, row, i);
}

static enum err write_one(const struct report_part *part, struct output *out, struct buf *why)
{
	struct output_cell cells[MOST_COLUMNS];
	read_row(part, 0, cells);
	return output_object(out, part->section->columns, part->section->count, cells, why);
}

enum err report_write_rows(const struct report_part *part, size_t count, struct output *out, struct buf *why)
{
	struct output_cell cells[MOST_COLUMNS];
	output_begin(out, part->section->columns, part->section->count);
	for (size_t i = 0; i < count; i++) {
		read_row(part, i, cells);
		output_row(out, cells);
	}
	return output_end(out, why);
}

static enum err write_part(const struct report_part *part, struct output *out, struct buf *why)
{
	const struct report_section *section = part->section;
	size_t all = db_row_count(part->rows);
	size_t count = output_format_of(out) == FORMAT_TABLE ? report_rows_shown(part) : all;
	AUTO_BUF title = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&title, "%s\n%s", section->title, section->about);
	if (count < all)
		buf_addf(&title, " The first %zu of %zu; --format csv and json have all.", count, all);
	output_section(out, section->name, buf_text(&title));
	return section->is_one && all == 1 ? write_one(part, out, why) : report_write_rows(part, count, out, why);
}

enum err report_write(const struct report_told *report, struct output *out, struct buf *why)
{
	const struct report_head *head = &report->head;
	const struct output_cell cells[] = { cell_text(view_of(head->title)), cell_text_or_null(head->about),
					     cell_time_or_null(head->since_us), cell_time(head->snapshot_us),
					     cell_real((double)head->window_us / (double)CLOCK_US_PER_DAY) };
	output_document_begin(out);
	output_section(out, "report", head->title);
	enum err err = output_object(out, head_columns, ARRAY_LEN(head_columns), cells, why);
	for (size_t i = 0; err == ERR_OK && i < report->count; i++)
		err = write_part(&report->parts[i], out, why);
	return err == ERR_OK ? output_document_end(out, why) : err;
}
