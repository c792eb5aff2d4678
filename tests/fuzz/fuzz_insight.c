/* What a parser says is hostile: the input is the body of its answer, the first octet the number of words that were asked for. What is taken
 * holds to the contract of mail/report.h, and comes out alike when it is written and taken again. */
#include <stdlib.h>

#include "bounced/insight_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct view text, bool may_have_lines)
{
	if (!view_is_utf8(text))
		abort();
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.data[i] < ' ' && !(may_have_lines && text.data[i] == '\n'))
			abort();
	}
}

static void check_report(const struct report *report)
{
	check_text(report_diagnostic(report), true);
	check_text(report_reporting_mta(report), false);
	check_text(view_of(report_finding(report)->rule), false);
	for (size_t i = 0; i < report_recipient_count(report); i++)
		check_text(report_recipient(report, i), false);
	for (size_t i = 0; i < report_token_count(report); i++)
		check_text(report_token(report, i), false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct insight insight, again;
	if (size == 0)
		return 0;
	struct view body = view_from(data + 1, size - 1);
	size_t words = data[0];
	if (insight_parse(body, words, &insight) != ERR_OK)
		return 0;
	check_report(insight.report);
	for (size_t i = 0; i < words; i++) {
		if (insight_sighting(&insight, i) >= SIGHTING_COUNT)
			abort();
	}
	AUTO_BUF out = buf_with_ceiling(FRAME_HEAD + FRAME_MOST_ANSWER);
	if (insight_write(&insight, 1, &out) != ERR_OK || !view_eq(view_skip(buf_view(&out), FRAME_HEAD), body) ||
	    insight_parse(view_skip(buf_view(&out), FRAME_HEAD), words, &again) != ERR_OK)
		abort();
	insight_done(&insight);
	insight_done(&again);
	return 0;
}
