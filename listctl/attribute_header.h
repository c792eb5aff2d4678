/* How the header of a file of people says that a column is the attribute of just this name, whatever a column of that name is usually taken for, and
 * whatever octets the name has: attribute:NAME, or, where blanks or control characters in it would be lost, attribute:"NAME" as JSON writes it. A type may
 * follow (attribute:NAME:number). Pure. */
#ifndef LISTCTL_ATTRIBUTE_HEADER_H
#define LISTCTL_ATTRIBUTE_HEADER_H

#include "base/buf.h"

#define ATTRIBUTE_HEADER_PREFIX "attribute:"

/* Takes the prefix off. False: there is none, or nothing behind it. */
bool attribute_header_cut(struct view *header);
/* Appends the name that such a header, without prefix and type, stands for. */
void attribute_header_read(struct view header, struct buf *name);
/* Appends the header of the attribute, with the type behind it (":number"; "" for texts). */
void attribute_header_write(struct view name, const char *type, struct buf *header);

#endif
