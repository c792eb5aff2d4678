#include "mail/arf.h"

#include "mail/dsn.h"
#include "mail/fields.h"

static bool is_complaint(struct view type)
{
	return !view_starts_nocase(type, VIEW_LIT("not-spam")) && !view_starts_nocase(type, VIEW_LIT("auth-failure")) &&
	       !view_starts_nocase(type, VIEW_LIT("dmarc"));
}

bool arf_read(struct view text, struct arf *ret_arf)
{
	struct arf arf = { 0 };
	struct field field;
	enum field_step step;
	while ((step = fields_next(&text, &field)) != FIELD_END) {
		if (step == FIELD_GROUP_END)
			continue;
		if (field_is(&field, "Feedback-Type"))
			arf.type = field.value;
		else if (field_is(&field, "Reporting-MTA"))
			arf.reporter = dsn_untyped(field.value);
		else if (field_is(&field, "User-Agent") && arf.reporter.len == 0)
			arf.reporter = field.value;
		else if (field_is(&field, "Original-Envelope-Id"))
			arf.envelope_id = field.value;
		else if (field_is(&field, "Original-Rcpt-To") && arf.original_recipient.len == 0)
			arf.original_recipient = dsn_untyped(field.value);
		else if (field_is(&field, "Original-Mail-From"))
			arf.original_sender = dsn_untyped(field.value);
	}
	if (arf.type.len == 0)
		return false;
	arf.is_complaint = is_complaint(arf.type);
	*ret_arf = arf;
	return true;
}
