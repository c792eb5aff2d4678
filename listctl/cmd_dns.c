#include "base/clock.h"
#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/dkim_output.h"
#include "listctl/dns_check.h"
#include "listctl/resolver.h"
#include "mail/address.h"
#include "mail/mailbox_provider.h"
#include "store/lists.h"

enum { DOMAINS_MOST = 64 };

/* ---- what to publish ---- */

static const struct output_column record_columns[] = {
	{ .name = "domain" }, { .name = "record" }, { .name = "name" }, { .name = "type" }, { .name = "value" },
};

static void print_record(const struct dns_record *record)
{
	AUTO_BUF value = buf_with_ceiling(2 * DNS_RECORD_OCTETS);
	struct view wanted = buf_view(&record->wanted), name = buf_view(&record->name);
	bool is_text = view_eq(view_of(dns_kind_type(record->kind)), VIEW_LIT("TXT"));
	enum err err = is_text ? dkim_output_strings(wanted, &value) : buf_add(&value, wanted);
	if (err != ERR_OK)
		return;
	if (dns_kind_is_record(record->kind))
		printf(VIEW_FMT ". IN %s %s\n", VIEW_ARG(name), dns_kind_type(record->kind), buf_text(&value));
	else
		printf("; " VIEW_FMT ". %s: %s\n", VIEW_ARG(name), dns_kind_type(record->kind), buf_text(&value));
}

#define SENDERS_UNKNOWN                                                                                                \
	"from which addresses your relays send is not known: set dns.addresses, or dns.includes to the domain whose "  \
	"SPF record their operator tells you, before you publish the SPF record"

static void print_for_people(const struct dns_plan *plan, const struct dns_record *record)
{
	print_record(record);
	if (record->kind == DNS_SPF && !plan->names_senders)
		puts("; " SENDERS_UNKNOWN);
}

/* For people the lines of a zone file. */
static void print_plan(struct call *call, const struct dns_plan *plan)
{
	bool for_people = output_format_of(call->out) == FORMAT_TABLE;
	if (for_people)
		printf("; mail from " VIEW_FMT ", return paths at " VIEW_FMT "\n",
		       VIEW_ARG(buf_view(&plan->from_domain)), VIEW_ARG(buf_view(&plan->bounce_domain)));
	for (size_t i = 0; i < plan->count; i++) {
		const struct dns_record *record = &plan->records[i];
		if (for_people)
			print_for_people(plan, record);
		else
			output_row(call->out, (struct output_cell[]){ cell_text(buf_view(&plan->from_domain)),
								      cell_text(view_of(dns_kind_name(record->kind))),
								      cell_text(buf_view(&record->name)),
								      cell_text(view_of(dns_kind_type(record->kind))),
								      cell_text(buf_view(&record->wanted)) });
	}
	if (!for_people && !plan->names_senders)
		call_warn(call, SENDERS_UNKNOWN);
}

/* ---- what is published ---- */

static const struct output_column check_columns[] = {
	{ .name = "domain" },
	{ .name = "record" },
	{ .name = "name" },
	{ .name = "verdict" },
	{ .name = "found", .wraps = true },
	{ .name = "wanted", .wraps = true },
	{ .name = "remedy", .wraps = true },
};

struct tally {
	size_t counts[DNS_VERDICT_COUNT];
	struct view foreign; /* a domain where nothing can be published; empty: none */
};

static void check_plan(struct call *call, const struct dns_source *source, const struct dns_plan *plan,
		       struct tally *tally)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct dns_record *record = &plan->records[i];
		struct dns_finding finding;
		dns_check(source, plan, record, &finding);
		tally->counts[finding.verdict]++;
		output_row(call->out, (struct output_cell[]){ cell_text(buf_view(&plan->from_domain)),
							      cell_text(view_of(dns_kind_name(record->kind))),
							      cell_text(buf_view(&record->name)),
							      cell_text(view_of(dns_verdict_name(finding.verdict))),
							      cell_text_or_null(buf_view(&finding.found)),
							      cell_text(buf_view(&record->wanted)),
							      cell_text_or_null(buf_view(&finding.remedy)) });
		dns_finding_done(&finding);
	}
}

static enum err judge(struct call *call, const struct tally *tally)
{
	if (tally->foreign.len > 0)
		return call_refuse(call, ERR_REFUSED,
				   VIEW_FMT " is a domain " MAILBOX_PROVIDER_REASON
					    ", and where you can publish nothing; " MAILBOX_PROVIDER_REMEDY,
				   VIEW_ARG(tally->foreign));
	size_t bad = tally->counts[DNS_MISSING] + tally->counts[DNS_DIFFERS];
	if (bad > 0)
		return call_refuse(call, ERR_REFUSED, "%zu records are missing and %zu differ",
				   tally->counts[DNS_MISSING], tally->counts[DNS_DIFFERS]);
	if (tally->counts[DNS_UNTOLD] > 0)
		return call_refuse(call, ERR_UNAVAILABLE, "%zu records could not be looked up",
				   tally->counts[DNS_UNTOLD]);
	return ERR_OK;
}

/* ---- the verb ---- */

/* Those that the lists send from, each once; borrowed. */
static enum err find_domains(struct call *call, struct db_rows **ret_rows, struct view ret_domains[DOMAINS_MOST],
			     size_t *ret_count)
{
	size_t count = 0;
	enum err err = lists_counted(call->db, VIEW_LIT(""), ret_rows, call->why);
	if (err != ERR_OK)
		return err;
	for (size_t row = 0; row < db_row_count(*ret_rows) && count < DOMAINS_MOST; row++) {
		const struct list list = lists_get(*ret_rows, row);
		struct view domain = address_domain(list.from_address);
		bool known = false;
		for (size_t i = 0; i < count; i++)
			known = known || view_eq_nocase(ret_domains[i], domain);
		if (!known)
			ret_domains[count++] = domain;
	}
	*ret_count = count;
	return count > 0 ? ERR_OK
			 : call_refuse(call, ERR_NOT_FOUND,
				       "there is no list yet; name the domain that mail is to come from");
}

static enum err do_domain(struct call *call, struct view domain, const struct dns_source *source, struct tally *tally)
{
	struct dns_plan plan;
	enum err err = dns_plan_make(call, domain, &plan);
	if (err == ERR_OK && !plan.keys_known)
		call_warn(call, "DKIM is left out: %s", buf_text(&plan.keys_why));
	else if (err == ERR_OK && !dns_plan_has_keys(&plan))
		call_warn(call,
			  "there are no DKIM keys for " VIEW_FMT " in %s; `listctl dkim new " VIEW_FMT "` makes one",
			  VIEW_ARG(buf_view(&plan.from_domain)), call->settings->dkim_dir,
			  VIEW_ARG(buf_view(&plan.from_domain)));
	if (err == ERR_OK && source != NULL)
		check_plan(call, source, &plan, tally);
	else if (err == ERR_OK)
		print_plan(call, &plan);
	dns_plan_done(&plan);
	return err;
}

static enum err do_domains(struct call *call, const struct view *domains, size_t count, const struct dns_source *source)
{
	struct tally tally = { 0 };
	enum err err = ERR_OK;
	bool as_zone = source == NULL && output_format_of(call->out) == FORMAT_TABLE;
	if (source != NULL)
		output_begin(call->out, check_columns, ARRAY_LEN(check_columns));
	else if (!as_zone)
		output_begin(call->out, record_columns, ARRAY_LEN(record_columns));
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		if (mailbox_provider_has(domains[i]))
			tally.foreign = domains[i];
		else
			err = do_domain(call, domains[i], source, &tally);
	}
	if (err == ERR_OK && !as_zone)
		err = output_end(call->out, call->why);
	return err == ERR_OK ? judge(call, &tally) : err;
}

static enum err take_timeout(struct call *call, int64_t *ret_us)
{
	const char *text = call_option(call, "timeout");
	*ret_us = call->settings->dns_timeout;
	if (text == NULL)
		return ERR_OK;
	if (!settings_span(view_of(text), ret_us) || *ret_us < CLOCK_US_PER_SECOND || *ret_us > CLOCK_US_PER_DAY)
		return call_misused(call, "--timeout is a time from 1s to 1d, such as 10s, not %s", text);
	return ERR_OK;
}

static enum err open_resolver(struct call *call, struct resolver **ret_resolver)
{
	const char *server = call_option(call, "resolver");
	int64_t patience_us;
	enum err err = take_timeout(call, &patience_us);
	if (err != ERR_OK)
		return err;
	return resolver_new(server != NULL ? server : call->settings->dns_resolver, patience_us, ret_resolver,
			    call->why);
}

static enum err run(struct call *call)
{
	AUTO_DB_ROWS *rows = NULL;
	struct view domains[DOMAINS_MOST];
	struct resolver *resolver = NULL;
	struct dns_source source = { 0 };
	size_t count = 1;
	enum err err = ERR_OK;
	bool is_check = call_has(call, "check");
	if (!is_check && (call_has(call, "resolver") || call_has(call, "timeout")))
		return call_misused(call, "--resolver and --timeout go with --check");
	if (call->operand_count > 0)
		domains[0] = view_of(call->operands[0]);
	else
		err = find_domains(call, &rows, domains, &count);
	if (err == ERR_OK && is_check)
		err = open_resolver(call, &resolver);
	if (err == ERR_OK && is_check)
		source = resolver_source(resolver);
	if (err == ERR_OK)
		err = do_domains(call, domains, count, is_check ? &source : NULL);
	resolver_done(resolver);
	return err;
}

static const struct command_option options[] = {
	{ "check", NULL, "look at what is published, and say what is missing or differs" },
	{ "resolver", "ADDRESS[@PORT]", "ask this resolver (dns.resolver)" },
	{ "timeout", "TIME", "how long all questions may take together (dns.timeout)" },
	{ 0 },
};

const struct command dns_commands[] = {
	{
	    .verb = "dns",
	    .operands = "[DOMAIN]",
	    .help = "print the DNS records to publish, or check those that are",
	    .details =
		"For mail from DOMAIN, or from the domains of all lists: the MX of the bounce domain, its SPF\n"
		"record, DKIM's of each key in dkim.dir, DMARC's, the reverse names of the addresses in\n"
		"dns.addresses and of relays' rows, and that a zone is there (SOA, which Yahoo asks for).\n"
		"--check: ok, missing, differs or unknown (no answer), what was found, and what to do. SPF is\n"
		"evaluated as receivers do it, through its includes and within ten lookups. Exit 1 unless all is ok.\n",
	    .options = options,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = run,
	},
	{ 0 },
};
