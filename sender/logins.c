#include "sender/logins.h"

static enum err tell(struct db *db, const struct relay *relay, struct view who, struct buf *why)
{
	const struct access *access = relay_access(relay);
	struct view name = view_of(relay_terms(relay)->name), fingerprint = view_of(access->login.fingerprint);
	switch (access->login.news) {
	case LOGIN_NEWS_TAKEN:
		return relay_logins_tell(db, name, fingerprint, VIEW_LIT(""), why);
	case LOGIN_NEWS_REFUSED:
		return relay_logins_tell(db, name, fingerprint, buf_view(&access->refusal), why);
	case LOGIN_NEWS_VOID:
		return relay_logins_give_up(db, name, fingerprint, who, why);
	case LOGIN_NO_NEWS:
		break;
	}
	return ERR_OK;
}

static enum err ask(struct db *db, struct relay *relay, struct view who, int64_t boot_us, struct buf *why)
{
	const struct login *login = &relay_access(relay)->login;
	struct relay_login_answer answer;
	AUTO_DB_ROWS *rows = NULL;
	const struct relay_login_ask ask = {
		.relay = view_of(relay_terms(relay)->name),
		.fingerprint = view_of(login->fingerprint),
		.who = who,
		.claims = login->state == LOGIN_UNASKED,
	};
	enum err err = relay_logins_ask(db, &ask, &answer, &rows, why);
	if (err == ERR_OK)
		relay_login_answered(relay, &answer, boot_us);
	return err;
}

bool logins_are_due(const struct relay *relay)
{
	const struct access *access = relay_access(relay);
	return access->secret != NULL && (access->login.news != LOGIN_NO_NEWS || login_asks(&access->login));
}

enum err logins_turn(struct db *db, struct relay *relay, const char *who, int64_t boot_us, struct buf *why)
{
	if (!logins_are_due(relay))
		return ERR_OK;
	enum err err = tell(db, relay, view_of(who), why);
	if (err != ERR_OK)
		return err;
	relay_told_login(relay);
	return logins_are_due(relay) ? ask(db, relay, view_of(who), boot_us, why) : ERR_OK;
}
