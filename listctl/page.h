/* An HTML page that is one file: its stylesheet is in it, and a policy that forbids everything else. It is written so that it is well-formed XML too. */
#ifndef LISTCTL_PAGE_H
#define LISTCTL_PAGE_H

#include "base/buf.h"

/* Text from anywhere, as content or inside of a quoted attribute. Controls, marks that turn the direction of writing, and octets that are not UTF-8 become
 * U+FFFD. */
void page_add_text(struct buf *out, struct view text);
/* Up to the title, which may hold anything, and from the end of the content. */
void page_begin(struct buf *out, struct view title);
void page_end(struct buf *out);

/* "one_word" as "one word", "bounce_percent" as "bounce %". */
void page_add_name(struct buf *out, const char *name);
/* 1234567 as "1 234 567", with narrow spaces that do not break. */
void page_add_number(struct buf *out, int64_t number);

#endif
