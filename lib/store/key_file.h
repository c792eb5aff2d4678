/* The key file that keys.file names, as all programs read it. */
#ifndef STORE_KEY_FILE_H
#define STORE_KEY_FILE_H

#include "mail/keyring.h"

/* Reads and parses the file; `why` names it and the remedy (ERR_NOT_FOUND: `listctl key new` makes it;
 * ERR_DENIED also when everybody may read or write it). The caller wipes the keyring with
 * keyring_wipe(). */
enum err key_file_load(const char *path, struct keyring *ret_keyring, struct buf *why) MUST_USE;

#endif
