/* Whole messages: all that is given out is UTF-8 without control characters and within its limits, and the same message reads and hashes
 * alike twice. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/intake.h"
#include "mail/report_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct intake *intake; /* one for the whole run: making it costs more than a message */

static void check_text(struct view text, bool has_lines, size_t most)
{
	if (text.len > most || !view_is_utf8(text))
		abort();
	for (size_t i = 0; i < text.len; i++) {
		unsigned char octet = (unsigned char)text.data[i];
		if (octet == 0x7f || (octet < ' ' && !(octet == '\n' && has_lines)))
			abort();
	}
}

static void check_report(const struct report *report, struct buf *json)
{
	const struct finding *finding = report_finding(report);
	if ((unsigned)finding->kind >= KIND_COUNT || (unsigned)finding->reason >= REASON_COUNT || finding->rule == NULL)
		abort();
	check_text(report_diagnostic(report), true, LIMIT_DIAGNOSTIC);
	check_text(report_reporting_mta(report), false, LIMIT_DOMAIN);
	for (size_t i = 0; i < report_recipient_count(report); i++)
		check_text(report_recipient(report, i), false, LIMIT_ADDRESS);
	if (report_token_count(report) > 20)
		abort();
	for (size_t i = 0; i < report_token_count(report); i++)
		check_text(report_token(report, i), false, LIMIT_TOKEN);
	if (report_json(report, VIEW_LIT("x"), json) != ERR_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct classifier *classifier;
	struct view raw = view_from(data, size);
	struct report *report;
	unsigned char once[32], twice[32];
	if (intake == NULL && (classifier_new(&classifier) != ERR_OK || intake_new(classifier, &intake) != ERR_OK))
		abort();
	AUTO_BUF first = buf_with_ceiling(1 << 20);
	AUTO_BUF second = buf_with_ceiling(1 << 20);
	for (int i = 0; i < 2; i++) {
		if (intake_read(intake, raw, &report) != ERR_OK)
			abort();
		check_report(report, i == 0 ? &first : &second);
		report_done(report);
	}
	if (!view_eq(buf_view(&first), buf_view(&second)))
		abort();
	if (intake_hash(raw, once) != ERR_OK || intake_hash(raw, twice) != ERR_OK || memcmp(once, twice, 32) != 0)
		abort();
	return 0;
}
