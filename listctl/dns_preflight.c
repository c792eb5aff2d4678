#include "listctl/dns_preflight.h"

#include <string.h>

#include "listctl/dns_check.h"
#include "listctl/resolver.h"
#include "mail/address.h"
#include "mail/mailbox_provider.h"

/* One line for all that cannot be told: the reason is mostly the same. */
static size_t warn_all(struct call *call, const struct dns_source *source, const struct dns_plan *plan)
{
	size_t faults = 0, untold = 0;
	for (size_t i = 0; i < plan->count; i++) {
		const struct dns_record *record = &plan->records[i];
		struct dns_finding finding;
		dns_check(source, plan, record, &finding);
		untold += finding.verdict == DNS_UNTOLD;
		if (finding.verdict == DNS_MISSING || finding.verdict == DNS_DIFFERS) {
			faults++;
			call_warn(call, "DNS: %s of " VIEW_FMT " %s: %s", dns_kind_name(record->kind),
				  VIEW_ARG(buf_view(&record->name)),
				  finding.verdict == DNS_MISSING ? "is missing" : "differs from what is wanted",
				  buf_text(&finding.remedy));
		}
		dns_finding_done(&finding);
	}
	if (untold > 0)
		call_warn(call, "DNS: %zu of %zu records could not be looked up within dns.timeout", untold,
			  plan->count);
	return faults;
}

static enum err judge_provider(struct call *call, struct view domain)
{
	if (strcmp(call->settings->dns_check, "refuse") == 0)
		return call_refuse(call, ERR_REFUSED,
				   "From is at " VIEW_FMT ", " MAILBOX_PROVIDER_REASON
				   ", and dns.check is refuse; " MAILBOX_PROVIDER_REMEDY,
				   VIEW_ARG(domain));
	call_warn(call, "DNS: From is at " VIEW_FMT ", " MAILBOX_PROVIDER_REASON "; " MAILBOX_PROVIDER_REMEDY,
		  VIEW_ARG(domain));
	return ERR_OK;
}

enum err dns_preflight(struct call *call, struct view from_address)
{
	const struct settings *settings = call->settings;
	struct dns_plan plan;
	struct resolver *resolver = NULL;
	if (strcmp(settings->dns_check, "off") == 0)
		return ERR_OK;
	if (mailbox_provider_has(address_domain(from_address)))
		return judge_provider(call, address_domain(from_address));
	enum err err = dns_plan_make(call, address_domain(from_address), &plan);
	if (err == ERR_OK)
		err = resolver_new(settings->dns_resolver, settings->dns_timeout, &resolver, call->why);
	if (err == ERR_OK) {
		const struct dns_source source = resolver_source(resolver);
		size_t faults = warn_all(call, &source, &plan);
		if (faults > 0 && strcmp(settings->dns_check, "refuse") == 0)
			err = call_refuse(
			    call, ERR_REFUSED,
			    "%zu DNS records are not as they should be, and dns.check is refuse; `listctl dns "
			    "--check " VIEW_FMT "` shows all",
			    faults, VIEW_ARG(buf_view(&plan.from_domain)));
	}
	resolver_done(resolver);
	dns_plan_done(&plan);
	return err;
}
