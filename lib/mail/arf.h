/* The machine-readable part of a feedback report: message/feedback-report of RFC 5965. Views borrow from the text. */
#ifndef MAIL_ARF_H
#define MAIL_ARF_H

#include <stdbool.h>

#include "base/view.h"

struct arf {
	struct view type;     /* Feedback-Type */
	struct view reporter; /* Reporting-MTA without its type, else User-Agent */
	struct view envelope_id;
	struct view original_recipient; /* the first Original-Rcpt-To; may be absent or blanked out */
	struct view original_sender;    /* Original-Mail-From */
	/* The person wants no more of it: abuse, fraud, virus, opt-out and types not known. Not so: not-spam, auth-failure. */
	bool is_complaint;
};

/* False when it has no Feedback-Type. */
bool arf_read(struct view text, struct arf *ret_arf) MUST_USE;

#endif
