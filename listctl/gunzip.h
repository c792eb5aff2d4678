/* A gzip file (RFC 1952), inflated as it comes. The door to zlib. Pure: no files. */
#ifndef LISTCTL_GUNZIP_H
#define LISTCTL_GUNZIP_H

#include <stdbool.h>

#include "base/buf.h"

struct gunzip;

/* True for the two octets that every gzip file begins with. */
bool gunzip_is_magic(struct view start);
struct gunzip *gunzip_new(void);         /* NULL: no memory */
void gunzip_free(struct gunzip *gunzip); /* accepts NULL */
/* Inflates from *bytes, which it shortens by what was taken, into room. *ret_got is 0 when more octets are needed. Several members in a row are
 * one text. ERR_INVALID: `why` says that the file is damaged. */
enum err gunzip_step(struct gunzip *gunzip, struct view *bytes, char *room, size_t size, size_t *ret_got,
		     struct buf *why) MUST_USE;
/* True when what came so far is whole: a file that ends elsewhere is cut off. */
bool gunzip_is_whole(const struct gunzip *gunzip);

#endif
