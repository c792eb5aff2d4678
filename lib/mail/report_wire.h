/* A report on its way from one process to another. */
#ifndef MAIL_REPORT_WIRE_H
#define MAIL_REPORT_WIRE_H

#include "base/wire.h"
#include "mail/report.h"

/* Errors as buf_err(). */
enum err report_write(const struct report *report, struct buf *out) MUST_USE;

/* Takes a report off the wire; who wrote it may be anybody. ERR_INVALID for what report_write() would not write: whatever comes out holds
 * to mail/report.h. ERR_MEMORY. The caller releases *ret_report. */
enum err report_take(struct wire *wire, struct report **ret_report) MUST_USE;

#endif
