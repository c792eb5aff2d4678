/* A report as one line of JSON, as `listctl bounce classify --format json` prints it. */
#ifndef MAIL_REPORT_JSON_H
#define MAIL_REPORT_JSON_H

#include "mail/report.h"

/* Appends {"file","kind","reason","status","recipients":[...]} and LF. reason is empty for what is no bounce and no delay; a null MX is
 * written "domain-unknown" here. */
enum err report_json(const struct report *report, struct view file, struct buf *out);

#endif
