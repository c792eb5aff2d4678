#include "smtp/offers.h"

#include <assert.h>

typedef void read_parameters(struct view parameters, struct smtp_offers *offers);
static read_parameters read_size, read_mechanisms, read_limits;

static const struct {
	const char *keyword;
	read_parameters *read;
} extensions[] = {
	[SMTP_PIPELINING] = { "PIPELINING", NULL },
	[SMTP_SIZE] = { "SIZE", read_size },
	[SMTP_DSN] = { "DSN", NULL },
	[SMTP_SMTPUTF8] = { "SMTPUTF8", NULL },
	[SMTP_ENHANCEDSTATUSCODES] = { "ENHANCEDSTATUSCODES", NULL },
	[SMTP_8BITMIME] = { "8BITMIME", NULL },
	[SMTP_CHUNKING] = { "CHUNKING", NULL },
	[SMTP_STARTTLS] = { "STARTTLS", NULL },
	[SMTP_AUTH] = { "AUTH", read_mechanisms },
	[SMTP_LIMITS] = { "LIMITS", read_limits },
};
static_assert(ARRAY_LEN(extensions) == SMTP_EXTENSION_COUNT, "one row per extension");

static void read_size(struct view parameters, struct smtp_offers *offers)
{
	uint64_t size;
	if (view_to_u64(view_trim(parameters), UINT64_MAX, &size))
		offers->max_size = size;
}

static void read_mechanisms(struct view parameters, struct smtp_offers *offers)
{
	struct view name;
	enum sasl_mechanism mechanism;
	while (view_cut(&parameters, ' ', &name)) {
		if (sasl_mechanism_find(name, &mechanism) && mechanism != SASL_ANY)
			offers->mechanisms |= 1u << mechanism;
	}
}

static void read_limits(struct view parameters, struct smtp_offers *offers)
{
	enum { MOST = 999999 }; /* RFC 9422 section 3: six digits */
	struct view value;
	uint64_t number;
	while (view_cut(&parameters, ' ', &value)) {
		struct view name;
		if (!view_cut(&value, '=', &name) || !view_to_u64(value, MOST, &number))
			continue;
		if (view_eq_nocase(name, VIEW_LIT("MAILMAX")))
			offers->max_mails = number;
		else if (view_eq_nocase(name, VIEW_LIT("RCPTDOMAINMAX")))
			offers->max_domains = number;
	}
}

static void read_line(struct view line, struct smtp_offers *offers)
{
	const struct view old_auth = VIEW_LIT("AUTH=");
	struct view keyword;
	/* As servers spelled it before RFC 2554. */
	if (view_starts_nocase(line, old_auth)) {
		offers->has[SMTP_AUTH] = true;
		read_mechanisms(view_skip(line, old_auth.len), offers);
		return;
	}
	if (!view_cut(&line, ' ', &keyword))
		return;
	for (size_t i = 0; i < SMTP_EXTENSION_COUNT; i++) {
		if (!view_eq_nocase(keyword, view_of(extensions[i].keyword)))
			continue;
		offers->has[i] = true;
		if (extensions[i].read != NULL)
			extensions[i].read(line, offers);
	}
}

struct smtp_offers smtp_offers_read(struct view reply_text)
{
	struct smtp_offers offers = { .max_size = 0 };
	struct view line;
	if (!view_cut_line(&reply_text, &line))
		return offers;
	while (view_cut_line(&reply_text, &line))
		read_line(line, &offers);
	return offers;
}
