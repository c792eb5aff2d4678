/* A character as a link or HTML may spell it: itself, %7B, encoded once more %257B, &#123;, &#x007b;, &lbrace;, &amp;#123;. Pure. */
#ifndef MAIL_SPELLING_H
#define MAIL_SPELLING_H

#include <stdint.h>

#include "base/buf.h"

/* How long the spelling is that a text begins with, and what it stands for: a character of HTML's, else an octet; 0: the text is empty. */
size_t spelling_read(struct view text, uint32_t *ret_character);

#endif
