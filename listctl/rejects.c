#include "listctl/rejects.h"

#include <stdlib.h>

#include "base/limits.h"
#include "listctl/csv_guard.h"
#include "listctl/output.h"
#include "listctl/spool.h"

enum { FIRST_MOST = 500 };

struct rejects {
	struct spool *spool; /* NULL: they are counted only */
	char delimiter;
	bool has_mark;
	size_t columns;  /* of the input */
	uint64_t people; /* of whom no row is at hand */
	size_t skipped;  /* columns of the input that are those of another rejects file */
	struct buf line;
	struct buf first;
	uint64_t counts[REFUSAL_KIND_COUNT];
};

enum err rejects_new(const char *path, char delimiter, bool mark, struct rejects **ret_rejects, struct buf *why)
{
	struct rejects *rejects = calloc(1, sizeof(*rejects));
	if (rejects == NULL)
		return ERR_MEMORY;
	rejects->delimiter = delimiter;
	rejects->has_mark = mark;
	rejects->first = buf_with_ceiling(LIMIT_WHY);
	rejects->line = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	enum err err = path == NULL ? ERR_OK : spool_new(path, "rejects file", "rejects", &rejects->spool, why);
	if (err != ERR_OK) {
		rejects_free(rejects);
		return err;
	}
	*ret_rejects = rejects;
	return ERR_OK;
}

void rejects_free(struct rejects *rejects)
{
	if (rejects == NULL)
		return;
	spool_free(rejects->spool);
	buf_done(&rejects->line);
	buf_done(&rejects->first);
	free(rejects);
}

static enum err end_line(struct rejects *rejects, struct buf *why)
{
	buf_add(&rejects->line, VIEW_LIT("\r\n"));
	enum err err = buf_err(&rejects->line);
	if (err == ERR_OK && rejects->spool != NULL)
		err = spool_add(rejects->spool, buf_view(&rejects->line), why);
	buf_reset(&rejects->line);
	return err;
}

static enum err write_line(struct rejects *rejects, const struct csv_row *row, struct buf *why)
{
	for (size_t i = rejects->skipped; i < row->count; i++) {
		buf_add_byte(&rejects->line, rejects->delimiter);
		if (!row->fields[i].absent)
			output_csv_cell(&rejects->line, csv_guard_removed(row->fields[i].text), true);
	}
	return end_line(rejects, why);
}

enum err rejects_header(struct rejects *rejects, const struct csv_row *row, struct buf *why)
{
	bool is_rejects = row->count >= REJECTS_COLUMNS && view_eq(row->fields[0].text, VIEW_LIT("_line"));
	rejects->columns = row->count;
	rejects->skipped = is_rejects ? REJECTS_COLUMNS : 0;
	if (rejects->has_mark)
		buf_add(&rejects->line, VIEW_LIT("\xef\xbb\xbf"));
	buf_addf(&rejects->line, "_line%c_column%c_reason", rejects->delimiter, rejects->delimiter);
	return write_line(rejects, row, why);
}

static void begin_line(struct rejects *rejects, uint64_t line, enum refusal_kind kind, const char *column,
		       struct view text)
{
	rejects->counts[kind]++;
	if (rejects->first.len == 0 && !refusal_is_harmless(kind)) {
		buf_addf(&rejects->first, "line %llu", (unsigned long long)line);
		if (column[0] != '\0')
			buf_addf(&rejects->first, ", column %s", column);
		buf_addf(&rejects->first, ": " VIEW_FMT, VIEW_ARG(view_head(text, FIRST_MOST)));
	}
	buf_addf(&rejects->line, "%llu%c", (unsigned long long)line, rejects->delimiter);
	if (column[0] != '\0')
		output_csv_cell(&rejects->line, view_of(column), true);
	buf_add_byte(&rejects->line, rejects->delimiter);
	output_csv_cell(&rejects->line, text, true);
}

enum err rejects_add(struct rejects *rejects, const struct csv_row *row, const struct refusal *refusal, struct buf *why)
{
	begin_line(rejects, row->line, refusal->kind, refusal->column, refusal->text);
	return write_line(rejects, row, why);
}

enum err rejects_fault(struct rejects *rejects, const struct csv_fault *fault, struct buf *why)
{
	static const enum refusal_kind kinds[] = {
		[CSV_FAULT_QUOTE] = REFUSAL_QUOTE,       [CSV_FAULT_BIG] = REFUSAL_BIG,
		[CSV_FAULT_ENCODING] = REFUSAL_ENCODING, [CSV_FAULT_NUL] = REFUSAL_NUL,
		[CSV_FAULT_JSON] = REFUSAL_JSON,
	};
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&text, "%s", fault->text);
	if (fault->is_cut)
		buf_addf(&text,
			 "; only its beginning stands here, 64 KB at most: the whole is in line %llu of the file that "
			 "was read",
			 (unsigned long long)fault->line);
	begin_line(rejects, fault->line, kinds[fault->kind], "", buf_view(&text));
	buf_add_byte(&rejects->line, rejects->delimiter);
	output_csv_cell(&rejects->line, fault->raw, true);
	return end_line(rejects, why);
}

enum err rejects_add_person(struct rejects *rejects, size_t at, struct view address, struct view reason,
			    struct buf *why)
{
	struct csv_field fields[LIMIT_CSV_COLUMNS];
	for (size_t i = 0; i < rejects->columns; i++)
		fields[i] = (struct csv_field){ .absent = true };
	fields[at] = (struct csv_field){ .text = address };
	const struct csv_row row = { .fields = fields, .count = rejects->columns };
	rejects->people++;
	buf_add_byte(&rejects->line, rejects->delimiter);
	buf_add_byte(&rejects->line, rejects->delimiter);
	output_csv_cell(&rejects->line, reason, true);
	return write_line(rejects, &row, why);
}

static uint64_t total_of(const struct rejects *rejects, bool is_harmless)
{
	uint64_t total = 0;
	for (enum refusal_kind kind = 0; kind < REFUSAL_KIND_COUNT; kind++)
		total += refusal_is_harmless(kind) == is_harmless ? rejects->counts[kind] : 0;
	return total;
}

uint64_t rejects_refused(const struct rejects *rejects)
{
	return total_of(rejects, false);
}

uint64_t rejects_left_out(const struct rejects *rejects)
{
	return total_of(rejects, true);
}

const char *rejects_first(struct rejects *rejects)
{
	return buf_text(&rejects->first);
}

uint64_t rejects_of_kind(const struct rejects *rejects, enum refusal_kind kind)
{
	return rejects->counts[kind];
}

enum err rejects_clear(struct rejects *rejects, struct buf *why)
{
	return rejects->spool == NULL ? ERR_OK : spool_clear(rejects->spool, why);
}

bool rejects_has_file(const struct rejects *rejects)
{
	return rejects->spool != NULL;
}

bool rejects_has_any(const struct rejects *rejects)
{
	return rejects_refused(rejects) + rejects_left_out(rejects) + rejects->people > 0;
}

static bool is_wanted(const struct rejects *rejects)
{
	return rejects_has_file(rejects) && rejects_has_any(rejects);
}

enum err rejects_write(struct rejects *rejects, struct buf *why)
{
	return is_wanted(rejects) ? spool_write(rejects->spool, why) : ERR_OK;
}

enum err rejects_name(struct rejects *rejects, struct buf *why)
{
	return is_wanted(rejects) ? spool_name(rejects->spool, why) : ERR_OK;
}
