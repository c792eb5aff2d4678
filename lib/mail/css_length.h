/* Numbers and lengths of CSS (css-values-4), as the styles of letters have them. Pure. */
#ifndef MAIL_CSS_LENGTH_H
#define MAIL_CSS_LENGTH_H

#include "base/view.h"

/* How long the number is that a text begins with; 0: it begins with none. */
size_t css_number_read(struct view text, double *ret_number);

/* What a length is in pixels; one without a unit is in pixels, as in an attribute. False: it is none, or relative to what is around it. */
bool css_length_read(struct view text, double *ret_pixels);

/* Cuts the next word off a value, at a blank or comma outside of brackets: "#fff", "rgb(1, 2, 3)". False at the end. */
bool css_cut_word(struct view *value, struct view *ret_word);

#endif
