/* What a part of a complete message (mail/eml.h) holds, decoded. */
#ifndef MAIL_EML_CONTENT_H
#define MAIL_EML_CONTENT_H

#include <gmime/gmime.h>

#include "base/buf.h"

/* Appends its octets, those of a text in UTF-8. ERR_INVALID, ERR_TOO_BIG: `why` says what is wrong and what to do. */
enum err eml_content_read(GMimePart *leaf, struct buf *out, struct buf *why) MUST_USE;

#endif
