/* Sender Policy Framework (RFC 7208), as far as publishing a record goes: whether the record of a domain lets an address send, within the limits that
 * receivers have. Macros are not expanded: a mechanism that has one matches nothing here. */
#ifndef MAIL_SPF_H
#define MAIL_SPF_H

#include "mail/dns_answer.h"

enum {
	SPF_LOOKUPS_MOST = 10, /* terms that ask the DNS (section 4.6.4) */
	SPF_VOID_MOST = 2,     /* of these: without an answer */
	SPF_DEPTH_MOST = 10,   /* includes in includes */
};

enum spf_result {
	SPF_PASS,
	SPF_FAIL,    /* fail, softfail, neutral: not pass */
	SPF_NONE,    /* there is no record */
	SPF_MANY,    /* more than one: receivers take none (section 4.5) */
	SPF_INVALID, /* syntax, an include of a domain without a record, too many lookups: permerror */
	SPF_UNKNOWN, /* the DNS did not answer */
	SPF_RESULT_COUNT
};
const char *spf_result_name(enum spf_result result);

struct spf_check {
	struct view domain;
	struct view
	    address; /* IPv4 or IPv6; empty: only whether the record is well-formed and within the limits, SPF_FAIL then */
	struct view include; /* a domain that is to be included on the way; empty: none */
	/* found */
	enum spf_result result;
	bool has_include;
	bool lets_all; /* +all: everybody may send, which receivers distrust */
	unsigned lookups, voids;
	struct buf record; /* of the domain itself; several one after the other */
	struct buf why;    /* with SPF_INVALID: what is wrong and where */
};

/* Reads and judges; the caller releases record and why with spf_done(). */
void spf_check(const struct dns_source *source, struct spf_check *check);
void spf_done(struct spf_check *check);

#endif
