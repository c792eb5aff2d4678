#include "mail/html_sight.h"

/* ---- values ---- */

/* "0", "0px", ".0em !important"; a colour's is none. */
static bool is_zero(struct view value)
{
	size_t digits = 0, at = 0;
	for (; at < value.len && ((value.data[at] >= '0' && value.data[at] <= '9') || value.data[at] == '.'); at++) {
		if (value.data[at] > '0')
			return false;
		digits += value.data[at] == '0';
	}
	return digits > 0;
}

static bool begins_number(struct view value)
{
	return value.len > 0 && ((value.data[0] >= '0' && value.data[0] <= '9') || value.data[0] == '.');
}

static struct view word_of(struct view value)
{
	return view_head(value, view_find_byte(value, ' '));
}

/* Of the size around it. */
static bool is_relative(struct view value)
{
	static const char *const words[] = { "inherit", "smaller", "larger" };
	struct view word = word_of(value);
	bool is = view_ends(word, VIEW_LIT("%")) ||
		  (view_ends_nocase(word, VIEW_LIT("em")) && !view_ends_nocase(word, VIEW_LIT("rem")));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		is |= view_eq_nocase(word, view_of(words[i]));
	return is;
}

/* ---- properties ---- */

struct style {
	struct html_sight *sight;
	bool is_dropped, is_clear; /* display, opacity */
	bool has_no_room, is_cut;  /* height, overflow */
};

static void take_display(struct view value, struct style *style)
{
	style->is_dropped = view_starts_nocase(value, VIEW_LIT("none"));
}

static void take_opacity(struct view value, struct style *style)
{
	style->is_clear = is_zero(value);
}

static void take_height(struct view value, struct style *style)
{
	style->has_no_room |= is_zero(value);
}

static void take_overflow(struct view value, struct style *style)
{
	style->is_cut = view_starts_nocase(value, VIEW_LIT("hidden"));
}

static void take_visibility(struct view value, struct style *style)
{
	if (!view_starts_nocase(value, VIEW_LIT("inherit")))
		style->sight->is_invisible = !view_starts_nocase(value, VIEW_LIT("visible"));
}

static void take_font_size(struct view value, struct style *style)
{
	if (is_zero(value))
		style->sight->is_tiny = true;
	else if (!is_relative(value))
		style->sight->is_tiny = false;
}

/* The size is what begins with a digit and is no weight: "bold 14px/1.5 Arial", "700 0/0 a". */
static void take_font(struct view value, struct style *style)
{
	enum { WEIGHT_MOST = 1000, WEIGHT_LEAST = 100 };
	struct view word;
	while (view_cut(&value, ' ', &word)) {
		uint64_t weight;
		if (!begins_number(word) || (view_to_u64(word, WEIGHT_MOST, &weight) && weight >= WEIGHT_LEAST))
			continue;
		take_font_size(view_head(word, view_find_byte(word, '/')), style);
		return;
	}
}

static void take_color(struct view value, struct style *style)
{
	if (!view_starts_nocase(value, VIEW_LIT("inherit")))
		style->sight->color = view_trim(view_head(value, view_find_byte(value, '!')));
}

/* With a picture nobody knows what is behind the text. */
static void take_background(struct view value, struct style *style)
{
	struct view rest = view_head(value, view_find_byte(value, '!')), word;
	if (view_find_byte(value, '(') != VIEW_NONE && !view_starts_nocase(value, VIEW_LIT("rgb"))) {
		style->sight->background = (struct view){ 0 };
		return;
	}
	if (!view_cut(&rest, ' ', &word) || view_eq_nocase(word, VIEW_LIT("none")) ||
	    view_eq_nocase(word, VIEW_LIT("transparent")) || view_eq_nocase(word, VIEW_LIT("inherit")))
		return;
	style->sight->background = word;
}

static const struct property_row {
	const char *name;
	void (*take)(struct view value, struct style *style);
} properties[] = {
	{ "display", take_display },       { "opacity", take_opacity },       { "height", take_height },
	{ "max-height", take_height },     { "overflow", take_overflow },     { "overflow-y", take_overflow },
	{ "visibility", take_visibility }, { "font-size", take_font_size },   { "font", take_font },
	{ "color", take_color },           { "background", take_background }, { "background-color", take_background },
};

static void take_property(struct view declaration, struct style *style)
{
	struct view value = declaration, name;
	if (!view_cut(&value, ':', &name))
		return;
	name = view_trim(name);
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		if (view_eq_nocase(name, view_of(properties[i].name)))
			properties[i].take(view_trim(value), style);
	}
}

/* ---- elements ---- */

/* What stands in attributes of their own; a style wins over them. */
static void take_attributes(const xmlNode *element, struct html_sight *sight)
{
	struct view background = html_node_attribute(element, "bgcolor");
	struct view color = html_node_is(element, "font") ? html_node_attribute(element, "color") : (struct view){ 0 };
	if (background.len > 0)
		sight->background = view_trim(background);
	if (html_node_attribute(element, "background").len > 0)
		sight->background = (struct view){ 0 };
	if (color.len > 0)
		sight->color = view_trim(color);
	sight->is_gone |= html_node_attribute(element, "hidden").data != NULL;
}

struct html_sight html_sight_below(const struct html_sight *around, const xmlNode *element)
{
	struct html_sight sight = *around;
	struct style style = { .sight = &sight };
	struct view rest = html_node_attribute(element, "style"), declaration;
	take_attributes(element, &sight);
	while (view_cut(&rest, ';', &declaration))
		take_property(declaration, &style);
	sight.is_gone |= style.is_dropped || style.is_clear || (style.has_no_room && style.is_cut);
	return sight;
}

/* ---- colours ---- */

static const char *const color_names[][2] = { { "white", "#ffffff" }, { "black", "#000000" } };

/* The octet at that place of its six digits; the three of #fff stand for two each. */
static char digit_at(struct view color, size_t at)
{
	return (char)(color.data[color.len == 4 ? 1 + at / 2 : 1 + at] | 0x20);
}

static bool is_same_color(struct view a, struct view b)
{
	for (size_t i = 0; i < ARRAY_LEN(color_names); i++) {
		a = view_eq_nocase(a, view_of(color_names[i][0])) ? view_of(color_names[i][1]) : a;
		b = view_eq_nocase(b, view_of(color_names[i][0])) ? view_of(color_names[i][1]) : b;
	}
	bool are_digits = view_starts(a, VIEW_LIT("#")) && view_starts(b, VIEW_LIT("#")) &&
			  (a.len == 4 || a.len == 7) && (b.len == 4 || b.len == 7);
	bool is = are_digits || (a.len > 0 && view_eq_nocase(a, b));
	for (size_t i = 0; are_digits && i < 6; i++)
		is &= digit_at(a, i) == digit_at(b, i);
	return is;
}

bool html_sight_of_image(const struct html_sight *sight)
{
	return !sight->is_gone && !sight->is_invisible;
}

bool html_sight_hides(const xmlNode *element)
{
	static const struct html_sight document;
	return html_sight_below(&document, element).is_gone;
}

bool html_sight_of_text(const struct html_sight *sight)
{
	bool has_color =
	    !view_eq_nocase(sight->color, VIEW_LIT("transparent")) && !is_same_color(sight->color, sight->background);
	return html_sight_of_image(sight) && !sight->is_tiny && has_color;
}
