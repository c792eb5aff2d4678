/* The key file named by keys.file. */
#ifndef LISTCTL_KEYS_H
#define LISTCTL_KEYS_H

#include "base/settings.h"
#include "mail/keyring.h"

/* Reads and parses the file; `why` names it and the remedy (ERR_NOT_FOUND: `listctl key new` makes it). The caller wipes the
 * keyring with keyring_wipe(). */
enum err keys_load(const struct settings *settings, const char *settings_path, struct keyring *ret_keyring,
		   struct buf *why) MUST_USE;
/* Replaces the file at once: mode 0600, or readable by its group when it was; its owner and group stay. */
enum err keys_save(const struct settings *settings, const struct keyring *keyring, struct buf *why) MUST_USE;

/* Random octets for a new key. False: the system has none to give. */
bool keys_random(unsigned char bytes[KEYRING_KEY_SIZE]) MUST_USE;

#endif
