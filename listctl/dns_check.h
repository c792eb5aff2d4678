/* What is published, compared with what a plan wants. */
#ifndef LISTCTL_DNS_CHECK_H
#define LISTCTL_DNS_CHECK_H

#include "listctl/dns_plan.h"
#include "mail/dns_answer.h"

enum dns_verdict { DNS_OK, DNS_MISSING, DNS_DIFFERS, DNS_UNTOLD, DNS_VERDICT_COUNT };
/* "ok", "missing", "differs", "unknown" */
const char *dns_verdict_name(enum dns_verdict verdict);

struct dns_finding {
	enum dns_verdict verdict;
	struct buf found;  /* what is published, shortened; printable ASCII */
	struct buf remedy; /* what is wrong and what to do; with DNS_OK a hint, if any */
};

/* The caller releases *ret_finding with dns_finding_done(). */
void dns_check(const struct dns_source *source, const struct dns_plan *plan, const struct dns_record *record,
	       struct dns_finding *ret_finding);
void dns_finding_done(struct dns_finding *finding);

#endif
