#include "mail/address_canonical.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"

struct provider {
	const char *domain;
	const char *same_as; /* the domain that stands for all of which a mailbox has each; NULL: its own */
	const char *ignored; /* octets of a local part that the provider does not look at; NULL: none */
	char dot_as;         /* the octet that a dot means; 0: itself */
};

/* In the order of domains. All of these deliver a local part with a + where the one before it is delivered.
 * Gmail: dots do not matter, and googlemail.com is gmail.com (support.google.com/mail/answer/7436150, 10313). Not so in domains that Google hosts.
 * Outlook.com, iCloud, Fastmail: sub-addressing; no account has a + in its name. A name in two of their domains may be two people's.
 * Proton: dots, hyphens and underscores do not matter. Its domains stay apart: not each mailbox has each of them.
 * Yandex: each mailbox has all of its domains, and a dot in a login is a hyphen (yandex.com/support/mail). */
static const struct provider providers[] = {
	{ .domain = "fastmail.cn" },
	{ .domain = "fastmail.co.uk" },
	{ .domain = "fastmail.com" },
	{ .domain = "fastmail.com.au" },
	{ .domain = "fastmail.de" },
	{ .domain = "fastmail.es" },
	{ .domain = "fastmail.fm" },
	{ .domain = "fastmail.fr" },
	{ .domain = "fastmail.im" },
	{ .domain = "fastmail.in" },
	{ .domain = "fastmail.jp" },
	{ .domain = "fastmail.mx" },
	{ .domain = "fastmail.net" },
	{ .domain = "fastmail.nl" },
	{ .domain = "fastmail.org" },
	{ .domain = "fastmail.se" },
	{ .domain = "fastmail.to" },
	{ .domain = "fastmail.tw" },
	{ .domain = "fastmail.uk" },
	{ .domain = "fastmail.us" },
	{ .domain = "gmail.com", .ignored = "." },
	{ .domain = "googlemail.com", .same_as = "gmail.com", .ignored = "." },
	{ .domain = "hotmail.at" },
	{ .domain = "hotmail.be" },
	{ .domain = "hotmail.ca" },
	{ .domain = "hotmail.ch" },
	{ .domain = "hotmail.cl" },
	{ .domain = "hotmail.co.id" },
	{ .domain = "hotmail.co.il" },
	{ .domain = "hotmail.co.jp" },
	{ .domain = "hotmail.co.kr" },
	{ .domain = "hotmail.co.nz" },
	{ .domain = "hotmail.co.th" },
	{ .domain = "hotmail.co.uk" },
	{ .domain = "hotmail.com" },
	{ .domain = "hotmail.com.ar" },
	{ .domain = "hotmail.com.au" },
	{ .domain = "hotmail.com.br" },
	{ .domain = "hotmail.com.tr" },
	{ .domain = "hotmail.com.vn" },
	{ .domain = "hotmail.cz" },
	{ .domain = "hotmail.de" },
	{ .domain = "hotmail.dk" },
	{ .domain = "hotmail.es" },
	{ .domain = "hotmail.fi" },
	{ .domain = "hotmail.fr" },
	{ .domain = "hotmail.gr" },
	{ .domain = "hotmail.hu" },
	{ .domain = "hotmail.it" },
	{ .domain = "hotmail.my" },
	{ .domain = "hotmail.nl" },
	{ .domain = "hotmail.no" },
	{ .domain = "hotmail.ph" },
	{ .domain = "hotmail.se" },
	{ .domain = "hotmail.sg" },
	{ .domain = "icloud.com" },
	{ .domain = "live.at" },
	{ .domain = "live.be" },
	{ .domain = "live.ca" },
	{ .domain = "live.ch" },
	{ .domain = "live.cl" },
	{ .domain = "live.cn" },
	{ .domain = "live.co.uk" },
	{ .domain = "live.co.za" },
	{ .domain = "live.com" },
	{ .domain = "live.com.ar" },
	{ .domain = "live.com.au" },
	{ .domain = "live.com.mx" },
	{ .domain = "live.com.my" },
	{ .domain = "live.com.pt" },
	{ .domain = "live.com.sg" },
	{ .domain = "live.de" },
	{ .domain = "live.dk" },
	{ .domain = "live.fi" },
	{ .domain = "live.fr" },
	{ .domain = "live.hk" },
	{ .domain = "live.ie" },
	{ .domain = "live.in" },
	{ .domain = "live.it" },
	{ .domain = "live.jp" },
	{ .domain = "live.nl" },
	{ .domain = "live.no" },
	{ .domain = "live.ru" },
	{ .domain = "live.se" },
	{ .domain = "mac.com" },
	{ .domain = "me.com" },
	{ .domain = "msn.com" },
	{ .domain = "outlook.at" },
	{ .domain = "outlook.be" },
	{ .domain = "outlook.cl" },
	{ .domain = "outlook.co.id" },
	{ .domain = "outlook.co.il" },
	{ .domain = "outlook.co.th" },
	{ .domain = "outlook.com" },
	{ .domain = "outlook.com.ar" },
	{ .domain = "outlook.com.au" },
	{ .domain = "outlook.com.br" },
	{ .domain = "outlook.com.gr" },
	{ .domain = "outlook.com.tr" },
	{ .domain = "outlook.com.vn" },
	{ .domain = "outlook.cz" },
	{ .domain = "outlook.de" },
	{ .domain = "outlook.dk" },
	{ .domain = "outlook.es" },
	{ .domain = "outlook.fr" },
	{ .domain = "outlook.hu" },
	{ .domain = "outlook.ie" },
	{ .domain = "outlook.in" },
	{ .domain = "outlook.it" },
	{ .domain = "outlook.jp" },
	{ .domain = "outlook.kr" },
	{ .domain = "outlook.lv" },
	{ .domain = "outlook.my" },
	{ .domain = "outlook.ph" },
	{ .domain = "outlook.pt" },
	{ .domain = "outlook.sa" },
	{ .domain = "outlook.sg" },
	{ .domain = "outlook.sk" },
	{ .domain = "passport.com" },
	{ .domain = "pm.me", .ignored = "._-" },
	{ .domain = "proton.me", .ignored = "._-" },
	{ .domain = "protonmail.ch", .ignored = "._-" },
	{ .domain = "protonmail.com", .ignored = "._-" },
	{ .domain = "windowslive.com" },
	{ .domain = "ya.ru", .same_as = "yandex.ru", .dot_as = '-' },
	{ .domain = "yandex.by", .same_as = "yandex.ru", .dot_as = '-' },
	{ .domain = "yandex.com", .same_as = "yandex.ru", .dot_as = '-' },
	{ .domain = "yandex.kz", .same_as = "yandex.ru", .dot_as = '-' },
	{ .domain = "yandex.ru", .dot_as = '-' },
	{ .domain = "yandex.ua", .same_as = "yandex.ru", .dot_as = '-' },
};

static int compare(const void *domain, const void *row)
{
	const struct view *wanted = domain;
	struct view known = view_of(((const struct provider *)row)->domain);
	int order = memcmp(wanted->data, known.data, wanted->len < known.len ? wanted->len : known.len);
	return order != 0 ? order : (wanted->len > known.len) - (wanted->len < known.len);
}

static const struct provider *find(struct view domain)
{
	return domain.len == 0 ? NULL
			       : bsearch(&domain, providers, ARRAY_LEN(providers), sizeof(providers[0]), compare);
}

/* Appends what is left of the local part. */
static void add_local(const struct provider *provider, struct view local, struct buf *ret_form)
{
	for (size_t i = 0; i < local.len; i++) {
		char byte = local.data[i];
		if (view_find_byte(view_of(provider->ignored), byte) != VIEW_NONE)
			continue;
		buf_add_byte(ret_form, byte == '.' && provider->dot_as != 0 ? provider->dot_as : byte);
	}
}

bool address_canonical(struct view key, struct buf *ret_form)
{
	const size_t start = ret_form->len;
	struct view domain = address_domain(key);
	const struct provider *provider = find(domain);
	if (provider == NULL)
		return false;
	struct view local = view_head(key, key.len - domain.len - 1);
	add_local(provider, view_head(local, view_find_byte(local, '+')), ret_form);
	bool is_empty = ret_form->len == start;
	buf_add_byte(ret_form, '@');
	buf_add(ret_form, provider->same_as == NULL ? domain : view_of(provider->same_as));
	if (!is_empty && buf_err(ret_form) == ERR_OK && !view_eq(view_skip(buf_view(ret_form), start), key))
		return true;
	buf_cut(ret_form, start);
	return false;
}
