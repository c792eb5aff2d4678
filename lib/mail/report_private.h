/* The inside of struct report (mail/report.h) for those who fill it. */
#ifndef MAIL_REPORT_PRIVATE_H
#define MAIL_REPORT_PRIVATE_H

#include "mail/report.h"

/* The rule of report_is_own_copy(). */
#define REPORT_OWN_COPY "own-copy"

enum { REPORT_RECIPIENTS_MAX = 64, REPORT_TOKENS_MAX = 20, REPORT_RULE_MOST = 63 };

enum err report_new(struct report **ret_report) MUST_USE;

/* All texts are cleaned (mail/clean_text.h) and cut short at their limit; a value set twice is the first one. */
void report_set_finding(struct report *report, const struct finding *finding);
/* A rule's name of up to REPORT_RULE_MOST octets that is not static: the returned copy lives as long as the report. */
const char *report_keep_rule(struct report *report, struct view name);
void report_set_diagnostic(struct report *report, struct view text);
void report_set_reporting_mta(struct report *report, struct view name);
/* Passed over when empty, known already, or beyond the number above. */
void report_add_recipient(struct report *report, struct view address);
void report_add_token(struct report *report, struct view token);

#endif
