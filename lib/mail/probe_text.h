/* What a probe says where its list has no words of its own: templates, as a campaign's subject and text (mail/compose.h). */
#ifndef MAIL_PROBE_TEXT_H
#define MAIL_PROBE_TEXT_H

#include "base/view.h"

extern const struct view probe_text_subject, probe_text_body;

/* {{campaign.name}} of a probe. */
#define PROBE_TEXT_CAMPAIGN "probe"

#endif
