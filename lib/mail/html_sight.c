#include "mail/html_sight.h"

#include "base/limits.h"
#include "mail/css_length.h"

/* Below or beyond that, in pixels, nobody sees it. */
static const double least_font = 2, least_size = 2, least_share = 0.15, far_away = -500, least_opacity = 0.1;

/* ---- values ---- */

static bool is_word(struct view value, const char *word)
{
	return view_starts_nocase(value, view_of(word));
}

static bool is_below(struct view value, double most)
{
	double pixels;
	return css_length_read(value, &pixels) && pixels < most;
}

/* "0.5", "50%" */
static bool read_share(struct view value, double *ret_share)
{
	double number;
	size_t len = css_number_read(value, &number);
	if (len == 0)
		return false;
	*ret_share = view_starts(view_skip(value, len), VIEW_LIT("%")) ? number / 100 : number;
	return true;
}

/* ---- properties ---- */

struct style {
	struct html_sight *sight;
	bool is_dropped, is_clear, is_clipped; /* display, opacity, clip-path and the like */
	bool has_no_room, is_cut;              /* height, overflow */
	bool is_placed, is_far, is_moved_out;  /* position; left and top; margins, which need none */
	bool has_no_clip;                      /* clip, which needs one */
};

static void take_display(struct view value, struct style *style)
{
	style->is_dropped = is_word(value, "none");
}

static void take_opacity(struct view value, struct style *style)
{
	double share;
	style->is_clear = read_share(value, &share) && share < least_opacity;
}

static void take_size(struct view value, struct style *style)
{
	style->has_no_room |= is_below(value, least_size);
}

static void take_overflow(struct view value, struct style *style)
{
	style->is_cut = is_word(value, "hidden") || is_word(value, "clip");
}

static void take_visibility(struct view value, struct style *style)
{
	if (!is_word(value, "inherit"))
		style->sight->is_invisible = !is_word(value, "visible");
}

static void take_position(struct view value, struct style *style)
{
	style->is_placed = is_word(value, "absolute") || is_word(value, "fixed") || is_word(value, "relative");
}

static void take_place(struct view value, struct style *style)
{
	style->is_far |= is_below(value, far_away);
}

static void take_margin(struct view value, struct style *style)
{
	struct view word;
	while (css_cut_word(&value, &word))
		style->is_moved_out |= is_below(word, far_away);
}

static void take_indent(struct view value, struct style *style)
{
	if (!is_word(value, "inherit"))
		style->sight->is_shifted = is_below(value, far_away);
}

/* rect(0, 0, 0, 0), rect(1px 1px 1px 1px) */
static void take_clip(struct view value, struct style *style)
{
	struct view inside = view_slice(value, sizeof("rect(") - 1, view_find_byte(value, ')')), word;
	size_t small = 0;
	while (is_word(value, "rect(") && css_cut_word(&inside, &word))
		small += is_below(word, least_size);
	style->has_no_clip = small == 4;
}

/* inset(50%) leaves nothing. */
static void take_clip_path(struct view value, struct style *style)
{
	double share;
	struct view inside = view_skip(value, sizeof("inset(") - 1);
	style->is_clipped |= is_word(value, "inset(") && view_find_byte(inside, '%') != VIEW_NONE &&
			     read_share(inside, &share) && share >= 0.5;
}

static void take_transform(struct view value, struct style *style)
{
	double share;
	style->is_clipped |= is_word(value, "scale(") && read_share(view_skip(value, sizeof("scale(") - 1), &share) &&
			     share < least_opacity;
}

static void take_hide(struct view value, struct style *style)
{
	style->sight->is_gone_in_outlook |= is_word(value, "all");
}

/* Of the size around it: em, %, smaller. */
static bool is_relative(struct view value, double *ret_share)
{
	double number;
	size_t len = css_number_read(value, &number);
	struct view unit = view_skip(value, len);
	*ret_share = len == 0 ? 1 : view_starts(unit, VIEW_LIT("%")) ? number / 100 : number;
	return len > 0 || is_word(value, "inherit") || is_word(value, "smaller") || is_word(value, "larger");
}

static void take_font_size(struct view value, struct style *style)
{
	double pixels, share;
	if (css_length_read(value, &pixels))
		style->sight->is_tiny = pixels < least_font;
	else if (!is_relative(value, &share))
		style->sight->is_tiny = false;
	else
		style->sight->is_tiny |= share < least_share;
}

/* The size is the first number that is no weight: "bold 14px/1.5 Arial", "700 0/0 a". */
static void take_font(struct view value, struct style *style)
{
	enum { WEIGHT_MOST = 1000, WEIGHT_LEAST = 100 };
	struct view word;
	while (css_cut_word(&value, &word)) {
		uint64_t weight;
		double number;
		if (css_number_read(word, &number) == 0 ||
		    (view_to_u64(word, WEIGHT_MOST, &weight) && weight >= WEIGHT_LEAST))
			continue;
		take_font_size(view_head(word, view_find_byte(word, '/')), style);
		return;
	}
}

static void set_color(struct view value, struct html_sight *sight)
{
	if (!is_word(value, "inherit"))
		sight->has_color = css_color_read(value, &sight->color);
}

static void take_color(struct view value, struct style *style)
{
	set_color(value, style->sight);
}

static void set_background(struct css_color color, struct html_sight *sight)
{
	if (color.is_clear)
		return;
	sight->ground = GROUND_COLOR;
	sight->background = color;
}

/* With a picture, or a field, nobody knows what is behind the text. */
static void take_background(struct view value, struct style *style)
{
	struct view word;
	struct css_color color;
	bool is_unknown = false;
	while (css_cut_word(&value, &word)) {
		if (css_color_read(word, &color))
			set_background(color, style->sight);
		else
			is_unknown |= view_find_byte(word, '(') != VIEW_NONE || view_find_byte(word, '{') != VIEW_NONE;
	}
	style->sight->ground = is_unknown ? GROUND_UNKNOWN : style->sight->ground;
}

static const struct property_row {
	const char *name;
	void (*take)(struct view value, struct style *style);
} properties[] = {
	{ "display", take_display },
	{ "opacity", take_opacity },
	{ "height", take_size },
	{ "max-height", take_size },
	{ "width", take_size },
	{ "max-width", take_size },
	{ "overflow", take_overflow },
	{ "overflow-x", take_overflow },
	{ "overflow-y", take_overflow },
	{ "visibility", take_visibility },
	{ "position", take_position },
	{ "left", take_place },
	{ "right", take_place },
	{ "top", take_place },
	{ "bottom", take_place },
	{ "margin", take_margin },
	{ "margin-left", take_margin },
	{ "margin-top", take_margin },
	{ "text-indent", take_indent },
	{ "clip", take_clip },
	{ "clip-path", take_clip_path },
	{ "transform", take_transform },
	{ "mso-hide", take_hide },
	{ "font-size", take_font_size },
	{ "font", take_font },
	{ "color", take_color },
	{ "background", take_background },
	{ "background-color", take_background },
	{ "background-image", take_background },
};

static void take_property(struct view declaration, struct style *style)
{
	struct view value = declaration, name;
	if (!view_cut(&value, ':', &name))
		return;
	name = view_trim(name);
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		if (view_eq_nocase(name, view_of(properties[i].name)))
			properties[i].take(view_trim(view_head(value, view_find_byte(value, '!'))), style);
	}
}

/* Remarks are blanks. */
static void drop_remarks(struct view text, struct buf *out)
{
	for (size_t at; (at = view_find(text, VIEW_LIT("/*"))) != VIEW_NONE;) {
		buf_add(out, view_head(text, at));
		buf_add_byte(out, ' ');
		text = view_skip(text, at + 2);
		size_t end = view_find(text, VIEW_LIT("*/"));
		text = view_skip(text, end == VIEW_NONE ? text.len : end + 2);
	}
	buf_add(out, text);
}

static void take_style(struct view text, struct style *style)
{
	AUTO_BUF plain = buf_with_ceiling(LIMIT_TEMPLATE);
	struct view declaration;
	if (view_find(text, VIEW_LIT("/*")) != VIEW_NONE) {
		drop_remarks(text, &plain);
		text = buf_view(&plain);
	}
	while (view_cut(&text, ';', &declaration))
		take_property(declaration, style);
}

/* ---- elements ---- */

/* As attributes have it, which take one without its # too. */
static bool read_color(struct view text, struct css_color *ret_color)
{
	char digits[7] = "#";
	text = view_trim(text);
	for (size_t i = 0; i < text.len && i + 1 < sizeof(digits); i++)
		digits[i + 1] = text.data[i];
	return css_color_read(text, ret_color) ||
	       (text.len + 1 == sizeof(digits) && css_color_read(view_from(digits, sizeof(digits)), ret_color));
}

/* What stands in attributes of their own; a style wins over them. */
static void take_attributes(const xmlNode *element, struct html_sight *sight)
{
	struct css_color color;
	const char *of_text = html_node_is(element, "font") ? "color" : html_node_is(element, "body") ? "text" : "";
	if (sight->has_styles &&
	    (html_node_attribute(element, "class").len > 0 || html_node_attribute(element, "id").len > 0))
		sight->ground = GROUND_UNKNOWN;
	struct view ground = html_node_attribute(element, "bgcolor");
	if (read_color(ground, &color))
		set_background(color, sight);
	if (view_find_byte(ground, '{') != VIEW_NONE || html_node_attribute(element, "background").len > 0)
		sight->ground = GROUND_UNKNOWN;
	if (html_node_attribute(element, of_text).len > 0)
		sight->has_color = read_color(html_node_attribute(element, of_text), &sight->color);
	sight->is_gone |= html_node_attribute(element, "hidden").data != NULL;
}

struct html_sight html_sight_below(const struct html_sight *around, const xmlNode *element)
{
	struct html_sight sight = *around;
	struct style style = { .sight = &sight };
	take_attributes(element, &sight);
	take_style(html_node_attribute(element, "style"), &style);
	sight.is_gone |= style.is_dropped || style.is_clear || style.is_clipped || style.is_moved_out ||
			 (style.has_no_room && style.is_cut) ||
			 (style.is_placed && (style.is_far || style.has_no_clip));
	sight.is_speck = style.has_no_room || is_below(html_node_attribute(element, "width"), least_size) ||
			 is_below(html_node_attribute(element, "height"), least_size);
	return sight;
}

struct html_sight html_sight_of_document(struct view html)
{
	bool has_styles = view_find_nocase(html, VIEW_LIT("<style")) != VIEW_NONE &&
			  view_find_nocase(html, VIEW_LIT("background")) != VIEW_NONE;
	return (struct html_sight){ .has_styles = has_styles, .ground = has_styles ? GROUND_UNKNOWN : GROUND_PAGE };
}

bool html_sight_of_image(const struct html_sight *sight)
{
	return !sight->is_gone && !sight->is_invisible && !sight->is_speck;
}

bool html_sight_hides(const xmlNode *element)
{
	static const struct html_sight document;
	return html_sight_below(&document, element).is_gone;
}

static bool is_as_the_ground(const struct html_sight *sight)
{
	static const struct css_color white = { UINT8_MAX, UINT8_MAX, UINT8_MAX, false };
	if (!sight->has_color)
		return false;
	return sight->color.is_clear ||
	       (sight->ground != GROUND_UNKNOWN &&
		css_color_alike(sight->color, sight->ground == GROUND_PAGE ? white : sight->background));
}

bool html_sight_of_text(const struct html_sight *sight)
{
	return !sight->is_gone && !sight->is_invisible && !sight->is_tiny && !sight->is_shifted &&
	       !is_as_the_ground(sight);
}

bool html_sight_has_ink(struct view text)
{
	static const char *const inkless[] = {
		" ",      "\t",     "\n",     "\r",     "\f",     "\u00a0", "\u00ad", "\u034f", "\u061c",
		"\u115f", "\u1160", "\u180e", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
		"\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u200b", "\u200c", "\u200d", "\u200e",
		"\u200f", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u2061", "\u2062", "\u2063",
		"\u2064", "\u2800", "\u3000", "\u3164", "\ufeff",
	};
	for (size_t i = 0; text.len > 0; i = 0) {
		while (i < ARRAY_LEN(inkless) && !view_starts(text, view_of(inkless[i])))
			i++;
		if (i == ARRAY_LEN(inkless))
			return true;
		text = view_skip(text, view_of(inkless[i]).len);
	}
	return false;
}
