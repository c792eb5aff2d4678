/* What a mail system wrote for people when it knows no report format: qmail, Exim, old sendmail, Notes, Exchange and many more.
 * Reads structure that all of them share: where the returned message begins, lines that name an address, lines with a reply. */
#ifndef MAIL_TEXT_REPORT_H
#define MAIL_TEXT_REPORT_H

#include <stdbool.h>

#include "base/view.h"

enum { TEXT_RECIPIENTS_MAX = 16 };

struct text_report {
	struct view notice;   /* the text up to the returned message */
	struct view returned; /* what follows; empty when none */
	struct view recipients[TEXT_RECIPIENTS_MAX];
	size_t count;
	/* From the first recipient (or the first line with a reply code) to the end of its paragraph; empty when none is named. */
	struct view diagnostic;
};

/* ignored: addresses that are no recipients (who sent the report and to whom). */
void text_report_read(struct view text, const struct view *ignored, size_t ignored_count,
		      struct text_report *ret_report);

/* The next address in *text (local-part@domain with or without angle brackets), cutting *text behind it; false at the end.
 * *ret_before is what stood before it. */
bool text_cut_address(struct view *text, struct view *ret_before, struct view *ret_address);

#endif
