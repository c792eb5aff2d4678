/* Writes in the folder of DKIM's keys (store/dkim_folder.h). */
#ifndef LISTCTL_DKIM_FILES_H
#define LISTCTL_DKIM_FILES_H

#include "store/dkim_folder.h"

/* Writes the key as a new file, created now. The domain's folder and the file get the group, and the group's right to read, of the folder
 * that is there, so that who may read one key may read all. ERR_NOT_FOUND: there is no such folder, `why` has the remedy; ERR_DENIED;
 * ERR_IO. */
enum err dkim_files_add(const char *folder, const struct dkim_key *key, int64_t wall_us, struct buf *why) MUST_USE;

/* Sets it aside under its retired name. */
enum err dkim_files_retire(const char *folder, const struct dkim_key *key, struct buf *why) MUST_USE;

#endif
