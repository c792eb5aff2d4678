/* The records that a sending domain and the bounce domain need in the DNS (RFC 5321, 7208, 6376, 9989; the large receivers' own wishes). */
#ifndef LISTCTL_DNS_PLAN_H
#define LISTCTL_DNS_PLAN_H

#include "listctl/call.h"
#include "store/dkim_folder.h"

enum dns_kind {
	DNS_BOUNCE_MX,   /* of the bounce domain: the host that runs bounced */
	DNS_BOUNCE_HOST, /* of that host: an address */
	DNS_SPF,         /* of the bounce domain, which is the domain of MAIL FROM */
	DNS_DKIM,        /* of each key in use */
	DNS_DMARC,       /* of the From domain */
	DNS_REVERSE,     /* of each address that mail leaves from */
	DNS_ZONE,        /* of From and bounce domain: that a zone is there (Yahoo asks for its SOA) */
	DNS_KIND_COUNT
};

struct dns_record {
	enum dns_kind kind;
	struct buf name;            /* without final dot */
	struct buf wanted;          /* as it is published; for DNS_BOUNCE_HOST and DNS_ZONE in words */
	const struct dkim_key *key; /* DNS_DKIM; borrowed from the plan */
	struct buf address;         /* DNS_REVERSE */
};

enum { DNS_RECORDS_OF_PLAN = 128, DNS_ADDRESSES_MOST = 32 };

struct dns_plan {
	struct buf from_domain, bounce_domain, host;
	struct buf addresses; /* that mail leaves from, as far as known, a space behind each */
	struct buf includes;  /* domains whose SPF records name further ones, likewise */
	bool names_senders;   /* those are all from which mail leaves, or it leaves from the host of bounced */
	struct dkim_folder folder;
	bool keys_known; /* false: who asks may not read them; keys_why says why */
	struct buf keys_why;
	struct dns_record records[DNS_RECORDS_OF_PLAN];
	size_t count;
};

/* What the settings, the relays' rows and dkim.dir say about mail from that domain. The caller releases *ret_plan, also after a failure. */
enum err dns_plan_make(struct call *call, struct view from_domain, struct dns_plan *ret_plan) MUST_USE;
void dns_plan_done(struct dns_plan *plan);

/* Whether there are keys that sign mail from the domain. */
bool dns_plan_has_keys(const struct dns_plan *plan);

/* "MX", "TXT" ... */
const char *dns_kind_type(enum dns_kind kind);
/* "bounce-mx", "spf" ...: what it is for. */
const char *dns_kind_name(enum dns_kind kind);
/* Whether it is a line of a zone file; else it is for people. */
bool dns_kind_is_record(enum dns_kind kind);

#endif
