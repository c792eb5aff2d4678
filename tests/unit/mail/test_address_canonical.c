#include "mail/address_canonical.h"

#include "base/limits.h"
#include "mail/address.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *key, *form; /* form NULL: the key itself */
};

static const struct row rows[] = {
	{ "dots at Gmail", "a.b.c@gmail.com", "abc@gmail.com" },
	{ "tag at Gmail", "abc+news@gmail.com", "abc@gmail.com" },
	{ "both, at its other domain", "a.b+x.y+z@googlemail.com", "ab@gmail.com" },
	{ "the other domain alone", "abc@googlemail.com", "abc@gmail.com" },
	{ "Gmail knows hyphens", "a-b_c@gmail.com", NULL },
	{ "the form itself", "abc@gmail.com", NULL },
	{ "a tag and nothing else", "+news@gmail.com", NULL },
	{ "dots and a tag and nothing else", ".+news@gmail.com", NULL },
	{ "an empty tag", "abc+@gmail.com", "abc@gmail.com" },
	{ "tag at Outlook.com", "a.b+x@outlook.com", "a.b@outlook.com" },
	{ "tag at Hotmail abroad", "a+x@hotmail.co.uk", "a@hotmail.co.uk" },
	{ "tag at Live", "a_b+x@live.nl", "a_b@live.nl" },
	{ "Microsoft knows dots", "a.b@hotmail.com", NULL },
	{ "Hotmail is not Outlook.com", "ab@hotmail.com", NULL },
	{ "tag at Apple", "a.b+x@icloud.com", "a.b@icloud.com" },
	{ "its domains stay apart", "ab@me.com", NULL },
	{ "tag at Fastmail", "a.b+x@fastmail.com", "a.b@fastmail.com" },
	{ "what Proton ignores", "a.b-c_d+x@proton.me", "abcd@proton.me" },
	{ "its domains stay apart, too", "abcd@pm.me", NULL },
	{ "dot and tag at Yandex", "a.b+x@ya.ru", "a-b@yandex.ru" },
	{ "one of its domains", "ab@yandex.com", "ab@yandex.ru" },
	{ "a hyphen there", "a-b@yandex.ru", NULL },
	{ "first of the table", "a+x@fastmail.cn", "a@fastmail.cn" },
	{ "last of the table", "a+x@yandex.ua", "a@yandex.ru" },
	{ "an unknown domain", "a.b+x@example.org", NULL },
	{ "below a known domain", "a.b+x@mail.gmail.com", NULL },
	{ "ends like a known domain", "a.b+x@notgmail.com", NULL },
	{ "begins like a known domain", "a.b+x@gmail.co", NULL },
	{ "Yahoo says nothing of +", "a+x@yahoo.com", NULL },
	{ "another script", "\u03c7+\u03c1@gmail.com", "\u03c7@gmail.com" },
	{ "no @", "gmail.com", NULL },
	{ "nothing before @", "@gmail.com", NULL },
	{ "nothing behind @", "a+x@", NULL },
	{ "empty", "", NULL },
};

static void check_row(const struct row *row)
{
	AUTO_BUF form = buf_with_ceiling(LIMIT_ADDRESS), again = buf_with_ceiling(LIMIT_ADDRESS);
	bool differs = address_canonical(view_of(row->key), &form);
	ck_row(row->label, differs == (row->form != NULL));
	ck_assert_msg(view_eq(buf_view(&form), view_of(row->form)), "%s: got %s", row->label, buf_text(&form));
	ck_row(row->label, !address_canonical(buf_view(&form), &again) && again.len == 0);
}

START_TEST(spellings_of_one_mailbox_have_one_form)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			check_row(&rows[i]);
	}
END_TEST

/* Every domain of the table is found: the search stands on its order. Its own rows are not exported, so the list is written again. */
START_TEST(every_provider_is_found)
	{
		static const char *const domains[] = {
			"fastmail.cn",    "fastmail.co.uk", "fastmail.com",   "fastmail.com.au", "fastmail.de",
			"fastmail.es",    "fastmail.fm",    "fastmail.fr",    "fastmail.im",     "fastmail.in",
			"fastmail.jp",    "fastmail.mx",    "fastmail.net",   "fastmail.nl",     "fastmail.org",
			"fastmail.se",    "fastmail.to",    "fastmail.tw",    "fastmail.uk",     "fastmail.us",
			"gmail.com",      "googlemail.com", "hotmail.at",     "hotmail.be",      "hotmail.ca",
			"hotmail.ch",     "hotmail.cl",     "hotmail.co.id",  "hotmail.co.il",   "hotmail.co.jp",
			"hotmail.co.kr",  "hotmail.co.nz",  "hotmail.co.th",  "hotmail.co.uk",   "hotmail.com",
			"hotmail.com.ar", "hotmail.com.au", "hotmail.com.br", "hotmail.com.tr",  "hotmail.com.vn",
			"hotmail.cz",     "hotmail.de",     "hotmail.dk",     "hotmail.es",      "hotmail.fi",
			"hotmail.fr",     "hotmail.gr",     "hotmail.hu",     "hotmail.it",      "hotmail.my",
			"hotmail.nl",     "hotmail.no",     "hotmail.ph",     "hotmail.se",      "hotmail.sg",
			"icloud.com",     "live.at",        "live.be",        "live.ca",         "live.ch",
			"live.cl",        "live.cn",        "live.co.uk",     "live.co.za",      "live.com",
			"live.com.ar",    "live.com.au",    "live.com.mx",    "live.com.my",     "live.com.pt",
			"live.com.sg",    "live.de",        "live.dk",        "live.fi",         "live.fr",
			"live.hk",        "live.ie",        "live.in",        "live.it",         "live.jp",
			"live.nl",        "live.no",        "live.ru",        "live.se",         "mac.com",
			"me.com",         "msn.com",        "outlook.at",     "outlook.be",      "outlook.cl",
			"outlook.co.id",  "outlook.co.il",  "outlook.co.th",  "outlook.com",     "outlook.com.ar",
			"outlook.com.au", "outlook.com.br", "outlook.com.gr", "outlook.com.tr",  "outlook.com.vn",
			"outlook.cz",     "outlook.de",     "outlook.dk",     "outlook.es",      "outlook.fr",
			"outlook.hu",     "outlook.ie",     "outlook.in",     "outlook.it",      "outlook.jp",
			"outlook.kr",     "outlook.lv",     "outlook.my",     "outlook.ph",      "outlook.pt",
			"outlook.sa",     "outlook.sg",     "outlook.sk",     "passport.com",    "pm.me",
			"proton.me",      "protonmail.ch",  "protonmail.com", "windowslive.com", "ya.ru",
			"yandex.by",      "yandex.com",     "yandex.kz",      "yandex.ru",       "yandex.ua",
		};
		for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
			AUTO_BUF key = buf_with_ceiling(LIMIT_ADDRESS), form = buf_with_ceiling(LIMIT_ADDRESS);
			buf_addf(&key, "jane+news@%s", domains[i]);
			ck_row(domains[i], address_canonical(buf_view(&key), &form));
			ck_row(domains[i], view_starts(buf_view(&form), VIEW_LIT("jane@")));
		}
	}
END_TEST

START_TEST(the_form_is_appended_whole_or_not_at_all)
	{
		AUTO_BUF form = buf_with_ceiling(LIMIT_ADDRESS);
		buf_add(&form, VIEW_LIT("kept "));
		ck_assert(!address_canonical(VIEW_LIT("ab@gmail.com"), &form));
		ck_view_eq(buf_view(&form), "kept ");
		ck_assert(!address_canonical(VIEW_LIT("+ab@gmail.com"), &form));
		ck_view_eq(buf_view(&form), "kept ");
		ck_assert(address_canonical(VIEW_LIT("a.b@gmail.com"), &form));
		ck_view_eq(buf_view(&form), "kept ab@gmail.com");
		AUTO_BUF small = buf_with_ceiling(6);
		ck_assert(!address_canonical(VIEW_LIT("a.b@gmail.com"), &small));
		ck_assert_uint_eq(small.len, 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { spellings_of_one_mailbox_have_one_form, every_provider_is_found,
				       the_form_is_appended_whole_or_not_at_all };
	return suite_of("address_canonical", tests, ARRAY_LEN(tests));
}
