/* text/plain; format=flowed (RFC 3676): a line that ends in a blank goes on in the next one. */
#ifndef MAIL_FLOWED_H
#define MAIL_FLOWED_H

#include "base/buf.h"

/* Appends the text with its soft line breaks undone. del_space: the blank before such a break is no part of the text (DelSp=yes). Lines that are
 * quoted (">") stay as they are. */
enum err flowed_join(struct view text, bool del_space, struct buf *out);

#endif
