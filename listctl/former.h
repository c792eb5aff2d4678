/* An address that somebody had before, said to a person. */
#ifndef LISTCTL_FORMER_H
#define LISTCTL_FORMER_H

#include "base/buf.h"
#include "store/former_addresses.h"

/* Appends "former address of ann@new.example, moved 2026-11-28". */
void former_text(const struct former_address *former, struct buf *out);

#endif
