/* Automatic answers (RFC 3834): out of office, vacation, ticket systems, challenges. */
#ifndef MAIL_AUTOREPLY_H
#define MAIL_AUTOREPLY_H

#include "mail/parts.h"

/* By the header alone. subject_says, text_says: whether the words of MARK_SUBJECT_AUTO_REPLY and MARK_TEXT_AUTO_REPLY were found. */
bool autoreply_is(const struct parts *parts, bool subject_says, bool text_says);

#endif
