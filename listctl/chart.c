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

/* Shares that are together a whole: each is as long as it is of the track. */
static bool are_parts(const struct chart *chart)
{
	double whole = 0;
	for (size_t i = 0; i < chart->count; i++)
		whole += sum_of(chart, i);
	return chart->is_share && whole > 99.9 && whole < 100.1;
}

static void add_bars(struct buf *out, const struct chart *chart)
{
	size_t shown[MOST_BARS], count = 0;
	double most = are_parts(chart) ? 100 : 0;
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

enum {
	LINES = 3,
	LINE_GAP = 16, /* pixels between two lines of which both can have a number */
};

struct scale {
	double pixels; /* for one */
	double zero;   /* where nothing is */
	double lines[LINES];
};

static size_t up_of(const struct chart *chart)
{
	return chart->up == 0 ? chart->series_count : chart->up;
}

static double most_of(const struct chart *chart, size_t first, size_t end)
{
	double most = 0;
	for (size_t row = 0; row < chart->count; row++) {
		double sum = 0;
		for (size_t i = first; i < end; i++)
			sum += chart->rows[row].values[i];
		most = sum > most ? sum : most;
	}
	return most > 0 ? round_up(most) : 0;
}

static struct scale scale_of(const struct chart *chart)
{
	double top = most_of(chart, 0, up_of(chart)), bottom = most_of(chart, up_of(chart), chart->series_count);
	double pixels = COLUMNS_HEIGHT / (top + bottom);
	struct scale scale = { .pixels = pixels, .zero = COLUMNS_TOP + top * pixels, .lines = { top, top / 2, 0 } };
	if (top * pixels < LINE_GAP) {
		scale.lines[0] = 0;
		scale.lines[1] = -bottom / 2;
		scale.lines[2] = -bottom;
	} else if (bottom * pixels >= LINE_GAP) {
		scale.lines[1] = 0;
		scale.lines[2] = -bottom;
	}
	return scale;
}

/* A picture of its own beside the columns: it has a width in pixels, they have what is left. */
static void add_scale(struct buf *out, const struct chart *chart, const struct scale *scale)
{
	buf_addf(out, "<svg class=\"scale\" aria-hidden=\"true\" width=\"%d\" height=\"%d\">\n", SCALE_WIDTH,
		 COLUMNS_TOP + COLUMNS_HEIGHT + COLUMNS_BOTTOM);
	for (size_t i = 0; i < LINES; i++) {
		double value = scale->lines[i];
		buf_addf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", SCALE_WIDTH - 8,
			 scale->zero - value * scale->pixels + 4);
		if (chart->is_share)
			buf_addf(out, "%.3g\xc2\xa0%%", value);
		else
			add_value(out, chart, value);
		buf_add(out, VIEW_LIT("</text>\n"));
	}
	buf_add(out, VIEW_LIT("</svg>\n"));
}

static void add_lines(struct buf *out, const struct scale *scale)
{
	for (size_t i = 0; i < LINES; i++) {
		double y = scale->zero - scale->lines[i] * scale->pixels;
		buf_addf(out, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>\n", y, y);
	}
}

static void add_column(struct buf *out, const struct chart *chart, size_t row, const struct scale *scale)
{
	double step = 100.0 / (double)chart->count, above = scale->zero, below = scale->zero;
	double width = step * (chart->count > 60 ? 0.9 : 0.76);
	if (width > 8)
		width = 8;
	for (size_t i = 0; i < chart->series_count; i++) {
		double height = chart->rows[row].values[i] * scale->pixels;
		bool stands = i < up_of(chart);
		if (height <= 0)
			continue;
		above -= stands ? height : 0;
		buf_addf(out, "<rect class=\"%s\" x=\"%.3f%%\" y=\"%.2f\" width=\"%.3f%%\" height=\"%.2f\">",
			 class_of_series(chart, i), step * ((double)row + 0.5) - width / 2, stands ? above : below,
			 width, height);
		add_tip(out, chart, row, i);
		buf_add(out, VIEW_LIT("</rect>\n"));
		below += stands ? 0 : height;
	}
}

static void add_column_label(struct buf *out, const struct chart *chart, size_t row, int x, const char *anchor,
			     const char *class)
{
	buf_addf(out, "<text class=\"%s\" x=\"%d%%\" y=\"%d\" text-anchor=\"%s\">", class, x,
		 COLUMNS_TOP + COLUMNS_HEIGHT + 18, anchor);
	page_add_text(out, chart->rows[row].label);
	buf_add(out, VIEW_LIT("</text>\n"));
}

/* The first, the last and, where there is room, one between. */
static void add_labels(struct buf *out, const struct chart *chart)
{
	if (chart->count == 1) {
		add_column_label(out, chart, 0, 50, "middle", "only");
		return;
	}
	add_column_label(out, chart, 0, 0, "start", "end");
	if (chart->count > 2)
		add_column_label(out, chart, (chart->count - 1) / 2, 50, "middle", "between");
	add_column_label(out, chart, chart->count - 1, 100, "end", "end");
}

static void add_columns(struct buf *out, const struct chart *chart)
{
	const struct scale scale = scale_of(chart);
	buf_add(out, VIEW_LIT("<div class=\"plot\">\n"));
	add_scale(out, chart, &scale);
	begin(out, chart, chart->count, COLUMNS_TOP + COLUMNS_HEIGHT + COLUMNS_BOTTOM);
	add_lines(out, &scale);
	for (size_t i = 0; i < chart->count; i++)
		add_column(out, chart, i, &scale);
	add_labels(out, chart);
	buf_add(out, VIEW_LIT("</svg>\n</div>\n"));
}

static bool is_there(const struct chart *chart, size_t series)
{
	for (size_t i = 0; i < chart->count; i++) {
		if (chart->rows[i].values[series] > 0)
			return true;
	}
	return false;
}

/* Not where each row is a series by its name: what it is stands there. */
static bool needs_legend(const struct chart *chart)
{
	for (size_t i = 0; i < chart->count && chart->series_count == 1; i++) {
		if (class_of(chart->rows[i].label) != NULL)
			return false;
	}
	return true;
}

static void add_legend(struct buf *out, const struct chart *chart)
{
	buf_add(out, VIEW_LIT("<figcaption><ul>"));
	for (size_t i = 0; i < chart->series_count; i++) {
		if (!is_there(chart, i))
			continue;
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
	if (needs_legend(chart))
		add_legend(out, chart);
	if (chart->kind == CHART_BARS)
		add_bars(out, chart);
	else
		add_columns(out, chart);
	buf_add(out, VIEW_LIT("</figure>\n"));
}
