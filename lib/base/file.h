/* Whole small files: settings, keys, templates. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"

/* Appends the content of a regular file to ret_content, up to its ceiling. Refuses what is no regular file. `why` names the path,
 * the cause and the remedy. ERR_NOT_FOUND, ERR_DENIED, ERR_INVALID, ERR_TOO_BIG, ERR_IO, ERR_MEMORY. */
enum err file_read(const char *path, struct buf *ret_content, struct buf *why) MUST_USE;

/* Writes a new file of mode beside the old one, syncs it and renames it over path, so that a reader sees either one whole. */
enum err file_replace(const char *path, struct view content, unsigned mode, struct buf *why) MUST_USE;

#endif
