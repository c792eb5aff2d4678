/* Charts as SVG inside an HTML page. No script, no font, no colour of its own: the page's stylesheet has those by class. Places across are percentages,
 * so that a chart fills a phone as a desktop with letters of the same size. */
#ifndef LISTCTL_CHART_H
#define LISTCTL_CHART_H

#include "base/buf.h"

enum chart_kind {
	CHART_NONE,
	CHART_BARS,    /* a bar a row, lying; its label above it */
	CHART_COLUMNS, /* a column a row, standing side by side */
};

/* Which columns of a table are drawn. */
struct chart_plan {
	enum chart_kind kind;
	size_t label;        /* the column that tells a row's name */
	size_t first, count; /* the columns drawn, on top of each other */
	size_t up;     /* so many of them stand above the line of nothing, the others hang below it; 0: all stand */
	bool is_share; /* they are percentages */
	size_t
	    weight; /* behind the column of numbers by which a row has to have a thousandth of the heaviest; 0: all are drawn */
};

enum { CHART_SERIES_MOST = 6 };
struct chart_row {
	struct view label; /* may hold anything */
	double values[CHART_SERIES_MOST];
};
struct chart {
	const char *id;    /* unlike that of others in the page */
	const char *title; /* what is drawn, for who cannot see it */
	enum chart_kind kind;
	bool is_share;
	const char *const *series; /* names of columns, such as "accepted" */
	size_t series_count;
	size_t up; /* as of the plan */
	const struct chart_row *rows;
	size_t count;
};

/* Nothing where there is nothing to draw. */
void chart_add(const struct chart *chart, struct buf *out);

#endif
