#include "sender/access.h"

#include "base/clock.h"
#include "base/log.h"

/* So often the secret's file is looked at for a change. */
#define LOOK_US CLOCK_US_PER_SECOND

enum err access_new(const struct settings *settings, const struct relay_terms *terms, bool is_free,
		    struct access *ret_access)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_WHY);
	*ret_access = (struct access){
		.login = login_new(is_free),
		.terms = terms,
		.refusal = buf_with_ceiling(LIMIT_REPLY_KEPT),
	};
	/* It is found by the relay's name. */
	buf_addf(&path, "%s/%s", settings->relay_secrets, terms->name);
	return terms->has_auth ? secret_new(buf_text(&path), settings->relay_secret_life, &ret_access->secret) : ERR_OK;
}

void access_done(struct access *access)
{
	secret_done(access->secret);
	tls_context_done(access->tls);
	access->secret = NULL;
	access->tls = NULL;
	buf_done(&access->refusal);
}

/* What would be tried: the row's terms with what is in the file. Where there is none, nothing is tried. */
static void look_at_file(struct access *access)
{
	AUTO_BUF fingerprint = buf_with_ceiling(LOGIN_FINGERPRINT_MOST);
	buf_addf(&fingerprint, "%s ", access->terms->fingerprint);
	if (secret_stamp(access->secret, &fingerprint) && login_look(&access->login, buf_view(&fingerprint)))
		secret_forget(access->secret);
}

bool access_may(struct access *access, int64_t now_us)
{
	if (access->secret == NULL)
		return true;
	if (now_us >= access->look_us) {
		look_at_file(access);
		access->look_us = now_us + LOOK_US;
	}
	return login_may(&access->login, now_us);
}

bool access_is_single(const struct access *access)
{
	return access->secret != NULL && login_is_single(&access->login);
}

enum secret_state access_secret(struct access *access, int64_t now_us, struct view *ret_text, struct buf *why)
{
	enum secret_state state = SECRET_READY;
	if (access->secret != NULL)
		state = secret_ask(access->secret, now_us, ret_text, why);
	access->awaits_secret = state == SECRET_PENDING;
	return state;
}

bool access_secure(struct access *access, struct buf *why)
{
	const char *ca_file = access->terms->tls_ca;
	const struct tls_client_options options = { .ca_file = *ca_file == '\0' ? NULL : ca_file };
	if (access->terms->tls == SMTP_TLS_NONE || access->tls != NULL)
		return true;
	enum err err = tls_client_new(&options, &access->tls, why);
	if (err != ERR_OK && why->len == 0)
		buf_addf(why, "TLS cannot begin (%s)", err_name(err));
	return err == ERR_OK;
}

void access_begin(struct access *access)
{
	login_begin(&access->login);
}

void access_works(struct access *access, int64_t now_us)
{
	login_works(&access->login, now_us);
}

static void keep_refusal(struct access *access, struct view reply)
{
	access->is_refused = true;
	buf_reset(&access->refusal);
	buf_add(&access->refusal, view_head(reply, LIMIT_REPLY_KEPT));
}

/* True when that is news. */
static bool forget_refusal(struct access *access)
{
	bool was_refused = access->is_refused;
	access->is_refused = false;
	return was_refused;
}

bool access_end(struct access *access, enum login_end end, bool is_trial, struct view reply, int64_t now_us)
{
	struct log_text room;
	if (access->secret == NULL)
		return false;
	if (end == LOGIN_REFUSED)
		secret_forget(access->secret);
	bool is_for_good = login_end(&access->login, end, is_trial, secret_is_command(access->secret), now_us);
	if (is_for_good)
		keep_refusal(access, reply);
	else if (end == LOGIN_REFUSED && access->login.state == LOGIN_GRANTED)
		log_event(LOG_INFO, "relay.token_refused", "relay=%s trouble=%s", access->terms->name,
			  log_quoted(reply, &room));
	return is_for_good || (end == LOGIN_LET_IN && is_trial && forget_refusal(access));
}

bool access_answer(struct access *access, const struct relay_login_answer *answer, int64_t now_us)
{
	bool was_refused = access->is_refused;
	login_answer(&access->login, answer->is_known, answer->wait_us, now_us);
	if (answer->wait_us > 0 && answer->reply.len > 0) {
		keep_refusal(access, answer->reply);
		return !was_refused;
	}
	return answer->is_known && forget_refusal(access);
}

int64_t access_wait(const struct access *access, int64_t now_us)
{
	const struct login *login = &access->login;
	bool waits = access->is_refused && login->state == LOGIN_WAITS && login->until_us > now_us;
	return waits ? login->until_us - now_us : 0;
}

void access_tell(const struct access *access, struct buf *out)
{
	const char *name = access->terms->name;
	buf_addf(out,
		 VIEW_FMT ": the relay does not take the user or the secret. Mend %s on sender's hosts, or the user by "
			  "`listctl relay edit %s --user`: that is tried at once; what was mended at the relay, by "
			  "`listctl relay retry %s`",
		 VIEW_ARG(buf_view(&access->refusal)), secret_path(access->secret), name, name);
}
