#include "mail/css_color.h"

#include "mail/css_length.h"
#include "tests/support/unit.h"

static const struct {
	const char *text;
	bool is_color, is_clear;
	uint32_t rgb;
} rows[] = {
	{ "#fff", true, false, 0xffffff },
	{ "#1A2b3c", true, false, 0x1a2b3c },
	{ "#1238", true, false, 0x112233 },
	{ "#12345600", true, true, 0x123456 },
	{ " White ", true, false, 0xffffff },
	{ "rebeccapurple", true, false, 0x663399 },
	{ "yellowgreen", true, false, 0x9acd32 },
	{ "transparent", true, true, 0 },
	{ "rgb(1, 2,3)", true, false, 0x010203 },
	{ "RGB(100% 0% 60%)", true, false, 0xff0099 },
	{ "rgba(300, -5, 0, 0.05)", true, true, 0xff0000 },
	{ "rgb(1 2 3 / 50%)", true, false, 0x010203 },
	{ "hsl(120, 100%, 25%)", true, false, 0x008000 },
	{ "hsl(-120deg 100% 50%)", true, false, 0x0000ff },
	{ "hsla(480, 100%, 25%, 0)", true, true, 0x008000 },
	{ "hsl(99999999999999999999, 100%, 100%)", true, false, 0xffffff },
	{ "#ff", false, false, 0 },
	{ "#ggg", false, false, 0 },
	{ "#", false, false, 0 },
	{ "rgb(1,2)", false, false, 0 },
	{ "rgb(1,2,3,4,5)", false, false, 0 },
	{ "rgb(1,2,3", false, false, 0 },
	{ "rgb(", false, false, 0 },
	{ "lab(1 2 3)", false, false, 0 },
	{ "var(--x)", false, false, 0 },
	{ "whit", false, false, 0 },
	{ "", false, false, 0 },
};

START_TEST(colors)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct css_color color = { 0 };
			ck_row(rows[i].text, css_color_read(view_of(rows[i].text), &color) == rows[i].is_color);
			ck_row(rows[i].text, color.is_clear == rows[i].is_clear);
			uint32_t rgb = (uint32_t)color.red << 16 | (uint32_t)color.green << 8 | color.blue;
			ck_row(rows[i].text, rgb == rows[i].rgb);
		}
	}
END_TEST

static const struct {
	const char *text;
	bool is_length;
	double pixels;
} lengths[] = {
	{ "12px", true, 12 }, { "-9999px", true, -9999 }, { ".5in", true, 48 },    { "3pt", true, 4 },
	{ "7", true, 7 },     { "0em", true, 0 },         { "1.5 PX", true, 1.5 }, { "2em", false, 0 },
	{ "5%", false, 0 },   { "auto", false, 0 },       { "-", false, 0 },       { ".", false, 0 },
	{ "", false, 0 },     { "1e3", false, 0 },
};

START_TEST(lengths_in_pixels)
	{
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			double pixels = 0;
			ck_row(lengths[i].text,
			       css_length_read(view_of(lengths[i].text), &pixels) == lengths[i].is_length);
			double off = pixels - lengths[i].pixels;
			ck_row(lengths[i].text, off < 0.001 && off > -0.001);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { colors, lengths_in_pixels };
	return suite_of("css_color", tests, ARRAY_LEN(tests));
}
