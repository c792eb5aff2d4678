/* A report as one line of JSON, as `listctl bounce classify --format json` prints it. */
#ifndef MAIL_REPORT_JSON_H
#define MAIL_REPORT_JSON_H

#include "mail/intake.h"

/* Appends {"file","kind","reason","status","recipients":[...]} and LF. reason is empty for what is no bounce and no delay; a null MX is
 * written "domain-unknown" here. */
enum err report_json(const struct report *report, struct view file, struct buf *out);

/* The same with what it goes by: "rule", "code" (null for none), "place" and "line" behind. */
enum err report_json_with_ground(const struct report *report, struct view file, const struct intake_ground *ground,
				 struct buf *out);

#endif
