#include "listctl/signing.h"

#include "base/limits.h"
#include "mail/address.h"
#include "store/dkim_folder.h"

/* What is wrong; false: it is signed. */
static bool is_unsigned(const struct settings *settings, struct view from_address, struct buf *ret_cause)
{
	struct dkim_folder folder = { 0 };
	struct dkim_key *keys[DKIM_SIGNATURES];
	struct view domain = address_domain(from_address);
	if (dkim_folder_load(settings->dkim_dir, &folder, ret_cause) != ERR_OK)
		return true;
	size_t count = dkim_folder_find(&folder, domain, keys);
	if (count == 0)
		buf_addf(ret_cause, "%s has no keys for " VIEW_FMT "; `listctl dkim new " VIEW_FMT "` makes them",
			 settings->dkim_dir, VIEW_ARG(domain), VIEW_ARG(domain));
	dkim_folder_done(&folder);
	return count == 0;
}

enum err signing_check(struct call *call, struct view from_address)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	if (!is_unsigned(call->settings, from_address, &cause))
		return ERR_OK;
	if (call->settings->dkim_required)
		return call_refuse(call, ERR_REFUSED, "it would not be signed, and dkim.required is set: %s",
				   buf_text(&cause));
	call_warn(call, "it will not be signed, and large receivers refuse bulk mail without DKIM: %s",
		  buf_text(&cause));
	return ERR_OK;
}

void signing_describe(const struct settings *settings, struct view from_address, struct buf *out)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	struct dkim_folder folder = { 0 };
	struct dkim_key *keys[DKIM_SIGNATURES];
	if (is_unsigned(settings, from_address, &cause)) {
		buf_addf(out, "nobody: %s", buf_text(&cause));
		return;
	}
	size_t count = dkim_folder_load(settings->dkim_dir, &folder, &cause) == ERR_OK
			   ? dkim_folder_find(&folder, address_domain(from_address), keys)
			   : 0;
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			buf_add(out, dkim_key_domain(keys[i]));
		buf_addf(out, "%s%s " VIEW_FMT "%s", i == 0 ? " (" : ", ", dkim_kind_name(dkim_key_kind(keys[i])),
			 VIEW_ARG(dkim_key_selector(keys[i])), i + 1 == count ? ")" : "");
	}
	dkim_folder_done(&folder);
}
