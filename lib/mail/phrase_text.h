/* A text as phrases are compared with it. */
#ifndef MAIL_PHRASE_TEXT_H
#define MAIL_PHRASE_TEXT_H

#include "base/view.h"

/* Gives each octet of the normalised text to `take`: lower case (ASCII, Latin-1 letters and Cyrillic), every run of white space and
 * no-break spaces one space, a space at either end, typographic apostrophes plain, and every address "@". Allocates nothing. */
void phrase_text_walk(struct view text, void (*take)(void *context, unsigned char octet), void *context);

/* The first SMTP reply code (4xx or 5xx) that stands free in the text; 0 for none. */
unsigned phrase_text_code(struct view text);

#endif
