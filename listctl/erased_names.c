#include "listctl/erased_names.h"

#include "base/limits.h"
#include "mail/address.h"
#include "mail/address_canonical.h"
#include "store/former_addresses.h"

/* The address as it is compared and, where its domain is of another script, as people read it. */
static void add_spelling(struct erased_names *names, struct view address)
{
	AUTO_BUF readable = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	db_array_add_bytes(&names->spellings, address);
	if (address_unicode(address, &readable))
		db_array_add_bytes(&names->spellings, buf_view(&readable));
}

static enum err add_mailbox(struct erased_names *names, struct erased *erased, struct view key, struct view canonical)
{
	add_spelling(names, key);
	if (canonical.len > 0)
		add_spelling(names, canonical);
	enum err err = erased_text(erased, key, &names->hashes);
	if (err == ERR_OK)
		names->mailboxes++;
	return err;
}

static enum err add_former(struct call *call, struct erased *erased, int64_t id, struct view key,
			   struct erased_names *names)
{
	AUTO_BUF canonical = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_DB_ROWS *rows = NULL;
	struct person_row other;
	if (!address_canonical(key, &canonical))
		buf_reset(&canonical);
	enum err err = people_find(call->db, key, buf_view(&canonical), 0, false, &rows, &other, call->why);
	if (err == ERR_NOT_FOUND || (err == ERR_OK && other.id == id))
		return add_mailbox(names, erased, key, buf_view(&canonical));
	if (err == ERR_OK)
		call_warn(call,
			  "the former address " VIEW_FMT " is that of subscriber #%lld now: what names it stays, and "
			  "it is not kept out",
			  VIEW_ARG(key), (long long)other.id);
	return err;
}

enum err erased_names_read(struct call *call, struct erased *erased, const struct person_row *person, bool with_mailbox,
			   struct erased_names *ret_names)
{
	AUTO_DB_ROWS *former = NULL;
	*ret_names =
	    (struct erased_names){ .spellings = db_array_of(DB_TEXT), .hashes = buf_with_ceiling(LIMIT_OUTPUT_LINE) };
	db_array_add_bytes(&ret_names->spellings, person->address);
	enum err err = add_mailbox(ret_names, erased, person->key, with_mailbox ? person->canonical : VIEW_LIT(""));
	if (err == ERR_OK)
		err = former_addresses_of(call->db, person->id, &former, call->why);
	for (size_t i = 0; err == ERR_OK && i < db_row_count(former); i++)
		err = add_former(call, erased, person->id, former_addresses_get(former, i).key, ret_names);
	return err;
}

void erased_names_done(struct erased_names *names)
{
	db_array_done(&names->spellings);
	buf_done(&names->hashes);
	names->mailboxes = 0;
}

struct view erased_names_hash(const struct erased_names *names, size_t index)
{
	return view_from(names->hashes.data + index * ERASED_HASH_TEXT, ERASED_HASH_TEXT);
}
