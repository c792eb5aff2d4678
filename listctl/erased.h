/* People who were erased, known by what the erasure key of the key file makes of their mailboxes. */
#ifndef LISTCTL_ERASED_H
#define LISTCTL_ERASED_H

#include "listctl/call.h"
#include "mail/erasure.h"

struct erased;

/* For asking: *ret_erased is NULL when nobody was erased. ERR_REFUSED: somebody was, by a key that the key file has not. */
enum err erased_open(struct call *call, struct erased **ret_erased) MUST_USE;
/* For whoever goes on where nobody can tell who was erased: then *ret_erased is NULL, and the reason in untold. */
enum err erased_open_if_known(struct call *call, struct erased **ret_erased, struct buf *untold) MUST_USE;
/* For erasing: also when nobody was before. */
enum err erased_open_first(struct call *call, struct erased **ret_erased) MUST_USE;
void erased_close(struct erased *erased); /* accepts NULL */
/* Of the mailbox that an address key is a spelling of. False: no memory. */
bool erased_hash(struct erased *erased, struct view key, unsigned char ret_hash[ERASURE_SIZE]);
/* The same in hexadecimal. */
enum err erased_text(struct erased *erased, struct view key, struct buf *hash) MUST_USE;
/* What a suppression says of the key that made its hash. */
struct view erased_source(const struct erased *erased);

#endif
