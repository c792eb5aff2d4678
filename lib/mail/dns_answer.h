/* What the DNS says, as text that is safe to show: the pure side of listctl/resolver.h, for whatever judges records. */
#ifndef MAIL_DNS_ANSWER_H
#define MAIL_DNS_ANSWER_H

#include "base/buf.h"

enum dns_type { DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_SOA, DNS_TXT, DNS_TYPE_COUNT };

enum dns_status {
	DNS_FOUND,
	DNS_NO_DATA, /* the name is there, without such a record */
	DNS_NO_NAME, /* the name is not there */
	DNS_FAILED,  /* not answered in time, or answered that it cannot be told */
};

enum {
	DNS_RECORDS_MOST = 64,    /* of an answer; more are left out */
	DNS_RECORD_OCTETS = 8192, /* of one; what is longer is cut */
};

/* Asks for records of a name, with or without a final dot. Appends each to `records` as a line ended by LF: printable ASCII, what is none as \DDD;
 * TXT with its strings joined; MX "10 host.example"; names without final dot, in lower case; SOA the primary's name. */
struct dns_source {
	void *context;
	enum dns_status (*ask)(void *context, struct view name, enum dns_type type, struct buf *records);
};

static inline enum dns_status dns_ask(const struct dns_source *source, struct view name, enum dns_type type,
				      struct buf *records)
{
	return source->ask(source->context, name, type, records);
}

#endif
