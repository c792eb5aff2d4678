/* What bounced is told: its settings and its keys, checked. */
#ifndef BOUNCED_SETUP_H
#define BOUNCED_SETUP_H

#include "base/settings.h"
#include "bounced/networks.h"
#include "bounced/rights.h"
#include "mail/keyring.h"
#include "net/tls.h"

struct setup {
	const char *path; /* of the settings file */
	struct settings settings;
	struct keyring keyring;
	struct networks *report_networks, *proxy_networks;
	struct tls_context *tls; /* NULL: no certificate is set */
	char hostname[256];      /* bounced.hostname, else this host's name */
	struct rights rights;
	struct buf rules; /* the text of bounce.rules, which has been found to be sound */
	bool unsafe;
};

/* Loads and checks settings and keys. ret_setup->path and ->unsafe are given. On failure `why` names what is wrong and nothing has to
 * be released; else setup_done(). */
enum err setup_load(struct setup *ret_setup, struct buf *why) MUST_USE;
void setup_done(struct setup *setup);

/* Reads the certificate again, for SIGHUP. On failure the old one stays. */
enum err setup_reload_tls(struct setup *setup, struct buf *why) MUST_USE;
/* Reads the key file again, for SIGHUP. The instance may not change. On failure the keys stay. */
enum err setup_reload_keys(struct setup *setup, struct buf *why) MUST_USE;

/* Reads the rules again, for SIGHUP. On failure the old ones stay. */
enum err setup_reload_rules(struct setup *setup, struct buf *why) MUST_USE;

#endif
