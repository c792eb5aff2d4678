#include <assert.h>

#include "mail/reference.h"
#include "mail/slot_private.h"

/* The states of the HTML standard's tokenizer (section 13.2.5), those that differ in nothing that matters here as one. */
enum html_state {
	HTML_TEXT,
	HTML_TAG_OPEN,     /* < */
	HTML_TAG_NAME,     /* <a */
	HTML_TAG_NAME_CUT, /* the same, and a section's tag */
	HTML_IN_TAG,       /* <a , behind a name or a value */
	HTML_ATTRIBUTE,    /* <a hr */
	HTML_AFTER_NAME,   /* <a href , also a section's tag behind it */
	HTML_BEFORE_VALUE, /* <a href= */
	HTML_QUOTED,       /* <a href=" */
	HTML_UNQUOTED,     /* <a href=x */
	HTML_MARKUP,       /* <! */
	HTML_DASH,         /* <!- */
	HTML_COMMENT,      /* <!-- */
	HTML_CONDITION,    /* <!--[ */
	HTML_BOGUS,        /* <!x or <? to the next > */
	HTML_RAW,          /* <style>, <script>: no HTML, no references */
	HTML_RAW_OPEN,     /* < in it */
	HTML_RAW_END,      /* </st in it */
	HTML_STATE_COUNT
};

/* What an attribute's value is. */
enum attribute_kind {
	ATTRIBUTE_WORDS,
	ATTRIBUTE_LINK,
	ATTRIBUTE_STYLE,
	ATTRIBUTE_PROGRAM,
	ATTRIBUTE_CONTENT, /* of a <meta> */
	ATTRIBUTE_KIND_COUNT
};

/* What of a <meta> has come: with http-equiv its content is an order to the browser, such as to go elsewhere. */
enum {
	META = 1,
	META_EQUIVALENT = 2, /* http-equiv */
	META_FIELD = 4,      /* a field in its content */
};

#define NOT_AN_ORDER                                                                                                   \
	"no field may stand in the content of a <meta http-equiv>, which can lead the reader elsewhere; write it out"

static const struct {
	const char *name;
	enum attribute_kind kind;
} attributes[] = {
	{ "href", ATTRIBUTE_LINK },       { "src", ATTRIBUTE_LINK },        { "action", ATTRIBUTE_LINK },
	{ "background", ATTRIBUTE_LINK }, { "cite", ATTRIBUTE_LINK },       { "formaction", ATTRIBUTE_LINK },
	{ "longdesc", ATTRIBUTE_LINK },   { "poster", ATTRIBUTE_LINK },     { "srcset", ATTRIBUTE_LINK },
	{ "data", ATTRIBUTE_LINK },       { "xlink:href", ATTRIBUTE_LINK }, { "ping", ATTRIBUTE_LINK },
	{ "lowsrc", ATTRIBUTE_LINK },     { "dynsrc", ATTRIBUTE_LINK },     { "style", ATTRIBUTE_STYLE },
	{ "srcdoc", ATTRIBUTE_PROGRAM },
};

/* Elements whose text is no HTML. */
static const struct raw_row {
	const char *name;
	bool is_text; /* references are read in it, so that a value may stand there */
} raws[] = {
	{ "style", false },    { "script", false },    { "xmp", false },  { "iframe", false },  { "noembed", false },
	{ "noframes", false }, { "plaintext", false }, { "title", true }, { "textarea", true },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum attribute_kind kind_of(const struct slot_place *place)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if (slot_name_is(place, attributes[i].name))
			return attributes[i].kind;
	}
	if ((place->meta & META) != 0 && slot_name_is(place, "content"))
		return ATTRIBUTE_CONTENT;
	/* onclick and all the others; an element's attribute of that form has no other use. */
	bool is_handler = place->name_len > 2 && place->name[0] == 'o' && place->name[1] == 'n';
	return is_handler ? ATTRIBUTE_PROGRAM : ATTRIBUTE_WORDS;
}

/* ---- the steps ---- */

typedef enum html_state step(struct slot_place *place, char c, const char **ret_why);

static enum html_state begin_name(struct slot_place *place, char c, enum html_state state)
{
	slot_name_begin(place);
	slot_name_add(place, c);
	return state;
}

static enum html_state in_text(struct slot_place *place, char c, const char **ret_why)
{
	(void)ret_why;
	place->is_end_tag = false;
	return c == '<' ? HTML_TAG_OPEN : HTML_TEXT;
}

static enum html_state in_tag_open(struct slot_place *place, char c, const char **ret_why)
{
	if (c == '/' && !place->is_end_tag) {
		place->is_end_tag = true;
		return HTML_TAG_OPEN;
	}
	if (is_letter(c)) {
		place->raw = 0;
		return begin_name(place, c, HTML_TAG_NAME);
	}
	if (place->is_end_tag)
		return c == '>' ? HTML_TEXT : HTML_BOGUS;
	if (c == '!')
		return HTML_MARKUP;
	return c == '?' ? HTML_BOGUS : in_text(place, c, ret_why);
}

/* raw is one more than the row. */
static void end_tag_name(struct slot_place *place)
{
	place->meta = !place->is_end_tag && slot_name_is(place, "meta") ? META : 0;
	for (size_t i = 0; !place->is_end_tag && i < ARRAY_LEN(raws); i++) {
		if (slot_name_is(place, raws[i].name))
			place->raw = (unsigned char)(i + 1);
	}
}

static enum html_state end_tag(const struct slot_place *place)
{
	return place->raw > 0 ? HTML_RAW : HTML_TEXT;
}

static enum html_state in_tag(struct slot_place *place, char c, const char **ret_why)
{
	if (c == '>')
		return end_tag(place);
	if (is_blank(c) || c == '/')
		return HTML_IN_TAG;
	if (c == '=' && place->has_field)
		*ret_why = "the = behind a section's tag belongs to no attribute; put name and value into the section";
	return begin_name(place, c, HTML_ATTRIBUTE);
}

static enum html_state in_tag_name(struct slot_place *place, char c, const char **ret_why)
{
	if (is_blank(c) || c == '/' || c == '>') {
		end_tag_name(place);
		return in_tag(place, c, ret_why);
	}
	slot_name_add(place, c);
	return HTML_TAG_NAME;
}

static enum html_state in_cut_tag_name(struct slot_place *place, char c, const char **ret_why)
{
	if (!is_blank(c) && c != '/' && c != '>')
		*ret_why = "the tag's name goes on behind a merge tag; put the whole name into each section";
	return in_tag_name(place, c, ret_why);
}

static enum html_state after_name(struct slot_place *place, char c, const char **ret_why)
{
	if (is_blank(c))
		return HTML_AFTER_NAME;
	if (c != '=')
		return in_tag(place, c, ret_why);
	place->attribute = (unsigned char)kind_of(place);
	if ((place->meta & META) != 0 && slot_name_is(place, "http-equiv"))
		place->meta |= META_EQUIVALENT;
	if (place->meta == (META | META_EQUIVALENT | META_FIELD))
		*ret_why = NOT_AN_ORDER;
	return HTML_BEFORE_VALUE;
}

static enum html_state in_attribute(struct slot_place *place, char c, const char **ret_why)
{
	if (is_blank(c) || c == '/' || c == '>' || c == '=')
		return after_name(place, c, ret_why);
	slot_name_add(place, c);
	return HTML_ATTRIBUTE;
}

static enum html_state before_value(struct slot_place *place, char c, const char **ret_why)
{
	(void)ret_why;
	if (is_blank(c))
		return HTML_BEFORE_VALUE;
	if (c == '>')
		return end_tag(place);
	if (c != '"' && c != '\'')
		return HTML_UNQUOTED;
	place->quote = c;
	slot_link_begin(place);
	return HTML_QUOTED;
}

static enum html_state in_quoted(struct slot_place *place, char c, const char **ret_why)
{
	if (c == place->quote)
		return HTML_IN_TAG;
	if (place->attribute == ATTRIBUTE_LINK)
		slot_link_read(place, c, ret_why);
	return HTML_QUOTED;
}

static enum html_state in_unquoted(struct slot_place *place, char c, const char **ret_why)
{
	(void)ret_why;
	if (c == '>')
		return end_tag(place);
	return is_blank(c) ? HTML_IN_TAG : HTML_UNQUOTED;
}

static enum html_state in_bogus(struct slot_place *place, char c, const char **ret_why)
{
	(void)place;
	(void)ret_why;
	return c == '>' ? HTML_TEXT : HTML_BOGUS;
}

static enum html_state in_markup(struct slot_place *place, char c, const char **ret_why)
{
	return c == '-' ? HTML_DASH : in_bogus(place, c, ret_why);
}

/* <!--> is a comment too. */
static enum html_state in_dash(struct slot_place *place, char c, const char **ret_why)
{
	place->dashes = 2;
	slot_name_begin(place);
	return c == '-' ? HTML_COMMENT : in_bogus(place, c, ret_why);
}

static enum html_state in_comment(struct slot_place *place, char c, const char **ret_why)
{
	(void)ret_why;
	bool is_first = place->name_len == 0;
	slot_name_add(place, c);
	if (is_first && c == '[')
		return HTML_CONDITION;
	if (c == '>' && place->dashes >= 2)
		return HTML_TEXT;
	if (c == '-')
		place->dashes = (unsigned char)(place->dashes < 2 ? place->dashes + 1 : 2);
	else if (c != '!' || place->dashes < 2)
		place->dashes = 0;
	return HTML_COMMENT;
}

/* <!--[if mso]> is left at its >: what follows is HTML to Outlook, and a comment whose end no value can be to the others. The
 * <![endif]--> at its end is a bogus comment. */
static enum html_state in_condition(struct slot_place *place, char c, const char **ret_why)
{
	return in_bogus(place, c, ret_why) == HTML_TEXT ? HTML_TEXT : HTML_CONDITION;
}

static enum html_state in_raw(struct slot_place *place, char c, const char **ret_why)
{
	(void)place;
	(void)ret_why;
	return c == '<' ? HTML_RAW_OPEN : HTML_RAW;
}

static enum html_state in_raw_open(struct slot_place *place, char c, const char **ret_why)
{
	slot_name_begin(place);
	return c == '/' ? HTML_RAW_END : in_raw(place, c, ret_why);
}

static enum html_state in_raw_end(struct slot_place *place, char c, const char **ret_why)
{
	if (is_letter(c)) {
		slot_name_add(place, c);
		return HTML_RAW_END;
	}
	bool ends_name = is_blank(c) || c == '/' || c == '>';
	if (!ends_name || !slot_name_is(place, raws[place->raw - 1].name))
		return in_raw(place, c, ret_why);
	place->raw = 0;
	return in_tag(place, c, ret_why);
}

/* ---- fields and sections ---- */

#define QUOTE_IT "no field may stand in a value without quotes; write name=\"{{...}}\", with straight quotes"
#define NOT_IN_TAG "no field may stand within a tag but in a quoted value; write name=\"{{...}}\""
#define NOT_IN_COMMENT "no field may stand in a comment; move it, or take the comment away"

static const struct state_row {
	step *step;
	const char *no_field;   /* NULL: a field may stand there */
	bool takes_section;     /* a section's tag may */
	enum html_state joined; /* what it is behind such a tag */
} states[] = {
	[HTML_TEXT] = { in_text, NULL, true, HTML_TEXT },
	[HTML_TAG_OPEN] = { in_tag_open, "behind < no field may stand; write &lt; when no tag is meant", false,
			    HTML_TEXT },
	[HTML_TAG_NAME] = { in_tag_name, NOT_IN_TAG, true, HTML_TAG_NAME_CUT },
	[HTML_TAG_NAME_CUT] = { in_cut_tag_name, NOT_IN_TAG, true, HTML_TAG_NAME_CUT },
	[HTML_IN_TAG] = { in_tag, NOT_IN_TAG, true, HTML_IN_TAG },
	[HTML_ATTRIBUTE] = { in_attribute, NOT_IN_TAG, true, HTML_IN_TAG },
	[HTML_AFTER_NAME] = { after_name, NOT_IN_TAG, true, HTML_IN_TAG },
	[HTML_BEFORE_VALUE] = { before_value, QUOTE_IT, false, HTML_TEXT },
	[HTML_QUOTED] = { in_quoted, NULL, true, HTML_QUOTED },
	[HTML_UNQUOTED] = { in_unquoted, QUOTE_IT, false, HTML_TEXT },
	[HTML_MARKUP] = { in_markup, NOT_IN_COMMENT, false, HTML_TEXT },
	[HTML_DASH] = { in_dash, NOT_IN_COMMENT, false, HTML_TEXT },
	[HTML_COMMENT] = { in_comment, NOT_IN_COMMENT, true, HTML_COMMENT },
	[HTML_CONDITION] = { in_condition, NOT_IN_COMMENT, false, HTML_TEXT },
	[HTML_BOGUS] = { in_bogus, NOT_IN_COMMENT, true, HTML_BOGUS },
	[HTML_RAW] = { in_raw, NULL, true, HTML_RAW },
	[HTML_RAW_OPEN] = { in_raw_open, "behind < no field may stand", false, HTML_TEXT },
	[HTML_RAW_END] = { in_raw_end, "behind </ no field may stand", false, HTML_TEXT },
};
static_assert(ARRAY_LEN(states) == HTML_STATE_COUNT, "one row per state");

/* Whether the characters of a link decide what it is. */
static bool is_link_open(const struct slot_place *place)
{
	return place->state == HTML_QUOTED && place->attribute == ATTRIBUTE_LINK &&
	       (place->link & (LINK_NOTHING | LINK_HEAD)) != 0;
}

/* A reference, or the beginning of one, that goes on to the text's end. */
static bool is_cut(struct view text)
{
	size_t len = 1;
	while (len < text.len &&
	       (is_letter(text.data[len]) || text.data[len] == '#' || (text.data[len] >= '0' && text.data[len] <= '9')))
		len++;
	return len == text.len;
}

size_t slot_html_read(struct slot_place *place, struct view text, const char **ret_why)
{
	uint32_t character = 0;
	size_t len = 0;
	if (text.data[0] == '&' && is_link_open(place)) {
		place->is_cut = is_cut(text);
		len = reference_read(text, &character);
	}
	/* Beyond ASCII any one is like another. */
	if (len > 0)
		slot_link_read(place, character < 0x80 ? (char)character : '\x7f', ret_why);
	else
		place->state = (unsigned char)states[place->state].step(place, text.data[0], ret_why);
	return len > 0 ? len : 1;
}

bool slot_html_takes_html(const struct slot_place *place)
{
	return place->state == HTML_TEXT && place->raw == 0;
}

#define NOT_IN_REFERENCE                                                                                               \
	"a character reference (&#106; or &amp;) ends before this tag without its ;, and what follows could become "   \
	"part of "                                                                                                     \
	"it; write the ;, or the character itself"

static bool value_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape,
			const char **ret_why)
{
	switch ((enum attribute_kind)place->attribute) {
	case ATTRIBUTE_LINK:
		return slot_link_field(place, value, ret_escape, ret_why);
	case ATTRIBUTE_STYLE:
		*ret_escape = ESCAPE_STYLE;
		return true;
	case ATTRIBUTE_PROGRAM:
		*ret_why = "this attribute's value is run as a program or read as a document; no field may stand in it";
		return false;
	case ATTRIBUTE_CONTENT:
		place->meta |= META_FIELD;
		if ((place->meta & META_EQUIVALENT) == 0)
			break;
		*ret_why = NOT_AN_ORDER;
		return false;
	case ATTRIBUTE_WORDS:
	case ATTRIBUTE_KIND_COUNT:
		break;
	}
	*ret_escape = ESCAPE_HTML;
	return true;
}

bool slot_html_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape,
		     const char **ret_why)
{
	const char *no_field = states[place->state].no_field;
	if (place->state == HTML_RAW && !raws[place->raw - 1].is_text)
		no_field =
		    "no field may stand in <style>, <script> and the like; move it into the text or an attribute";
	if (place->is_cut)
		no_field = NOT_IN_REFERENCE;
	if (no_field != NULL) {
		*ret_why = no_field;
		return false;
	}
	if (place->state == HTML_QUOTED)
		return value_field(place, value, ret_escape, ret_why);
	*ret_escape = value == SLOT_VALUE_AS_IS && place->state == HTML_TEXT ? ESCAPE_NOTHING : ESCAPE_HTML;
	return true;
}

bool slot_html_section(struct slot_place *place, const char **ret_why)
{
	const struct state_row *row = &states[place->state];
	if (!row->takes_section || place->is_cut) {
		*ret_why = place->is_cut
			       ? NOT_IN_REFERENCE
			       : "no section may begin or end here; put the whole tag, attribute or value into it";
		return false;
	}
	if (place->state == HTML_TAG_NAME)
		end_tag_name(place);
	if (place->state != HTML_QUOTED)
		place->has_field = true;
	place->state = (unsigned char)row->joined;
	place->dashes = 0;
	return true;
}

static bool is_within_tag(const struct slot_place *place)
{
	return place->state == HTML_IN_TAG || place->state == HTML_TAG_NAME_CUT;
}

bool slot_html_join(const struct slot_place *one, const struct slot_place *other, struct slot_place *ret_place)
{
	struct slot_place place = *other;
	place.meta |= one->meta;
	bool within = is_within_tag(one) && is_within_tag(other);
	if ((one->state != other->state && !within) || one->raw != other->raw ||
	    (within && one->is_end_tag != other->is_end_tag))
		return false;
	if (within)
		place.state = one->state == HTML_TAG_NAME_CUT ? one->state : other->state;
	if (place.state == HTML_QUOTED) {
		bool same = one->quote == other->quote && one->attribute == other->attribute;
		if (!same)
			return false;
		if (one->link != other->link)
			place.has_field = true;
		place.link |= one->link;
		place.has_field |= one->has_field;
	}
	*ret_place = place;
	return true;
}
