/* The look into the DNS before a campaign (dns.check). */
#ifndef LISTCTL_DNS_PREFLIGHT_H
#define LISTCTL_DNS_PREFLIGHT_H

#include "listctl/call.h"

/* Warns of each record that is missing, differs or cannot be told; ERR_REFUSED when dns.check is refuse and one is missing or differs. */
enum err dns_preflight(struct call *call, struct view from_address) MUST_USE;

#endif
