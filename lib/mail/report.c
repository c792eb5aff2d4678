#include "mail/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/clean_text.h"
#include "mail/report_private.h"

/* A place in the report's text, which may move while it grows. */
struct span {
	size_t at, len;
};

struct report {
	struct finding finding;
	char rule[REPORT_RULE_MOST + 1];
	struct buf text;
	struct span diagnostic, reporting_mta;
	struct span recipients[REPORT_RECIPIENTS_MAX];
	size_t recipient_count;
	struct span tokens[REPORT_TOKENS_MAX];
	size_t token_count;
};

enum err report_new(struct report **ret_report)
{
	struct report *report = calloc(1, sizeof(*report));
	if (report == NULL)
		return ERR_MEMORY;
	report->finding = (struct finding){ .kind = KIND_NOT_BOUNCE, .rule = "none" };
	report->text = buf_with_ceiling(LIMIT_REPORT);
	*ret_report = report;
	return ERR_OK;
}

enum err report_of_unread(struct report **ret_report)
{
	struct report *report;
	enum err err = report_new(&report);
	if (err != ERR_OK)
		return err;
	report->finding = (struct finding){ .kind = KIND_UNKNOWN, .rule = "unread" };
	*ret_report = report;
	return ERR_OK;
}

bool report_is_own_copy(const struct report *report)
{
	return strcmp(report->finding.rule, REPORT_OWN_COPY) == 0;
}

void report_done(struct report *report)
{
	if (report == NULL)
		return;
	buf_done(&report->text);
	free(report);
}

static struct view span_view(const struct report *report, struct span span)
{
	return view_slice(buf_view(&report->text), span.at, span.at + span.len);
}

/* Trimmed again: a control at an end became a space, and what is kept stays as it is when it is kept a second time. */
static struct span keep(struct report *report, struct view text, bool keep_lines, size_t most)
{
	size_t at = report->text.len;
	clean_text_add(view_trim(text), keep_lines, most, &report->text);
	struct view kept = view_trim(view_skip(buf_view(&report->text), at));
	return (struct span){ .at = kept.len == 0 ? at : (size_t)(kept.data - report->text.data), .len = kept.len };
}

void report_set_finding(struct report *report, const struct finding *finding)
{
	report->finding = *finding;
}

const char *report_keep_rule(struct report *report, struct view name)
{
	struct view kept = view_head(name, REPORT_RULE_MOST);
	memcpy(report->rule, kept.data, kept.len);
	report->rule[kept.len] = '\0';
	return report->rule;
}

void report_set_diagnostic(struct report *report, struct view text)
{
	if (report->diagnostic.len == 0)
		report->diagnostic = keep(report, text, true, LIMIT_DIAGNOSTIC);
}

void report_set_reporting_mta(struct report *report, struct view name)
{
	if (report->reporting_mta.len == 0)
		report->reporting_mta = keep(report, name, false, LIMIT_DOMAIN);
}

static void add_once(struct report *report, struct view text, size_t most, struct span *spans, size_t *count,
		     size_t max)
{
	if (*count == max)
		return;
	size_t before = report->text.len;
	struct span span = keep(report, text, false, most);
	bool is_known = span.len == 0;
	for (size_t i = 0; i < *count && !is_known; i++)
		is_known = view_eq_nocase(span_view(report, spans[i]), span_view(report, span));
	if (is_known)
		buf_cut(&report->text, before);
	else
		spans[(*count)++] = span;
}

void report_add_recipient(struct report *report, struct view address)
{
	add_once(report, address, LIMIT_ADDRESS, report->recipients, &report->recipient_count, REPORT_RECIPIENTS_MAX);
}

void report_add_token(struct report *report, struct view token)
{
	if (token.len <= LIMIT_TOKEN)
		add_once(report, token, LIMIT_TOKEN, report->tokens, &report->token_count, REPORT_TOKENS_MAX);
}

const struct finding *report_finding(const struct report *report)
{
	return &report->finding;
}

struct view report_diagnostic(const struct report *report)
{
	return span_view(report, report->diagnostic);
}

struct view report_reporting_mta(const struct report *report)
{
	return span_view(report, report->reporting_mta);
}

size_t report_recipient_count(const struct report *report)
{
	return report->recipient_count;
}

struct view report_recipient(const struct report *report, size_t index)
{
	return span_view(report, report->recipients[index]);
}

size_t report_token_count(const struct report *report)
{
	return report->token_count;
}

struct view report_token(const struct report *report, size_t index)
{
	return span_view(report, report->tokens[index]);
}
