#include "mail/report_json.h"

#include "base/limits.h"
#include "mail/clean_text.h"

static void add_string(struct view text, struct buf *out)
{
	AUTO_BUF clean = buf_with_ceiling(LIMIT_REPORT);
	clean_text_add(text, false, LIMIT_REPORT, &clean);
	buf_add_byte(out, '"');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.data[i] == '"' || clean.data[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, clean.data[i]);
	}
	buf_add_byte(out, '"');
}

static const char *reason_word(const struct finding *finding)
{
	if (finding->kind == KIND_NOT_BOUNCE || finding->kind == KIND_UNKNOWN)
		return "";
	return reason_name(finding->reason == REASON_NULL_MX ? REASON_DOMAIN_UNKNOWN : finding->reason);
}

static void add_ground(const struct finding *finding, const struct intake_ground *ground, struct buf *out)
{
	buf_addf(out, ",\"rule\":\"%s\",\"code\":", finding->rule);
	if (finding->code == 0)
		buf_add(out, VIEW_LIT("null"));
	else
		buf_add_u64(out, finding->code);
	buf_addf(out, ",\"place\":\"%s\",\"line\":", ground->place);
	add_string(ground->line, out);
}

enum err report_json(const struct report *report, struct view file, struct buf *out)
{
	return report_json_with_ground(report, file, NULL, out);
}

enum err report_json_with_ground(const struct report *report, struct view file, const struct intake_ground *ground,
				 struct buf *out)
{
	const struct finding *finding = report_finding(report);
	buf_add(out, VIEW_LIT("{\"file\":"));
	add_string(file, out);
	buf_addf(out, ",\"kind\":\"%s\",\"reason\":\"%s\",\"status\":\"", kind_name(finding->kind),
		 reason_word(finding));
	status_write(finding->status, out);
	buf_add(out, VIEW_LIT("\",\"recipients\":["));
	for (size_t i = 0; i < report_recipient_count(report); i++) {
		if (i > 0)
			buf_add_byte(out, ',');
		add_string(report_recipient(report, i), out);
	}
	buf_add_byte(out, ']');
	if (ground != NULL)
		add_ground(finding, ground, out);
	return buf_add(out, VIEW_LIT("}\n"));
}
