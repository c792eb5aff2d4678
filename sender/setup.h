/* What a sender works with, read and checked once at start: settings, keys, and what follows from them. */
#ifndef SENDER_SETUP_H
#define SENDER_SETUP_H

#include "base/limits.h"
#include "base/settings.h"
#include "mail/keyring.h"
#include "sender/retry.h"
#include "store/dkim_folder.h"

enum { SETUP_WORKERS_MOST = 256, SETUP_CONNECTIONS_MOST = 5000, SETUP_WINDOW_MOST = 100000, SETUP_CHUNK = 6000 };

struct setup {
	struct settings settings;
	struct keyring keyring;
	struct dkim_folder dkim;
	struct retry retry;
	struct buf rules; /* the text of bounce.rules, which is sound */
	unsigned workers;
	bool unsafe;                 /* work with a server that has fsync=off */
	char host[LIMIT_DOMAIN + 1]; /* this host's name */
	char helo[LIMIT_DOMAIN + 1];
	char relay[LIMIT_DOMAIN + 16]; /* the relay of the settings, "host:port", for people */
	bool notify_delay;             /* relay.notify says so */
};

/* `why` says what is wrong and where. The caller releases *ret_setup with setup_done(). */
enum err setup_load(const char *path, bool unsafe, struct setup *ret_setup, struct buf *why) MUST_USE;
void setup_done(struct setup *setup);

/* sender's own login, when there is one. */
const char *setup_conninfo(const struct setup *setup);

#endif
