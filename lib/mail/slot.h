/* Where the fields of a template stand in the text around them, and what a value becomes there, so that no value can be anything but a
 * value: not a tag, not another attribute, not a script behind a link.
 *
 * HTML is followed as a browser reads it (the tokenizer of the HTML standard, section 13.2.5), as far as it matters where a field
 * stands: text, the value of an attribute, a link, a tag, a comment, a style sheet. Outlook's conditional comments count as HTML.
 * In plain text only links are told apart: what begins with http://, https:// or mailto:. Pure. */
#ifndef MAIL_SLOT_H
#define MAIL_SLOT_H

#include "base/buf.h"

enum slot_language {
	SLOT_PLAIN, /* a header: values stand as they are */
	SLOT_TEXT,  /* plain text with links */
	SLOT_HTML,
	SLOT_LANGUAGE_COUNT
};

/* What becomes of a value. Part, tail and address stand behind the beginning of a link, which the template has. */
enum slot_escape {
	ESCAPE_NOTHING,
	ESCAPE_HTML,       /* & < > " ' become character references */
	ESCAPE_STYLE,      /* in style="": letters, digits, blanks and # % . , + - _ only */
	ESCAPE_LINK,       /* a link from its beginning: http:, https: or mailto: */
	ESCAPE_PART,       /* RFC 3986 section 2.3: all but letters, digits and - . _ ~ become %XX */
	ESCAPE_ADDRESS,    /* the same behind mailto:, where an @ stays */
	ESCAPE_TAIL,       /* {{{x}}}: what divides links stays too, : / ? # and so on */
	ESCAPE_LATE_TAIL,  /* the same, but where a : could make a scheme of it, that one not */
	ESCAPE_PLAIN_TAIL, /* ESCAPE_TAIL in plain text: & stays as it is */
	ESCAPE_COUNT
};

/* What a field gives. */
enum slot_value {
	SLOT_VALUE,       /* {{x}} */
	SLOT_VALUE_AS_IS, /* {{{x}}} */
	SLOT_VALUE_LINK,  /* a whole link, which can be no part of another: {{unsubscribe}} */
};

/* Appends what becomes of the value, or sets *ret_text to the value itself when nothing does. ERR_INVALID: it cannot stand there;
 * *ret_wish says what may. */
enum err slot_escape_value(enum slot_escape escape, struct view value, struct buf *scratch, struct view *ret_text,
			   const char **ret_wish) MUST_USE;

/* A place in a text; plain, to be copied. */
struct slot_place {
	enum slot_language language;
	unsigned char state;     /* of slot_html.c */
	unsigned char attribute; /* what kind of attribute the value is of */
	unsigned char link;      /* what of a link may have come, a set */
	unsigned char dashes;    /* at the end of a comment */
	char quote;              /* around the value */
	bool is_end_tag;
	bool has_field;     /* a field stands in what is being read: a scheme, a name */
	bool was_bracketed; /* plain text: the link began behind a ( */
	char before;        /* plain text: the character before */
	unsigned char raw;  /* the element whose text is no HTML */
	unsigned char meta; /* what of a <meta> has come, a set */
	bool is_cut;        /* the text ended within a character reference that may decide what a link is */
	unsigned char name_len;
	char name[16]; /* of the element, attribute or scheme that is being read, lower case, cut */
};

struct slot_place slot_start(enum slot_language language);

/* Goes on over a text of the template's own. False: *ret_at is where it breaks what a field or a section began, *ret_why says how. */
bool slot_read(struct slot_place *place, struct view text, size_t *ret_at, const char **ret_why) MUST_USE;

/* A field stands here. False: none may, *ret_why says why and what to do. */
bool slot_field(struct slot_place *place, enum slot_value value, enum slot_escape *ret_escape,
		const char **ret_why) MUST_USE;

/* A section's tag stands here. False: none may. */
bool slot_section(struct slot_place *place, const char **ret_why) MUST_USE;

/* Whether HTML of any length may stand here: between elements. */
bool slot_takes_html(const struct slot_place *place);

/* Where the text goes on that came here by two ways. False: they lead to different places. */
bool slot_join(const struct slot_place *one, const struct slot_place *other, struct slot_place *ret_place) MUST_USE;

#endif
