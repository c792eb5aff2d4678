#include "listctl/erased.h"

#include <stdlib.h>

#include "base/base32.h"
#include "base/limits.h"
#include "listctl/keys.h"
#include "mail/address_canonical.h"
#include "store/suppressions.h"

static const struct view source_start = { "erase:", 6 };

struct erased {
	struct erasure_maker *maker;
	struct buf source;  /* "erase:" and the key's fingerprint */
	struct buf mailbox; /* the one in hand */
};

static enum err make(struct call *call, struct erased **ret_erased)
{
	struct keyring keyring;
	enum err err = keys_load(call->settings, call->settings_path, &keyring, call->why);
	if (err != ERR_OK)
		return err;
	struct erased *erased = calloc(1, sizeof(*erased));
	err = erased == NULL ? ERR_MEMORY : erasure_maker_new(&keyring, &erased->maker, call->why);
	keyring_wipe(&keyring);
	if (err != ERR_OK) {
		erased_close(erased);
		return err;
	}
	erased->source = buf_with_ceiling(LIMIT_WHY);
	erased->mailbox = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	buf_add(&erased->source, source_start);
	if (!erasure_fingerprint(erased->maker, &erased->source)) {
		erased_close(erased);
		return ERR_MEMORY;
	}
	*ret_erased = erased;
	return ERR_OK;
}

static enum err refuse_foreign(struct call *call)
{
	return call_refuse(
	    call, ERR_REFUSED,
	    "people were erased by another erasure key than that of %s, so that nobody can tell who they are; bring "
	    "the `erasure` line of the former key file back; or if that key never was this installation's: `listctl "
	    "suppress rm --erased-by KEY`, as `suppress ls` shows it behind erase:",
	    call->settings->keys_file);
}

enum err erased_open(struct call *call, struct erased **ret_erased)
{
	bool any, foreign;
	struct erased *erased = NULL;
	*ret_erased = NULL;
	enum err err = suppressions_erased(call->db, VIEW_LIT(""), &any, &foreign, call->why);
	if (err != ERR_OK || !any)
		return err;
	err = make(call, &erased);
	if (err == ERR_NOT_FOUND) {
		buf_reset(call->why);
		return refuse_foreign(call);
	}
	if (err == ERR_OK)
		err = suppressions_erased(call->db, view_skip(erased_source(erased), source_start.len), &any, &foreign,
					  call->why);
	if (err == ERR_OK && foreign)
		err = refuse_foreign(call);
	if (err != ERR_OK) {
		erased_close(erased);
		return err;
	}
	*ret_erased = erased;
	return ERR_OK;
}

enum err erased_open_if_known(struct call *call, struct erased **ret_erased, struct buf *untold)
{
	enum err err = erased_open(call, ret_erased);
	bool no_key = err == ERR_REFUSED || err == ERR_INVALID || err == ERR_DENIED || err == ERR_IO;
	if (!no_key)
		return err;
	buf_add(untold, buf_view(call->why));
	buf_reset(call->why);
	return ERR_OK;
}

enum err erased_open_first(struct call *call, struct erased **ret_erased)
{
	enum err err = erased_open(call, ret_erased);
	return err == ERR_OK && *ret_erased == NULL ? make(call, ret_erased) : err;
}

void erased_close(struct erased *erased)
{
	if (erased == NULL)
		return;
	erasure_maker_free(erased->maker);
	buf_done(&erased->source);
	buf_done(&erased->mailbox);
	free(erased);
}

bool erased_hash(struct erased *erased, struct view key, unsigned char ret_hash[ERASURE_SIZE])
{
	buf_reset(&erased->mailbox);
	bool differs = address_canonical(key, &erased->mailbox);
	return erasure_make(erased->maker, differs ? buf_view(&erased->mailbox) : key, ret_hash);
}

enum err erased_text(struct erased *erased, struct view key, struct buf *hash)
{
	unsigned char bytes[ERASURE_SIZE];
	return erased_hash(erased, key, bytes) ? hex_encode(view_from(bytes, sizeof(bytes)), hash) : ERR_MEMORY;
}

struct view erased_source(const struct erased *erased)
{
	return buf_view(&erased->source);
}
