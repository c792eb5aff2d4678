#include "mail/mailbox_provider.h"

#include "base/attributes.h"

static const char *const domains[] = {
	"gmail.com",      "googlemail.com", "yahoo.com",      "ymail.com",     "rocketmail.com", "aol.com",
	"aim.com",        "hotmail.com",    "outlook.com",    "live.com",      "msn.com",        "passport.com",
	"icloud.com",     "me.com",         "mac.com",        "gmx.de",        "gmx.net",        "gmx.com",
	"gmx.at",         "gmx.ch",         "web.de",         "t-online.de",   "freenet.de",     "posteo.de",
	"mailbox.org",    "proton.me",      "protonmail.com", "pm.me",         "tutanota.com",   "tuta.com",
	"fastmail.com",   "fastmail.fm",    "hey.com",        "zoho.com",      "mail.com",       "mail.ru",
	"bk.ru",          "inbox.ru",       "list.ru",        "yandex.ru",     "yandex.com",     "ya.ru",
	"rambler.ru",     "qq.com",         "foxmail.com",    "163.com",       "126.com",        "yeah.net",
	"sina.com",       "naver.com",      "hanmail.net",    "daum.net",      "libero.it",      "virgilio.it",
	"orange.fr",      "wanadoo.fr",     "free.fr",        "laposte.net",   "sfr.fr",         "seznam.cz",
	"wp.pl",          "o2.pl",          "onet.pl",        "interia.pl",    "ukr.net",        "comcast.net",
	"verizon.net",    "att.net",        "sbcglobal.net",  "bellsouth.net", "cox.net",        "charter.net",
	"btinternet.com", "sky.com",        "rediffmail.com", "uol.com.br",    "bol.com.br",     "terra.com.br",
};

/* These have one below the suffix of many countries. */
static const char *const everywhere[] = { "yahoo.", "hotmail.", "outlook.", "live." };

/* "fr", "co.uk", "com.br": a country, or that and the kind of names that stand below it. */
static bool is_suffix(struct view suffix)
{
	enum { COUNTRY = 2 };
	if (view_starts_nocase(suffix, VIEW_LIT("co.")))
		suffix = view_skip(suffix, sizeof("co.") - 1);
	else if (view_starts_nocase(suffix, VIEW_LIT("com.")))
		suffix = view_skip(suffix, sizeof("com.") - 1);
	return suffix.len == COUNTRY && view_find_byte(suffix, '.') == VIEW_NONE;
}

bool mailbox_provider_has(struct view domain)
{
	bool has = false;
	for (size_t i = 0; i < ARRAY_LEN(domains); i++)
		has |= view_eq_nocase(domain, view_of(domains[i]));
	for (size_t i = 0; i < ARRAY_LEN(everywhere); i++) {
		struct view stem = view_of(everywhere[i]);
		has |= view_starts_nocase(domain, stem) && is_suffix(view_skip(domain, stem.len));
	}
	return has;
}
