/* What of an HTML letter a reader can see, as far as the elements' own styles tell: what stands in a <style> is not read, since mailboxes drop it
 * or not; it only makes unknown what is behind a text. */
#ifndef MAIL_HTML_SIGHT_H
#define MAIL_HTML_SIGHT_H

#include "mail/css_color.h"
#include "mail/html_node.h"

/* What a text stands on. */
enum html_ground { GROUND_PAGE /* white */, GROUND_COLOR, GROUND_UNKNOWN };

/* Of what stands in an element; plain, to be copied. */
struct html_sight {
	bool is_gone;               /* whatever stands within */
	bool is_gone_in_outlook;    /* the same, in Outlook on Windows (mso-hide) */
	bool is_invisible, is_tiny; /* unless an element within says otherwise; an image has no font */
	bool is_shifted;            /* text-indent: the text stands outside of the window */
	bool is_speck;              /* the element itself: an image that has no size to speak of */
	bool has_color, has_styles; /* styles: a <style> may say what is behind an element */
	enum html_ground ground;
	struct css_color color, background; /* of has_color and GROUND_COLOR */
};

/* Of a document's root. */
struct html_sight html_sight_of_document(struct view html);
struct html_sight html_sight_below(const struct html_sight *around, const xmlNode *element);

/* Whether an element's own style takes it away whole, as preheaders have it. */
bool html_sight_hides(const xmlNode *element);

bool html_sight_of_text(const struct html_sight *sight);
bool html_sight_of_image(const struct html_sight *sight);

/* Whether a text holds what is neither a blank nor invisible by itself: no-break, zero-width and the like. */
bool html_sight_has_ink(struct view text);

#endif
