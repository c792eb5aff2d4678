/* DKIM's keys as listctl shows them, with the DNS records to publish. */
#ifndef LISTCTL_DKIM_OUTPUT_H
#define LISTCTL_DKIM_OUTPUT_H

#include "listctl/call.h"
#include "store/dkim_folder.h"

/* "signing", "waiting" (an older one signs), "alone" (an Ed25519 key without an RSA key), "retired" */
const char *dkim_output_state(const struct dkim_folder *folder, const struct dkim_entry *entry);

/* Those of the domain, empty for all, and of the selectors, when there are some: a table, and under it the record of each key that is not
 * retired, as a zone file has it. CSV and JSON have all in one. ERR_NOT_FOUND: there is none. */
enum err dkim_output_write(struct call *call, const struct dkim_folder *folder, struct view domain,
			   const struct view *selectors, size_t selector_count) MUST_USE;

/* Appends the record as strings of at most 255 octets in quotes, a space between two (RFC 1035 section 3.3.14). */
enum err dkim_output_strings(struct view record, struct buf *out);

#endif
