/* Rows of an import that wait to be sent together: in the order of their keys, so that the server finds and adds them page after page instead
 * of all over its indexes, and with those marked that are the same person's. */
#ifndef STORE_IMPORT_BATCH_H
#define STORE_IMPORT_BATCH_H

#include "store/import_filter.h"
#include "store/subscriber_import.h"

/* Full at so many rows (at most LIMIT_IMPORT_ROWS, which 0 means too) or LIMIT_IMPORT_BATCH octets. */
struct import_batch;
struct import_batch *import_batch_new(size_t most); /* NULL: no memory */
void import_batch_free(struct import_batch *batch);
/* ERR_TOO_BIG: full, or the row alone is beyond measure. The row's views are copied. position: of the row in the file. */
enum err import_batch_add(struct import_batch *batch, const struct subscriber_row *row, uint64_t position) MUST_USE;
void import_batch_clear(struct import_batch *batch);

size_t import_batch_count(const struct import_batch *batch);
/* Sorts, and says whether a person (by canonical form) stands in it more than once. */
bool import_batch_sort(struct import_batch *batch);
/* Marks as fresh those whose key and canonical form the filter has not met, and adds them to it. Of a sorted batch those are plain who are fresh,
 * stand in it once, say nothing of consent, and whose domain and erasure the filter has not met either: whoever is plain is new, whatever else
 * there is. Returns how many. */
size_t import_batch_mark(struct import_batch *batch, struct import_filter *filter);
/* Nobody is plain any more. */
void import_batch_take_back(struct import_batch *batch);
bool import_batch_has_canonicals(const struct import_batch *batch);
bool import_batch_has_consents(const struct import_batch *batch);
/* An attribute may be a list or an object; never false where one is. */
bool import_batch_has_nested(const struct import_batch *batch);

/* Sends the rows that are not plain with this COPY, which takes position, address, address_key, canonical, name, attributes, consent_source,
 * consent_at, erased, twice and fresh in the binary format. ERR as db_copy_begin(). */
enum err import_batch_send(const struct import_batch *batch, struct db *db, const struct db_statement *copy,
			   struct buf *why) MUST_USE;
/* The plain ones, with the ids from first_id on in their order; the COPY takes id, address, address_key, canonical, name and attributes. */
enum err import_batch_send_plain(const struct import_batch *batch, struct db *db, const struct db_statement *copy,
				 int64_t first_id, struct buf *why) MUST_USE;

#endif
