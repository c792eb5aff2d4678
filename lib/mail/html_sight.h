/* What of an HTML letter a reader can see, as far as the elements' own styles tell: what stands in a <style> is not read, since mailboxes drop it
 * or not. */
#ifndef MAIL_HTML_SIGHT_H
#define MAIL_HTML_SIGHT_H

#include "mail/html_node.h"

/* Of what stands in an element; zeroed: in the document. Views borrow from that. */
struct html_sight {
	bool is_gone;                  /* whatever stands within */
	bool is_invisible, is_tiny;    /* unless an element within says otherwise; an image has no font */
	struct view color, background; /* empty: not known */
};

struct html_sight html_sight_below(const struct html_sight *around, const xmlNode *element);

/* Whether an element's own style takes it away whole, as preheaders have it. */
bool html_sight_hides(const xmlNode *element);

bool html_sight_of_text(const struct html_sight *sight);
bool html_sight_of_image(const struct html_sight *sight);

#endif
