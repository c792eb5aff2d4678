/* Reports that people look at. What a report holds is described once (report_sections.c): which facts of store/report_facts.h, how their columns are
 * called, of what a share is, what is drawn. All formats are written from that and from the same rows, so that none tells other numbers. */
#ifndef LISTCTL_REPORT_H
#define LISTCTL_REPORT_H

#include "listctl/call.h"
#include "listctl/chart.h"
#include "store/report_facts.h"

struct report_section {
	const char *name;  /* of the member in JSON, and of the place in the page */
	const char *title; /* for people */
	const char *about; /* what is counted, and of what a share is */
	const struct output_column *columns;
	size_t count;
	bool is_one; /* one row: told line by line */
	size_t most; /* so many rows for people; 0: all. CSV and JSON have all */
	struct chart_plan chart;
};

enum report_kind {
	REPORT_CAMPAIGN,
	REPORT_CAMPAIGNS,
	REPORT_LIST,
	REPORT_OPERATORS,
	REPORT_OPERATOR,
	REPORT_REASONS,
	REPORT_DELIVERABILITY,
	REPORT_KIND_COUNT
};
enum { REPORT_SECTIONS_MOST = 10 };
struct report_plan {
	const char *title;
	enum report_fact facts[REPORT_SECTIONS_MOST];
	size_t count;
};
extern const struct report_plan report_plans[REPORT_KIND_COUNT];
const struct report_section *report_section_of(enum report_fact fact);

/* What a report is: of what, since when, and of which instant. */
struct report_head {
	const char *title;
	struct view about; /* the campaign, list or group; empty: all */
	int64_t since_us;  /* 0: from the beginning, or of one campaign */
	int64_t snapshot_us;
	int64_t window_us;
};

/* A section with its rows. */
struct report_part {
	const struct report_section *section;
	struct db_rows *rows;
};
struct report_told {
	struct report_head head;
	struct report_part parts[REPORT_SECTIONS_MOST];
	size_t count;
};
struct output_cell report_cell(const struct report_part *part, size_t row, size_t column);
/* How many of its rows people are shown. */
size_t report_rows_shown(const struct report_part *part);

/* Counts and reads, all in one snapshot, with progress; the head's snapshot_us is set. Release with report_told_done(), also after a failure. */
enum err report_read(struct call *call, const struct report_plan *plan, const struct report_scope *scope,
		     struct report_told *report) MUST_USE;
void report_told_done(struct report_told *report);

/* One part's first rows alone. */
enum err report_write_rows(const struct report_part *part, size_t count, struct output *out, struct buf *why) MUST_USE;
/* As a table, CSV or JSON. */
enum err report_write(const struct report_told *report, struct output *out, struct buf *why) MUST_USE;
/* As a page: one HTML file that needs nothing else. report_page.c. */
enum err report_write_page(const struct report_told *report, FILE *file, struct buf *why) MUST_USE;

#endif
