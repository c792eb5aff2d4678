#include "listctl/chart.h"

#include <assert.h>

#include "listctl/page.h"

/* Pixels, but where a name says percent. */
enum {
	BAR_HEIGHT = 14,
	BAR_STEP = 46, /* from one bar to the next, with its label */
	BAR_LABEL = 16,
	COLUMNS_TOP = 20,
	COLUMNS_HEIGHT = 200,
	COLUMNS_BOTTOM = 26,
	SCALE_WIDTH = 64,
	MOST_BARS = 10,
};

/* A series has the same colour wherever it is drawn. */
static const struct {
	const char *series, *class;
} classes[] = {
	{ "accepted", "good" },        { "joined", "good" },       { "active", "good" },
	{ "refused", "bad" },          { "bounced_hard", "plum" }, { "hard_percent", "plum" },
	{ "bounced_percent", "plum" }, { "disabled", "plum" },     { "about_us", "bad" },
	{ "about_us_percent", "bad" }, { "expired", "warn" },      { "bounced_soft", "calm" },
	{ "soft_percent", "calm" },    { "removed", "warn" },      { "deferred", "warn" },
	{ "in_doubt", "odd" },         { "pending", "calm" },      { "complained", "odd" },
	{ "skipped", "rest" },         { "unsubscribed", "calm" },
};

static const char *class_of(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (view_eq(view_of(classes[i].series), name))
			return classes[i].class;
	}
	return NULL;
}

static const char *class_of_series(const struct chart *chart, size_t series)
{
	const char *class = class_of(view_of(chart->series[series]));
	return class == NULL ? "calm" : class;
}

/* Where one thing alone is drawn, a row whose name is that of a series has its colour. */
static const char *class_of_bar(const struct chart *chart, size_t row, size_t series)
{
	const char *class = chart->series_count == 1 ? class_of(chart->rows[row].label) : NULL;
	return class == NULL ? class_of_series(chart, series) : class;
}

static double sum_of(const struct chart *chart, size_t row)
{
	double sum = 0;
	for (size_t i = 0; i < chart->series_count; i++)
		sum += chart->rows[row].values[i];
	return sum;
}

/* The next round number that is not below. */
static double round_up(double number)
{
	static const double steps[] = { 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 };
	double power = 1;
	while (power > number)
		power /= 10;
	while (power * 10 < number)
		power *= 10;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (number <= steps[i] * power * 1.0000001)
			return steps[i] * power;
	}
	return number;
}

static double top_of(const struct chart *chart)
{
	double most = 0;
	for (size_t i = 0; i < chart->count; i++)
		most = sum_of(chart, i) > most ? sum_of(chart, i) : most;
	return most;
}

static void add_value(struct buf *out, const struct chart *chart, double value)
{
	if (chart->is_share)
		buf_addf(out, "%.2f\xc2\xa0%%", value);
	else if (value >= (double)(int64_t)value && value <= (double)(int64_t)value)
		page_add_number(out, (int64_t)value);
	else
		buf_addf(out, "%.1f", value);
}

/* What a pointer that rests on it is shown. */
static void add_tip(struct buf *out, const struct chart *chart, size_t row, size_t series)
{
	buf_add(out, VIEW_LIT("<title>"));
	page_add_text(out, chart->rows[row].label);
	buf_add(out, VIEW_LIT(": "));
	add_value(out, chart, chart->rows[row].values[series]);
	if (chart->series_count > 1 || !chart->is_share) {
		buf_add_byte(out, ' ');
		page_add_name(out, chart->series[series]);
	}
	buf_add(out, VIEW_LIT("</title>"));
}

static void begin(struct buf *out, const struct chart *chart, size_t count, int height)
{
	buf_addf(out, "<svg role=\"img\" aria-labelledby=\"%s-t %s-d\" height=\"%d\">\n<title id=\"%s-t\">", chart->id,
		 chart->id, height, chart->id);
	page_add_text(out, view_of(chart->title));
	buf_addf(out, "</title>\n<desc id=\"%s-d\">", chart->id);
	for (size_t i = 0; i < chart->series_count; i++) {
		buf_add(out, i == 0 ? VIEW_LIT("") : VIEW_LIT(", "));
		page_add_name(out, chart->series[i]);
	}
	buf_addf(out, "; %zu %s. The table below has the same numbers.</desc>\n", count,
		 chart->kind == CHART_BARS ? "bars" : "columns");
}

/* ---- bars ---- */

static void add_bar(struct buf *out, const struct chart *chart, size_t row, int y, double most)
{
	double x = 0;
	buf_addf(out, "<text class=\"name\" x=\"0\" y=\"%d\">", y + BAR_LABEL - 3);
	page_add_text(out, chart->rows[row].label);
	buf_addf(out, "</text><text x=\"100%%\" y=\"%d\" text-anchor=\"end\">", y + BAR_LABEL - 3);
	add_value(out, chart, sum_of(chart, row));
	buf_addf(out, "</text><rect class=\"track\" x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" rx=\"3\"/>\n",
		 y + BAR_LABEL + 4, BAR_HEIGHT);
	for (size_t i = 0; i < chart->series_count; i++) {
		double width = chart->rows[row].values[i] / most * 100;
		if (width <= 0)
			continue;
		buf_addf(out, "<rect class=\"%s\" x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\"%s>",
			 class_of_bar(chart, row, i), x, y + BAR_LABEL + 4, width, BAR_HEIGHT,
			 chart->series_count == 1 ? " rx=\"3\"" : "");
		add_tip(out, chart, row, i);
		buf_add(out, VIEW_LIT("</rect>\n"));
		x += width;
	}
}

static void add_bars(struct buf *out, const struct chart *chart)
{
	size_t shown[MOST_BARS], count = 0;
	double most = 0;
	for (size_t i = 0; i < chart->count && count < MOST_BARS; i++) {
		double sum = sum_of(chart, i);
		most = sum > most ? sum : most;
		if (sum > 0)
			shown[count++] = i;
	}
	begin(out, chart, count, (int)count * BAR_STEP);
	for (size_t i = 0; i < count; i++)
		add_bar(out, chart, shown[i], (int)i * BAR_STEP, most);
	buf_add(out, VIEW_LIT("</svg>\n"));
}

/* ---- columns ---- */

enum { LINES = 2 };

static int line_at(int line)
{
	return COLUMNS_TOP + COLUMNS_HEIGHT - COLUMNS_HEIGHT * line / LINES;
}

/* A picture of its own beside the columns: it has a width in pixels, they have what is left. */
static void add_scale(struct buf *out, const struct chart *chart, double most)
{
	buf_addf(out, "<svg class=\"scale\" aria-hidden=\"true\" width=\"%d\" height=\"%d\">\n", SCALE_WIDTH,
		 COLUMNS_TOP + COLUMNS_HEIGHT + COLUMNS_BOTTOM);
	for (int i = 0; i <= LINES; i++) {
		buf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", SCALE_WIDTH - 8, line_at(i) + 4);
		if (chart->is_share)
			buf_addf(out, "%.3g\xc2\xa0%%", most * i / LINES);
		else
			add_value(out, chart, most * i / LINES);
		buf_add(out, VIEW_LIT("</text>\n"));
	}
	buf_add(out, VIEW_LIT("</svg>\n"));
}

static void add_column(struct buf *out, const struct chart *chart, size_t row, double most)
{
	double step = 100.0 / (double)chart->count, y = COLUMNS_TOP + COLUMNS_HEIGHT;
	double width = step * (chart->count > 60 ? 0.9 : 0.76);
	if (width > 8)
		width = 8;
	for (size_t i = 0; i < chart->series_count; i++) {
		double height = chart->rows[row].values[i] / most * COLUMNS_HEIGHT;
		if (height <= 0)
			continue;
		y -= height;
		buf_addf(out, "<rect class=\"%s\" x=\"%.3f%%\" y=\"%.2f\" width=\"%.3f%%\" height=\"%.2f\">",
			 class_of_series(chart, i), step * ((double)row + 0.5) - width / 2, y, width, height);
		add_tip(out, chart, row, i);
		buf_add(out, VIEW_LIT("</rect>\n"));
	}
}

/* The first, the last and one between: more would overlap on a phone. */
static void add_labels(struct buf *out, const struct chart *chart)
{
	static const struct {
		int x;
		const char *anchor;
	} places[] = { { 0, "start" }, { 50, "middle" }, { 100, "end" } };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		size_t row = (chart->count - 1) * i / 2;
		if ((i == 1 && chart->count < 3) || (i == 2 && chart->count < 2))
			continue;
		buf_addf(out, "<text%s x=\"%d%%\" y=\"%d\" text-anchor=\"%s\">", i == 1 ? " class=\"between\"" : "",
			 places[i].x, COLUMNS_TOP + COLUMNS_HEIGHT + 18, places[i].anchor);
		page_add_text(out, chart->rows[row].label);
		buf_add(out, VIEW_LIT("</text>\n"));
	}
}

static void add_columns(struct buf *out, const struct chart *chart)
{
	double most = round_up(top_of(chart));
	buf_add(out, VIEW_LIT("<div class=\"plot\">\n"));
	add_scale(out, chart, most);
	begin(out, chart, chart->count, COLUMNS_TOP + COLUMNS_HEIGHT + COLUMNS_BOTTOM);
	for (int i = 0; i <= LINES; i++)
		buf_addf(out, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>\n", line_at(i),
			 line_at(i));
	for (size_t i = 0; i < chart->count; i++)
		add_column(out, chart, i, most);
	add_labels(out, chart);
	buf_add(out, VIEW_LIT("</svg>\n</div>\n"));
}

static void add_legend(struct buf *out, const struct chart *chart)
{
	buf_add(out, VIEW_LIT("<figcaption><ul>"));
	for (size_t i = 0; i < chart->series_count; i++) {
		buf_addf(out, "<li><i class=\"%s\"></i>", class_of_series(chart, i));
		page_add_name(out, chart->series[i]);
		buf_add(out, VIEW_LIT("</li>"));
	}
	buf_add(out, VIEW_LIT("</ul></figcaption>\n"));
}

void chart_add(const struct chart *chart, struct buf *out)
{
	assert(chart->series_count <= CHART_SERIES_MOST);
	if (chart->kind == CHART_NONE || chart->count == 0 || top_of(chart) <= 0)
		return;
	buf_add(out, VIEW_LIT("<figure>\n"));
	if (chart->series_count > 1)
		add_legend(out, chart);
	if (chart->kind == CHART_BARS)
		add_bars(out, chart);
	else
		add_columns(out, chart);
	buf_add(out, VIEW_LIT("</figure>\n"));
}
