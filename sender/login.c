#include "sender/login.h"

#include <string.h>

/* Others wait for whom the database has let try (schema/008): he must not come to it much later. */
#define GRANT_US (INT64_C(30) * CLOCK_US_PER_SECOND)

struct login login_new(bool is_free)
{
	if (is_free)
		return (struct login){ .state = LOGIN_GRANTED, .until_us = INT64_MAX };
	return (struct login){ .state = LOGIN_UNASKED };
}

bool login_look(struct login *login, struct view fingerprint)
{
	bool is_first = *login->fingerprint == '\0';
	fingerprint = view_head(fingerprint, LOGIN_FINGERPRINT_MOST);
	/* What is still to be told is about the old one. */
	if (login->state == LOGIN_TRYING || login->news != LOGIN_NO_NEWS || fingerprint.len == 0 ||
	    view_eq(fingerprint, view_of(login->fingerprint)))
		return false;
	memcpy(login->fingerprint, fingerprint.data, fingerprint.len);
	login->fingerprint[fingerprint.len] = '\0';
	if (is_first)
		return false;
	login->state = LOGIN_UNASKED;
	login->is_known = false;
	login->has_second = false;
	return true;
}

void login_recheck(struct login *login)
{
	login->is_stale = login->state == LOGIN_TAKEN;
	if (login->state == LOGIN_WAITS || (login->state == LOGIN_GRANTED && login->is_known))
		login->state = LOGIN_UNASKED;
}

void login_works(struct login *login, int64_t now_us)
{
	if (login->state == LOGIN_TAKEN)
		login->taken_us = now_us;
}

/* After a lull, the leave that it has counts for one. */
static void doubt_if_old(struct login *login, int64_t now_us)
{
	if (login->state != LOGIN_TAKEN || now_us - login->taken_us < LOGIN_FRESH_US)
		return;
	login->state = LOGIN_GRANTED;
	login->until_us = INT64_MAX;
}

bool login_may(struct login *login, int64_t now_us)
{
	doubt_if_old(login, now_us);
	bool is_over = login->state == LOGIN_WAITS || login->state == LOGIN_GRANTED;
	if (is_over && now_us >= login->until_us)
		login->state = LOGIN_UNASKED;
	login->is_wanted = login->is_wanted || login->state == LOGIN_UNASKED;
	return login->state == LOGIN_TAKEN || login->state == LOGIN_GRANTED;
}

bool login_is_single(const struct login *login)
{
	return login->state != LOGIN_TAKEN;
}

void login_begin(struct login *login)
{
	if (login->state == LOGIN_GRANTED)
		login->state = LOGIN_TRYING;
}

static void let_in(struct login *login, int64_t now_us)
{
	if (!login->is_known)
		login->news = LOGIN_NEWS_TAKEN;
	login->state = LOGIN_TAKEN;
	login->taken_us = now_us;
	login->is_known = true;
	login->has_second = false;
}

static bool refuse(struct login *login, bool is_token, int64_t now_us)
{
	bool has_second = login->has_second;
	login->has_second = is_token;
	if (is_token && !has_second) {
		login->state = LOGIN_GRANTED;
		login->until_us = now_us + GRANT_US;
		return false;
	}
	login->state = LOGIN_WAITS;
	login->until_us = now_us + LOGIN_WAIT_US;
	login->news = LOGIN_NEWS_REFUSED;
	login->is_known = false;
	return true;
}

bool login_end(struct login *login, enum login_end end, bool is_trial, bool is_token, int64_t now_us)
{
	if (end == LOGIN_LET_IN && is_trial)
		let_in(login, now_us);
	/* Of several that were opened with one secret the first refusal counts. */
	else if (end == LOGIN_REFUSED && (is_trial || login->state == LOGIN_TAKEN))
		return refuse(login, is_token, now_us);
	else if (end == LOGIN_LOST && is_trial) {
		login->state = LOGIN_UNASKED;
		if (!login->is_known)
			login->news = LOGIN_NEWS_VOID;
	}
	return false;
}

bool login_asks(const struct login *login)
{
	return login->news == LOGIN_NO_NEWS && ((login->state == LOGIN_UNASKED && login->is_wanted) ||
						(login->state == LOGIN_TAKEN && login->is_stale));
}

void login_answer(struct login *login, bool is_known, int64_t wait_us, int64_t now_us)
{
	login->is_stale = false;
	login->is_wanted = false;
	login->is_known = is_known;
	if (wait_us > 0) {
		login->state = LOGIN_WAITS;
		login->until_us = now_us + wait_us;
	} else if (login->state == LOGIN_UNASKED) {
		login->state = LOGIN_GRANTED;
		login->until_us = now_us + GRANT_US;
	}
}
