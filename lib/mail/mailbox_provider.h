/* Domains of mailboxes that anybody may have, and whose owner alone can publish a DKIM key there: a newsletter that says it comes from one is
 * signed by nobody, and receivers treat it as the owner's DMARC record, or their own rule for such domains, tells them: they refuse it, or take
 * it for spam. */
#ifndef MAIL_MAILBOX_PROVIDER_H
#define MAIL_MAILBOX_PROVIDER_H

#include "base/view.h"

bool mailbox_provider_has(struct view domain);

/* Behind the domain, in a sentence. */
#define MAILBOX_PROVIDER_REASON                                                                                        \
	"which only its provider can sign for by DKIM: receivers reject or quarantine what others send from there "    \
	"(DMARC)"
#define MAILBOX_PROVIDER_REMEDY                                                                                        \
	"send from a domain of your own, where you can publish records; answers may go to that mailbox (reply-to)"

#endif
