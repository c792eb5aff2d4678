#include "mail/address_typo.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

struct row {
	const char *label, *domain, *meant;
};

static const struct row slips[] = {
	{ "two letters exchanged", "gmial.com", "gmail.com" },
	{ "the first two exchanged", "mgail.com", "gmail.com" },
	{ "the last two exchanged", "hotmali.com", "hotmail.com" },
	{ "a letter left out", "gmal.com", "gmail.com" },
	{ "the last one left out", "gmai.com", "gmail.com" },
	{ "the first one left out", "ahoo.com", "yahoo.com" },
	{ "a letter twice", "gmaill.com", "gmail.com" },
	{ "the first one twice", "ggmail.com", "gmail.com" },
	{ "the neighbouring key", "gnail.com", "gmail.com" },
	{ "the neighbouring key as well", "gmaoil.com", "gmail.com" },
	{ "another vowel", "gmeil.com", "gmail.com" },
	{ "looks alike", "gmai1.com", "gmail.com" },
	{ "the letter before again", "yahho.com", "yahoo.com" },
	{ "seen often", "gimail.com", "gmail.com" },
	{ "two slips, seen often", "sbcgloble.net", "sbcglobal.net" },
	{ "Outlook", "outlok.com", "outlook.com" },
	{ "Hotmail", "hotmial.com", "hotmail.com" },
	{ "Yahoo", "yaho.com", "yahoo.com" },
	{ "iCloud", "icluod.com", "icloud.com" },
	{ "a hyphen left out", "tonline.de", "t-online.de" },
	{ "in another country", "hotmial.co.uk", "hotmail.co.uk" },
	{ "in another country as well", "yaho.fr", "yahoo.fr" },
	{ "no such ending", "gmail.con", "gmail.com" },
	{ "an ending that begins with v", "gmail.vom", "gmail.com" },
	{ "an ending too long", "hotmail.comm", "hotmail.com" },
	{ "an ending with its letters exchanged", "comcast.nte", "comcast.net" },
	{ "a country's ending instead", "gmail.co", "gmail.com" },
	{ "another one", "gmail.cm", "gmail.com" },
	{ "an ending of two parts", "yahoo.co.u", "yahoo.co.uk" },
	{ "a short name and no such ending", "aol.con", "aol.com" },
	{ "a word and no such ending", "live.con", "live.com" },
	{ "name and ending", "gmial.con", "gmail.com" },
	{ "with www", "www.gmail.com", "gmail.com" },
	{ "with www and a slip", "www.hotmial.com", "hotmail.com" },
	{ "with www, abroad", "www.yahoo.fr", "yahoo.fr" },
	{ "a domain that lives on it", "gail.com", "gmail.com" },
};

/* Domains that are what they seem to be. */
static const char *const real[] = {
	"gmail.com",
	"ymail.com",
	"googlemail.com",
	"mail.com",
	"email.com",
	"gmx.de",
	"gmx.net",
	"gmx.com",
	"gmx.at",
	"gmx.ch",
	"web.de",
	"aol.com",
	"aol.de",
	"aim.com",
	"live.nl",
	"live.com",
	"live.co.uk",
	"msn.com",
	"hotmail.fr",
	"hotmail.co.uk",
	"outlook.de",
	"outlook.com.br",
	"yahoo.co.jp",
	"yahoo.com.br",
	"yahoo.fr",
	"rocketmail.com",
	"icloud.com",
	"me.com",
	"mac.com",
	"cloud.com",
	"proton.me",
	"protonmail.com",
	"pm.me",
	"tutanota.com",
	"tuta.io",
	"fastmail.com",
	"fastmail.fm",
	"hushmail.com",
	"mail.ru",
	"mail.de",
	"list.ru",
	"bk.ru",
	"inbox.ru",
	"inbox.lv",
	"yandex.ru",
	"yandex.com",
	"ya.ru",
	"rambler.ru",
	"free.fr",
	"orange.fr",
	"orange.es",
	"range.fr",
	"grange.fr",
	"sfr.fr",
	"laposte.net",
	"wanadoo.fr",
	"libero.it",
	"libro.it",
	"libera.it",
	"tin.it",
	"t-online.de",
	"freenet.de",
	"freebet.de",
	"arcor.de",
	"arco.de",
	"posteo.de",
	"poste.de",
	"mailbox.org",
	"mailboxes.org",
	"seznam.cz",
	"centrum.cz",
	"onet.pl",
	"wp.pl",
	"naver.com",
	"never.com",
	"daum.net",
	"qq.com",
	"163.com",
	"126.com",
	"comcast.net",
	"cox.net",
	"charter.net",
	"chatter.net",
	"att.net",
	"sky.com",
	"shaw.ca",
	"rogers.com",
	"bigpond.com",
	"bigpond.net.au",
	"uol.com.br",
	"bmail.com",
	"tmail.com",
	"imail.com",
	"qmail.com",
	"zmail.com",
	"hmail.com",
	"hostmail.com",
	"gmails.com",
	"outlooks.com",
	"icloudy.com",
	"hotmailer.com",
	"mailgun.com",
	"mail.co",
	"sky.co",
	"aol.co",
	"me.uk",
	"live.eu",
	"gmail.de",
	"gmail.google.com",
	"mail.gmail.com",
	"example.org",
	"example.com",
	"xn--bcher-kva.de",
	"web.com",
	"orange.com",
	"free.com",
	"planet.com",
	"list.com",
	"home.com",
	"www.com",
	"www.example.org",
	"co.uk",
	"com",
	"gmail",
	"",
	".com",
	"gmail.",
	"www.",
	"..",
};

START_TEST(slips_are_told_and_what_was_meant)
	{
		for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
			AUTO_BUF meant = buf_with_ceiling(LIMIT_DOMAIN), again = buf_with_ceiling(LIMIT_DOMAIN);
			ck_row(slips[i].label, address_typo(view_of(slips[i].domain), &meant));
			ck_assert_msg(view_eq(buf_view(&meant), view_of(slips[i].meant)), "%s: got %s", slips[i].label,
				      buf_text(&meant));
			ck_row(slips[i].label, !address_typo(buf_view(&meant), &again) && again.len == 0);
		}
	}
END_TEST

START_TEST(real_domains_are_left_alone)
	{
		for (size_t i = 0; i < ARRAY_LEN(real); i++) {
			AUTO_BUF meant = buf_with_ceiling(LIMIT_DOMAIN);
			bool is_typo = address_typo(view_of(real[i]), &meant);
			ck_assert_msg(!is_typo && meant.len == 0, "%s is taken for %s", real[i], buf_text(&meant));
		}
	}
END_TEST

/* Whatever one slip makes of a domain of somebody's own, or of a word, is nobody's business. */
START_TEST(the_neighbours_of_words_are_left_alone)
	{
		static const char *const words[] = { "example.org", "orange.fr",   "libero.it", "planet.nl",
						     "charter.net", "mailbox.org", "gmx.de",    "web.de",
						     "aol.com",     "naver.com" };
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			size_t name_len = strcspn(words[i], ".");
			for (size_t at = 0; at < name_len; at++) {
				for (char letter = 'a'; letter <= 'z'; letter++) {
					char domain[32];
					AUTO_BUF meant = buf_with_ceiling(LIMIT_DOMAIN);
					memcpy(domain, words[i], strlen(words[i]) + 1);
					domain[at] = letter;
					ck_assert_msg(!address_typo(view_of(domain), &meant), "%s", domain);
				}
			}
		}
	}
END_TEST

START_TEST(the_domain_is_appended_whole_or_not_at_all)
	{
		AUTO_BUF meant = buf_with_ceiling(LIMIT_DOMAIN), small = buf_with_ceiling(8);
		buf_add(&meant, VIEW_LIT("kept "));
		ck_assert(address_typo(VIEW_LIT("gmial.com"), &meant));
		ck_view_eq(buf_view(&meant), "kept gmail.com");
		ck_assert(!address_typo(VIEW_LIT("gmial.com"), &small));
		ck_assert_uint_eq(small.len, 0);
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { slips_are_told_and_what_was_meant, real_domains_are_left_alone,
				       the_neighbours_of_words_are_left_alone,
				       the_domain_is_appended_whole_or_not_at_all };
	return suite_of("address_typo", tests, ARRAY_LEN(tests));
}
