#include "listctl/standing.h"

#include <string.h>

#include "listctl/column_names.h"

/* Without underscores. Elsewhere than in a known export they are attributes, but nobody is taken of whom they do not say that he is written to. */
static const struct {
	const char *name;
	enum state_column column;
} names[] = {
	{ "status", STATE_COLUMN_WORD },
	{ "state", STATE_COLUMN_WORD },
	{ "subscriptionstatus", STATE_COLUMN_WORD },
	{ "subscriptionstate", STATE_COLUMN_WORD },
	{ "subscriberstatus", STATE_COLUMN_WORD },
	{ "memberstatus", STATE_COLUMN_WORD },
	{ "contactstatus", STATE_COLUMN_WORD },
	{ "emailstatus", STATE_COLUMN_WORD },
	{ "mailstatus", STATE_COLUMN_WORD },
	{ "emailmarketingstatus", STATE_COLUMN_WORD },
	{ "marketingstatus", STATE_COLUMN_WORD },
	{ "subscription", STATE_COLUMN_WORD },
	{ "deliverystatus", STATE_COLUMN_WORD },
	{ "statut", STATE_COLUMN_WORD },
	{ "estado", STATE_COLUMN_WORD },
	{ "stato", STATE_COLUMN_WORD },
	{ "reception", STATE_COLUMN_RECEPTION },
	{ "receptionsubscriber", STATE_COLUMN_RECEPTION },
	{ "subscribed", STATE_COLUMN_YES },
	{ "issubscribed", STATE_COLUMN_YES },
	{ "optin", STATE_COLUMN_YES },
	{ "optedin", STATE_COLUMN_YES },
	{ "isoptedin", STATE_COLUMN_YES },
	{ "emailoptin", STATE_COLUMN_YES },
	{ "marketingoptin", STATE_COLUMN_YES },
	{ "acceptsmarketing", STATE_COLUMN_YES },
	{ "acceptsemailmarketing", STATE_COLUMN_YES },
	{ "active", STATE_COLUMN_YES },
	{ "isactive", STATE_COLUMN_YES },
	{ "enabled", STATE_COLUMN_YES },
	{ "isenabled", STATE_COLUMN_YES },
	{ "confirmed", STATE_COLUMN_CONFIRMED },
	{ "isconfirmed", STATE_COLUMN_CONFIRMED },
	{ "doubleoptin", STATE_COLUMN_CONFIRMED },
	{ "emailconfirmed", STATE_COLUMN_CONFIRMED },
	{ "emailverified", STATE_COLUMN_CONFIRMED },
	{ "unsubscribed", STATE_COLUMN_LEFT },
	{ "isunsubscribed", STATE_COLUMN_LEFT },
	{ "unsubscribedat", STATE_COLUMN_LEFT },
	{ "unsubscribedon", STATE_COLUMN_LEFT },
	{ "unsubscribeddate", STATE_COLUMN_LEFT },
	{ "unsubscribedate", STATE_COLUMN_LEFT },
	{ "unsubscribetime", STATE_COLUMN_LEFT },
	{ "unsubscribedtime", STATE_COLUMN_LEFT },
	{ "dateunsubscribed", STATE_COLUMN_LEFT },
	{ "unsubtime", STATE_COLUMN_LEFT },
	{ "unsubdate", STATE_COLUMN_LEFT },
	{ "optedout", STATE_COLUMN_LEFT },
	{ "isoptedout", STATE_COLUMN_LEFT },
	{ "hasoptedout", STATE_COLUMN_LEFT },
	{ "hasoptedoutofemail", STATE_COLUMN_LEFT },
	{ "optout", STATE_COLUMN_LEFT },
	{ "emailoptout", STATE_COLUMN_LEFT },
	{ "emailoptedout", STATE_COLUMN_LEFT },
	{ "optedoutat", STATE_COLUMN_LEFT },
	{ "optoutat", STATE_COLUMN_LEFT },
	{ "optoutdate", STATE_COLUMN_LEFT },
	{ "optouttime", STATE_COLUMN_LEFT },
	{ "donotemail", STATE_COLUMN_LEFT },
	{ "donotmail", STATE_COLUMN_LEFT },
	{ "donotcontact", STATE_COLUMN_LEFT },
	{ "donotsend", STATE_COLUMN_LEFT },
	{ "bounced", STATE_COLUMN_LEFT },
	{ "isbounced", STATE_COLUMN_LEFT },
	{ "bouncedat", STATE_COLUMN_LEFT },
	{ "hardbounced", STATE_COLUMN_LEFT },
	{ "complained", STATE_COLUMN_LEFT },
	{ "complainedat", STATE_COLUMN_LEFT },
	{ "cleantime", STATE_COLUMN_LEFT },
	{ "blocklisted", STATE_COLUMN_LEFT },
	{ "blacklisted", STATE_COLUMN_LEFT },
	{ "suppressed", STATE_COLUMN_LEFT },
	{ "abgemeldet", STATE_COLUMN_LEFT },
	{ "abgemeldetam", STATE_COLUMN_LEFT },
	{ "desabonne", STATE_COLUMN_LEFT },
	{ "desinscrit", STATE_COLUMN_LEFT },
	{ "nomail", STATE_COLUMN_NO_MAIL },
};

/* What else columns are called that tell it is put together of these words, whose order does not count: Email Subscription, Unsubscribed from all email,
 * Opt-in Status. A name with any other word tells something else. */
enum part {
	PART_YES,
	PART_YES_TO, /* a yes to what an audience is named for */
	PART_LEFT,
	PART_STATUS,
	PART_CONFIRMED,
	PART_AUDIENCE,
	PART_TIME,
	PART_OPT, /* in or out */
	PART_IN,
	PART_OUT,
	PART_NOT, /* do not mail */
	PART_FILL,
	PART_NONE,
};

static const struct {
	const char *word;
	enum part part;
} name_words[] = {
	{ "optin", PART_YES },
	{ "optedin", PART_YES },
	{ "subscribe", PART_YES },
	{ "subscribed", PART_YES },
	{ "subscription", PART_YES },
	{ "subscriptions", PART_YES },
	{ "consent", PART_YES },
	{ "consents", PART_YES },
	{ "consented", PART_YES },
	{ "newsletter", PART_YES },
	{ "newsletters", PART_YES },
	{ "einwilligung", PART_YES },
	{ "zustimmung", PART_YES },
	{ "abonniert", PART_YES },
	{ "angemeldet", PART_YES },
	{ "anmeldung", PART_YES },
	{ "abonne", PART_YES },
	{ "inscrit", PART_YES },
	{ "consentement", PART_YES },
	{ "suscrito", PART_YES },
	{ "consentimiento", PART_YES },
	{ "iscritto", PART_YES },
	{ "consenso", PART_YES },
	{ "inscrito", PART_YES },
	{ "consentimento", PART_YES },
	{ "toestemming", PART_YES },
	{ "ingeschreven", PART_YES },
	{ "accept", PART_YES_TO },
	{ "accepts", PART_YES_TO },
	{ "accepted", PART_YES_TO },
	{ "allow", PART_YES_TO },
	{ "allows", PART_YES_TO },
	{ "allowed", PART_YES_TO },
	{ "agree", PART_YES_TO },
	{ "agrees", PART_YES_TO },
	{ "agreed", PART_YES_TO },
	{ "receive", PART_YES_TO },
	{ "receives", PART_YES_TO },
	{ "want", PART_YES_TO },
	{ "wants", PART_YES_TO },
	{ "permission", PART_YES_TO },
	{ "permissions", PART_YES_TO },
	{ "send", PART_YES_TO },
	{ "unsubscribe", PART_LEFT },
	{ "unsubscribed", PART_LEFT },
	{ "unsubscription", PART_LEFT },
	{ "unsub", PART_LEFT },
	{ "optout", PART_LEFT },
	{ "optedout", PART_LEFT },
	{ "bounced", PART_LEFT },
	{ "complained", PART_LEFT },
	{ "blocklisted", PART_LEFT },
	{ "blacklisted", PART_LEFT },
	{ "suppressed", PART_LEFT },
	{ "abgemeldet", PART_LEFT },
	{ "abmeldung", PART_LEFT },
	{ "desabonne", PART_LEFT },
	{ "desinscrit", PART_LEFT },
	{ "donotemail", PART_LEFT },
	{ "donotmail", PART_LEFT },
	{ "donotcontact", PART_LEFT },
	{ "status", PART_STATUS },
	{ "statut", PART_STATUS },
	{ "stato", PART_STATUS },
	{ "estado", PART_STATUS },
	{ "double", PART_CONFIRMED },
	{ "doi", PART_CONFIRMED },
	{ "confirmed", PART_CONFIRMED },
	{ "email", PART_AUDIENCE },
	{ "emails", PART_AUDIENCE },
	{ "mail", PART_AUDIENCE },
	{ "mails", PART_AUDIENCE },
	{ "mailing", PART_AUDIENCE },
	{ "mailings", PART_AUDIENCE },
	{ "emailing", PART_AUDIENCE },
	{ "marketing", PART_AUDIENCE },
	{ "list", PART_AUDIENCE },
	{ "lists", PART_AUDIENCE },
	{ "subscriber", PART_AUDIENCE },
	{ "contact", PART_AUDIENCE },
	{ "member", PART_AUDIENCE },
	{ "gdpr", PART_AUDIENCE },
	{ "dsgvo", PART_AUDIENCE },
	{ "werbung", PART_AUDIENCE },
	{ "date", PART_TIME },
	{ "time", PART_TIME },
	{ "timestamp", PART_TIME },
	{ "at", PART_TIME },
	{ "on", PART_TIME },
	{ "am", PART_TIME },
	{ "le", PART_TIME },
	{ "opt", PART_OPT },
	{ "opted", PART_OPT },
	{ "in", PART_IN },
	{ "out", PART_OUT },
	{ "not", PART_NOT },
	{ "e", PART_FILL },
	{ "is", PART_FILL },
	{ "has", PART_FILL },
	{ "the", PART_FILL },
	{ "to", PART_FILL },
	{ "of", PART_FILL },
	{ "from", PART_FILL },
	{ "for", PART_FILL },
	{ "all", PART_FILL },
	{ "any", PART_FILL },
	{ "our", PART_FILL },
	{ "your", PART_FILL },
	{ "do", PART_FILL },
	{ "via", PART_FILL },
	{ "flag", PART_FILL },
	{ "zur", PART_FILL },
	{ "zum", PART_FILL },
	{ "fur", PART_FILL },
	{ "vom", PART_FILL },
	{ "von", PART_FILL },
	{ "a", PART_FILL },
	{ "au", PART_FILL },
	{ "la", PART_FILL },
};

/* By their letters. nomail is Sympa's word; by_user and the like are Mailman's. */
static const struct {
	const char *word;
	enum standing standing;
} words[] = {
	{ "active", STANDING_ACTIVE },       { "subscribed", STANDING_ACTIVE },    { "subscriber", STANDING_ACTIVE },
	{ "enabled", STANDING_ACTIVE },      { "confirmed", STANDING_ACTIVE },     { "verified", STANDING_ACTIVE },
	{ "valid", STANDING_ACTIVE },        { "deliverable", STANDING_ACTIVE },   { "optin", STANDING_ACTIVE },
	{ "optedin", STANDING_ACTIVE },      { "aktiv", STANDING_ACTIVE },         { "angemeldet", STANDING_ACTIVE },
	{ "bestatigt", STANDING_ACTIVE },    { "actif", STANDING_ACTIVE },         { "abonne", STANDING_ACTIVE },
	{ "abonnee", STANDING_ACTIVE },      { "inscrit", STANDING_ACTIVE },       { "activo", STANDING_ACTIVE },
	{ "suscrito", STANDING_ACTIVE },     { "actief", STANDING_ACTIVE },        { "attivo", STANDING_ACTIVE },
	{ "iscritto", STANDING_ACTIVE },     { "ativo", STANDING_ACTIVE },         { "inscrito", STANDING_ACTIVE },
	{ "aktif", STANDING_ACTIVE },        { "cleaned", STANDING_LEFT },         { "blocked", STANDING_LEFT },
	{ "disabled", STANDING_LEFT },       { "removed", STANDING_LEFT },         { "deleted", STANDING_LEFT },
	{ "left", STANDING_LEFT },           { "suppressed", STANDING_LEFT },      { "archived", STANDING_LEFT },
	{ "inactive", STANDING_LEFT },       { "deactivated", STANDING_LEFT },     { "invalid", STANDING_LEFT },
	{ "undeliverable", STANDING_LEFT },  { "cancelled", STANDING_LEFT },       { "canceled", STANDING_LEFT },
	{ "rejected", STANDING_LEFT },       { "banned", STANDING_LEFT },          { "spam", STANDING_LEFT },
	{ "spamreport", STANDING_LEFT },     { "reportedspam", STANDING_LEFT },    { "markedasspam", STANDING_LEFT },
	{ "abuse", STANDING_LEFT },          { "transactional", STANDING_LEFT },   { "nonsubscribed", STANDING_LEFT },
	{ "notsubscribed", STANDING_LEFT },  { "neversubscribed", STANDING_LEFT }, { "donotmail", STANDING_LEFT },
	{ "donotemail", STANDING_LEFT },     { "donotcontact", STANDING_LEFT },    { "notactive", STANDING_LEFT },
	{ "inaktiv", STANDING_LEFT },        { "ausgetragen", STANDING_LEFT },     { "gesperrt", STANDING_LEFT },
	{ "geloscht", STANDING_LEFT },       { "ungultig", STANDING_LEFT },        { "gekundigt", STANDING_LEFT },
	{ "inactif", STANDING_LEFT },        { "invalide", STANDING_LEFT },        { "desinscrit", STANDING_LEFT },
	{ "desinscrite", STANDING_LEFT },    { "inactivo", STANDING_LEFT },        { "baja", STANDING_LEFT },
	{ "dadodebaja", STANDING_LEFT },     { "desuscrito", STANDING_LEFT },      { "inactief", STANDING_LEFT },
	{ "uitgeschreven", STANDING_LEFT },  { "afgemeld", STANDING_LEFT },        { "inattivo", STANDING_LEFT },
	{ "disiscritto", STANDING_LEFT },    { "inativo", STANDING_LEFT },         { "cancelado", STANDING_LEFT },
	{ "descadastrado", STANDING_LEFT },  { "nonaktif", STANDING_LEFT },        { "tidakaktif", STANDING_LEFT },
	{ "ausstehend", STANDING_PENDING },  { "unbestatigt", STANDING_PENDING },  { "enattente", STANDING_PENDING },
	{ "nonconfirme", STANDING_PENDING }, { "pendiente", STANDING_PENDING },    { "pendente", STANDING_PENDING },
	{ "waiting", STANDING_PENDING },     { "nomail", STANDING_NO_MAIL },       { "bymoderator", STANDING_NO_MAIL },
	{ "revoked", STANDING_LEFT },        { "withdrawn", STANDING_LEFT },       { "denied", STANDING_LEFT },
	{ "declined", STANDING_LEFT },       { "refused", STANDING_LEFT },         { "noconsent", STANDING_LEFT },
	{ "byuser", STANDING_NO_MAIL },      { "suspended", STANDING_NO_MAIL },    { "paused", STANDING_NO_MAIL },
};

/* Wherever they stand in it: "unsubscribed by admin", "hard bounce". */
static const struct {
	const char *part;
	enum standing standing;
} parts[] = {
	{ "unsub", STANDING_LEFT },          { "bounce", STANDING_LEFT },        { "complain", STANDING_LEFT },
	{ "notopt", STANDING_LEFT },         { "notsubscri", STANDING_LEFT },    { "optout", STANDING_LEFT },
	{ "optedout", STANDING_LEFT },       { "blocklist", STANDING_LEFT },     { "blacklist", STANDING_LEFT },
	{ "abgemeldet", STANDING_LEFT },     { "desabonn", STANDING_LEFT },      { "pending", STANDING_PENDING },
	{ "unconfirm", STANDING_PENDING },   { "notconfirm", STANDING_PENDING }, { "unverified", STANDING_PENDING },
	{ "notverified", STANDING_PENDING }, { "awaiting", STANDING_PENDING },
};

/* Beside an amount or a time other than zero, which says yes: the letters that times hold. */
static const char *const yes_words[] = { "yes",      "y",      "true",    "t",        "on",     "x",       "ja",
					 "j",        "oui",    "si",      "sim",      "ya",     "granted", "given",
					 "accepted", "agreed", "express", "explicit", "implied" };
static const char *const time_words[] = { "", "t", "z", "tz", "utc", "tutc", "gmt", "am", "pm" };
static const char *const no_words[] = { "",   "no",  "n",   "off",  "false", "f",   "never", "none",  "null", "nan",
					"na", "nil", "not", "nein", "non",   "nee", "nao",   "nunca", "tidak" };

static const char *const plain_yes[] = { "yes", "true", "ja", "oui", "si", "sim", "ya" };
static const char *const plain_no[] = { "no", "false", "nein", "non", "nee", "nao", "tidak" };

static bool is_one_of(const char *const *list, size_t count, const char *letters)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], letters) == 0)
			return true;
	}
	return false;
}

static enum part part_of(struct view word)
{
	for (size_t i = 0; i < ARRAY_LEN(name_words); i++) {
		if (view_eq(view_of(name_words[i].word), word))
			return name_words[i].part;
	}
	return PART_NONE;
}

/* False: a word is none of them. Else found says which parts there are. */
static bool take_apart(struct view name, bool found[PART_NONE])
{
	enum part before = PART_FILL;
	struct view word;
	while (view_cut(&name, '_', &word)) {
		enum part part = part_of(word);
		bool is_lone = (part == PART_IN || part == PART_OUT) && before != PART_OPT;
		if (part == PART_NONE || is_lone)
			return false;
		found[part] = true;
		before = part;
	}
	return before != PART_OPT;
}

/* Times of a yes are left alone: many have none. */
static enum state_column column_of_words(const char *name)
{
	bool found[PART_NONE] = { false };
	if (!take_apart(view_of(name), found))
		return STATE_COLUMN_NONE;
	bool is_left = found[PART_LEFT] || found[PART_OUT];
	bool is_yes = found[PART_YES] || found[PART_IN] || (found[PART_YES_TO] && found[PART_AUDIENCE]);
	if (found[PART_NOT])
		return is_yes || found[PART_AUDIENCE] ? STATE_COLUMN_LEFT : STATE_COLUMN_NONE;
	if (is_left)
		return is_yes ? STATE_COLUMN_WORD : STATE_COLUMN_LEFT;
	if (is_yes)
		return found[PART_TIME]        ? STATE_COLUMN_NONE
		       : found[PART_CONFIRMED] ? STATE_COLUMN_CONFIRMED
					       : STATE_COLUMN_YES;
	return found[PART_STATUS] && found[PART_AUDIENCE] ? STATE_COLUMN_WORD : STATE_COLUMN_NONE;
}

enum state_column state_column_of(const char *name)
{
	const char *words_of_it = name;
	char letters[COLUMN_NAME_SIZE];
	size_t len = 0;
	if (name[0] == '_')
		return STATE_COLUMN_NONE;
	for (; *name != '\0' && len < sizeof(letters) - 1; name++) {
		if (*name != '_')
			letters[len++] = *name;
	}
	letters[len] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, letters) == 0)
			return names[i].column;
	}
	return column_of_words(words_of_it);
}

/* What is compared of a cell. has_more: digits other than 0, or characters that are neither letters, digits nor marks of ASCII. */
static void reduce(struct view text, char letters[COLUMN_NAME_SIZE], bool *ret_has_digit, bool *ret_has_other)
{
	size_t len = 0;
	column_name_normalise(text, letters);
	for (const char *at = letters; *at != '\0'; at++) {
		if (*at >= 'a' && *at <= 'z')
			letters[len++] = *at;
	}
	letters[len] = '\0';
	*ret_has_digit = *ret_has_other = false;
	for (size_t i = 0; i < text.len; i++) {
		*ret_has_digit |= text.data[i] >= '1' && text.data[i] <= '9';
		*ret_has_other |= (text.data[i] & 0x80) != 0;
	}
}

static enum standing standing_of_word(const char *letters)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].word[0] == letters[0] && strcmp(words[i].word, letters) == 0)
			return words[i].standing;
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (strstr(letters, parts[i].part) != NULL)
			return parts[i].standing;
	}
	return STANDING_UNKNOWN;
}

static enum standing standing_by_no(enum state_column column)
{
	if (column == STATE_COLUMN_NO_MAIL)
		return STANDING_NO_MAIL;
	return column == STATE_COLUMN_CONFIRMED ? STANDING_PENDING : STANDING_LEFT;
}

/* Where a word for a state is to be seen, a yes or no says it only when it can be nothing else. */
static enum standing standing_of_plain(const char *letters)
{
	if (is_one_of(plain_yes, ARRAY_LEN(plain_yes), letters))
		return STANDING_ACTIVE;
	return is_one_of(plain_no, ARRAY_LEN(plain_no), letters) ? STANDING_LEFT : STANDING_UNKNOWN;
}

enum standing standing_of(enum state_column column, struct view text)
{
	char letters[COLUMN_NAME_SIZE];
	bool has_digit, has_other;
	bool wants_yes = column == STATE_COLUMN_YES || column == STATE_COLUMN_CONFIRMED;
	text = view_trim(text);
	if (text.len == 0)
		return wants_yes ? STANDING_UNKNOWN : STANDING_ACTIVE;
	reduce(text, letters, &has_digit, &has_other);
	enum standing standing = standing_of_word(letters);
	if (standing != STANDING_UNKNOWN || column == STATE_COLUMN_RECEPTION)
		return standing;
	if (column == STATE_COLUMN_WORD)
		return standing_of_plain(letters);
	bool is_no =
	    !has_digit && is_one_of(no_words, ARRAY_LEN(no_words), letters) && (letters[0] != '\0' || !has_other);
	if (!wants_yes)
		return is_no ? STANDING_ACTIVE : standing_by_no(column);
	bool is_yes = is_one_of(yes_words, ARRAY_LEN(yes_words), letters) ||
		      (has_digit && is_one_of(time_words, ARRAY_LEN(time_words), letters));
	if (is_yes)
		return STANDING_ACTIVE;
	return is_no ? standing_by_no(column) : STANDING_UNKNOWN;
}
