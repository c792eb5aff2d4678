/* The private keys of DKIM, in the folder that dkim.dir names, as all programs read it:
 *
 *     DOMAIN/SELECTOR.rsa.pem  DOMAIN/SELECTOR.ed25519.pem      in use; PEM, and a line "created: 2026-11-26T15:40:00.000000Z" before it
 *     DOMAIN/SELECTOR.rsa.pem.retired                           no longer; kept, so that its selector is not taken again
 *
 * Nothing else says which keys there are, so that a folder can be copied from host to host. The oldest key of its kind signs for a domain: a new
 * one waits, so that it can be published, until the older one is retired. A domain without an RSA key signs nothing, since many receivers know
 * no Ed25519. */
#ifndef STORE_DKIM_FOLDER_H
#define STORE_DKIM_FOLDER_H

#include "mail/dkim.h"

enum { DKIM_CREATED = 27 };

struct dkim_entry {
	struct dkim_key *key;
	char created[DKIM_CREATED + 1]; /* empty: the file does not say, which is older than all that do */
	bool is_retired;
	bool signs; /* the oldest of its kind; an Ed25519 key only beside an RSA key */
};

struct dkim_folder {
	struct dkim_entry *entries; /* by domain, kind, in use first, age, selector */
	size_t count, room;
};

/* A folder that is not there has no keys. `why` names the file and the remedy: ERR_DENIED, also when everybody may read or write a key, or the
 * group write one; ERR_INVALID: a file ending in .pem that holds no such key, or is not named after one. The caller releases *ret_folder with
 * dkim_folder_done(). */
enum err dkim_folder_load(const char *path, struct dkim_folder *ret_folder, struct buf *why) MUST_USE;
void dkim_folder_done(struct dkim_folder *folder); /* accepts a zeroed object, may run twice */

/* The keys that sign mail from that domain: its own, or those of the nearest domain above it that has some, to which it is aligned
 * (RFC 9989 section 4.4: relaxed). Returns how many; borrowed from the folder. */
size_t dkim_folder_find(const struct dkim_folder *folder, struct view from_domain,
			struct dkim_key *ret_keys[DKIM_SIGNATURES]);
/* A key of that domain and selector, retired or not; NULL: none. Names in any case. */
const struct dkim_entry *dkim_folder_named(const struct dkim_folder *folder, struct view domain, struct view selector);

/* Appends the file's name. */
enum err dkim_folder_path(const char *folder, struct view domain, struct view selector, enum dkim_kind kind,
			  bool is_retired, struct buf *out);

#endif
