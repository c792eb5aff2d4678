#include "listctl/alerts.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/alert_command.h"
#include "listctl/dns_check.h"
#include "listctl/resolver.h"
#include "store/alerts.h"

/* What to do about one of that kind; each command shows more. */
static const struct remedy {
	const char *kind, *what;
} remedies[] = {
	{ "campaign", "listctl campaign status NAME shows why; listctl campaign resume NAME goes on" },
	{ "group", "listctl campaign status NAME shows why; listctl campaign resume NAME --group GROUP goes on" },
	{ "storm", "listctl storm show NUMBER shows it; listctl storm void or apply NUMBER decides" },
	{ "relay", "listctl relay ls shows since when, and when it is tried again" },
	{ "mx", "listctl dns --check shows what is published; reports about mail cannot come back meanwhile" },
};

static const char *remedy_of(struct view kind)
{
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
		if (view_eq(kind, view_of(remedies[i].kind)))
			return remedies[i].what;
	return "";
}

/* ---- the bounce domain ---- */

/* What is published of it, if that can be told now: *ret_told. */
static void check_records(const struct dns_source *source, const struct dns_plan *plan, struct buf *said,
			  bool *ret_told)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct dns_record *record = &plan->records[i];
		struct dns_finding finding;
		if (record->kind != DNS_BOUNCE_MX && record->kind != DNS_BOUNCE_HOST)
			continue;
		dns_check(source, plan, record, &finding);
		if (finding.verdict == DNS_UNTOLD)
			*ret_told = false;
		else if (finding.verdict != DNS_OK)
			buf_addf(said, "%s%s: %s", said->len > 0 ? "; " : "", dns_kind_name(record->kind),
				 buf_text(&finding.remedy));
		dns_finding_done(&finding);
	}
}

static enum err look_at_mx(struct call *call)
{
	const struct settings *settings = call->settings;
	AUTO_BUF said = buf_with_ceiling(LIMIT_WHY);
	struct dns_plan plan;
	struct resolver *resolver = NULL;
	bool told = true;
	if (strcmp(settings->dns_check, "off") == 0)
		return ERR_OK;
	enum err err = dns_plan_make(call, view_of(settings->bounce_domain), &plan);
	if (err == ERR_OK)
		err = resolver_new(settings->dns_resolver, settings->dns_timeout, &resolver, call->why);
	if (err == ERR_OK) {
		const struct dns_source source = resolver_source(resolver);
		check_records(&source, &plan, &said, &told);
	}
	resolver_done(resolver);
	dns_plan_done(&plan);
	if (err != ERR_OK || (!told && said.len == 0))
		return err;
	return alerts_report(call->db, "mx", view_of(settings->bounce_domain), buf_view(&said), call->why);
}

/* ---- telling ---- */

static enum err run_command(struct call *call, const struct alert *alert)
{
	AUTO_BUF since = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF text = buf_with_ceiling(4 * LIMIT_WHY);
	output_time(&since, alert->first_us);
	buf_addf(&text, "verpost: %s " VIEW_FMT, buf_text(&since), VIEW_ARG(alert->kind));
	buf_addf(&text, " " VIEW_FMT ": " VIEW_FMT "\n%s\n", VIEW_ARG(alert->subject),
		 VIEW_ARG(view_head(alert->said, alert->said.len < LIMIT_WHY ? alert->said.len : LIMIT_WHY)),
		 remedy_of(alert->kind));
	if (buf_err(&text) != ERR_OK)
		return call_refuse(call, ERR_MEMORY, "the text of an alert is too long");
	return alert_command_run(call->settings->alert_command,
				 &(struct alert_text){ alert->kind, alert->subject, buf_view(&text) }, call->why);
}

/* However short the interval: one run tells nothing twice. */
#define LEAST_US (INT64_C(60) * CLOCK_US_PER_SECOND)

/* One of them, in a transaction. ERR_NOT_FOUND: there is none. */
static enum err tell_next(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct alert alert;
	enum err err = db_begin(call->db, call->why);
	if (err != ERR_OK)
		return err;
	int64_t interval_us = call->settings->alert_interval;
	err = alerts_next(call->db, interval_us > LEAST_US ? interval_us : LEAST_US, &rows, call->why);
	if (err == ERR_OK) {
		alert_at(rows, 0, &alert);
		err = run_command(call, &alert);
	}
	if (err == ERR_OK)
		err = alerts_told(call->db, &alert, call->why);
	if (err == ERR_OK)
		return db_commit(call->db, call->why);
	db_rollback(call->db);
	return err;
}

enum err alerts_send(struct call *call, size_t *ret_told)
{
	size_t told = 0;
	enum err err = look_at_mx(call);
	if (err == ERR_OK)
		err = alerts_look(call->db, call->why);
	while (err == ERR_OK && call->settings->alert_command[0] != '\0') {
		err = tell_next(call);
		told += err == ERR_OK;
	}
	*ret_told = told;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}
