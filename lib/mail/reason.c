#include "mail/reason.h"

#include <assert.h>

static const char *const kinds[] = {
	[KIND_UNKNOWN] = "unknown",       [KIND_HARD] = "bounce-hard",    [KIND_SOFT] = "bounce-soft",
	[KIND_DELAY] = "delay",           [KIND_COMPLAINT] = "complaint", [KIND_AUTO_REPLY] = "auto-reply",
	[KIND_NOT_BOUNCE] = "not-bounce",
};
static_assert(ARRAY_LEN(kinds) == KIND_COUNT, "one name per kind");

struct reason_row {
	const char *name;
	const char *explained;
	bool about_us;
	bool counts_from_relay;
};

static const struct reason_row reasons[] = {
	[REASON_OTHER] = { .name = "other", .explained = "no reason was given" },
	[REASON_USER_UNKNOWN] = { .name = "user-unknown",
				  .explained = "there is no such mailbox",
				  .counts_from_relay = true },
	[REASON_DOMAIN_UNKNOWN] = { .name = "domain-unknown",
				    .explained = "the domain does not exist or takes no mail",
				    .counts_from_relay = true },
	[REASON_NULL_MX] = { .name = "null-mx",
			     .explained = "the domain declares that it takes no mail (RFC 7505)",
			     .counts_from_relay = true },
	[REASON_MOVED] = { .name = "moved", .explained = "the person has moved away", .counts_from_relay = true },
	[REASON_MAILBOX_DISABLED] = { .name = "mailbox-disabled",
				      .explained = "the mailbox is disabled or abandoned",
				      .counts_from_relay = true },
	[REASON_MAILBOX_FULL] = { .name = "mailbox-full",
				  .explained = "the mailbox is full",
				  .counts_from_relay = true },
	[REASON_MESSAGE_TOO_BIG] = { .name = "message-too-big",
				     .explained = "the message is larger than the recipient's host allows",
				     .about_us = true },
	[REASON_SPAM_CONTENT] = { .name = "spam-content",
				  .explained = "the content was taken for spam or a virus",
				  .about_us = true },
	[REASON_SENDER_BLOCKED] = { .name = "sender-blocked",
				    .explained = "the sending host is on a block list or has a poor reputation",
				    .about_us = true },
	[REASON_AUTH_FAILURE] = { .name = "auth-failure",
				  .explained = "SPF, DKIM, DMARC, reverse DNS, TLS or login failed",
				  .about_us = true },
	[REASON_SENDER_REJECTED] = { .name = "sender-rejected",
				     .explained = "the sender's address was refused",
				     .about_us = true },
	[REASON_RATE_LIMITED] = { .name = "rate-limited",
				  .explained = "too much mail in too short a time, or greylisted",
				  .about_us = true },
	[REASON_RELAY_DENIED] = { .name = "relay-denied", .explained = "the host does not take mail for this domain" },
	[REASON_NETWORK] = { .name = "network", .explained = "the recipient's host could not be reached in time" },
	[REASON_ROUTING_LOOP] = { .name = "routing-loop", .explained = "the message went in circles" },
	[REASON_SYSTEM_ERROR] = { .name = "system-error", .explained = "the recipient's mail system is out of order" },
	[REASON_PROTOCOL_ERROR] = { .name = "protocol-error",
				    .explained = "the message or the SMTP dialogue broke a rule",
				    .about_us = true },
	[REASON_POLICY] = { .name = "policy",
			    .explained = "a rule of the recipient or of his host forbids the message" },
	[REASON_COMPLAINT] = { .name = "complaint", .explained = "the recipient reported the message as unwanted" },
	[REASON_AUTO_REPLY] = { .name = "auto-reply", .explained = "an automatic answer" },
};
static_assert(ARRAY_LEN(reasons) == REASON_COUNT, "one row per reason");

const char *kind_name(enum bounce_kind kind)
{
	return (unsigned)kind < KIND_COUNT ? kinds[kind] : kinds[KIND_UNKNOWN];
}

static const struct reason_row *row_of(enum bounce_reason reason)
{
	return &reasons[(unsigned)reason < REASON_COUNT ? reason : REASON_OTHER];
}

const char *reason_name(enum bounce_reason reason)
{
	return row_of(reason)->name;
}

const char *reason_explained(enum bounce_reason reason)
{
	return row_of(reason)->explained;
}

bool kind_from_name(struct view name, enum bounce_kind *ret_kind)
{
	for (unsigned i = 0; i < KIND_COUNT; i++) {
		if (view_eq(name, view_of(kinds[i]))) {
			*ret_kind = (enum bounce_kind)i;
			return true;
		}
	}
	return false;
}

bool reason_from_name(struct view name, enum bounce_reason *ret_reason)
{
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		if (view_eq(name, view_of(reasons[i].name))) {
			*ret_reason = (enum bounce_reason)i;
			return true;
		}
	}
	return false;
}

bool reason_is_about_us(enum bounce_reason reason)
{
	return row_of(reason)->about_us;
}

bool reason_counts_from_relay(enum bounce_reason reason)
{
	return row_of(reason)->counts_from_relay;
}
