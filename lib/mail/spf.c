#include "mail/spf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/limits.h"

static const char *const result_names[] = {
	[SPF_PASS] = "pass", [SPF_FAIL] = "fail",         [SPF_NONE] = "none",
	[SPF_MANY] = "many", [SPF_INVALID] = "permerror", [SPF_UNKNOWN] = "temperror",
};
static_assert(ARRAY_LEN(result_names) == SPF_RESULT_COUNT, "one word a result");

const char *spf_result_name(enum spf_result result)
{
	return result_names[result];
}

/* One evaluation, with its includes. */
struct walk {
	const struct dns_source *source;
	struct spf_check *check;
	int family; /* AF_INET, AF_INET6; AF_UNSPEC: no address */
	unsigned char address[16];
};

/* A term "mechanism[:value][/cidr]" without its qualifier. */
struct term {
	struct view name, value, whole;
	unsigned cidr4, cidr6;
};

static enum spf_result spoil(struct walk *walk, struct view domain, struct view term, const char *what)
{
	if (walk->check->why.len == 0)
		buf_addf(&walk->check->why, VIEW_FMT ": " VIEW_FMT ": %s", VIEW_ARG(domain), VIEW_ARG(term), what);
	return SPF_INVALID;
}

/* ---- addresses ---- */

static bool is_within(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool parse_address(struct view text, int *ret_family, unsigned char ret_bytes[16])
{
	AUTO_BUF copy = buf_with_ceiling(64);
	buf_add(&copy, text);
	if (inet_pton(AF_INET, buf_text(&copy), ret_bytes) == 1)
		*ret_family = AF_INET;
	else if (inet_pton(AF_INET6, buf_text(&copy), ret_bytes) == 1)
		*ret_family = AF_INET6;
	else
		return false;
	return true;
}

static bool matches(const struct walk *walk, struct view text, const struct term *term)
{
	unsigned char bytes[16];
	int family;
	return parse_address(text, &family, bytes) && family == walk->family &&
	       is_within(walk->address, bytes, family == AF_INET ? term->cidr4 : term->cidr6);
}

/* ---- terms ---- */

static bool parse_cidr(struct view text, unsigned most, unsigned *ret_bits)
{
	uint64_t bits;
	if (!view_to_u64(text, most, &bits))
		return false;
	*ret_bits = (unsigned)bits;
	return true;
}

/* "ip6:ADDRESS/64", "a:host/24//64", "include:x". */
static bool parse_term(struct view text, struct term *ret_term)
{
	*ret_term = (struct term){ .whole = text, .cidr4 = 32, .cidr6 = 128 };
	size_t name_end = 0;
	while (name_end < text.len && text.data[name_end] != ':' && text.data[name_end] != '/')
		name_end++;
	ret_term->name = view_head(text, name_end);
	struct view rest = view_skip(text, name_end);
	if (view_starts(rest, VIEW_LIT(":"))) {
		rest = view_skip(rest, 1);
		size_t end = view_find_byte(rest, '/');
		ret_term->value = view_head(rest, end);
		rest = end == VIEW_NONE ? view_skip(rest, rest.len) : view_skip(rest, end);
		if (ret_term->value.len == 0)
			return false;
	}
	bool is_ip6 = view_eq_nocase(ret_term->name, VIEW_LIT("ip6"));
	size_t twice = view_find(rest, VIEW_LIT("//"));
	struct view four = view_head(rest, twice);
	struct view six = twice == VIEW_NONE ? view_head(rest, 0) : view_skip(rest, twice + 2);
	if (six.len > 0 && !parse_cidr(six, 128, &ret_term->cidr6))
		return false;
	if (four.len == 0)
		return true;
	return is_ip6 ? parse_cidr(view_skip(four, 1), 128, &ret_term->cidr6)
		      : parse_cidr(view_skip(four, 1), 32, &ret_term->cidr4);
}

static bool count_lookup(struct walk *walk)
{
	return ++walk->check->lookups <= SPF_LOOKUPS_MOST;
}

static enum dns_status ask(struct walk *walk, struct view name, enum dns_type type, struct buf *records)
{
	enum dns_status status = dns_ask(walk->source, name, type, records);
	walk->check->voids += status == DNS_NO_DATA || status == DNS_NO_NAME;
	return status;
}

/* The addresses of a name: a match makes *ret_match true. */
static enum spf_result match_host(struct walk *walk, struct view host, const struct term *term, bool *ret_match)
{
	AUTO_BUF records = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	struct view line;
	if (walk->family == AF_UNSPEC)
		return SPF_FAIL;
	if (ask(walk, host, walk->family == AF_INET ? DNS_A : DNS_AAAA, &records) == DNS_FAILED)
		return SPF_UNKNOWN;
	for (struct view rest = buf_view(&records); view_cut_line(&rest, &line);)
		*ret_match = *ret_match || matches(walk, line, term);
	return SPF_FAIL;
}

static enum spf_result match_mx(struct walk *walk, struct view domain, const struct term *term, bool *ret_match)
{
	enum { HOSTS_MOST = 10 };
	AUTO_BUF records = buf_with_ceiling(LIMIT_INTAKE_HEAD);
	struct view line;
	enum spf_result result = SPF_FAIL;
	size_t count = 0;
	if (ask(walk, domain, DNS_MX, &records) == DNS_FAILED)
		return SPF_UNKNOWN;
	for (struct view rest = buf_view(&records);
	     result == SPF_FAIL && count < HOSTS_MOST && view_cut_line(&rest, &line); count++)
		result = match_host(walk, view_skip(line, view_find_byte(line, ' ') + 1), term, ret_match);
	return result;
}

static enum spf_result evaluate(struct walk *walk, struct view domain, unsigned depth);

static enum spf_result match_include(struct walk *walk, struct view domain, const struct term *term, unsigned depth,
				     bool *ret_match)
{
	struct spf_check *check = walk->check;
	check->has_include = check->has_include || view_eq_nocase(term->value, check->include);
	enum spf_result result = evaluate(walk, term->value, depth + 1);
	*ret_match = result == SPF_PASS;
	if (result == SPF_NONE || result == SPF_MANY)
		return spoil(walk, domain, term->whole,
			     result == SPF_NONE ? "the included domain has no SPF record"
						: "the included domain has several");
	return result == SPF_PASS ? SPF_FAIL : result;
}

enum mechanism { MECH_ALL, MECH_INCLUDE, MECH_A, MECH_MX, MECH_PTR, MECH_IP4, MECH_IP6, MECH_EXISTS, MECH_COUNT };
static const struct mechanism_row {
	const char *name;
	bool asks, needs_value;
} mechanisms[] = {
	[MECH_ALL] = { "all", false, false }, [MECH_INCLUDE] = { "include", true, true },
	[MECH_A] = { "a", true, false },      [MECH_MX] = { "mx", true, false },
	[MECH_PTR] = { "ptr", true, false },  [MECH_IP4] = { "ip4", false, true },
	[MECH_IP6] = { "ip6", false, true },  [MECH_EXISTS] = { "exists", true, true },
};
static_assert(ARRAY_LEN(mechanisms) == MECH_COUNT, "one row a mechanism");

static enum mechanism find_mechanism(struct view name)
{
	size_t at = 0;
	while (at < MECH_COUNT && !view_eq_nocase(name, view_of(mechanisms[at].name)))
		at++;
	return (enum mechanism)at;
}

/* SPF_FAIL: go on; *ret_match: the mechanism matches. */
static enum spf_result match(struct walk *walk, struct view domain, const struct term *term, unsigned depth,
			     bool *ret_match)
{
	enum mechanism mechanism = find_mechanism(term->name);
	struct view target = term->value.len > 0 ? term->value : domain;
	unsigned char bytes[16];
	int family;
	if (mechanism == MECH_COUNT)
		return spoil(walk, domain, term->whole, "there is no such mechanism");
	if (mechanisms[mechanism].needs_value && term->value.len == 0)
		return spoil(walk, domain, term->whole, "it needs a value behind a colon");
	if (mechanisms[mechanism].asks && !count_lookup(walk))
		return spoil(walk, domain, term->whole, "this is the eleventh lookup, and receivers stop after ten");
	bool has_macro = view_find_byte(target, '%') != VIEW_NONE;
	switch (mechanism) {
	case MECH_ALL:
		*ret_match = true;
		return SPF_FAIL;
	case MECH_INCLUDE:
		return has_macro ? SPF_FAIL : match_include(walk, domain, term, depth, ret_match);
	case MECH_A:
		return has_macro ? SPF_FAIL : match_host(walk, target, term, ret_match);
	case MECH_MX:
		return has_macro ? SPF_FAIL : match_mx(walk, target, term, ret_match);
	case MECH_IP4:
	case MECH_IP6:
		if (!parse_address(term->value, &family, bytes) || (family == AF_INET) != (mechanism == MECH_IP4))
			return spoil(walk, domain, term->whole, "it is no such address");
		*ret_match = matches(walk, term->value, term);
		return SPF_FAIL;
	case MECH_PTR:
	case MECH_EXISTS:
	case MECH_COUNT:
		break;
	}
	return SPF_FAIL;
}

/* ---- records ---- */

/* "v=spf1" and then nothing or a space (section 4.5). */
static bool is_spf(struct view record)
{
	struct view version = VIEW_LIT("v=spf1");
	return view_starts_nocase(record, version) && (record.len == version.len || record.data[version.len] == ' ');
}

static enum spf_result find_record(struct walk *walk, struct view domain, struct buf *ret_record)
{
	AUTO_BUF records = buf_with_ceiling(DNS_RECORDS_MOST * DNS_RECORD_OCTETS);
	struct view line;
	size_t count = 0;
	enum dns_status status = dns_ask(walk->source, domain, DNS_TXT, &records);
	if (status == DNS_FAILED)
		return SPF_UNKNOWN;
	for (struct view rest = buf_view(&records); view_cut_line(&rest, &line);) {
		if (!is_spf(line))
			continue;
		if (count++ > 0)
			buf_add(ret_record, VIEW_LIT(" | "));
		buf_add(ret_record, line);
	}
	return count == 0 ? SPF_NONE : count == 1 ? SPF_PASS : SPF_MANY;
}

/* name "=" value: redirect is followed when nothing has matched, others are passed over (section 6). */
static bool is_modifier(struct view term)
{
	size_t equals = view_find_byte(term, '='), colon = view_find_byte(term, ':');
	return equals != VIEW_NONE && equals > 0 && (colon == VIEW_NONE || equals < colon) &&
	       view_find_byte(view_head(term, equals), '/') == VIEW_NONE;
}

static bool is_qualifier(char c)
{
	return c == '+' || c == '-' || c == '~' || c == '?';
}

/* All terms are read, also behind one that matches, so that what is wrong with the record is found. */
static enum spf_result evaluate_terms(struct walk *walk, struct view domain, struct view record, unsigned depth)
{
	struct view text, redirect = { 0 };
	enum spf_result found = SPF_FAIL;
	bool any_match = false, has_all = false;
	for (struct view rest = view_skip(record, view_of("v=spf1").len); view_cut(&rest, ' ', &text);) {
		struct term term;
		bool is_match = false;
		if (text.len == 0)
			continue;
		if (is_modifier(text)) {
			if (view_starts_nocase(text, VIEW_LIT("redirect=")))
				redirect = view_skip(text, view_of("redirect=").len);
			continue;
		}
		char qualifier = is_qualifier(text.data[0]) ? text.data[0] : '+';
		if (!parse_term(is_qualifier(text.data[0]) ? view_skip(text, 1) : text, &term))
			return spoil(walk, domain, text, "it cannot be read");
		enum spf_result result = match(walk, domain, &term, depth, &is_match);
		if (result != SPF_FAIL)
			return result;
		has_all = has_all || view_eq_nocase(term.name, VIEW_LIT("all"));
		if (view_eq_nocase(term.name, VIEW_LIT("all")) && qualifier == '+')
			walk->check->lets_all = true;
		if (is_match && !any_match)
			found = qualifier == '+' ? SPF_PASS : SPF_FAIL;
		any_match = any_match || is_match;
	}
	if (any_match || has_all || redirect.len == 0 || view_find_byte(redirect, '%') != VIEW_NONE)
		return found;
	if (!count_lookup(walk))
		return spoil(walk, domain, redirect, "this is the eleventh lookup, and receivers stop after ten");
	enum spf_result result = evaluate(walk, redirect, depth + 1);
	return result == SPF_NONE || result == SPF_MANY
		   ? spoil(walk, domain, redirect, "redirect leads to no record, or to several")
		   : result;
}

static enum spf_result evaluate(struct walk *walk, struct view domain, unsigned depth)
{
	AUTO_BUF record = buf_with_ceiling(DNS_RECORDS_MOST * DNS_RECORD_OCTETS);
	if (depth > SPF_DEPTH_MOST)
		return spoil(walk, domain, VIEW_LIT("include"), "the includes go in a circle");
	enum spf_result result = find_record(walk, domain, &record);
	if (depth == 0)
		buf_add(&walk->check->record, view_head(buf_view(&record), walk->check->record.ceiling));
	return result == SPF_PASS ? evaluate_terms(walk, domain, buf_view(&record), depth) : result;
}

void spf_check(const struct dns_source *source, struct spf_check *check)
{
	struct walk walk = { .source = source, .check = check, .family = AF_UNSPEC };
	check->record = buf_with_ceiling(DNS_RECORD_OCTETS);
	check->why = buf_with_ceiling(LIMIT_WHY);
	if (check->address.len > 0 && !parse_address(check->address, &walk.family, walk.address))
		check->result = spoil(&walk, check->domain, check->address, "it is no address");
	else
		check->result = evaluate(&walk, check->domain, 0);
	if ((check->result == SPF_PASS || check->result == SPF_FAIL) && check->voids > SPF_VOID_MOST)
		check->result =
		    spoil(&walk, check->domain, VIEW_LIT("the record"), "more than two of its lookups find nothing");
}

void spf_done(struct spf_check *check)
{
	buf_done(&check->record);
	buf_done(&check->why);
}
