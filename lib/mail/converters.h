/* The character sets whose converters the C library loads from files: opened once, they stay in memory, for a process that will have no files. */
#ifndef MAIL_CONVERTERS_H
#define MAIL_CONVERTERS_H

#include <stddef.h>

#include "base/err.h"

struct converters;

/* Opens the converters of all of them into UTF-8, until converters_done(); one that this C library does not have is passed over. Their other
 * names (latin2, windows-1252) need nothing more. ERR_MEMORY. */
enum err converters_open(struct converters **ret_converters) MUST_USE;
void converters_done(struct converters *converters);          /* accepts NULL */
size_t converters_count(const struct converters *converters); /* that could be opened */

/* NULL beyond the last. For tests. */
const char *converters_name(size_t index);

#endif
