#include "mail/spf.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "mail/dmarc.h"
#include "mail/tag_list.h"
#include "tests/support/unit.h"

/* A small DNS. */
static const struct entry {
	const char *name;
	enum dns_type type;
	const char *record;
} zone[] = {
	{ "plain", DNS_TXT, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all" },
	{ "cidr", DNS_TXT, "V=SPF1 ip4:192.0.2.0/25 ~all" },
	{ "other", DNS_TXT, "some=thing" },
	{ "other", DNS_TXT, "v=spf10 +all" },
	{ "two", DNS_TXT, "v=spf1 -all" },
	{ "two", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all" },
	{ "open", DNS_TXT, "v=spf1 +all" },
	{ "host", DNS_TXT, "v=spf1 a -all" },
	{ "host", DNS_A, "192.0.2.1" },
	{ "near", DNS_TXT, "v=spf1 a:host/24 -all" },
	{ "mail", DNS_TXT, "v=spf1 mx -all" },
	{ "mail", DNS_MX, "10 elsewhere" },
	{ "mail", DNS_MX, "20 host" },
	{ "chain", DNS_TXT, "v=spf1 include:middle ~all" },
	{ "middle", DNS_TXT, "v=spf1 include:plain ?all" },
	{ "led", DNS_TXT, "v=spf1 redirect=plain" },
	{ "astray", DNS_TXT, "v=spf1 redirect=nowhere" },
	{ "lost", DNS_TXT, "v=spf1 include:nowhere -all" },
	{ "doubled", DNS_TXT, "v=spf1 include:two -all" },
	{ "circle", DNS_TXT, "v=spf1 include:round -all" },
	{ "round", DNS_TXT, "v=spf1 include:circle -all" },
	{ "refused", DNS_TXT, "v=spf1 -ip4:192.0.2.1 +ip4:192.0.2.0/24 -all" },
	{ "after", DNS_TXT, "v=spf1 ip4:192.0.2.1 nonsense:x" },
	{ "address", DNS_TXT, "v=spf1 ip4:192.0.2.999 -all" },
	{ "prefix", DNS_TXT, "v=spf1 ip4:192.0.2.1/33 -all" },
	{ "empty", DNS_TXT, "v=spf1 include: -all" },
	{ "macro", DNS_TXT, "v=spf1 exists:%{i}.x include:%{d}.y -all" },
	{ "eleven", DNS_TXT, "v=spf1 a a a a a a a a a a a ip4:192.0.2.1 -all" },
	{ "eleven", DNS_A, "203.0.113.1" },
	{ "ten", DNS_TXT, "v=spf1 a a a a a a a a a a ip4:192.0.2.1 -all" },
	{ "ten", DNS_A, "203.0.113.1" },
	{ "voids", DNS_TXT, "v=spf1 a:n1 a:n2 a:n3 ip4:192.0.2.1 -all" },
	{ "silent", DNS_TXT, "v=spf1 include:silence -all" },
	{ "none", DNS_TXT, "v=spf1" },
	{ "spaces", DNS_TXT, "v=spf1   ip4:192.0.2.1    exp=why   -all  " },
};

static enum dns_status answer(void *context, struct view name, enum dns_type type, struct buf *records)
{
	size_t *count = context;
	bool is_there = false, any = false;
	++*count;
	if (view_eq(name, VIEW_LIT("silence")))
		return DNS_FAILED;
	for (size_t i = 0; i < ARRAY_LEN(zone); i++) {
		bool is_it = view_eq(name, view_of(zone[i].name));
		is_there = is_there || is_it;
		if (is_it && zone[i].type == type) {
			buf_addf(records, "%s\n", zone[i].record);
			any = true;
		}
	}
	return any ? DNS_FOUND : is_there ? DNS_NO_DATA : DNS_NO_NAME;
}

static const struct row {
	const char *domain, *address;
	enum spf_result result;
	const char *why; /* with SPF_INVALID */
} rows[] = {
	{ "plain", "192.0.2.1", SPF_PASS, NULL },
	{ "plain", "192.0.2.2", SPF_FAIL, NULL },
	{ "plain", "2001:db8:1::7", SPF_PASS, NULL },
	{ "plain", "2001:db9::7", SPF_FAIL, NULL },
	{ "plain", "", SPF_FAIL, NULL },
	{ "cidr", "192.0.2.127", SPF_PASS, NULL },
	{ "cidr", "192.0.2.128", SPF_FAIL, NULL },
	{ "other", "192.0.2.1", SPF_NONE, NULL },
	{ "nowhere", "192.0.2.1", SPF_NONE, NULL },
	{ "two", "192.0.2.1", SPF_MANY, NULL },
	{ "open", "203.0.113.9", SPF_PASS, NULL },
	{ "host", "192.0.2.1", SPF_PASS, NULL },
	{ "near", "192.0.2.200", SPF_PASS, NULL },
	{ "near", "192.0.3.1", SPF_FAIL, NULL },
	{ "mail", "192.0.2.1", SPF_PASS, NULL },
	{ "mail", "192.0.2.2", SPF_FAIL, NULL },
	{ "chain", "192.0.2.1", SPF_PASS, NULL },
	{ "chain", "192.0.2.2", SPF_FAIL, NULL },
	{ "led", "192.0.2.1", SPF_PASS, NULL },
	{ "astray", "192.0.2.1", SPF_INVALID, "redirect" },
	{ "lost", "192.0.2.1", SPF_INVALID, "lost: include:nowhere: the included domain has no SPF record" },
	{ "doubled", "192.0.2.1", SPF_INVALID, "several" },
	{ "circle", "192.0.2.1", SPF_INVALID, "eleventh lookup" },
	{ "refused", "192.0.2.1", SPF_FAIL, NULL },
	{ "refused", "192.0.2.2", SPF_PASS, NULL },
	{ "after", "192.0.2.1", SPF_INVALID, "after: nonsense:x: there is no such mechanism" },
	{ "address", "192.0.2.1", SPF_INVALID, "no such address" },
	{ "prefix", "192.0.2.1", SPF_INVALID, "cannot be read" },
	{ "empty", "192.0.2.1", SPF_INVALID, "cannot be read" },
	{ "macro", "192.0.2.1", SPF_FAIL, NULL },
	{ "eleven", "192.0.2.1", SPF_INVALID, "eleventh lookup" },
	{ "ten", "192.0.2.1", SPF_PASS, NULL },
	{ "voids", "192.0.2.1", SPF_INVALID, "more than two" },
	{ "silent", "192.0.2.1", SPF_UNKNOWN, NULL },
	{ "silence", "192.0.2.1", SPF_UNKNOWN, NULL },
	{ "none", "192.0.2.1", SPF_FAIL, NULL },
	{ "spaces", "192.0.2.1", SPF_PASS, NULL },
	{ "plain", "no address", SPF_INVALID, "no address" },
};

START_TEST(records_are_judged)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			size_t count = 0;
			const struct dns_source source = { .context = &count, .ask = answer };
			struct spf_check check = { .domain = view_of(rows[i].domain),
						   .address = view_of(rows[i].address) };
			spf_check(&source, &check);
			ck_assert_msg(check.result == rows[i].result, "%s %s: %s (%s)", rows[i].domain, rows[i].address,
				      spf_result_name(check.result), buf_text(&check.why));
			ck_assert_msg(rows[i].why == NULL || strstr(buf_text(&check.why), rows[i].why) != NULL,
				      "%s: %s", rows[i].domain, buf_text(&check.why));
			ck_row(rows[i].domain, (check.why.len > 0) == (check.result == SPF_INVALID));
			ck_row(rows[i].domain, count <= 50); /* nobody makes us ask for ever */
			spf_done(&check);
		}
	}
END_TEST

START_TEST(what_is_found_on_the_way)
	{
		size_t count = 0;
		const struct dns_source source = { .context = &count, .ask = answer };
		struct spf_check check = { .domain = VIEW_LIT("chain"), .include = VIEW_LIT("PLAIN") };
		spf_check(&source, &check);
		ck_assert(check.has_include && !check.lets_all && check.lookups == 2);
		ck_view_eq(buf_view(&check.record), "v=spf1 include:middle ~all");
		spf_done(&check);
		check = (struct spf_check){ .domain = VIEW_LIT("plain"), .include = VIEW_LIT("middle") };
		spf_check(&source, &check);
		ck_assert(!check.has_include);
		spf_done(&check);
		check = (struct spf_check){ .domain = VIEW_LIT("open") };
		spf_check(&source, &check);
		ck_assert(check.lets_all);
		spf_done(&check);
	}
END_TEST

static const struct dmarc_row {
	const char *record;
	enum err err;
	const char *policy;
	bool strict_dkim, strict_spf, has_reports;
} dmarc_rows[] = {
	{ "v=DMARC1; p=none", ERR_OK, "none", false, false, false },
	{ " v = DMARC1 ;p= Reject;adkim=s; aspf=r; rua=mailto:a@x.test;", ERR_OK, "Reject", true, false, true },
	{ "v=DMARC1;p=quarantine;aspf=S;fo=1:d:s", ERR_OK, "quarantine", false, true, false },
	{ "v=DMARC1", ERR_INVALID, NULL, false, false, false },
	{ "v=DMARC1; p=block", ERR_INVALID, NULL, false, false, false },
	{ "v=DMARC1; p=none; adkim=x", ERR_INVALID, NULL, false, false, false },
	{ "p=none; v=DMARC1", ERR_INVALID, NULL, false, false, false },
	{ "v=dmarc1; p=none", ERR_INVALID, NULL, false, false, false },
	{ "v=DMARC1 p=none", ERR_INVALID, NULL, false, false, false },
	{ "", ERR_INVALID, NULL, false, false, false },
	{ ";;;=;", ERR_INVALID, NULL, false, false, false },
};

START_TEST(dmarc_records)
	{
		for (size_t i = 0; i < ARRAY_LEN(dmarc_rows); i++) {
			const struct dmarc_row *row = &dmarc_rows[i];
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			struct dmarc dmarc = { 0 };
			ck_row(row->record, dmarc_parse(view_of(row->record), &dmarc, &why) == row->err);
			ck_row(row->record, (why.len > 0) == (row->err != ERR_OK));
			ck_row(row->record, view_eq(dmarc.policy, view_of(row->policy)));
			ck_row(row->record,
			       dmarc.strict_dkim == row->strict_dkim && dmarc.strict_spf == row->strict_spf);
			ck_row(row->record, dmarc.has_reports == row->has_reports);
		}
	}
END_TEST

START_TEST(tag_lists)
	{
		struct view list = VIEW_LIT("v=DKIM1;; K = rsa ; p=a=b c; odd");
		ck_view_eq(tag_list_get(list, VIEW_LIT("k")), "rsa");
		ck_view_eq(tag_list_get(list, VIEW_LIT("p")), "a=b c");
		ck_assert(tag_list_get(list, VIEW_LIT("t")).data == NULL);
		ck_assert(tag_list_get(VIEW_LIT("p="), VIEW_LIT("p")).data != NULL);
		ck_assert(tag_list_is(list, VIEW_LIT("DKIM1")) && !tag_list_is(list, VIEW_LIT("DMARC1")));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { records_are_judged, what_is_found_on_the_way, dmarc_records, tag_lists };
	return suite_of("spf", tests, ARRAY_LEN(tests));
}
