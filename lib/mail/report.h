/* What intake.h has read out of one message that came back: what it is, why, and whom it names. All text is UTF-8 without control
 * characters (newlines excepted in the diagnostic). */
#ifndef MAIL_REPORT_H
#define MAIL_REPORT_H

#include "mail/classify.h"

struct report;                           /* owns what was read */
void report_done(struct report *report); /* accepts NULL */
/* That of a message which nobody could read: KIND_UNKNOWN, by the rule "unread". ERR_MEMORY. */
enum err report_of_unread(struct report **ret_report) MUST_USE;

/* The message's overall finding: that of its failed recipient (VERP: there is one). */
const struct finding *report_finding(const struct report *report);
/* Whether it is our own letter that came back whole (mail/own_copy.h). */
bool report_is_own_copy(const struct report *report);
/* What was read to reach it; empty when absent. Borrowed from the report. */
struct view report_diagnostic(const struct report *report);
struct view report_reporting_mta(const struct report *report);

/* Recipients the report names as failed or delayed (Final-Recipient, else Original-Recipient, else from text). */
size_t report_recipient_count(const struct report *report);
struct view report_recipient(const struct report *report, size_t index);

/* Candidate tokens inside: Original-Envelope-Id, the local part of the returned Message-ID, and return paths seen in the returned
 * headers. Strings only; the caller checks them. */
size_t report_token_count(const struct report *report);
struct view report_token(const struct report *report, size_t index);

#endif
