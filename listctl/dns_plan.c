#include "listctl/dns_plan.h"

#include <arpa/inet.h>
#include <assert.h>
#include <unistd.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/dns_answer.h"
#include "store/relay_tests.h"
#include "store/relays.h"

static const struct kind_row {
	const char *name, *type;
	bool is_record;
} kinds[] = {
	[DNS_BOUNCE_MX] = { "bounce-mx", "MX", true },
	[DNS_BOUNCE_HOST] = { "bounce-host", "A", false },
	[DNS_SPF] = { "spf", "TXT", true },
	[DNS_DKIM] = { "dkim", "TXT", true },
	[DNS_DMARC] = { "dmarc", "TXT", true },
	[DNS_REVERSE] = { "reverse", "PTR", true },
	[DNS_ZONE] = { "zone", "SOA", false },
};
static_assert(ARRAY_LEN(kinds) == DNS_KIND_COUNT, "one row a kind");

const char *dns_kind_type(enum dns_kind kind)
{
	return kinds[kind].type;
}

const char *dns_kind_name(enum dns_kind kind)
{
	return kinds[kind].name;
}

bool dns_kind_is_record(enum dns_kind kind)
{
	return kinds[kind].is_record;
}

/* ---- what is known ---- */

static enum err add_bounce_domain(struct call *call, struct dns_plan *plan)
{
	AUTO_BUF reason = buf_with_ceiling(LIMIT_WHY);
	enum err err = settings_require(call->settings, "bounce.domain", call->settings_path, call->why);
	if (err != ERR_OK)
		return err;
	err = address_parse_domain(view_of(call->settings->bounce_domain), &plan->bounce_domain, &reason);
	return err == ERR_OK ? ERR_OK : call_refuse(call, err, "bounce.domain: %s", buf_text(&reason));
}

/* As bounced greets. */
static void add_host(struct call *call, struct dns_plan *plan)
{
	char name[LIMIT_DOMAIN + 1];
	struct view given = view_of(call->settings->bounced_hostname);
	if (given.len == 0 && gethostname(name, sizeof(name)) == 0) {
		name[LIMIT_DOMAIN] = '\0';
		given = view_of(name);
	}
	buf_add(&plan->host, given);
}

static bool is_address(struct view text, unsigned char ret_bytes[16], int *ret_family)
{
	AUTO_BUF copy = buf_with_ceiling(64);
	buf_add(&copy, text);
	*ret_family = inet_pton(AF_INET, buf_text(&copy), ret_bytes) == 1 ? AF_INET : AF_INET6;
	return *ret_family == AF_INET || inet_pton(AF_INET6, buf_text(&copy), ret_bytes) == 1;
}

static bool has_word(const struct buf *words, struct view word)
{
	struct view rest = buf_view(words), found;
	while (view_cut(&rest, ' ', &found)) {
		if (view_eq_nocase(found, word))
			return true;
	}
	return false;
}

static void add_word(struct buf *words, struct view word)
{
	if (word.len > 0 && !has_word(words, word))
		buf_addf(words, VIEW_FMT " ", VIEW_ARG(word));
}

/* On the host of bounced; no host is a Unix socket. */
static bool is_here(const struct dns_plan *plan, struct view host)
{
	return host.len == 0 || view_starts(host, VIEW_LIT("127.")) || view_eq(host, VIEW_LIT("::1")) ||
	       view_eq_nocase(host, VIEW_LIT("localhost")) || view_eq_nocase(host, buf_view(&plan->host));
}

/* And whether they are all. */
static enum err add_addresses(struct call *call, struct dns_plan *plan)
{
	unsigned char bytes[16];
	int family;
	AUTO_DB_ROWS *rows = NULL;
	struct view rest = view_of(call->settings->dns_addresses), word;
	while (view_cut(&rest, ' ', &word)) {
		if (word.len > 0 && !is_address(word, bytes, &family))
			return call_refuse(call, ERR_INVALID,
					   "%s: dns.addresses takes IPv4 and IPv6 addresses with spaces between",
					   call->settings_path);
		add_word(&plan->addresses, word);
	}
	rest = view_of(call->settings->dns_includes);
	while (view_cut(&rest, ' ', &word))
		add_word(&plan->includes, word);
	plan->names_senders = plan->addresses.len + plan->includes.len > 0;
	enum err err = relays_list(call->db, VIEW_LIT(""), &rows, call->why);
	bool has_default = false, are_here = true;
	for (size_t i = 0; err == ERR_OK && i < db_row_count(rows); i++) {
		const struct relay_row row = relays_get(rows, i);
		if (!row.is_enabled)
			continue;
		add_word(&plan->addresses, row.source);
		has_default = has_default || view_eq(row.name, VIEW_LIT(RELAY_TESTS_DEFAULT));
		are_here = are_here && is_here(plan, row.host);
	}
	are_here = are_here && (has_default || is_here(plan, view_of(call->settings->relay_host)));
	plan->names_senders = plan->names_senders || are_here;
	return err;
}

/* ---- the records ---- */

static struct dns_record *add_record(struct dns_plan *plan, enum dns_kind kind)
{
	if (plan->count == DNS_RECORDS_OF_PLAN)
		return NULL;
	struct dns_record *record = &plan->records[plan->count++];
	*record = (struct dns_record){ .kind = kind,
				       .name = buf_with_ceiling(LIMIT_WHY),
				       .wanted = buf_with_ceiling(DNS_RECORD_OCTETS),
				       .address = buf_with_ceiling(64) };
	return record;
}

static void add_mx(struct dns_plan *plan)
{
	struct dns_record *mx = add_record(plan, DNS_BOUNCE_MX), *host = add_record(plan, DNS_BOUNCE_HOST);
	if (mx == NULL || host == NULL)
		return;
	buf_add(&mx->name, buf_view(&plan->bounce_domain));
	buf_addf(&mx->wanted, "10 " VIEW_FMT ".", VIEW_ARG(buf_view(&plan->host)));
	buf_add(&host->name, buf_view(&plan->host));
	buf_add(&host->wanted, VIEW_LIT("an address (A, AAAA) at which bounced listens"));
}

static void add_spf(struct dns_plan *plan)
{
	struct dns_record *record = add_record(plan, DNS_SPF);
	struct view rest = buf_view(&plan->addresses), word;
	if (record == NULL)
		return;
	buf_add(&record->name, buf_view(&plan->bounce_domain));
	buf_add(&record->wanted, VIEW_LIT("v=spf1"));
	while (view_cut(&rest, ' ', &word)) {
		if (word.len > 0)
			buf_addf(&record->wanted, " ip%d:" VIEW_FMT, view_find_byte(word, ':') == VIEW_NONE ? 4 : 6,
				 VIEW_ARG(word));
	}
	rest = buf_view(&plan->includes);
	while (view_cut(&rest, ' ', &word)) {
		if (word.len > 0)
			buf_addf(&record->wanted, " include:" VIEW_FMT, VIEW_ARG(word));
	}
	/* Right for a relay on the host of bounced. Of one elsewhere only its operator knows the addresses: nobody is forbidden then. */
	if (plan->addresses.len + plan->includes.len == 0)
		buf_add(&record->wanted, VIEW_LIT(" mx"));
	buf_add(&record->wanted, plan->names_senders ? VIEW_LIT(" -all") : VIEW_LIT(" ~all"));
}

bool dns_plan_has_keys(const struct dns_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->records[i].kind == DNS_DKIM)
			return true;
	}
	return false;
}

static enum err add_key(struct dns_plan *plan, const struct dkim_key *key)
{
	struct dns_record *record = add_record(plan, DNS_DKIM);
	if (record == NULL)
		return ERR_OK;
	record->key = key;
	buf_addf(&record->name, VIEW_FMT "._domainkey." VIEW_FMT, VIEW_ARG(dkim_key_selector(key)),
		 VIEW_ARG(dkim_key_domain(key)));
	return dkim_key_record(key, &record->wanted);
}

/* All that are not retired of the domain that signs: those that wait are to be published before they sign. */
static enum err add_keys(struct call *call, struct dns_plan *plan)
{
	struct dkim_key *signing[DKIM_SIGNATURES];
	plan->keys_known = dkim_folder_load(call->settings->dkim_dir, &plan->folder, &plan->keys_why) == ERR_OK;
	if (!plan->keys_known || dkim_folder_find(&plan->folder, buf_view(&plan->from_domain), signing) == 0)
		return ERR_OK;
	struct view domain = dkim_key_domain(signing[0]);
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < plan->folder.count; i++) {
		const struct dkim_entry *entry = &plan->folder.entries[i];
		if (!entry->is_retired && view_eq(dkim_key_domain(entry->key), domain))
			err = add_key(plan, entry->key);
	}
	return err;
}

static void add_dmarc(struct dns_plan *plan)
{
	struct dns_record *record = add_record(plan, DNS_DMARC);
	if (record == NULL)
		return;
	buf_addf(&record->name, "_dmarc." VIEW_FMT, VIEW_ARG(buf_view(&plan->from_domain)));
	buf_addf(&record->wanted, "v=DMARC1; p=none; rua=mailto:dmarc@" VIEW_FMT,
		 VIEW_ARG(buf_view(&plan->from_domain)));
}

/* RFC 1035 section 3.5, RFC 3596 section 2.5. */
static void write_reverse(struct view address, struct buf *out)
{
	unsigned char bytes[16];
	int family;
	if (!is_address(address, bytes, &family))
		return;
	for (size_t i = family == AF_INET ? 4 : 16; i > 0; i--) {
		if (family == AF_INET)
			buf_addf(out, "%u.", bytes[i - 1]);
		else
			buf_addf(out, "%x.%x.", bytes[i - 1] & 15u, bytes[i - 1] >> 4);
	}
	buf_addf(out, "%s", family == AF_INET ? "in-addr.arpa" : "ip6.arpa");
}

static void add_reverses(struct dns_plan *plan, const struct settings *settings)
{
	struct view rest = buf_view(&plan->addresses), word;
	struct view helo = view_of(settings->relay_helo);
	while (view_cut(&rest, ' ', &word)) {
		struct dns_record *record = word.len > 0 ? add_record(plan, DNS_REVERSE) : NULL;
		if (record == NULL)
			continue;
		write_reverse(word, &record->name);
		buf_addf(&record->wanted, VIEW_FMT ".", VIEW_ARG(helo.len > 0 ? helo : buf_view(&plan->host)));
		buf_add(&record->address, word);
	}
}

static void add_zone(struct dns_plan *plan, struct view domain)
{
	struct dns_record *record = add_record(plan, DNS_ZONE);
	if (record == NULL)
		return;
	buf_add(&record->name, domain);
	buf_add(&record->wanted, VIEW_LIT("the name exists, in a zone with an SOA"));
}

static struct dns_plan plan_empty(void)
{
	return (struct dns_plan){
		.from_domain = buf_with_ceiling(LIMIT_DOMAIN),
		.bounce_domain = buf_with_ceiling(LIMIT_DOMAIN),
		.host = buf_with_ceiling(LIMIT_DOMAIN),
		.addresses = buf_with_ceiling(DNS_ADDRESSES_MOST * 48),
		.includes = buf_with_ceiling(DNS_RECORD_OCTETS / 2),
		.keys_why = buf_with_ceiling(LIMIT_WHY),
	};
}

static enum err plan_err(const struct dns_plan *plan)
{
	enum err err = buf_err(&plan->addresses) != ERR_OK ? buf_err(&plan->addresses) : buf_err(&plan->includes);
	for (size_t i = 0; err == ERR_OK && i < plan->count; i++)
		err = buf_err(&plan->records[i].name) != ERR_OK ? buf_err(&plan->records[i].name)
								: buf_err(&plan->records[i].wanted);
	return err;
}

enum err dns_plan_make(struct call *call, struct view from_domain, struct dns_plan *ret_plan)
{
	*ret_plan = plan_empty();
	enum err err = address_parse_domain(from_domain, &ret_plan->from_domain, call->why);
	if (err == ERR_OK)
		err = add_bounce_domain(call, ret_plan);
	add_host(call, ret_plan);
	if (err == ERR_OK)
		err = add_addresses(call, ret_plan);
	if (err != ERR_OK)
		return err;
	add_mx(ret_plan);
	add_spf(ret_plan);
	err = add_keys(call, ret_plan);
	add_dmarc(ret_plan);
	add_reverses(ret_plan, call->settings);
	add_zone(ret_plan, buf_view(&ret_plan->from_domain));
	if (!view_eq(buf_view(&ret_plan->from_domain), buf_view(&ret_plan->bounce_domain)))
		add_zone(ret_plan, buf_view(&ret_plan->bounce_domain));
	if (err == ERR_OK)
		err = plan_err(ret_plan);
	return err == ERR_OK
		   ? ERR_OK
		   : call_refuse(call, err, "the records cannot be written (%s): too many addresses, or too long names",
				 err_name(err));
}

void dns_plan_done(struct dns_plan *plan)
{
	struct buf *const bufs[] = { &plan->from_domain, &plan->bounce_domain, &plan->host,
				     &plan->addresses,   &plan->includes,      &plan->keys_why };
	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
	for (size_t i = 0; i < plan->count; i++) {
		buf_done(&plan->records[i].name);
		buf_done(&plan->records[i].wanted);
		buf_done(&plan->records[i].address);
	}
	dkim_folder_done(&plan->folder);
}
