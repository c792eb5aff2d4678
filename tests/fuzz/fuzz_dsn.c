/* The machine-readable parts of reports. Nothing given out lies outside the input. */
#include <stdlib.h>

#include "mail/arf.h"
#include "mail/dsn.h"
#include "mail/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct view text, struct view part)
{
	if (part.len > 0 && (part.data < text.data || part.data + part.len > text.data + text.len))
		abort();
}

static void check_dsn(struct view text)
{
	struct dsn dsn;
	if (!dsn_read(text, &dsn))
		return;
	if (dsn.count == 0 || dsn.count > DSN_RECIPIENTS_MAX)
		abort();
	check_within(text, dsn.reporting_mta);
	check_within(text, dsn.envelope_id);
	for (size_t i = 0; i < dsn.count; i++) {
		const struct dsn_recipient *recipient = &dsn.recipients[i];
		check_within(text, recipient->final);
		check_within(text, recipient->original);
		check_within(text, recipient->diagnostic);
		AUTO_BUF unfolded = buf_with_ceiling(1 << 20);
		field_unfold(recipient->diagnostic, &unfolded);
		if (view_find_byte(buf_view(&unfolded), '\n') != VIEW_NONE)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_from(data, size);
	struct arf arf;
	check_dsn(text);
	if (arf_read(text, &arf)) {
		check_within(text, arf.type);
		check_within(text, arf.original_recipient);
		check_within(text, arf.original_sender);
	}
	return 0;
}
