#include "mail/address_typo.h"

#include <string.h>

#include "base/attributes.h"

/* ---- what there is ---- */

struct provider {
	const char *name;     /* the first label */
	size_t len;           /* of name */
	const char *suffixes; /* what stands behind it where the provider has mail, most used first */
	bool is_coined;       /* no word and no acronym: what is one slip away from it is hardly anybody's name */
};

#define COINED(text, behind)                                                                                           \
	{                                                                                                              \
		text, sizeof(text) - 1, behind, true                                                                   \
	}
#define PLAIN(text, behind)                                                                                            \
	{                                                                                                              \
		text, sizeof(text) - 1, behind, false                                                                  \
	}

static const struct provider providers[] = {
	COINED("gmail", "com"),
	COINED("googlemail", "com"),
	COINED("hotmail",
	       "com co.uk fr de it es nl be se dk no fi ca ch at gr com.br com.ar com.tr com.au co.jp co.th co.id cl"),
	COINED("outlook",
	       "com de fr es it pt jp dk cz at be ie in sa sg ph com.br com.ar com.au com.tr co.id co.th cl"),
	COINED("yahoo", "com co.uk fr de it es ca in ie gr se dk no nl pl ro at be com.br com.ar com.mx com.au com.sg "
			"com.hk com.tw "
			"com.ph com.vn com.co com.pe com.my com.tr co.in co.id co.jp co.nz co.za co.th co.kr cl"),
	COINED("icloud", "com"),
	COINED("rocketmail", "com"),
	COINED("protonmail", "com ch"),
	COINED("fastmail", "com fm"),
	COINED("tutanota", "com de"),
	COINED("windowslive", "com"),
	COINED("yandex", "ru com by kz ua com.tr"),
	COINED("rambler", "ru"),
	COINED("comcast", "net"),
	COINED("verizon", "net"),
	COINED("sbcglobal", "net"),
	COINED("bellsouth", "net"),
	COINED("earthlink", "net"),
	COINED("sympatico", "ca"),
	COINED("videotron", "ca"),
	COINED("btinternet", "com"),
	COINED("ntlworld", "com"),
	COINED("virginmedia", "com"),
	COINED("blueyonder", "co.uk"),
	COINED("t-online", "de"),
	COINED("freenet", "de"),
	COINED("bluewin", "ch"),
	COINED("wanadoo", "fr"),
	COINED("laposte", "net"),
	COINED("tiscali", "it co.uk"),
	COINED("virgilio", "it"),
	COINED("xs4all", "nl"),
	COINED("kpnmail", "nl"),
	COINED("seznam", "cz"),
	COINED("hanmail", "net"),
	COINED("foxmail", "com"),
	COINED("rediffmail", "com"),
	COINED("bigpond", "com net.au com.au"),
	COINED("optusnet", "com.au"),
	PLAIN("ymail", "com"),
	PLAIN("mail", "com ru ee de"),
	PLAIN("email", "com cz it de"),
	PLAIN("live", "com co.uk fr de it nl be se dk no fi ca ch at ie ru com.ar com.mx com.au com.pt"),
	PLAIN("msn", "com"),
	PLAIN("aol", "com de fr co.uk it es"),
	PLAIN("aim", "com"),
	PLAIN("me", "com"),
	PLAIN("mac", "com"),
	PLAIN("gmx", "de net com at ch fr co.uk es us"),
	PLAIN("web", "de"),
	PLAIN("arcor", "de"),
	PLAIN("vodafone", "de it"),
	PLAIN("posteo", "de net"),
	PLAIN("mailbox", "org"),
	PLAIN("orange", "fr"),
	PLAIN("free", "fr"),
	PLAIN("sfr", "fr"),
	PLAIN("neuf", "fr"),
	PLAIN("libero", "it"),
	PLAIN("alice", "it"),
	PLAIN("tin", "it"),
	PLAIN("telenet", "be"),
	PLAIN("skynet", "be"),
	PLAIN("ziggo", "nl"),
	PLAIN("planet", "nl"),
	PLAIN("home", "nl"),
	PLAIN("centrum", "cz sk"),
	PLAIN("interia", "pl eu"),
	PLAIN("onet", "pl eu"),
	PLAIN("att", "net"),
	PLAIN("cox", "net"),
	PLAIN("charter", "net"),
	PLAIN("juno", "com"),
	PLAIN("rogers", "com"),
	PLAIN("telus", "net"),
	PLAIN("shaw", "ca"),
	PLAIN("sky", "com"),
	PLAIN("talktalk", "net"),
	PLAIN("inbox", "com ru lv"),
	PLAIN("list", "ru"),
	PLAIN("bk", "ru"),
	PLAIN("ukr", "net"),
	PLAIN("naver", "com"),
	PLAIN("daum", "net"),
	PLAIN("qq", "com"),
	PLAIN("sina", "com cn com.cn"),
	PLAIN("uol", "com.br"),
	PLAIN("bol", "com.br"),
	PLAIN("terra", "com.br"),
	PLAIN("globo", "com"),
	PLAIN("proton", "me"),
	PLAIN("zoho", "com"),
};

/* Endings that nobody has, and what they were to be. Some do exist, as a country's: they mislead only behind a provider's own name. */
static const struct ending {
	const char *meant, *written;
	const char *abroad;
} endings[] = {
	{ "com", "con cim comm cpm vom xom ocm cmo coml cop c0m coom ccom dom fom comn cmm como clm cok coim cpom ccm",
	  "co cm om" },
	{ "net", "ner nte met bet nett ent ney nrt netr", "ne et" },
	{ "org", "ogr prg orgg ort rog irg", NULL },
	{ "de", "dee ed d dr", NULL },
	{ "fr", "frr rf f ft", NULL },
	{ "it", "itt iit i ti", NULL },
	{ "nl", "nll ln n", NULL },
	{ "ru", "rru ruu r ry", NULL },
	{ "ca", "caa c", NULL },
	{ "ch", "chh hc", NULL },
	{ "co.uk", "couk co.ku co.k co.u co.ukk cou.k c.uk o.uk co.ul co.yk ck.uk co.uk.com", NULL },
	{ "com.br", "com.b com.brr con.br cm.br co.br comb.r com.rb cim.br", NULL },
	{ "com.au", "com.a com.auu con.au cm.au com.ua.au coma.u cim.au", NULL },
};

/* Domains of somebody's own, one slip away all the same. */
static const char *const bystanders[] = { "cloud.com", "freebet.de" };

/* Often seen, and not one of the slips below. */
static const struct known {
	const char *written, *meant;
} known[] = {
	{ "gimail.com", "gmail.com" },       { "gmailcom.com", "gmail.com" }, { "gmail.com.com", "gmail.com" },
	{ "iclould.com", "icloud.com" },     { "icould.com", "icloud.com" },  { "sbcgloble.net", "sbcglobal.net" },
	{ "hotmailcom.com", "hotmail.com" }, { "yahoocom.com", "yahoo.com" },
};

/* ---- slips ---- */

static bool has_word(const char *words, struct view word)
{
	struct view rest = view_of(words), one;
	while (view_cut(&rest, ' ', &one)) {
		if (view_eq(one, word))
			return true;
	}
	return false;
}

static bool is_vowel(char letter)
{
	return letter != '\0' && strchr("aeiou", letter) != NULL;
}

/* Neighbours on the keyboards of most countries (QWERTY; y and z also as QWERTZ has them), and what looks alike. */
static bool is_beside(char a, char b)
{
	static const char *const pairs = "qw we er rt ty yu ui io op as sd df fg gh hj jk kl zx xc cv vb bn nm"
					 " qa ws ed rf tg yh uj ik ol wa es rd tf gy hu ji ko lp az sx dc fv gb hn jm"
					 " sz dx fc gv hb jn km tz zu zh zg ay 0o 9o 0p 1l 1i il";
	const char pair[] = { a, b, '\0' }, turned[] = { b, a, '\0' };
	return has_word(pairs, view_of(pair)) || has_word(pairs, view_of(turned));
}

static char at(struct view text, size_t index)
{
	return index < text.len ? text.data[index] : '\0';
}

/* One more letter than there should be, at that place: the finger hit two keys, or one twice. */
static bool is_stray(struct view word, size_t place)
{
	char letter = word.data[place], before = word.data[place - 1], behind = at(word, place + 1);
	return letter == before || letter == behind || is_beside(letter, before) || is_beside(letter, behind);
}

static bool is_mishit(struct view word, size_t place, char meant)
{
	char letter = word.data[place];
	return is_beside(letter, meant) || (is_vowel(letter) && is_vowel(meant)) || letter == word.data[place - 1] ||
	       letter == at(word, place + 1);
}

/* What differs between word and name, once their common beginnings and ends are gone, is one slip. A wrong letter in front is none: another
 * name begins otherwise (bmail.com, imail.com). */
static bool is_slip(struct view word, struct view name)
{
	size_t start = 0, end = 0, shorter = word.len < name.len ? word.len : name.len;
	while (start < shorter && word.data[start] == name.data[start])
		start++;
	while (end < shorter - start && word.data[word.len - 1 - end] == name.data[name.len - 1 - end])
		end++;
	size_t in_word = word.len - start - end, in_name = name.len - start - end;
	if (in_word == 0)
		return in_name == 1;
	if (in_word == 2 && in_name == 2)
		return word.data[start] == name.data[start + 1] && word.data[start + 1] == name.data[start];
	if (start == 0 || in_word != 1)
		return false;
	return in_name == 0 ? is_stray(word, start) : in_name == 1 && is_mishit(word, start, name.data[start]);
}

/* ---- names and suffixes ---- */

enum fit { FIT_NOT, FIT_SLIP, FIT_EXACT };

static enum fit fit_name(const struct provider *provider, struct view word)
{
	struct view name = { .data = provider->name, .len = provider->len };
	if (word.len + 1 < name.len || word.len > name.len + 1)
		return FIT_NOT;
	if (view_eq(word, name))
		return FIT_EXACT;
	return provider->is_coined && is_slip(word, name) ? FIT_SLIP : FIT_NOT;
}

enum { NAME_OF_ITS_OWN = 5 }; /* octets: shorter ones mean something else in each country */

/* The suffix that was meant, one of the provider's; empty when none is known. */
static struct view meant_suffix(const struct provider *provider, enum fit fit, struct view suffix)
{
	bool is_own_name = fit == FIT_EXACT && provider->len >= NAME_OF_ITS_OWN;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		const struct ending *ending = &endings[i];
		if (has_word(ending->written, suffix) || (is_own_name && has_word(ending->abroad, suffix))) {
			struct view meant = view_of(ending->meant);
			if (has_word(provider->suffixes, meant))
				return meant;
		}
	}
	return VIEW_LIT("");
}

struct guess {
	const struct provider *provider; /* NULL: none */
	struct view suffix;
	enum fit fit;
};

/* True when that domain exists. Else the best guess is in ret_guess. */
static bool exists(struct view word, struct view suffix, struct guess *ret_guess)
{
	for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
		const struct provider *provider = &providers[i];
		enum fit fit = fit_name(provider, word);
		if (fit <= ret_guess->fit && fit != FIT_EXACT)
			continue;
		bool is_there = has_word(provider->suffixes, suffix);
		if (is_there && fit == FIT_EXACT)
			return true;
		struct view meant = is_there ? suffix : meant_suffix(provider, fit, suffix);
		if (meant.len > 0)
			*ret_guess = (struct guess){ .provider = provider, .suffix = meant, .fit = fit };
	}
	return false;
}

static const char *find_known(struct view domain)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (view_eq(domain, view_of(known[i].written)))
			return known[i].meant;
	}
	return NULL;
}

static bool is_bystander(struct view domain)
{
	for (size_t i = 0; i < ARRAY_LEN(bystanders); i++) {
		if (view_eq(domain, view_of(bystanders[i])))
			return true;
	}
	return false;
}

bool address_typo(struct view domain, struct buf *ret_meant)
{
	static const struct view www = { "www.", sizeof("www.") - 1 };
	bool has_www = view_starts(domain, www);
	struct view host = has_www ? view_skip(domain, www.len) : domain, suffix = host, word;
	struct guess guess = { 0 };
	const char *meant = find_known(host);
	if (meant != NULL)
		return buf_add(ret_meant, view_of(meant)) == ERR_OK;
	if (!view_cut(&suffix, '.', &word) || suffix.len == 0 || is_bystander(host))
		return false;
	if (exists(word, suffix, &guess))
		return has_www && buf_add(ret_meant, host) == ERR_OK;
	if (guess.provider == NULL)
		return false;
	size_t start = ret_meant->len;
	buf_addf(ret_meant, "%s." VIEW_FMT, guess.provider->name, VIEW_ARG(guess.suffix));
	if (buf_err(ret_meant) == ERR_OK)
		return true;
	buf_cut(ret_meant, start);
	return false;
}
