#include "listctl/chart.h"

#include "tests/support/unit.h"

static const char *const two[] = { "accepted", "refused" };

static bool has(const struct buf *out, const char *text)
{
	return view_find(buf_view(out), view_of(text)) != VIEW_NONE;
}

static size_t count_of(const struct buf *out, const char *text)
{
	struct view rest = buf_view(out), what = view_of(text);
	size_t count = 0;
	for (size_t at = view_find(rest, what); at != VIEW_NONE; at = view_find(rest, what)) {
		rest = view_skip(rest, at + what.len);
		count++;
	}
	return count;
}

START_TEST(columns_stand_on_each_other)
	{
		const struct chart_row rows[] = { { VIEW_LIT("<b>"), { 30, 10 } }, { VIEW_LIT("c"), { 0, 20 } } };
		const struct chart chart = { "x", "Ends & more", CHART_COLUMNS, false, two, 2, 0, rows, 2 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		ck_assert(has(&out, "<title id=\"x-t\">Ends &amp; more</title>"));
		ck_assert(has(&out, "aria-labelledby=\"x-t x-d\""));
		/* 40 is the top: 30 of it are three quarters of 200 pixels above the ground line at 220, 10 stand on them. */
		ck_assert(
		    has(&out, "<rect class=\"good\" x=\"21.000%\" y=\"70.00\" width=\"8.000%\" height=\"150.00\">"));
		ck_assert(
		    has(&out, "<rect class=\"bad\" x=\"21.000%\" y=\"20.00\" width=\"8.000%\" height=\"50.00\">"));
		ck_assert(has(&out, "<title>&lt;b&gt;: 30 accepted</title>"));
		ck_assert_uint_eq(count_of(&out, "<rect"), 3); /* nothing is drawn of nothing */
		ck_assert(!has(&out, "<b>"));
		ck_assert(has(&out, "</i>refused</li>"));
	}
END_TEST

/* 30 above and 10 below are 200 pixels, so that nothing is at 170. */
START_TEST(losses_hang_below)
	{
		const struct chart_row rows[] = { { VIEW_LIT("a"), { 30, 5 } }, { VIEW_LIT("b"), { 0, 10 } } };
		const struct chart chart = { "x", "Growth", CHART_COLUMNS, false, two, 2, 1, rows, 2 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		ck_assert(
		    has(&out, "<rect class=\"good\" x=\"21.000%\" y=\"20.00\" width=\"8.000%\" height=\"150.00\">"));
		ck_assert(
		    has(&out, "<rect class=\"bad\" x=\"21.000%\" y=\"170.00\" width=\"8.000%\" height=\"25.00\">"));
		ck_assert(
		    has(&out, "<rect class=\"bad\" x=\"71.000%\" y=\"170.00\" width=\"8.000%\" height=\"50.00\">"));
		ck_assert(has(&out, ">-10</text>"));
	}
END_TEST

/* A loss too small to be seen has no number over that of nothing; nothing is never -0. */
START_TEST(numbers_of_the_scale_stay_apart)
	{
		const struct chart_row rows[] = { { VIEW_LIT("a"), { 2400, 2 } } };
		const struct chart chart = { "x", "Growth", CHART_COLUMNS, false, two, 2, 1, rows, 1 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		ck_assert(has(&out, ">0</text>"));
		ck_assert(!has(&out, ">-"));
		const struct chart shares = { "x", "Rates", CHART_COLUMNS, true, two, 1, 0, rows, 1 };
		AUTO_BUF second = buf_with_ceiling(64 << 10);
		chart_add(&shares, &second);
		ck_assert(has(&second, ">0\xc2\xa0%</text>"));
		ck_assert(!has(&second, ">-"));
	}
END_TEST

/* Where shares are a whole, each is as long as it is of the track; elsewhere the longest fills it. */
START_TEST(parts_of_a_whole_keep_their_length)
	{
		const struct chart_row rows[] = { { VIEW_LIT("accepted"), { 80 } }, { VIEW_LIT("refused"), { 20 } } };
		static const char *const series[] = { "audience_percent" };
		const struct chart chart = { "x", "Places", CHART_BARS, true, series, 1, 0, rows, 2 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		ck_assert(has(&out, "y=\"20\" width=\"80.000%\""));
		ck_assert(has(&out, "y=\"66\" width=\"20.000%\""));
		ck_assert(!has(&out, "figcaption"));
		const struct chart_row operators[] = { { VIEW_LIT("gmail"), { 4 } } };
		const struct chart rates = { "x", "Rates", CHART_BARS, true, series, 1, 0, operators, 1 };
		AUTO_BUF second = buf_with_ceiling(64 << 10);
		chart_add(&rates, &second);
		ck_assert(has(&second, "</i>audience\xc2\xa0%</li>"));
	}
END_TEST

START_TEST(bars_lie_under_their_names)
	{
		const struct chart_row rows[] = { { VIEW_LIT("gmail"), { 2.5 } },
						  { VIEW_LIT("none"), { 0 } },
						  { VIEW_LIT("refused"), { 1.25 } } };
		static const char *const series[] = { "bounced_percent" };
		const struct chart chart = { "x", "Rates", CHART_BARS, true, series, 1, 0, rows, 3 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		ck_assert(has(&out, "x=\"0.000%\" y=\"20\" width=\"100.000%\""));
		ck_assert(has(
		    &out,
		    "class=\"bad\" x=\"0.000%\" y=\"66\" width=\"50.000%\"")); /* a row named as a series has its colour */
		ck_assert(has(&out, "2.50\xc2\xa0%"));
		ck_assert(has(&out, ">gmail</text>"));
		ck_assert(!has(&out, "none"));
		ck_assert(!has(&out, "figcaption"));
	}
END_TEST

/* What is nowhere is not in the legend, and one column has its label below it. */
START_TEST(a_legend_tells_what_is_there)
	{
		const struct chart_row rows[] = { { VIEW_LIT("day"), { 5, 0 } } };
		const struct chart chart = { "x", "Ends", CHART_COLUMNS, false, two, 2, 0, rows, 1 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		ck_assert(has(&out, "</i>accepted</li>"));
		ck_assert(!has(&out, "</i>refused</li>"));
		ck_assert(has(&out, "x=\"50%\" y=\"238\" text-anchor=\"middle\">day</text>"));
		ck_assert_uint_eq(count_of(&out, ">day</text>"), 1);
	}
END_TEST

START_TEST(nothing_is_no_chart)
	{
		const struct chart_row rows[] = { { VIEW_LIT("a"), { 0, 0 } } };
		struct chart chart = { "x", "Ends", CHART_COLUMNS, false, two, 2, 0, rows, 1 };
		AUTO_BUF out = buf_with_ceiling(64 << 10);
		chart_add(&chart, &out);
		chart.count = 0;
		chart_add(&chart, &out);
		chart.kind = CHART_NONE;
		chart_add(&chart, &out);
		ck_assert_uint_eq(out.len, 0);
	}
END_TEST

/* Whatever numbers there are, no column is higher than the picture. */
START_TEST(the_top_is_above_all)
	{
		static const double tops[] = { 0.0001, 0.013, 0.99, 1, 1.01, 7, 10, 11, 99, 101, 12345, 999999, 1e9 };
		for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
			const struct chart_row rows[] = { { VIEW_LIT("a"), { tops[i] } } };
			const struct chart chart = { "x", "Ends", CHART_COLUMNS, false, two, 1, 0, rows, 1 };
			AUTO_BUF out = buf_with_ceiling(64 << 10);
			chart_add(&chart, &out);
			size_t at = view_find(buf_view(&out), VIEW_LIT("<rect class=\"good\""));
			ck_assert(at != VIEW_NONE);
			struct view rect = view_skip(buf_view(&out), at);
			rect = view_skip(rect, view_find(rect, VIEW_LIT("y=\"")) + 3);
			uint64_t y;
			ck_assert(view_to_u64(view_head(rect, view_find_byte(rect, '.')), 1000, &y));
			ck_assert_msg(y >= 20 && y <= 120, "%g: %u", tops[i], (unsigned)y);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { columns_stand_on_each_other,
				       losses_hang_below,
				       numbers_of_the_scale_stay_apart,
				       parts_of_a_whole_keep_their_length,
				       bars_lie_under_their_names,
				       a_legend_tells_what_is_there,
				       nothing_is_no_chart,
				       the_top_is_above_all };
	return suite_of("chart", tests, ARRAY_LEN(tests));
}
