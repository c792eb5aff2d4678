#include "mail/address.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

#define LOCAL_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LABEL_63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define DOMAIN_253 LABEL_63 "." LABEL_63 "." LABEL_63 ".0123456789abcdef0123456789abcdef0123456789abcdef012345678.com"

struct good_row {
	const char *label, *text, *address;
};

static const struct good_row good_rows[] = {
	{ "plain", "jane@example.org", "jane@example.org" },
	{ "blanks at the ends", " \t jane@example.org \t", "jane@example.org" },
	{ "local part as given, domain lower", "Jane.Doe@Example.ORG", "Jane.Doe@example.org" },
	{ "every atext", "a#$&'*+-/=?^_`{|}~z@example.org", "a#$&'*+-/=?^_`{|}~z@example.org" },
	{ "one letter", "a@b.co", "a@b.co" },
	{ "sub-address", "jane+news@example.org", "jane+news@example.org" },
	{ "digits in the domain", "jane@1und1.de", "jane@1und1.de" },
	{ "top label with a digit", "jane@example.a1", "jane@example.a1" },
	{ "hyphens 3 and 4 without xn", "jane@r3--sn.example.org", "jane@r3--sn.example.org" },
	{ "longest local part", LOCAL_64 "@example.org", LOCAL_64 "@example.org" },
	{ "longest label", "a@" LABEL_63 ".org", "a@" LABEL_63 ".org" },
	{ "longest domain", "a@" DOMAIN_253, "a@" DOMAIN_253 },
	{ "umlaut domain", "a@b\u00fccher.example", "a@xn--bcher-kva.example" },
	{ "upper case umlaut domain", "a@B\u00dcCHER.example", "a@xn--bcher-kva.example" },
	{ "decomposed umlaut domain", "a@bu\u0308cher.example", "a@xn--bcher-kva.example" },
	{ "sharp s is not ss", "a@fa\u00df.de", "a@xn--fa-hia.de" },
	{ "Chinese domain", "a@\u4f8b\u5b50.\u6d4b\u8bd5", "a@xn--fsqu00a.xn--0zwm56d" },
	{ "ideographic full stop", "a@\u4f8b\u5b50\u3002\u6d4b\u8bd5", "a@xn--fsqu00a.xn--0zwm56d" },
	{ "right-to-left domain", "a@\u05d3\u05d5\u05d2\u05de\u05d4.example", "a@xn--6dbbec0c.example" },
	{ "joiner where the script needs it", "a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example",
	  "a@xn--mgba3gch31f060k.example" },
	{ "A-label stays", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	{ "A-label in capitals", "a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example" },
	{ "local part in Greek", "\u03c7\u03c1\u03ae\u03c3\u03c4\u03b7\u03c2@example.org",
	  "\u03c7\u03c1\u03ae\u03c3\u03c4\u03b7\u03c2@example.org" },
	{ "decomposed local part is composed", "jose\u0301@example.org", "jos\u00e9@example.org" },
	{ "right-to-left local part", "\u05d3\u05d5\u05d0@example.org", "\u05d3\u05d5\u05d0@example.org" },
};

struct bad_row {
	const char *label, *text, *why; /* why: a part of the sentence that no other rule has */
};

static const struct bad_row bad_rows[] = {
	{ "empty", "", "is empty" },
	{ "blank", "  \t ", "is empty" },
	{ "no @", "jane.example.org", "has no \"@\"" },
	{ "two @", "jane@home@example.org", "more than one \"@\"" },
	{ "nothing before", "@example.org", "nothing before" },
	{ "nothing after", "jane@", "nothing after" },
	{ "space inside", "jane doe@example.org", "holds a space" },
	{ "space before the @", "jane @example.org", "holds a space" },
	{ "quoted local part", "\"jane doe\"@example.org", "quoted local part" },
	{ "@ in quotes", "\"a@b\"@example.org", "quoted local part" },
	{ "display name", "Jane <jane@example.org>", "holds a space" },
	{ "angle brackets", "<jane@example.org>", "holds \"<\"" },
	{ "closing bracket", "jane@example.org>", "holds \">\"" },
	{ "null path", "<>", "holds \"<\"" },
	{ "comment", "jane(work)@example.org", "comment in parentheses" },
	{ "two addresses", "a@example.org,b@example.org", "holds a comma" },
	{ "two addresses, semicolon", "a@example.org;b@example.org", "holds a semicolon" },
	{ "mailto", "mailto:jane@example.org", "holds a colon" },
	{ "source route", "@a.example,@b.example:jane@example.org", "source route" },
	{ "backslash", "ja\\ne@example.org", "backslash" },
	{ "address literal", "jane@[192.0.2.1]", "address literal" },
	{ "IPv6 literal", "jane@[IPv6:2001:db8::1]", "address literal" },
	{ "percent hack", "jane%example.org@relay.example", "with \"%\"" },
	{ "bang path", "relay!jane@example.org", "with \"!\"" },
	{ "leading dot", ".jane@example.org", "begins with a dot" },
	{ "trailing dot", "jane.@example.org", "ends with a dot" },
	{ "two dots", "jane..doe@example.org", "two dots in a row" },
	{ "long local part", LOCAL_64 "x@example.org", "has 65 octets" },
	{ "long local part, few characters",
	  "\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b\u4f8b"
	  "\u4f8b"
	  "\u4f8b\u4f8b\u4f8b@example.org",
	  "has 66 octets" },
	{ "line feed", "jane@example.org\nBcc: x@example.org", "control character" },
	{ "CR at the end", "jane@example.org\r", "control character" },
	{ "DEL", "ja\x7fne@example.org", "control character" },
	{ "tab inside", "ja\tne@example.org", "control character" },
	{ "Latin-1", "jos\xe9@example.org", "not UTF-8" },
	{ "surrogate", "jos\xed\xa0\x80@example.org", "not UTF-8" },
	{ "overlong", "jane\xc1\x80@example.org", "not UTF-8" },
	{ "next line", "jane\xc2\x85@example.org", "U+0085" },
	{ "no-break space", "jane@example.org\u00a0", "U+00A0" },
	{ "line separator", "ja\u2028ne@example.org", "U+2028" },
	{ "right-to-left override", "ja\u202ene@example.org", "U+202E" },
	{ "right-to-left mark in the domain", "jane@ex\u200fample.org", "U+200F" },
	{ "zero width space", "ja\u200bne@example.org", "U+200B" },
	{ "joiner in the local part", "ja\u200dne@example.org", "U+200D" },
	{ "joiner where no script needs it", "jane@ex\u200dample.org", "no valid international name" },
	{ "soft hyphen in the domain", "jane@ex\u00adample.org", "U+00AD" },
	{ "byte order mark", "\ufeffjane@example.org", "U+FEFF" },
	{ "a character that was lost", "m\ufffdller@example.org", "U+FFFD, which stands for" },
	{ "composes to a semicolon", "a\u037eb@example.org", "holds a semicolon" },
	{ "no dot in the domain", "jane@gmail", "has no dot" },
	{ "dot at the end", "jane@example.org.", "a dot too many" },
	{ "dot at the start", "jane@.example.org", "a dot too many" },
	{ "two dots in the domain", "jane@example..org", "a dot too many" },
	{ "two dots in an umlaut domain", "jane@b\u00fccher..example", "a dot too many" },
	{ "two ideographic dots", "jane@\u4f8b\u5b50\u3002\u3002\u6d4b\u8bd5", "a dot too many" },
	{ "underscore", "jane@ex_ample.com", "domain holds \"_\"" },
	{ "underscore in an umlaut domain", "jane@ex_ample.b\u00fccher.example", "domain holds \"_\"" },
	{ "maps to a slash", "jane@\u2100.example.org", "domain holds \"/\"" },
	{ "leading hyphen", "jane@-example.org", "begins or ends with a hyphen" },
	{ "trailing hyphen", "jane@example-.org", "begins or ends with a hyphen" },
	{ "long label", "a@" LABEL_63 "x.org", "a part of the domain has 64 octets" },
	{ "long domain", "a@x" DOMAIN_253, "the domain has 254 octets" },
	{ "IPv4 address", "jane@192.0.2.1", "ends in a number" },
	{ "broken A-label", "jane@xn--a.example", "encodes no international" },
	{ "A-label of ASCII", "jane@xn--example-.org", "begins or ends with a hyphen" },
	{ "A-label of an upper case letter", "jane@xn--bcher-2pa.example", "encodes no international" },
	{ "empty A-label", "jane@xn--.example", "begins or ends with a hyphen" },
	{ "symbol domain", "jane@\u2028.example", "U+2028" },
};

START_TEST(accepts)
	{
		for (size_t i = 0; i < ARRAY_LEN(good_rows); i++) {
			const struct good_row *row = &good_rows[i];
			AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
			AUTO_BUF again = buf_with_ceiling(LIMIT_ADDRESS);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			enum err err = address_parse(view_of(row->text), &address, &why);
			ck_assert_msg(err == ERR_OK, "%s: %s", row->label, buf_text(&why));
			ck_assert_msg(view_eq(buf_view(&address), view_of(row->address)), "%s: got %s", row->label,
				      buf_text(&address));
			ck_row(row->label, address_parse(buf_view(&address), &again, &why) == ERR_OK);
			ck_row(row->label, view_eq(buf_view(&address), buf_view(&again)));
		}
	}
END_TEST

START_TEST(refuses)
	{
		for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
			const struct bad_row *row = &bad_rows[i];
			AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			buf_add(&address, VIEW_LIT("kept"));
			enum err err = address_parse(view_of(row->text), &address, &why);
			ck_assert_msg(err == ERR_INVALID, "%s: %s, %s", row->label, err_name(err), buf_text(&address));
			ck_view_eq(buf_view(&address), "kept");
			ck_assert_msg(strstr(buf_text(&why), row->why) != NULL, "%s: %s", row->label, buf_text(&why));
			ck_row(row->label, !view_has_control(buf_view(&why)) && view_is_utf8(buf_view(&why)));
		}
	}
END_TEST

/* A NUL cannot stand in a row of C strings. */
START_TEST(refuses_nul)
	{
		AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(address_parse(VIEW_LIT("jane@example.org\0.com"), &address, &why) == ERR_INVALID);
		ck_assert(address_parse(VIEW_LIT("jane@b\u00fccher.example\0.com"), &address, &why) == ERR_INVALID);
		ck_assert_uint_eq(address.len, 0);
	}
END_TEST

START_TEST(refuses_what_is_endless)
	{
		AUTO_BUF text = buf_with_ceiling(1 << 20);
		AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		while (buf_add(&text, VIEW_LIT("aaaaaaaa")) == ERR_OK)
			;
		ck_assert(address_parse(buf_view(&text), &address, &why) == ERR_INVALID);
		ck_assert(strstr(buf_text(&why), "more than any address may have") != NULL);
	}
END_TEST

static const struct good_row key_rows[] = {
	{ "lower case", "Jane.DOE@Example.ORG", "jane.doe@example.org" },
	{ "a key", "jane@example.org", "jane@example.org" },
	{ "umlaut", "J\u00dcRGEN@example.org", "j\u00fcrgen@example.org" },
	{ "Cyrillic", "\u0418\u0412\u0410\u041d@example.org", "\u0438\u0432\u0430\u043d@example.org" },
	{ "composed", "JOSE\u0301@example.org", "jos\u00e9@example.org" },
	{ "sharp s is not ss", "Stra\u00dfe@example.org", "stra\u00dfe@example.org" },
	{ "dots and tags are kept", "J.A.N.E+news@gmail.com", "j.a.n.e+news@gmail.com" },
};

START_TEST(keys)
	{
		for (size_t i = 0; i < ARRAY_LEN(key_rows); i++) {
			const struct good_row *row = &key_rows[i];
			AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS);
			AUTO_BUF again = buf_with_ceiling(LIMIT_ADDRESS);
			ck_row(row->label, address_key(view_of(row->text), &key) == ERR_OK);
			ck_view_eq(buf_view(&key), row->address);
			ck_row(row->label, address_key(buf_view(&key), &again) == ERR_OK);
			ck_row(row->label, view_eq(buf_view(&key), buf_view(&again)));
		}
		AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS);
		ck_assert(address_key(view_of("jos\xe9@example.org"), &key) == ERR_INVALID);
		ck_assert_uint_eq(key.len, 0);
	}
END_TEST

START_TEST(domains)
	{
		AUTO_BUF domain = buf_with_ceiling(LIMIT_DOMAIN);
		AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
		ck_assert(address_parse_domain(view_of(" B\u00dcCHER.example "), &domain, &why) == ERR_OK);
		ck_view_eq(buf_view(&domain), "xn--bcher-kva.example");
		ck_assert(address_parse_domain(view_of("jane@example.org"), &domain, &why) == ERR_INVALID);
		ck_assert(strstr(buf_text(&why), "domain holds \"@\"") != NULL);
	}
END_TEST

START_TEST(parts)
	{
		ck_view_eq(address_domain(view_of("jane@example.org")), "example.org");
		ck_view_eq(address_domain(view_of("jane")), "");
		ck_assert(address_is_ascii(view_of("jane@example.org")));
		ck_assert(!address_is_ascii(view_of("jos\u00e9@example.org")));
	}
END_TEST

START_TEST(readable_domains)
	{
		static const struct {
			const char *address, *readable;
		} rows[] = {
			{ "jo@xn--bcher-kva.example", "jo@b\u00fccher.example" },
			{ "jo@mail.xn--bcher-kva.example", "jo@mail.b\u00fccher.example" },
			{ "jo@example.org", "" },
			{ "jo", "" },
			{ "jo@xn--\u00fc.example", "" },
		};
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF text = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
			ck_assert_int_eq(address_unicode(view_of(rows[i].address), &text), *rows[i].readable != '\0');
			ck_view_eq(buf_view(&text), rows[i].readable);
		}
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { accepts, refuses, refuses_nul, refuses_what_is_endless,
				       keys,    domains, parts,       readable_domains };
	return suite_of("address", tests, ARRAY_LEN(tests));
}
