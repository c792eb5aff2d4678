#include "base/clock.h"
#include "base/limits.h"
#include "listctl/page.h"
#include "listctl/report.h"

/* A table of more rows scrolls by itself: what is behind it is not pushed away. */
enum { PAGE_CEILING = 64 << 20, WRITE_AT = 64 << 10, TALL_ROWS = 16 };

struct page {
	struct buf text;
	FILE *file;
	bool failed;
};

static void hand_on(struct page *page, bool at_once)
{
	struct view text = buf_view(&page->text);
	if (text.len < WRITE_AT && !at_once)
		return;
	if (buf_err(&page->text) != ERR_OK || fwrite(text.data, 1, text.len, page->file) != text.len)
		page->failed = true;
	buf_reset(&page->text);
}

/* ---- cells ---- */

/* "2026-11-28 04:00"; a midnight is a day, and seconds are told where there are some. */
static struct view moment_of(int64_t wall_us, struct buf *text)
{
	output_time(text, wall_us);
	size_t length = 19;
	if (wall_us % CLOCK_US_PER_DAY == 0)
		length = 10;
	else if (wall_us / CLOCK_US_PER_SECOND % 60 == 0)
		length = 16;
	for (size_t i = 0; i < text->len; i++)
		text->data[i] = text->data[i] == 'T' ? ' ' : text->data[i];
	return view_head(buf_view(text), length);
}

static void add_moment(struct buf *out, int64_t wall_us)
{
	AUTO_BUF machine = buf_with_ceiling(64), people = buf_with_ceiling(64);
	struct view moment = moment_of(wall_us, &people);
	output_time(&machine, wall_us);
	buf_addf(out, "<time datetime=\"" VIEW_FMT "\">" VIEW_FMT "</time>", VIEW_ARG(buf_view(&machine)),
		 VIEW_ARG(moment));
}

static void add_cell(struct buf *out, const struct output_column *column, const struct output_cell *cell)
{
	if (cell->null) {
		buf_add(out, VIEW_LIT("\xe2\x80\x93"));
		return;
	}
	switch (column->type) {
	case OUTPUT_INT:
		buf_addf(out, "<data value=\"%lld\">", (long long)cell->number);
		page_add_number(out, cell->number);
		buf_add(out, VIEW_LIT("</data>"));
		return;
	case OUTPUT_REAL:
		buf_addf(out, "<data value=\"%.6g\">%.2f</data>", cell->real, cell->real);
		return;
	case OUTPUT_BOOL:
		buf_add(out, cell->number != 0 ? VIEW_LIT("yes") : VIEW_LIT("no"));
		return;
	case OUTPUT_TIME:
		add_moment(out, cell->number);
		return;
	case OUTPUT_TEXT:
	case OUTPUT_JSON:
	case OUTPUT_TYPE_COUNT:
		break;
	}
	buf_add(out, VIEW_LIT("<bdi>"));
	page_add_text(out, cell->text);
	buf_add(out, VIEW_LIT("</bdi>"));
}

static const char *cell_class(const struct output_column *column)
{
	if (column->type == OUTPUT_INT || column->type == OUTPUT_REAL)
		return "number";
	if (column->wraps)
		return "text";
	return column->type == OUTPUT_TIME ? "moment" : "word";
}

/* ---- tables ---- */

static void add_heads(struct page *page, const struct report_section *section)
{
	buf_add(&page->text, VIEW_LIT("<thead><tr>"));
	for (size_t i = 0; i < section->count; i++) {
		buf_addf(&page->text, "<th scope=\"col\" class=\"%s\">", cell_class(&section->columns[i]));
		page_add_name(&page->text, section->columns[i].name);
		buf_add(&page->text, VIEW_LIT("</th>"));
	}
	buf_add(&page->text, VIEW_LIT("</tr></thead>\n"));
}

static void add_row(struct page *page, const struct report_part *part, size_t row)
{
	buf_add(&page->text, VIEW_LIT("<tr>"));
	for (size_t i = 0; i < part->section->count; i++) {
		const struct output_column *column = &part->section->columns[i];
		struct output_cell cell = report_cell(part, row, i);
		buf_addf(&page->text, i == 0 ? "<th scope=\"row\" class=\"%s\">" : "<td class=\"%s\">",
			 cell_class(column));
		add_cell(&page->text, column, &cell);
		buf_add(&page->text, i == 0 ? VIEW_LIT("</th>") : VIEW_LIT("</td>"));
	}
	buf_add(&page->text, VIEW_LIT("</tr>\n"));
	hand_on(page, false);
}

static void add_table(struct page *page, const struct report_part *part)
{
	const struct report_section *section = part->section;
	size_t all = db_row_count(part->rows), shown = report_rows_shown(part);
	buf_addf(&page->text,
		 "<div class=\"scroll%s\" role=\"region\" tabindex=\"0\" "
		 "aria-labelledby=\"%s-h\"><table><caption>%s</caption>\n",
		 shown > TALL_ROWS ? " tall" : "", section->name, section->title);
	add_heads(page, section);
	buf_add(&page->text, VIEW_LIT("<tbody>\n"));
	for (size_t i = 0; i < shown; i++)
		add_row(page, part, i);
	buf_add(&page->text, VIEW_LIT("</tbody></table></div>\n"));
	if (shown < all) {
		buf_add(&page->text, VIEW_LIT("<p class=\"more\">The first "));
		page_add_number(&page->text, (int64_t)shown);
		buf_add(&page->text, VIEW_LIT(" of "));
		page_add_number(&page->text, (int64_t)all);
		buf_add(&page->text, VIEW_LIT("; --format csv and json have all.</p>\n"));
	}
}

static bool is_number(const struct output_column *column)
{
	return column->type == OUTPUT_INT || column->type == OUTPUT_REAL;
}

/* Its words, line by line, or its numbers, as tiles. */
static void add_pairs(struct page *page, const struct report_part *part, bool numbers)
{
	buf_addf(&page->text, "<dl class=\"%s\">\n", numbers ? "tiles" : "facts");
	for (size_t i = 0; i < part->section->count; i++) {
		const struct output_column *column = &part->section->columns[i];
		struct output_cell cell = report_cell(part, 0, i);
		if (is_number(column) != numbers)
			continue;
		buf_add(&page->text, VIEW_LIT("<div><dt>"));
		page_add_name(&page->text, column->name);
		buf_add(&page->text, VIEW_LIT("</dt><dd>"));
		add_cell(&page->text, column, &cell);
		buf_add(&page->text, VIEW_LIT("</dd></div>\n"));
	}
	buf_add(&page->text, VIEW_LIT("</dl>\n"));
}

static void add_one(struct page *page, const struct report_part *part)
{
	bool any_words = false;
	for (size_t i = 0; i < part->section->count; i++)
		any_words = any_words || !is_number(&part->section->columns[i]);
	if (any_words)
		add_pairs(page, part, false);
	add_pairs(page, part, true);
}

/* ---- charts ---- */

/* A row's label as text, appended to labels, which may move while it grows. */
static void add_label(struct buf *labels, const struct report_part *part, size_t row)
{
	size_t column = part->section->chart.label;
	struct output_cell cell = report_cell(part, row, column);
	if (cell.null) {
		buf_add(labels, VIEW_LIT("unknown"));
		return;
	}
	if (part->section->columns[column].type != OUTPUT_TIME) {
		buf_add(labels, cell.text);
		return;
	}
	AUTO_BUF text = buf_with_ceiling(64);
	buf_add(labels, moment_of(cell.number, &text));
}

static double number_of(const struct report_part *part, size_t row, size_t column)
{
	struct output_cell cell = report_cell(part, row, column);
	double number = part->section->columns[column].type == OUTPUT_REAL ? cell.real : (double)cell.number;
	return cell.null || number < 0 ? 0 : number;
}

/* Of few copies a rate says little, and would stand above all others. */
static double least_weight(const struct report_part *part)
{
	size_t weight = part->section->chart.weight;
	double most = 0;
	for (size_t i = 0; weight > 0 && i < db_row_count(part->rows); i++)
		most = number_of(part, i, weight - 1) > most ? number_of(part, i, weight - 1) : most;
	return most / 1000;
}

enum { CHART_ROWS_MOST = 400 };

/* Returns how many rows are drawn. */
static size_t fill_rows(const struct report_part *part, struct chart_row *rows, struct buf *labels)
{
	const struct chart_plan *plan = &part->section->chart;
	double least = least_weight(part);
	size_t count = 0, at = 0;
	for (size_t i = 0; i < report_rows_shown(part) && count < CHART_ROWS_MOST; i++) {
		size_t before = labels->len;
		if (plan->weight > 0 && number_of(part, i, plan->weight - 1) < least)
			continue;
		add_label(labels, part, i);
		rows[count].label.len = labels->len - before;
		for (size_t k = 0; k < plan->count; k++)
			rows[count].values[k] = number_of(part, i, plan->first + k);
		count++;
	}
	for (size_t i = 0; i < count; at += rows[i].label.len, i++)
		rows[i].label.data = labels->data == NULL ? "" : labels->data + at;
	return count;
}

static void add_chart(struct page *page, const struct report_part *part)
{
	struct chart_row rows[CHART_ROWS_MOST];
	const char *series[CHART_SERIES_MOST];
	const struct report_section *section = part->section;
	AUTO_BUF labels = buf_with_ceiling(LIMIT_OUTPUT_LINE);
	if (section->chart.kind == CHART_NONE)
		return;
	for (size_t i = 0; i < section->chart.count; i++)
		series[i] = section->columns[section->chart.first + i].name;
	const struct chart chart = { .id = section->name,
				     .title = section->title,
				     .kind = section->chart.kind,
				     .is_share = section->chart.is_share,
				     .series = series,
				     .series_count = section->chart.count,
				     .up = section->chart.up,
				     .rows = rows,
				     .count = fill_rows(part, rows, &labels) };
	chart_add(&chart, &page->text);
}

/* ---- the whole ---- */

static void add_part(struct page *page, const struct report_part *part)
{
	const struct report_section *section = part->section;
	buf_addf(&page->text,
		 "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n<p class=\"about\">%s</p>\n",
		 section->name, section->name, section->name, section->title, section->about);
	if (db_row_count(part->rows) == 0) {
		buf_add(&page->text, VIEW_LIT("<p class=\"none\">Nothing.</p>\n"));
	} else if (section->is_one) {
		add_one(page, part);
	} else {
		add_chart(page, part);
		add_table(page, part);
	}
	buf_add(&page->text, VIEW_LIT("</section>\n"));
	hand_on(page, false);
}

static void add_head(struct page *page, const struct report_told *report)
{
	const struct report_head *head = &report->head;
	struct buf *out = &page->text;
	buf_addf(out, "<header>\n<p class=\"kind\">%s</p>\n<h1>", head->title);
	page_add_text(out, head->about.len > 0 ? head->about : VIEW_LIT("All campaigns"));
	buf_add(out, VIEW_LIT("</h1>\n<p class=\"when\">As of "));
	add_moment(out, head->snapshot_us);
	buf_add(out, VIEW_LIT(" UTC"));
	if (head->since_us != 0) {
		buf_add(out, VIEW_LIT(", campaigns that started since "));
		add_moment(out, head->since_us);
	}
	buf_addf(out,
		 ". An accepted copy has arrived when %.6g days have passed without a bounce.</p>\n<nav "
		 "aria-label=\"Sections\"><ul>\n",
		 (double)head->window_us / (double)CLOCK_US_PER_DAY);
	for (size_t i = 0; i < report->count; i++)
		buf_addf(out, "<li><a href=\"#%s\">%s</a></li>\n", report->parts[i].section->name,
			 report->parts[i].section->title);
	buf_add(out, VIEW_LIT("</ul></nav>\n</header>\n"));
}

enum err report_write_page(const struct report_told *report, FILE *file, struct buf *why)
{
	struct page page = { .text = buf_with_ceiling(PAGE_CEILING), .file = file };
	AUTO_BUF title = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&title, "%s " VIEW_FMT, report->head.title, VIEW_ARG(report->head.about));
	page_begin(&page.text, buf_view(&title));
	add_head(&page, report);
	for (size_t i = 0; i < report->count; i++)
		add_part(&page, &report->parts[i]);
	buf_add(&page.text,
		VIEW_LIT("<footer>Made by verpost. All numbers are of one instant; times are UTC.</footer>\n"));
	page_end(&page.text);
	hand_on(&page, true);
	buf_done(&page.text);
	if (!page.failed)
		return ERR_OK;
	buf_addf(why, "the page could not be written whole; is the disk full?");
	return ERR_IO;
}
