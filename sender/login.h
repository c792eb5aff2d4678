/* Whether one may log in at a relay. A wrong password is not tried again and again, for that is how accounts are locked: the first login with a
 * secret is made by one connection of one worker, and after a refusal nobody logs in for an hour, whichever the host, unless the relay's row or
 * the secret's file becomes another one or a person says so. A bearer token may just have run out, so that a refused one is followed by one
 * login with a new one.
 *
 * Who may try is the database's word (store/relay_logins.h), asked for by sender/logins.h. This is one worker's side, for one relay. Times are
 * boot time. */
#ifndef SENDER_LOGIN_H
#define SENDER_LOGIN_H

#include "base/buf.h"
#include "base/clock.h"

/* Of late: all may log in at once while one was let in. After a longer lull it may be another password by now, and one tries for all. */
#define LOGIN_FRESH_US (INT64_C(10) * CLOCK_US_PER_SECOND)
enum { LOGIN_FINGERPRINT_MOST = 160 };
/* As in schema/008. */
#define LOGIN_WAIT_US (INT64_C(3600) * CLOCK_US_PER_SECOND)

enum login_state {
	LOGIN_UNASKED, /* it has to be asked for */
	LOGIN_WAITS,   /* not before until_us */
	LOGIN_GRANTED, /* one connection may, until until_us */
	LOGIN_TRYING,  /* one does */
	LOGIN_TAKEN    /* the relay has taken it of late: everybody may */
};

/* To be told to the database. */
enum login_news { LOGIN_NO_NEWS, LOGIN_NEWS_TAKEN, LOGIN_NEWS_REFUSED, LOGIN_NEWS_VOID };

/* How a connection that logs in ended. */
enum login_end { LOGIN_LET_IN, LOGIN_REFUSED, LOGIN_LOST };

struct login {
	enum login_state state;
	enum login_news news;
	int64_t until_us;
	int64_t taken_us; /* somebody was let in last */
	bool is_wanted;   /* somebody waits for it to be asked for */
	bool is_known;    /* the database knows that the relay takes it */
	bool is_stale;    /* TAKEN: whether it was refused elsewhere is to be asked */
	bool has_second;  /* a new token was asked for after a refusal */
	char fingerprint[LOGIN_FINGERPRINT_MOST + 1];
};

/* is_free: a person asks for this login. */
struct login login_new(bool is_free);

/* What would be tried now. True: it is another one than before, and has to be asked for; the secret has to be read again. */
bool login_look(struct login *login, struct view fingerprint);
/* Something may have changed elsewhere. */
void login_recheck(struct login *login);
/* One that was let in has brought somebody to an end. */
void login_works(struct login *login, int64_t now_us);
/* A connection may be opened; false: later. */
bool login_may(struct login *login, int64_t now_us);
/* ... and no other one before it has ended. */
bool login_is_single(const struct login *login);
/* It is. */
void login_begin(struct login *login);
/* is_trial: it is the one of login_begin(). is_token: the secret comes from a command. True: it was refused for good. */
bool login_end(struct login *login, enum login_end end, bool is_trial, bool is_token, int64_t now_us);

/* The database has to be asked; or only looked into, when the login is in use. */
bool login_asks(const struct login *login);
/* Its word. wait_us: how long it says no; 0: yes. */
void login_answer(struct login *login, bool is_known, int64_t wait_us, int64_t now_us);

#endif
