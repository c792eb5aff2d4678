/* The signing keys: a file that only root and the daemons read, never in the database. Up to sixteen keys; the newest one signs,
 * all that are not retired verify. The file names the database instance it belongs to, so that tokens of one installation
 * never act on another.
 *
 *     instance 0b1e0d5c-...
 *     key 0 2026-11-22 active 64-hex-digits
 *     erasure 2026-11-22 64-hex-digits
 *
 * The erasure key makes what stays of people who were erased (mail/erasure.h). There is one, for good.
 */
#ifndef MAIL_KEYRING_H
#define MAIL_KEYRING_H

#include "base/buf.h"

enum {
	KEYRING_KEYS = 16, /* the key id has 4 bits in a token */
	KEYRING_KEY_SIZE = 32,
	KEYRING_INSTANCE_SIZE = 36, /* a UUID in text form */
};

struct key {
	bool present, retired;
	unsigned char bytes[KEYRING_KEY_SIZE];
	char created[11]; /* YYYY-MM-DD */
};

struct keyring {
	char instance[KEYRING_INSTANCE_SIZE + 1];
	struct key keys[KEYRING_KEYS];
	struct key erasure;
	int newest; /* the signing key: the last active one in the file; -1 when there is none */
};

/* path is for `why` only. ERR_INVALID names path and line; a line that repeats an id, a short key, a missing instance are refused. */
enum err keyring_parse(struct view text, const char *path, struct keyring *ret_keyring, struct buf *why) MUST_USE;
/* Appends the file's text, the signing key last. */
enum err keyring_write(const struct keyring *keyring, struct buf *out) MUST_USE;
/* Puts 32 random octets at the lowest free id and makes it the signing key. ERR_REFUSED when all ids are taken. */
enum err keyring_add(struct keyring *keyring, struct view created, const unsigned char bytes[KEYRING_KEY_SIZE],
		     int *ret_id) MUST_USE;
/* Makes them the erasure key. ERR_REFUSED: there is one. */
enum err keyring_set_erasure(struct keyring *keyring, struct view created,
			     const unsigned char bytes[KEYRING_KEY_SIZE]) MUST_USE;
/* Overwrites the secrets. */
void keyring_wipe(struct keyring *keyring);

#endif
