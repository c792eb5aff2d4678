/* Colours of CSS (css-color-4), as the styles of letters have them: #rgb, rgb(), hsl(), names. Pure. */
#ifndef MAIL_CSS_COLOR_H
#define MAIL_CSS_COLOR_H

#include <stdint.h>

#include "base/view.h"

struct css_color {
	uint8_t red, green, blue;
	bool is_clear; /* all but transparent */
};

/* False: it is none, or one that depends on others (currentcolor, var()). */
bool css_color_read(struct view text, struct css_color *ret_color);

/* Whether text of the one shows on the other to nobody. */
bool css_color_alike(struct css_color one, struct css_color other);

#endif
