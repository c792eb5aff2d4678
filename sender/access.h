/* How one is let in at a relay: what TLS begins with, the secret that AUTH wants, and whether it may be tried now (sender/login.h). A relay that
 * wants none lets everybody in. */
#ifndef SENDER_ACCESS_H
#define SENDER_ACCESS_H

#include "net/tls.h"
#include "sender/login.h"
#include "sender/relay_terms.h"
#include "sender/secret.h"
#include "store/relay_logins.h"

struct access {
	struct secret *secret;   /* NULL: the relay wants none */
	struct tls_context *tls; /* NULL: not yet made, or none is asked for */
	struct login login;
	const struct relay_terms *terms;
	bool awaits_secret; /* its command runs */
	bool is_refused;    /* the last word of the relay, here or elsewhere */
	struct buf refusal; /* its reply */
	int64_t look_us;    /* when the secret's file is looked at next */
};

/* Borrows the terms. is_free: a person asks for the login. ERR_MEMORY; access_done() is due in any case. */
enum err access_new(const struct settings *settings, const struct relay_terms *terms, bool is_free,
		    struct access *ret_access) MUST_USE;
void access_done(struct access *access);

/* A connection may be opened now. All times are boot time. */
bool access_may(struct access *access, int64_t now_us);
/* ... but not two of them: how this one fares is awaited. */
bool access_is_single(const struct access *access);
/* As secret_ask(); READY without a word where there is none. */
enum secret_state access_secret(struct access *access, int64_t now_us, struct view *ret_text, struct buf *why);
/* Makes what TLS needs, where it is asked for. False: `why` has a sentence. */
bool access_secure(struct access *access, struct buf *why) MUST_USE;
/* It is opened. */
void access_begin(struct access *access);
/* One that was let in has brought somebody to an end. */
void access_works(struct access *access, int64_t now_us);
/* A connection was let in, refused with this reply, or lost before that. is_trial: nobody else was to be opened beside it. True: whether it
 * is_refused, or until when, is news for people. */
bool access_end(struct access *access, enum login_end end, bool is_trial, struct view reply, int64_t now_us);

/* The database's answer to what login_asks() asked. True as with access_end(). */
bool access_answer(struct access *access, const struct relay_login_answer *answer, int64_t now_us);
/* How long it is certain that nothing is tried; 0: not at all. */
int64_t access_wait(const struct access *access, int64_t now_us);
/* For people, while is_refused: what happened and what to do. */
void access_tell(const struct access *access, struct buf *out);

#endif
