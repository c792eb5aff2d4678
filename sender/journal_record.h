/* The wire form of a journal record: fixed fields in the host's byte order (a journal never leaves its host; its head tells), then the
 * four texts, filled up to a multiple of 8 octets. */
#ifndef SENDER_JOURNAL_RECORD_H
#define SENDER_JOURNAL_RECORD_H

#include "sender/journal.h"

enum { JOURNAL_RECORD_ALIGN = 8 };

/* Appends the record. batch_at: where in its half the batch begins that it is written with. */
enum err journal_record_write(const struct journal_record *record, uint64_t generation, uint32_t batch_at,
			      struct buf *out) MUST_USE;

/* Reads the record at the start of bytes; the views borrow from them. False when there is none of that generation, whole and
 * undamaged. */
bool journal_record_read(struct view bytes, uint64_t generation, struct journal_record *ret_record, size_t *ret_size,
			 uint32_t *ret_batch_at) MUST_USE;

#endif
