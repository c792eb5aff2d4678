#include "smtp/sasl.h"

#include <assert.h>

#include "base/limits.h"

static const struct mechanism_row {
	const char *name;
	bool takes_token; /* a bearer token instead of a password */
} mechanisms[] = {
	[SASL_ANY] = { "ANY", false },
	[SASL_SCRAM_SHA_256_PLUS] = { "SCRAM-SHA-256-PLUS", false },
	[SASL_SCRAM_SHA_256] = { "SCRAM-SHA-256", false },
	[SASL_PLAIN] = { "PLAIN", false },
	[SASL_LOGIN] = { "LOGIN", false },
	[SASL_OAUTHBEARER] = { "OAUTHBEARER", true },
	[SASL_XOAUTH2] = { "XOAUTH2", true },
};
static_assert(ARRAY_LEN(mechanisms) == SASL_MECHANISM_COUNT, "one row per mechanism");

const char *sasl_mechanism_name(enum sasl_mechanism mechanism)
{
	return mechanisms[mechanism].name;
}

bool sasl_mechanism_find(struct view name, enum sasl_mechanism *ret_mechanism)
{
	for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++) {
		if (view_eq_nocase(name, view_of(mechanisms[i].name))) {
			*ret_mechanism = (enum sasl_mechanism)i;
			return true;
		}
	}
	return false;
}

static bool can_be_said(struct view text)
{
	return text.len > 0 && text.len <= LIMIT_SECRET && view_find_byte(text, '\0') == VIEW_NONE;
}

bool smtp_credentials_are_valid(const struct smtp_credentials *credentials)
{
	if (!can_be_said(credentials->user) || !can_be_said(credentials->secret))
		return false;
	if (!mechanisms[credentials->mechanism].takes_token)
		return true;
	/* \1 parts the fields of what carries a token (RFC 7628 section 3.1). */
	return !view_has_control(credentials->user) && !view_has_control(credentials->host) &&
	       !view_has_control(credentials->secret) && view_find_byte(credentials->secret, ' ') == VIEW_NONE;
}
