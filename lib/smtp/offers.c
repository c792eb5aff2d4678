#include "smtp/offers.h"

#include <assert.h>

static const char *const names[] = {
	[SMTP_PIPELINING] = "PIPELINING",
	[SMTP_SIZE] = "SIZE",
	[SMTP_DSN] = "DSN",
	[SMTP_SMTPUTF8] = "SMTPUTF8",
	[SMTP_ENHANCEDSTATUSCODES] = "ENHANCEDSTATUSCODES",
	[SMTP_8BITMIME] = "8BITMIME",
};
static_assert(ARRAY_LEN(names) == SMTP_EXTENSION_COUNT, "one keyword per extension");

static void read_line(struct view line, struct smtp_offers *offers)
{
	struct view keyword;
	if (!view_cut(&line, ' ', &keyword))
		return;
	for (size_t i = 0; i < SMTP_EXTENSION_COUNT; i++) {
		if (view_eq_nocase(keyword, view_of(names[i])))
			offers->has[i] = true;
	}
	uint64_t size;
	if (view_eq_nocase(keyword, VIEW_LIT("SIZE")) && view_to_u64(view_trim(line), UINT64_MAX, &size))
		offers->max_size = size;
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
