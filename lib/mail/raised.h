/* Text above or below the line (<sup>, <sub>) as plain text, where 10<sup>2</sup> must not become 102. */
#ifndef MAIL_RAISED_H
#define MAIL_RAISED_H

#include "base/buf.h"

enum raised { RAISED_UP, RAISED_DOWN, RAISED_COUNT };

/* Appends 10² with Unicode's own characters where it has all of them, else x^k or x^(2k), x_k. What means the same on the line stays as
 * it is: ordinals behind a digit (4th), TM, marks without letters and digits. */
enum err raised_write(enum raised raised, struct view text, bool is_behind_digit, struct buf *out);

#endif
