#include "mail/address.h"

#include <stdlib.h>
#include <string.h>

#include <idn2.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/limits.h"

/* Characters that have a place in RFC 5322 and none in a list. Whatever else is printable is atext and may stand in a
 * local part; the domain has its own check. */
static const struct refusal {
	char character;
	const char *why;
} refusals[] = {
	{ ' ', "the address holds a space; remove it" },
	{ '"', "the address has a quoted local part, which is not supported; give another address of this person" },
	{ '<', "the address holds \"<\"; write the bare address and put the name into a column of its own" },
	{ '>', "the address holds \">\"; write the bare address and put the name into a column of its own" },
	{ '(', "the address holds a comment in parentheses; remove it" },
	{ ')', "the address holds a comment in parentheses; remove it" },
	{ ',', "the address holds a comma; give one address a field" },
	{ ';', "the address holds a semicolon; give one address a field" },
	{ ':', "the address holds a colon; write it without \"mailto:\" and without a route" },
	{ '\\', "the address holds a backslash; remove it" },
	{ '[', "the address has an address literal in brackets; give a domain name" },
	{ ']', "the address has an address literal in brackets; give a domain name" },
	{ '%', "the address routes through another host with \"%\"; give the person's own address" },
	{ '!', "the address routes through another host with \"!\"; give the person's own address" },
};

enum {
	ZERO_WIDTH_NON_JOINER = 0x200c,
	ZERO_WIDTH_JOINER = 0x200d,
	REPLACEMENT = 0xfffd,
	MAX_LABEL = 63,                            /* RFC 1035 section 2.3.4 */
	COMPOSED_CEILING = 3 * LIMIT_ADDRESS_TEXT, /* NFC can lengthen a text, by three at most */
};

static enum err refuse(struct buf *why, const char *sentence)
{
	buf_add(why, view_of(sentence));
	return ERR_INVALID;
}

static struct view trim_blanks(struct view text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = view_skip(text, 1);
	while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static const char *ascii_refusal(char character)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (refusals[i].character == character)
			return refusals[i].why;
	}
	return NULL;
}

/* Characters that cannot be seen, or that change how their neighbours are shown (bidirectional marks are Cf). */
static bool is_invisible(ucs4_t character)
{
	return uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf |
							       UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_Zl |
							       UC_CATEGORY_MASK_Zp);
}

/* Joiners are letters' company in some scripts: libidn2 allows them in a domain where RFC 5892 does. */
static bool is_allowed(ucs4_t character, bool in_domain)
{
	if (in_domain && (character == ZERO_WIDTH_JOINER || character == ZERO_WIDTH_NON_JOINER))
		return true;
	return !is_invisible(character);
}

/* The same characters, for a look at each octet of millions of addresses. Others than ASCII need a closer one. */
static bool is_plain(struct view text)
{
	static const bool special[256] = {
		[' '] = true, ['"'] = true, ['<'] = true, ['>'] = true, ['('] = true,
		[')'] = true, [','] = true, [';'] = true, [':'] = true, ['\\'] = true,
		['['] = true, [']'] = true, ['%'] = true, ['!'] = true, [0x7f] = true,
	};
	for (size_t i = 0; i < text.len; i++) {
		unsigned char octet = (unsigned char)text.data[i];
		if (octet < ' ' || octet >= 0x80 || special[octet])
			return false;
	}
	return true;
}

static enum err check_characters(struct view text, struct buf *why)
{
	if (is_plain(text))
		return ERR_OK;
	if (view_has_control(text))
		return refuse(why, "the address holds a control character, such as a tab or a line end; remove it");
	bool in_domain = false;
	while (text.len > 0) {
		ucs4_t character;
		int len = u8_mbtouc(&character, (const uint8_t *)text.data, text.len);
		if (character < 0x80) {
			const char *sentence = ascii_refusal((char)character);
			if (sentence != NULL)
				return refuse(why, sentence);
			in_domain = in_domain || character == '@';
		} else if (character == REPLACEMENT) {
			return refuse(why, "the address holds U+FFFD, which stands for a character that was lost; "
					   "write the address anew");
		} else if (!is_allowed(character, in_domain)) {
			buf_addf(why, "the address holds the invisible character U+%04X; remove it",
				 (unsigned)character);
			return ERR_INVALID;
		}
		text = view_skip(text, (size_t)len);
	}
	return ERR_OK;
}

static enum err split(struct view text, struct view *ret_local, struct view *ret_domain, struct buf *why)
{
	size_t at = view_find_byte(text, '@');
	if (at == VIEW_NONE)
		return refuse(why, "the address has no \"@\"; write it as name@domain");
	if (view_find_last_byte(text, '@') != at)
		return refuse(why, "the address has more than one \"@\"; give one address a field");
	if (at == 0)
		return refuse(why, "the address has nothing before the \"@\"; write it as name@domain");
	if (at + 1 == text.len)
		return refuse(why, "the address has nothing after the \"@\"; write it as name@domain");
	*ret_local = view_head(text, at);
	*ret_domain = view_skip(text, at + 1);
	return ERR_OK;
}

/* Dot-string of RFC 5321 section 4.1.2. */
static enum err check_dots(struct view local, struct buf *why)
{
	if (view_starts(local, VIEW_LIT(".")))
		return refuse(why, "the part before the \"@\" begins with a dot; remove the dot");
	if (view_ends(local, VIEW_LIT(".")))
		return refuse(why, "the part before the \"@\" ends with a dot; remove the dot");
	if (view_find(local, VIEW_LIT("..")) != VIEW_NONE)
		return refuse(why, "the part before the \"@\" has two dots in a row; remove one");
	return ERR_OK;
}

static enum err check_local(struct view local, struct buf *why)
{
	if (local.len > LIMIT_LOCAL_PART) {
		buf_addf(why, "the part before the \"@\" has %zu octets, more than the %d that mail allows; correct it",
			 local.len, LIMIT_LOCAL_PART);
		return ERR_INVALID;
	}
	return check_dots(local, why);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_ldh(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

/* An A-label must come back from its U-label unchanged (RFC 5891 section 5.4). The label has passed the LDH check; the
 * U-label is never ASCII, which libidn2 would not check. */
static bool is_a_label(struct view label)
{
	AUTO_BUF ascii = buf_with_ceiling(MAX_LABEL);
	char *decoded = NULL;
	char *encoded = NULL;
	if (buf_add(&ascii, label) != ERR_OK)
		return false;
	bool good = idn2_to_unicode_8z8z(buf_text(&ascii), &decoded, IDN2_NONTRANSITIONAL) == IDN2_OK &&
		    !view_is_ascii(view_of(decoded)) &&
		    idn2_to_ascii_8z(decoded, &encoded, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) == IDN2_OK &&
		    view_eq(view_of(encoded), label);
	idn2_free(decoded);
	idn2_free(encoded);
	return good;
}

/* A label of RFC 1123 section 2.1 in lower case. */
static enum err check_label(struct view label, struct buf *why)
{
	if (label.len == 0)
		return refuse(why, "the domain has a dot too many; remove it");
	if (label.len > MAX_LABEL) {
		buf_addf(why, "a part of the domain has %zu octets, more than the %d that DNS allows; correct it",
			 label.len, MAX_LABEL);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < label.len; i++) {
		if (!is_ldh(label.data[i])) {
			buf_addf(why, "the domain holds \"%c\"; only letters, digits, dots and hyphens are allowed",
				 label.data[i]);
			return ERR_INVALID;
		}
	}
	if (label.data[0] == '-' || label.data[label.len - 1] == '-')
		return refuse(why, "a part of the domain begins or ends with a hyphen; correct it");
	if (view_starts(label, VIEW_LIT("xn--")) && !is_a_label(label)) {
		buf_addf(why, "\"" VIEW_FMT "\" encodes no international domain name; correct it", VIEW_ARG(label));
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err check_top(struct view domain, struct buf *why)
{
	size_t dot = view_find_last_byte(domain, '.');
	if (dot == VIEW_NONE) {
		buf_addf(why, "the domain \"" VIEW_FMT "\" has no dot; complete it, as in example.org",
			 VIEW_ARG(domain));
		return ERR_INVALID;
	}
	for (size_t i = dot + 1; i < domain.len; i++) {
		if (!is_digit(domain.data[i]))
			return ERR_OK;
	}
	buf_addf(why, "the domain \"" VIEW_FMT "\" ends in a number; give a domain name, no IP address",
		 VIEW_ARG(domain));
	return ERR_INVALID;
}

static enum err check_domain(struct view domain, struct buf *why)
{
	if (domain.len > LIMIT_DOMAIN) {
		buf_addf(why, "the domain has %zu octets, more than the %d that DNS allows; correct it", domain.len,
			 LIMIT_DOMAIN);
		return ERR_INVALID;
	}
	for (size_t start = 0; start <= domain.len;) {
		struct view rest = view_skip(domain, start);
		struct view label = view_head(rest, view_find_byte(rest, '.'));
		enum err err = check_label(label, why);
		if (err != ERR_OK)
			return err;
		start += label.len + 1;
	}
	return check_top(domain, why);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Adds all of it or nothing. */
static enum err add_lower(struct view text, struct buf *out)
{
	char *room = buf_room(out, text.len);
	if (room == NULL)
		return buf_err(out);
	for (size_t i = 0; i < text.len; i++)
		room[i] = lower(text.data[i]);
	buf_grown(out, text.len);
	return ERR_OK;
}

/* A domain that is ASCII already never goes through libidn2, which repairs some of what it should refuse; for the same
 * reason without its STD3 rules, and check_domain() afterwards. */
static enum err domain_to_ascii(struct view domain, struct buf *out, struct buf *why)
{
	if (view_is_ascii(domain))
		return add_lower(domain, out);
	AUTO_BUF text = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	if (buf_add(&text, domain) != ERR_OK)
		return ERR_MEMORY;
	char *ascii = NULL;
	int outcome = idn2_to_ascii_8z(buf_text(&text), &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
	if (outcome == IDN2_MALLOC)
		return ERR_MEMORY;
	if (outcome != IDN2_OK) {
		buf_addf(why, "the domain \"" VIEW_FMT "\" is no valid international name (%s); correct it",
			 VIEW_ARG(domain), idn2_strerror(outcome));
		return ERR_INVALID;
	}
	enum err err = add_lower(view_of(ascii), out);
	idn2_free(ascii);
	return err;
}

/* Most domains are ASCII and need no memory of their own. */
static enum err add_ascii_domain(struct view domain, struct buf *out, struct buf *why)
{
	char small[LIMIT_ADDRESS_TEXT];
	for (size_t i = 0; i < domain.len; i++)
		small[i] = lower(domain.data[i]);
	enum err err = check_domain(view_from(small, domain.len), why);
	return err != ERR_OK ? err : buf_add(out, view_from(small, domain.len));
}

static enum err add_domain(struct view domain, struct buf *out, struct buf *why)
{
	if (domain.len <= LIMIT_ADDRESS_TEXT && view_is_ascii(domain))
		return add_ascii_domain(domain, out, why);
	AUTO_BUF ascii = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	enum err err = domain_to_ascii(domain, &ascii, why);
	if (err == ERR_OK)
		err = check_domain(buf_view(&ascii), why);
	return err != ERR_OK ? err : buf_add(out, buf_view(&ascii));
}

static enum err check_size(struct view text, struct buf *why)
{
	if (text.len == 0)
		return refuse(why, "the address is empty; fill it in");
	if (text.len > LIMIT_ADDRESS_TEXT) {
		buf_addf(why, "the address has %zu octets, more than any address may have; correct it", text.len);
		return ERR_INVALID;
	}
	if (text.data[0] == '@' && view_find_byte(text, ':') != VIEW_NONE)
		return refuse(why, "the address begins with a source route; give only what follows the colon");
	if (!view_is_utf8(text))
		return refuse(why, "the address is not UTF-8; convert the file to UTF-8");
	return ERR_OK;
}

/* Composing comes before every other check, for some characters compose to ASCII ones: U+037E becomes a semicolon. */
static enum err add_nfc(struct view text, struct buf *out)
{
	size_t len = 0;
	uint8_t *composed = u8_normalize(UNINORM_NFC, (const uint8_t *)text.data, text.len, NULL, &len);
	if (composed == NULL)
		return ERR_MEMORY;
	buf_add(out, view_from(composed, len));
	free(composed);
	return buf_err(out);
}

static enum err add_mailbox(struct view text, struct buf *out, struct buf *why)
{
	struct view local = { 0 }, domain = { 0 };
	enum err err = check_characters(text, why);
	if (err == ERR_OK)
		err = split(text, &local, &domain, why);
	if (err == ERR_OK)
		err = check_local(local, why);
	if (err != ERR_OK)
		return err;
	buf_add(out, local);
	buf_add_byte(out, '@');
	return add_domain(domain, out, why);
}

static enum err add_bare_domain(struct view text, struct buf *out, struct buf *why)
{
	enum err err = check_characters(text, why);
	return err != ERR_OK ? err : add_domain(text, out, why);
}

typedef enum err add_part(struct view text, struct buf *out, struct buf *why);

static enum err parse(struct view text, add_part *add, struct buf *ret_part, struct buf *why)
{
	AUTO_BUF composed = buf_with_ceiling(COMPOSED_CEILING);
	AUTO_BUF part = buf_with_ceiling(COMPOSED_CEILING);
	struct view whole = trim_blanks(text);
	enum err err = check_size(whole, why);
	if (err == ERR_OK && !view_is_ascii(whole)) {
		err = add_nfc(whole, &composed);
		whole = buf_view(&composed);
	}
	if (err == ERR_OK)
		err = add(whole, &part, why);
	return err != ERR_OK ? err : buf_add(ret_part, buf_view(&part));
}

enum err address_parse(struct view text, struct buf *ret_address, struct buf *why)
{
	return parse(text, add_mailbox, ret_address, why);
}

enum err address_parse_domain(struct view text, struct buf *ret_domain, struct buf *why)
{
	return parse(text, add_bare_domain, ret_domain, why);
}

enum err address_key(struct view address, struct buf *ret_key)
{
	if (view_is_ascii(address))
		return add_lower(address, ret_key);
	if (!view_is_utf8(address))
		return ERR_INVALID;
	size_t len = 0;
	uint8_t *lower = u8_tolower((const uint8_t *)address.data, address.len, NULL, UNINORM_NFC, NULL, &len);
	if (lower == NULL)
		return ERR_MEMORY;
	buf_add(ret_key, view_from(lower, len));
	free(lower);
	return buf_err(ret_key);
}

struct view address_domain(struct view address)
{
	size_t at = view_find_last_byte(address, '@');
	return at == VIEW_NONE ? view_head(address, 0) : view_skip(address, at + 1);
}

bool address_is_ascii(struct view address)
{
	return view_is_ascii(address);
}

bool address_unicode(struct view address, struct buf *ret_text)
{
	struct view domain = address_domain(address);
	AUTO_BUF ascii = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	char *decoded = NULL;
	bool differs = domain.len > 0 && buf_add(&ascii, domain) == ERR_OK &&
		       idn2_to_unicode_8z8z(buf_text(&ascii), &decoded, IDN2_NONTRANSITIONAL) == IDN2_OK &&
		       !view_eq(view_of(decoded), domain);
	if (differs)
		buf_addf(ret_text, VIEW_FMT "%s", VIEW_ARG(view_slice(address, 0, address.len - domain.len)), decoded);
	idn2_free(decoded);
	return differs;
}
