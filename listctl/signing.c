#include "listctl/signing.h"

#include "base/limits.h"
#include "mail/address.h"
#include "mail/mailbox_provider.h"
#include "store/dkim_folder.h"

struct found {
	struct dkim_folder folder;
	struct dkim_key *keys[DKIM_SIGNATURES]; /* of the folder */
	size_t count;
};

/* Who may write campaigns need not be somebody who may read keys. */
static enum err find(const struct settings *settings, struct view from_address, struct found *ret_found,
		     struct buf *cause)
{
	struct view domain = address_domain(from_address);
	enum err err = dkim_folder_load(settings->dkim_dir, &ret_found->folder, cause);
	if (err != ERR_OK)
		return err;
	ret_found->count = dkim_folder_find(&ret_found->folder, domain, ret_found->keys);
	if (ret_found->count == 0 && mailbox_provider_has(domain))
		buf_addf(cause, "only the provider of " VIEW_FMT " can sign for it; send from a domain of your own",
			 VIEW_ARG(domain));
	else if (ret_found->count == 0)
		buf_addf(cause, "%s has no keys for " VIEW_FMT "; `listctl dkim new " VIEW_FMT "` makes them",
			 settings->dkim_dir, VIEW_ARG(domain), VIEW_ARG(domain));
	return ERR_OK;
}

enum err signing_check(struct call *call, struct view from_address)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	struct found found = { 0 };
	enum err err = ERR_OK;
	if (find(call->settings, from_address, &found, &cause) != ERR_OK)
		call_warn(call, "whether it will be signed cannot be told here: %s", buf_text(&cause));
	else if (found.count == 0 && call->settings->dkim_required)
		err = call_refuse(call, ERR_REFUSED, "it would not be signed, and dkim.required is set: %s",
				  buf_text(&cause));
	else if (found.count == 0)
		call_warn(call, "it will not be signed, and large receivers refuse bulk mail without DKIM: %s",
			  buf_text(&cause));
	dkim_folder_done(&found.folder);
	return err;
}

static void add_keys(const struct found *found, struct buf *out)
{
	buf_add(out, dkim_key_domain(found->keys[0]));
	for (size_t i = 0; i < found->count; i++)
		buf_addf(out, "%s%s " VIEW_FMT, i == 0 ? " (" : ", ", dkim_kind_name(dkim_key_kind(found->keys[i])),
			 VIEW_ARG(dkim_key_selector(found->keys[i])));
	buf_add_byte(out, ')');
}

void signing_describe(const struct settings *settings, struct view from_address, struct buf *out)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	struct found found = { 0 };
	if (find(settings, from_address, &found, &cause) != ERR_OK)
		buf_addf(out, "unknown here: %s", buf_text(&cause));
	else if (found.count == 0)
		buf_addf(out, "nobody: %s", buf_text(&cause));
	else
		add_keys(&found, out);
	dkim_folder_done(&found.folder);
}

bool signing_domain(const struct settings *settings, struct view from_address, struct buf *ret_domain)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	struct found found = { 0 };
	bool known = find(settings, from_address, &found, &cause) == ERR_OK;
	if (known && found.count > 0)
		buf_add(ret_domain, dkim_key_domain(found.keys[0]));
	dkim_folder_done(&found.folder);
	return known;
}
