#include "mail/css_color.h"

#include "mail/css_length.h"

static const struct {
	const char *name;
	uint32_t rgb;
} names[] = {
	{ "aliceblue", 0xf0f8ff },
	{ "antiquewhite", 0xfaebd7 },
	{ "aqua", 0x00ffff },
	{ "aquamarine", 0x7fffd4 },
	{ "azure", 0xf0ffff },
	{ "beige", 0xf5f5dc },
	{ "bisque", 0xffe4c4 },
	{ "black", 0x000000 },
	{ "blanchedalmond", 0xffebcd },
	{ "blue", 0x0000ff },
	{ "blueviolet", 0x8a2be2 },
	{ "brown", 0xa52a2a },
	{ "burlywood", 0xdeb887 },
	{ "cadetblue", 0x5f9ea0 },
	{ "chartreuse", 0x7fff00 },
	{ "chocolate", 0xd2691e },
	{ "coral", 0xff7f50 },
	{ "cornflowerblue", 0x6495ed },
	{ "cornsilk", 0xfff8dc },
	{ "crimson", 0xdc143c },
	{ "cyan", 0x00ffff },
	{ "darkblue", 0x00008b },
	{ "darkcyan", 0x008b8b },
	{ "darkgoldenrod", 0xb8860b },
	{ "darkgray", 0xa9a9a9 },
	{ "darkgreen", 0x006400 },
	{ "darkgrey", 0xa9a9a9 },
	{ "darkkhaki", 0xbdb76b },
	{ "darkmagenta", 0x8b008b },
	{ "darkolivegreen", 0x556b2f },
	{ "darkorange", 0xff8c00 },
	{ "darkorchid", 0x9932cc },
	{ "darkred", 0x8b0000 },
	{ "darksalmon", 0xe9967a },
	{ "darkseagreen", 0x8fbc8f },
	{ "darkslateblue", 0x483d8b },
	{ "darkslategray", 0x2f4f4f },
	{ "darkslategrey", 0x2f4f4f },
	{ "darkturquoise", 0x00ced1 },
	{ "darkviolet", 0x9400d3 },
	{ "deeppink", 0xff1493 },
	{ "deepskyblue", 0x00bfff },
	{ "dimgray", 0x696969 },
	{ "dimgrey", 0x696969 },
	{ "dodgerblue", 0x1e90ff },
	{ "firebrick", 0xb22222 },
	{ "floralwhite", 0xfffaf0 },
	{ "forestgreen", 0x228b22 },
	{ "fuchsia", 0xff00ff },
	{ "gainsboro", 0xdcdcdc },
	{ "ghostwhite", 0xf8f8ff },
	{ "gold", 0xffd700 },
	{ "goldenrod", 0xdaa520 },
	{ "gray", 0x808080 },
	{ "green", 0x008000 },
	{ "greenyellow", 0xadff2f },
	{ "grey", 0x808080 },
	{ "honeydew", 0xf0fff0 },
	{ "hotpink", 0xff69b4 },
	{ "indianred", 0xcd5c5c },
	{ "indigo", 0x4b0082 },
	{ "ivory", 0xfffff0 },
	{ "khaki", 0xf0e68c },
	{ "lavender", 0xe6e6fa },
	{ "lavenderblush", 0xfff0f5 },
	{ "lawngreen", 0x7cfc00 },
	{ "lemonchiffon", 0xfffacd },
	{ "lightblue", 0xadd8e6 },
	{ "lightcoral", 0xf08080 },
	{ "lightcyan", 0xe0ffff },
	{ "lightgoldenrodyellow", 0xfafad2 },
	{ "lightgray", 0xd3d3d3 },
	{ "lightgreen", 0x90ee90 },
	{ "lightgrey", 0xd3d3d3 },
	{ "lightpink", 0xffb6c1 },
	{ "lightsalmon", 0xffa07a },
	{ "lightseagreen", 0x20b2aa },
	{ "lightskyblue", 0x87cefa },
	{ "lightslategray", 0x778899 },
	{ "lightslategrey", 0x778899 },
	{ "lightsteelblue", 0xb0c4de },
	{ "lightyellow", 0xffffe0 },
	{ "lime", 0x00ff00 },
	{ "limegreen", 0x32cd32 },
	{ "linen", 0xfaf0e6 },
	{ "magenta", 0xff00ff },
	{ "maroon", 0x800000 },
	{ "mediumaquamarine", 0x66cdaa },
	{ "mediumblue", 0x0000cd },
	{ "mediumorchid", 0xba55d3 },
	{ "mediumpurple", 0x9370db },
	{ "mediumseagreen", 0x3cb371 },
	{ "mediumslateblue", 0x7b68ee },
	{ "mediumspringgreen", 0x00fa9a },
	{ "mediumturquoise", 0x48d1cc },
	{ "mediumvioletred", 0xc71585 },
	{ "midnightblue", 0x191970 },
	{ "mintcream", 0xf5fffa },
	{ "mistyrose", 0xffe4e1 },
	{ "moccasin", 0xffe4b5 },
	{ "navajowhite", 0xffdead },
	{ "navy", 0x000080 },
	{ "oldlace", 0xfdf5e6 },
	{ "olive", 0x808000 },
	{ "olivedrab", 0x6b8e23 },
	{ "orange", 0xffa500 },
	{ "orangered", 0xff4500 },
	{ "orchid", 0xda70d6 },
	{ "palegoldenrod", 0xeee8aa },
	{ "palegreen", 0x98fb98 },
	{ "paleturquoise", 0xafeeee },
	{ "palevioletred", 0xdb7093 },
	{ "papayawhip", 0xffefd5 },
	{ "peachpuff", 0xffdab9 },
	{ "peru", 0xcd853f },
	{ "pink", 0xffc0cb },
	{ "plum", 0xdda0dd },
	{ "powderblue", 0xb0e0e6 },
	{ "purple", 0x800080 },
	{ "rebeccapurple", 0x663399 },
	{ "red", 0xff0000 },
	{ "rosybrown", 0xbc8f8f },
	{ "royalblue", 0x4169e1 },
	{ "saddlebrown", 0x8b4513 },
	{ "salmon", 0xfa8072 },
	{ "sandybrown", 0xf4a460 },
	{ "seagreen", 0x2e8b57 },
	{ "seashell", 0xfff5ee },
	{ "sienna", 0xa0522d },
	{ "silver", 0xc0c0c0 },
	{ "skyblue", 0x87ceeb },
	{ "slateblue", 0x6a5acd },
	{ "slategray", 0x708090 },
	{ "slategrey", 0x708090 },
	{ "snow", 0xfffafa },
	{ "springgreen", 0x00ff7f },
	{ "steelblue", 0x4682b4 },
	{ "tan", 0xd2b48c },
	{ "teal", 0x008080 },
	{ "thistle", 0xd8bfd8 },
	{ "tomato", 0xff6347 },
	{ "turquoise", 0x40e0d0 },
	{ "violet", 0xee82ee },
	{ "wheat", 0xf5deb3 },
	{ "white", 0xffffff },
	{ "whitesmoke", 0xf5f5f5 },
	{ "yellow", 0xffff00 },
	{ "yellowgreen", 0x9acd32 },
};

enum {
	ALIKE_MOST = 12,   /* of 255: so near are two colours that nobody tells apart as text and ground */
	DIGITS_MOST = 8,   /* #rrggbbaa */
	CHANNELS_MOST = 4, /* the last one how opaque it is */
};
static const double clear_below = 0.1;

static bool read_name(struct view text, struct css_color *ret_color)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		uint32_t rgb = names[i].rgb;
		if (!view_eq_nocase(text, view_of(names[i].name)))
			continue;
		*ret_color = (struct css_color){ .red = (uint8_t)(rgb >> 16),
						 .green = (uint8_t)(rgb >> 8),
						 .blue = (uint8_t)rgb };
		return true;
	}
	if (!view_eq_nocase(text, VIEW_LIT("transparent")))
		return false;
	*ret_color = (struct css_color){ .is_clear = true };
	return true;
}

/* ---- #rgb, #rgba, #rrggbb, #rrggbbaa ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digits(struct view digits, struct css_color *ret_color)
{
	unsigned channels[CHANNELS_MOST] = { 0, 0, 0, UINT8_MAX };
	size_t width = digits.len == 3 || digits.len == 4 ? 1 : 2;
	if (digits.len != 3 && digits.len != 4 && digits.len != 6 && digits.len != DIGITS_MOST)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		int digit = digit_of(digits.data[i]);
		if (digit < 0)
			return false;
		unsigned before = i % width == 0 ? 0 : channels[i / width];
		channels[i / width] = width == 1 ? (unsigned)digit * 17 : before * 16 + (unsigned)digit;
	}
	*ret_color = (struct css_color){ .red = (uint8_t)channels[0],
					 .green = (uint8_t)channels[1],
					 .blue = (uint8_t)channels[2],
					 .is_clear = channels[3] < clear_below * UINT8_MAX };
	return true;
}

/* ---- rgb(), hsl() ---- */

/* The numbers between the brackets; a percentage is one of `whole`. False: what stands there is none, or too few or many do. */
static bool read_channels(struct view inside, const double whole[CHANNELS_MOST], double ret_channels[CHANNELS_MOST])
{
	struct view word;
	size_t count = 0;
	ret_channels[CHANNELS_MOST - 1] = 1;
	while (css_cut_word(&inside, &word)) {
		if (view_eq(word, VIEW_LIT("/")))
			continue;
		size_t len = count < CHANNELS_MOST ? css_number_read(word, &ret_channels[count]) : 0;
		if (len == 0)
			return false;
		if (view_starts(view_skip(word, len), VIEW_LIT("%")))
			ret_channels[count] *= whole[count] / 100;
		count++;
	}
	return count >= 3;
}

static uint8_t octet_of(double channel)
{
	return channel <= 0 ? 0 : channel >= UINT8_MAX ? UINT8_MAX : (uint8_t)(channel + 0.5);
}

static double within(double number, double least, double most)
{
	return number < least ? least : number > most ? most : number;
}

/* The remainder, from 0 up to the divisor. */
static double modulo(double number, double divisor)
{
	double rest = number - divisor * (double)(long long)(number / divisor);
	return rest < 0 ? rest + divisor : rest;
}

/* css-color-4 section 7.1; n is 0, 8 and 4 for red, green and blue. */
static uint8_t channel_of_hue(const double hsl[CHANNELS_MOST], double n)
{
	enum { TURNS_MOST = 1000 };
	double hue = modulo(within(hsl[0], -360.0 * TURNS_MOST, 360.0 * TURNS_MOST), 360);
	double saturation = within(hsl[1], 0, 1), light = within(hsl[2], 0, 1);
	double k = modulo(n + hue / 30, 12);
	double span = saturation * (light < 0.5 ? light : 1 - light);
	double slope = k - 3 < 9 - k ? k - 3 : 9 - k;
	return octet_of(UINT8_MAX * (light - span * within(slope, -1, 1)));
}

static bool read_function(struct view text, struct css_color *ret_color)
{
	static const double of_rgb[] = { UINT8_MAX, UINT8_MAX, UINT8_MAX, 1 }, of_hsl[] = { 360, 1, 1, 1 };
	bool is_hsl = view_starts_nocase(text, VIEW_LIT("hsl"));
	size_t open = view_find_byte(text, '(');
	struct view name = view_head(text, open);
	double channels[CHANNELS_MOST] = { 0 };
	bool is_known = view_eq_nocase(name, VIEW_LIT("rgb")) || view_eq_nocase(name, VIEW_LIT("rgba")) ||
			view_eq_nocase(name, VIEW_LIT("hsl")) || view_eq_nocase(name, VIEW_LIT("hsla"));
	if (open == VIEW_NONE || !is_known || !view_ends(text, VIEW_LIT(")")) ||
	    !read_channels(view_slice(text, open + 1, text.len - 1), is_hsl ? of_hsl : of_rgb, channels))
		return false;
	*ret_color = (struct css_color){
		.red = is_hsl ? channel_of_hue(channels, 0) : octet_of(channels[0]),
		.green = is_hsl ? channel_of_hue(channels, 8) : octet_of(channels[1]),
		.blue = is_hsl ? channel_of_hue(channels, 4) : octet_of(channels[2]),
		.is_clear = channels[CHANNELS_MOST - 1] < clear_below,
	};
	return true;
}

bool css_color_read(struct view text, struct css_color *ret_color)
{
	text = view_trim(text);
	if (view_starts(text, VIEW_LIT("#")))
		return read_digits(view_skip(text, 1), ret_color);
	return read_name(text, ret_color) || read_function(text, ret_color);
}

static bool is_near(uint8_t one, uint8_t other)
{
	return (one > other ? one - other : other - one) <= ALIKE_MOST;
}

bool css_color_alike(struct css_color one, struct css_color other)
{
	return is_near(one.red, other.red) && is_near(one.green, other.green) && is_near(one.blue, other.blue);
}
