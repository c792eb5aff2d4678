#include "mail/report_wire.h"

#include "base/limits.h"
#include "mail/report_private.h"

enum { HIGHEST_CODE = 999, HIGHEST_STATUS = 999 };

static void add_finding(const struct finding *finding, struct buf *out)
{
	wire_add_u8(out, finding->kind);
	wire_add_u8(out, finding->reason);
	wire_add_u8(out, finding->certainty);
	wire_add_u8(out, finding->status.class_digit);
	wire_add_u16(out, finding->status.subject);
	wire_add_u16(out, finding->status.detail);
	wire_add_u16(out, finding->code);
	wire_add_text(out, view_of(finding->rule));
}

enum err report_write(const struct report *report, struct buf *out)
{
	add_finding(report_finding(report), out);
	wire_add_text(out, report_diagnostic(report));
	wire_add_text(out, report_reporting_mta(report));
	wire_add_u8(out, (unsigned)report_recipient_count(report));
	for (size_t i = 0; i < report_recipient_count(report); i++)
		wire_add_text(out, report_recipient(report, i));
	wire_add_u8(out, (unsigned)report_token_count(report));
	for (size_t i = 0; i < report_token_count(report); i++)
		wire_add_text(out, report_token(report, i));
	return buf_err(out);
}

static bool is_rule_name(struct view name)
{
	const struct view known = VIEW_LIT("abcdefghijklmnopqrstuvwxyz0123456789-");
	for (size_t i = 0; i < name.len; i++) {
		if (view_find_byte(known, name.data[i]) == VIEW_NONE)
			return false;
	}
	return name.len > 0;
}

static bool is_status_class(unsigned digit)
{
	return digit == 0 || digit == 2 || digit == 4 || digit == 5;
}

static bool take_finding(struct wire *wire, struct report *report)
{
	unsigned kind = wire_u8(wire), reason = wire_u8(wire), certainty = wire_u8(wire), class = wire_u8(wire);
	unsigned subject = wire_u16(wire), detail = wire_u16(wire), code = wire_u16(wire);
	struct view rule = wire_text(wire, REPORT_RULE_MOST);
	if (wire->broken || kind >= KIND_COUNT || reason >= REASON_COUNT || certainty > CERTAINTY_WORDS ||
	    !is_status_class(class) || subject > HIGHEST_STATUS || detail > HIGHEST_STATUS || code > HIGHEST_CODE ||
	    !is_rule_name(rule))
		return false;
	struct finding finding = { .kind = (enum bounce_kind)kind,
				   .reason = (enum bounce_reason)reason,
				   .certainty = (enum certainty)certainty,
				   .status = { (unsigned char)class, (unsigned short)subject, (unsigned short)detail },
				   .code = code,
				   .rule = report_keep_rule(report, rule) };
	report_set_finding(report, &finding);
	return true;
}

/* What report.c would have cleaned, cut or passed over did not come from there. */
static bool take_texts(struct wire *wire, struct report *report)
{
	struct view diagnostic = wire_text(wire, LIMIT_DIAGNOSTIC), mta = wire_text(wire, LIMIT_DOMAIN);
	report_set_diagnostic(report, diagnostic);
	report_set_reporting_mta(report, mta);
	return view_eq(report_diagnostic(report), diagnostic) && view_eq(report_reporting_mta(report), mta);
}

static bool take_recipients(struct wire *wire, struct report *report)
{
	size_t count = wire_u8(wire);
	for (size_t i = 0; i < count && !wire->broken; i++) {
		struct view recipient = wire_text(wire, LIMIT_ADDRESS);
		report_add_recipient(report, recipient);
		if (report_recipient_count(report) != i + 1 || !view_eq(report_recipient(report, i), recipient))
			return false;
	}
	return true;
}

static bool take_tokens(struct wire *wire, struct report *report)
{
	size_t count = wire_u8(wire);
	for (size_t i = 0; i < count && !wire->broken; i++) {
		struct view token = wire_text(wire, LIMIT_TOKEN);
		report_add_token(report, token);
		if (report_token_count(report) != i + 1 || !view_eq(report_token(report, i), token))
			return false;
	}
	return true;
}

enum err report_take(struct wire *wire, struct report **ret_report)
{
	struct report *report;
	enum err err = report_new(&report);
	if (err != ERR_OK)
		return err;
	if (!take_finding(wire, report) || !take_texts(wire, report) || !take_recipients(wire, report) ||
	    !take_tokens(wire, report) || wire->broken) {
		report_done(report);
		return ERR_INVALID;
	}
	*ret_report = report;
	return ERR_OK;
}
