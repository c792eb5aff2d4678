/* Our own letter come back whole, as if it were an answer: of a redirection or a list that sends to the return path what it was sent. */
#ifndef MAIL_OWN_COPY_H
#define MAIL_OWN_COPY_H

#include "mail/parts.h"

/* Of a list, and with a Message-ID of ours by its form: who has the keys is not asked, since such a message counts for nothing. What says that a machine has
 * written it in answer is none. */
bool own_copy_is(const struct parts *parts);

#endif
