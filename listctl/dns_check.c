#include "listctl/dns_check.h"

#include <arpa/inet.h>
#include <assert.h>

#include "base/limits.h"
#include "mail/dmarc.h"
#include "mail/org_domain.h"
#include "mail/spf.h"
#include "mail/tag_list.h"

enum { FOUND_OCTETS = 600 };

static const char *const verdict_names[] = {
	[DNS_OK] = "ok",
	[DNS_MISSING] = "missing",
	[DNS_DIFFERS] = "differs",
	[DNS_UNTOLD] = "unknown",
};
static_assert(ARRAY_LEN(verdict_names) == DNS_VERDICT_COUNT, "one word a verdict");

const char *dns_verdict_name(enum dns_verdict verdict)
{
	return verdict_names[verdict];
}

/* One record being looked at. */
struct look {
	const struct dns_source *source;
	const struct dns_plan *plan;
	const struct dns_record *record;
	struct dns_finding *finding;
};

static void judge(struct look *look, enum dns_verdict verdict, const char *remedy)
{
	look->finding->verdict = verdict;
	buf_addf(&look->finding->remedy, "%s", remedy);
}

static void show(struct look *look, struct view text)
{
	struct buf *found = &look->finding->found;
	if (found->len > 0)
		buf_add(found, VIEW_LIT(" | "));
	size_t room = found->len < FOUND_OCTETS ? FOUND_OCTETS - found->len : 0;
	buf_add(found, view_head(text, room));
	if (text.len > room)
		buf_add(found, VIEW_LIT("..."));
}

static void show_lines(struct look *look, const struct buf *records)
{
	struct view rest = buf_view(records), line;
	while (view_cut_line(&rest, &line))
		show(look, line);
}

/* False: the finding stands. */
static bool ask(struct look *look, struct view name, enum dns_type type, struct buf *records, const char *missing)
{
	enum dns_status status = dns_ask(look->source, name, type, records);
	if (status == DNS_FOUND)
		return true;
	if (status == DNS_FAILED)
		judge(look, DNS_UNTOLD,
		      "no answer from the resolver in time; is dns.resolver right, and does the zone's server answer?");
	else
		judge(look, DNS_MISSING, missing);
	return false;
}

static struct buf records_new(void)
{
	return buf_with_ceiling(DNS_RECORDS_MOST * DNS_RECORD_OCTETS);
}

/* ---- where bounces go ---- */

static void check_mx(struct look *look)
{
	AUTO_BUF records = records_new();
	struct view line, host = buf_view(&look->plan->host);
	bool found = false;
	if (!ask(look, buf_view(&look->record->name), DNS_MX, &records,
		 "publish it: without an MX no report comes back"))
		return;
	show_lines(look, &records);
	for (struct view rest = buf_view(&records); view_cut_line(&rest, &line);)
		found = found || view_eq_nocase(view_skip(line, view_find_byte(line, ' ') + 1), host);
	if (!found)
		judge(look, DNS_DIFFERS,
		      "no MX is the host that runs bounced; publish this one, or set bounced.hostname to the name that "
		      "is meant");
}

static void check_host(struct look *look)
{
	AUTO_BUF records = records_new();
	struct view name = buf_view(&look->record->name);
	enum dns_status four = dns_ask(look->source, name, DNS_A, &records);
	enum dns_status six = dns_ask(look->source, name, DNS_AAAA, &records);
	show_lines(look, &records);
	if (four == DNS_FOUND || six == DNS_FOUND)
		return;
	if (four == DNS_FAILED || six == DNS_FAILED)
		judge(look, DNS_UNTOLD, "no answer from the resolver in time");
	else
		judge(look, DNS_MISSING, "publish the host's address, or set bounced.hostname to a name that has one");
}

/* ---- SPF ---- */

static bool spf_is_judged(struct look *look, const struct spf_check *check)
{
	switch (check->result) {
	case SPF_NONE:
		judge(look, DNS_MISSING,
		      "publish it at the bounce domain: receivers look there for who may send (RFC 7208)");
		return true;
	case SPF_MANY:
		judge(look, DNS_DIFFERS,
		      "there is more than one SPF record, and receivers take none of them; make one of them");
		return true;
	case SPF_INVALID:
		judge(look, DNS_DIFFERS, "receivers take it for an error: ");
		buf_add(&look->finding->remedy, buf_view(&check->why));
		return true;
	case SPF_UNKNOWN:
		judge(look, DNS_UNTOLD, "no answer from the resolver in time");
		return true;
	case SPF_PASS:
	case SPF_FAIL:
	case SPF_RESULT_COUNT:
		break;
	}
	return false;
}

/* As receivers do, for one address. False: the finding stands. */
static bool check_spf_for(struct look *look, struct view address, struct view include)
{
	struct spf_check check = { .domain = buf_view(&look->record->name), .address = address, .include = include };
	spf_check(look->source, &check);
	if (look->finding->found.len == 0 && check.record.len > 0)
		show(look, buf_view(&check.record));
	bool is_over = spf_is_judged(look, &check);
	if (!is_over && check.lets_all) {
		judge(look, DNS_DIFFERS,
		      "it lets everybody send (+all), which filters take for a sign of spam; end it with -all");
		is_over = true;
	} else if (!is_over && address.len > 0 && check.result != SPF_PASS) {
		judge(look, DNS_DIFFERS, "it does not let ");
		buf_addf(&look->finding->remedy, VIEW_FMT " send, from which mail leaves; add ip%d:" VIEW_FMT,
			 VIEW_ARG(address), view_find_byte(address, ':') == VIEW_NONE ? 4 : 6, VIEW_ARG(address));
		is_over = true;
	} else if (!is_over && include.len > 0 && !check.has_include) {
		judge(look, DNS_DIFFERS, "");
		buf_addf(&look->finding->remedy,
			 "it does not include " VIEW_FMT " (dns.includes); add include:" VIEW_FMT, VIEW_ARG(include),
			 VIEW_ARG(include));
		is_over = true;
	}
	spf_done(&check);
	return !is_over;
}

static void check_spf(struct look *look)
{
	struct view rest = buf_view(&look->plan->addresses), word;
	bool well = check_spf_for(look, VIEW_LIT(""), VIEW_LIT(""));
	while (well && view_cut(&rest, ' ', &word))
		well = word.len == 0 || check_spf_for(look, word, VIEW_LIT(""));
	for (rest = buf_view(&look->plan->includes); well && view_cut(&rest, ' ', &word);)
		well = word.len == 0 || check_spf_for(look, VIEW_LIT(""), word);
	if (well && (!look->plan->names_senders || look->plan->addresses.len + look->plan->includes.len == 0))
		judge(look, DNS_OK,
		      "whether it names your relays' addresses cannot be told: set dns.addresses or dns.includes");
}

/* ---- DKIM ---- */

/* White space in p= means nothing (RFC 6376 section 3.6.1). */
static bool is_same_key(struct view a, struct view b)
{
	size_t i = 0, j = 0;
	for (;;) {
		while (i < a.len && (a.data[i] == ' ' || a.data[i] == '\t'))
			i++;
		while (j < b.len && (b.data[j] == ' ' || b.data[j] == '\t'))
			j++;
		if (i == a.len || j == b.len)
			return i == a.len && j == b.len;
		if (a.data[i++] != b.data[j++])
			return false;
	}
}

static const char *dkim_fault(struct view record, struct view wanted)
{
	struct view kind = tag_list_get(record, VIEW_LIT("k"));
	struct view wanted_kind = tag_list_get(wanted, VIEW_LIT("k"));
	struct view key = tag_list_get(record, VIEW_LIT("p"));
	struct view version = tag_list_get(record, VIEW_LIT("v"));
	struct view hashes = tag_list_get(record, VIEW_LIT("h"));
	struct view services = tag_list_get(record, VIEW_LIT("s"));
	if (version.data != NULL && !tag_list_is(record, VIEW_LIT("DKIM1")))
		return "v= is not DKIM1, or not the first tag; publish the record as it is here";
	if (key.data == NULL)
		return "it has no p=; publish the record as it is here";
	if (key.len == 0)
		return "p= is empty: the key is revoked; publish the record, or retire the key with `listctl dkim "
		       "retire`";
	if (!view_eq(kind.data == NULL ? VIEW_LIT("rsa") : kind, wanted_kind))
		return "k= is of another kind of key; publish the record as it is here";
	if (!is_same_key(key, tag_list_get(wanted, VIEW_LIT("p"))))
		return "p= is another key: what is signed is refused; publish the record, or copy the right key into "
		       "dkim.dir";
	if (hashes.data != NULL && view_find(hashes, VIEW_LIT("sha256")) == VIEW_NONE)
		return "h= does not let sha256 sign; leave h= out";
	if (services.data != NULL && view_find(services, VIEW_LIT("*")) == VIEW_NONE &&
	    view_find_nocase(services, VIEW_LIT("email")) == VIEW_NONE)
		return "s= is not for e-mail; leave s= out";
	return NULL;
}

static bool is_testing(struct view record)
{
	return view_find_byte(tag_list_get(record, VIEW_LIT("t")), 'y') != VIEW_NONE;
}

static void check_dkim(struct look *look)
{
	AUTO_BUF records = records_new();
	struct view line, first;
	size_t count = 0;
	if (!ask(look, buf_view(&look->record->name), DNS_TXT, &records,
		 "publish it before the key signs: receivers refuse what they cannot verify"))
		return;
	show_lines(look, &records);
	struct view rest = buf_view(&records);
	first = view_head(rest, view_find_byte(rest, '\n'));
	while (view_cut_line(&rest, &line))
		count++;
	const char *fault = count > 1 ? "there is more than one TXT record, and verifiers take any of them; leave one"
				      : dkim_fault(first, buf_view(&look->record->wanted));
	if (fault != NULL)
		judge(look, DNS_DIFFERS, fault);
	else if (is_testing(first))
		judge(look, DNS_OK, "t=y says that you are testing: some receivers give nothing for it; leave it out");
}

/* ---- DMARC ---- */

static size_t count_dmarc(const struct buf *records, struct view *ret_record)
{
	struct view rest = buf_view(records), line;
	size_t count = 0;
	while (view_cut_line(&rest, &line)) {
		if (!dmarc_is_record(line))
			continue;
		*ret_record = count++ == 0 ? line : *ret_record;
	}
	return count;
}

/* Nothing at the domain itself: the organizational domain's counts. */
static enum dns_status find_dmarc(struct look *look, struct buf *records)
{
	struct view from = buf_view(&look->plan->from_domain), above = org_domain(from), none;
	enum dns_status status = dns_ask(look->source, buf_view(&look->record->name), DNS_TXT, records);
	if (status == DNS_FAILED || count_dmarc(records, &none) > 0 || view_eq_nocase(above, from))
		return status;
	AUTO_BUF name = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&name, "_dmarc." VIEW_FMT, VIEW_ARG(above));
	return dns_ask(look->source, buf_view(&name), DNS_TXT, records);
}

/* By DKIM or by SPF a message must be aligned with From. */
static bool dkim_aligns(const struct dns_plan *plan, bool strict)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct dns_record *record = &plan->records[i];
		if (record->kind == DNS_DKIM &&
		    (!strict || view_eq_nocase(dkim_key_domain(record->key), buf_view(&plan->from_domain))))
			return true;
	}
	return false;
}

static bool spf_aligns(const struct dns_plan *plan, bool strict)
{
	struct view from = buf_view(&plan->from_domain), bounce = buf_view(&plan->bounce_domain);
	return strict ? view_eq_nocase(from, bounce) : org_domain_aligned(from, bounce);
}

static void judge_dmarc(struct look *look, struct view record)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct dns_plan *plan = look->plan;
	struct dmarc dmarc;
	if (dmarc_parse(record, &dmarc, &why) != ERR_OK) {
		judge(look, DNS_DIFFERS, "receivers take it for none: ");
		buf_add(&look->finding->remedy, buf_view(&why));
		return;
	}
	bool by_dkim = !plan->keys_known || dkim_aligns(plan, dmarc.strict_dkim);
	if (!by_dkim && !spf_aligns(plan, dmarc.strict_spf))
		judge(look, DNS_DIFFERS,
		      "neither signature nor bounce domain is aligned with From as it asks: make a key for the From "
		      "domain "
		      "(`listctl dkim new`), or leave adkim=s and aspf=s out");
	else if (!by_dkim)
		judge(look, DNS_OK,
		      "only SPF is aligned, which forwarding breaks; make a key for the From domain (`listctl dkim "
		      "new`)");
	else if (!dmarc.has_reports)
		judge(look, DNS_OK, "rua= would have receivers report to you what fails");
}

static void check_dmarc(struct look *look)
{
	AUTO_BUF records = records_new();
	struct view record = { 0 };
	enum dns_status status = find_dmarc(look, &records);
	size_t count = count_dmarc(&records, &record);
	if (status == DNS_FAILED) {
		judge(look, DNS_UNTOLD, "no answer from the resolver in time");
		return;
	}
	if (count == 0) {
		judge(look, DNS_MISSING, "publish it: Google, Yahoo and Microsoft want one of bulk senders");
		return;
	}
	show(look, record);
	if (count > 1)
		judge(look, DNS_DIFFERS,
		      "there is more than one DMARC record, and receivers take none of them; leave one");
	else
		judge_dmarc(look, record);
}

/* ---- reverse names, zones ---- */

static bool is_same_address(struct view a, struct view b)
{
	unsigned char x[16], y[16];
	AUTO_BUF one = buf_with_ceiling(64);
	AUTO_BUF two = buf_with_ceiling(64);
	buf_add(&one, a);
	buf_add(&two, b);
	const int families[] = { AF_INET, AF_INET6 };
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (inet_pton(families[i], buf_text(&one), x) == 1 && inet_pton(families[i], buf_text(&two), y) == 1)
			return view_eq(view_from(x, families[i] == AF_INET ? 4 : 16),
				       view_from(y, families[i] == AF_INET ? 4 : 16));
	}
	return false;
}

static void check_reverse(struct look *look)
{
	AUTO_BUF names = records_new();
	AUTO_BUF addresses = records_new();
	struct view address = buf_view(&look->record->address), name, line;
	bool is_v4 = view_find_byte(address, ':') == VIEW_NONE, confirmed = false;
	if (!ask(look, buf_view(&look->record->name), DNS_PTR, &names,
		 "have the address's owner, such as your provider, set its reverse name: large receivers refuse mail "
		 "without"))
		return;
	show_lines(look, &names);
	struct view rest = buf_view(&names);
	name = view_head(rest, view_find_byte(rest, '\n'));
	if (dns_ask(look->source, name, is_v4 ? DNS_A : DNS_AAAA, &addresses) == DNS_FAILED) {
		judge(look, DNS_UNTOLD, "no answer from the resolver in time");
		return;
	}
	for (rest = buf_view(&addresses); view_cut_line(&rest, &line);)
		confirmed = confirmed || is_same_address(line, address);
	if (!confirmed)
		judge(look, DNS_DIFFERS,
		      "that name does not lead back to the address; publish its address record, or set another reverse "
		      "name");
}

/* Below a zone's top the SOA is above. */
static void check_zone(struct look *look)
{
	AUTO_BUF records = records_new();
	struct view name = buf_view(&look->record->name);
	enum dns_status status = dns_ask(look->source, name, DNS_SOA, &records);
	if (status == DNS_NO_NAME) {
		judge(look, DNS_MISSING,
		      "the domain does not exist in the DNS; Yahoo and others refuse mail from such; publish a record "
		      "there");
		return;
	}
	struct view top = org_domain(name);
	while (status == DNS_NO_DATA && name.len > top.len) {
		name = view_skip(name, view_find_byte(name, '.') + 1);
		status = dns_ask(look->source, name, DNS_SOA, &records);
	}
	show_lines(look, &records);
	if (status == DNS_FAILED)
		judge(look, DNS_UNTOLD, "no answer from the resolver in time");
	else if (status != DNS_FOUND)
		judge(look, DNS_MISSING, "no SOA is there or above, which Yahoo asks for; have the zone served whole");
}

static void (*const checks[])(struct look *look) = {
	[DNS_BOUNCE_MX] = check_mx, [DNS_BOUNCE_HOST] = check_host, [DNS_SPF] = check_spf,   [DNS_DKIM] = check_dkim,
	[DNS_DMARC] = check_dmarc,  [DNS_REVERSE] = check_reverse,  [DNS_ZONE] = check_zone,
};
static_assert(ARRAY_LEN(checks) == DNS_KIND_COUNT, "one check a kind");

void dns_check(const struct dns_source *source, const struct dns_plan *plan, const struct dns_record *record,
	       struct dns_finding *ret_finding)
{
	struct look look = { source, plan, record, ret_finding };
	*ret_finding = (struct dns_finding){ .verdict = DNS_OK,
					     .found = buf_with_ceiling(DNS_RECORD_OCTETS),
					     .remedy = buf_with_ceiling(LIMIT_WHY) };
	checks[record->kind](&look);
}

void dns_finding_done(struct dns_finding *finding)
{
	buf_done(&finding->found);
	buf_done(&finding->remedy);
}
