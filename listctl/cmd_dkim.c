#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "listctl/call.h"
#include "listctl/dkim_files.h"
#include "listctl/dkim_output.h"
#include "mail/address.h"
#include "mail/mailbox_provider.h"
#include "store/audit.h"

/* Receivers and relays verify days after a copy was signed. */
enum { KEEP_RECORD_DAYS = 7 };

/* Behind the selector of the RSA key that is made with it: a name in DNS has the record of one key. */
#define ED25519_SUFFIX "-ed"

static enum err audit_key(struct call *call, const char *action, const struct dkim_key *key)
{
	AUTO_BUF subject = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&subject, "dkim:" VIEW_FMT "/" VIEW_FMT, VIEW_ARG(dkim_key_domain(key)),
		 VIEW_ARG(dkim_key_selector(key)));
	return audit_append(call->db, view_of(call->actor), action, buf_view(&subject), VIEW_LIT(""), call->why);
}

/* The first operand as a domain, and the folder as it is. */
static enum err begin(struct call *call, struct buf *ret_domain, struct dkim_folder *ret_folder)
{
	enum err err = ERR_OK;
	if (call->operand_count > 0)
		err = address_parse_domain(view_of(call->operands[0]), ret_domain, call->why);
	return err != ERR_OK ? err : dkim_folder_load(call->settings->dkim_dir, ret_folder, call->why);
}

/* The key of that kind that signs for exactly this domain; NULL: none. */
static const struct dkim_entry *signing(const struct dkim_folder *folder, struct view domain, enum dkim_kind kind)
{
	for (size_t i = 0; i < folder->count; i++) {
		const struct dkim_entry *entry = &folder->entries[i];
		if (entry->signs && dkim_key_kind(entry->key) == kind && view_eq(dkim_key_domain(entry->key), domain))
			return entry;
	}
	return NULL;
}

/* ---- new ---- */

struct wish {
	bool kinds[DKIM_KIND_COUNT];
	struct buf domain, selectors[DKIM_KIND_COUNT];
};

static struct wish empty_wish(void)
{
	struct wish wish = { .domain = buf_with_ceiling(LIMIT_DOMAIN) };
	for (size_t i = 0; i < DKIM_KIND_COUNT; i++)
		wish.selectors[i] = buf_with_ceiling(LIMIT_WHY);
	return wish;
}

static void wish_done(struct wish *wish)
{
	buf_done(&wish->domain);
	for (size_t i = 0; i < DKIM_KIND_COUNT; i++)
		buf_done(&wish->selectors[i]);
}

static enum err read_kinds(struct call *call, struct wish *wish)
{
	const char *type = call_has(call, "type") ? call_option(call, "type") : "rsa";
	bool both = strcmp(type, "both") == 0;
	for (int kind = 0; kind < DKIM_KIND_COUNT; kind++)
		wish->kinds[kind] = both || strcmp(type, dkim_kind_name((enum dkim_kind)kind)) == 0;
	return wish->kinds[DKIM_RSA] || wish->kinds[DKIM_ED25519]
		   ? ERR_OK
		   : call_misused(call, "--type is rsa, ed25519 or both, not %s", type);
}

/* Named after the day, unless told. */
static enum err name_selectors(struct call *call, struct wish *wish)
{
	char today[sizeof("v20261126")];
	struct tm parts;
	time_t now = (time_t)(clock_wall_us() / CLOCK_US_PER_SECOND);
	gmtime_r(&now, &parts);
	strftime(today, sizeof(today), "v%Y%m%d", &parts);
	const char *given = call_option(call, "selector");
	bool is_second = given == NULL || wish->kinds[DKIM_RSA];
	buf_addf(&wish->selectors[DKIM_RSA], "%s", given == NULL ? today : given);
	buf_addf(&wish->selectors[DKIM_ED25519], "%s%s", given == NULL ? today : given,
		 is_second ? ED25519_SUFFIX : "");
	for (size_t kind = 0; kind < DKIM_KIND_COUNT; kind++) {
		if (!dkim_selector_is_valid(buf_view(&wish->selectors[kind])))
			return call_misused(call,
					    "a selector has letters, digits, hyphens and dots, %d at most; not %s",
					    DKIM_SELECTOR, buf_text(&wish->selectors[kind]));
	}
	return ERR_OK;
}

static enum err check_wish(struct call *call, const struct dkim_folder *folder, struct wish *wish)
{
	struct view domain = buf_view(&wish->domain);
	if (!wish->kinds[DKIM_RSA] && signing(folder, domain, DKIM_RSA) == NULL)
		return call_refuse(call, ERR_REFUSED,
				   VIEW_FMT " has no RSA key, and many receivers know no Ed25519: mail signed with it "
					    "alone is unsigned to them; say --type both",
				   VIEW_ARG(domain));
	for (size_t kind = 0; kind < DKIM_KIND_COUNT; kind++) {
		if (wish->kinds[kind] && dkim_folder_named(folder, domain, buf_view(&wish->selectors[kind])) != NULL)
			return call_refuse(call, ERR_REFUSED,
					   VIEW_FMT " has had a key with the selector %s, and verifiers may still "
						    "know that; choose another with --selector",
					   VIEW_ARG(domain), buf_text(&wish->selectors[kind]));
	}
	return ERR_OK;
}

static enum err make_one(struct call *call, const struct wish *wish, enum dkim_kind kind)
{
	struct dkim_key *key = NULL;
	enum err err = dkim_key_make(kind, buf_view(&wish->domain), buf_view(&wish->selectors[kind]), &key);
	if (err != ERR_OK)
		return err;
	err = dkim_files_add(call->settings->dkim_dir, key, clock_wall_us(), call->why);
	if (err == ERR_OK)
		err = audit_key(call, "dkim.new", key);
	dkim_key_done(key);
	return err;
}

/* before: as the folder was. */
static void say_what_next(struct call *call, const struct dkim_folder *before, const struct wish *wish)
{
	const char *domain = call->operands[0];
	bool waits = false;
	for (int kind = 0; kind < DKIM_KIND_COUNT; kind++) {
		const struct dkim_entry *older = signing(before, buf_view(&wish->domain), (enum dkim_kind)kind);
		if (!wish->kinds[kind] || older == NULL)
			continue;
		waits = true;
		call_note(call,
			  "the %s key " VIEW_FMT
			  " goes on signing; when the new record is published everywhere: `listctl "
			  "dkim retire %s " VIEW_FMT "`",
			  dkim_kind_name((enum dkim_kind)kind), VIEW_ARG(dkim_key_selector(older->key)), domain,
			  VIEW_ARG(dkim_key_selector(older->key)));
	}
	if (!waits)
		call_note(call,
			  "publish the record first, copy %s to every host that runs sender, then restart sender: from "
			  "then on it signs",
			  call->settings->dkim_dir);
}

static enum err show_made(struct call *call, const struct wish *wish)
{
	struct view selectors[DKIM_KIND_COUNT];
	size_t count = 0;
	struct dkim_folder folder;
	for (size_t kind = 0; kind < DKIM_KIND_COUNT; kind++) {
		if (wish->kinds[kind])
			selectors[count++] = buf_view(&wish->selectors[kind]);
	}
	enum err err = dkim_folder_load(call->settings->dkim_dir, &folder, call->why);
	if (err != ERR_OK)
		return err;
	err = dkim_output_write(call, &folder, buf_view(&wish->domain), selectors, count);
	dkim_folder_done(&folder);
	return err;
}

static enum err make_keys(struct call *call, const struct dkim_folder *before, struct wish *wish)
{
	if (mailbox_provider_has(buf_view(&wish->domain)))
		return call_refuse(call, ERR_REFUSED,
				   "%s is a domain " MAILBOX_PROVIDER_REASON "; " MAILBOX_PROVIDER_REMEDY,
				   call->operands[0]);
	enum err err = read_kinds(call, wish);
	if (err == ERR_OK)
		err = name_selectors(call, wish);
	if (err == ERR_OK)
		err = check_wish(call, before, wish);
	for (int kind = 0; err == ERR_OK && kind < DKIM_KIND_COUNT; kind++) {
		if (wish->kinds[kind])
			err = make_one(call, wish, (enum dkim_kind)kind);
	}
	if (err == ERR_OK)
		err = show_made(call, wish);
	if (err == ERR_OK)
		say_what_next(call, before, wish);
	return err;
}

static enum err new_key(struct call *call)
{
	struct wish wish = empty_wish();
	struct dkim_folder before = { 0 };
	enum err err = begin(call, &wish.domain, &before);
	if (err == ERR_OK)
		err = make_keys(call, &before, &wish);
	dkim_folder_done(&before);
	wish_done(&wish);
	return err;
}

/* ---- show, retire ---- */

static enum err show(struct call *call)
{
	AUTO_BUF domain = buf_with_ceiling(LIMIT_DOMAIN);
	struct dkim_folder folder = { 0 };
	enum err err = begin(call, &domain, &folder);
	if (err == ERR_OK)
		err = dkim_output_write(call, &folder, buf_view(&domain), NULL, 0);
	dkim_folder_done(&folder);
	return err;
}

/* Whether another RSA key of its domain is in use, or it is none itself. */
static bool can_go(const struct dkim_folder *folder, const struct dkim_key *key)
{
	bool can = dkim_key_kind(key) != DKIM_RSA;
	for (size_t i = 0; i < folder->count; i++) {
		const struct dkim_entry *other = &folder->entries[i];
		can = can || (other->key != key && !other->is_retired && dkim_key_kind(other->key) == DKIM_RSA &&
			      view_eq(dkim_key_domain(other->key), dkim_key_domain(key)));
	}
	return can;
}

static enum err retire_in(struct call *call, const struct dkim_folder *folder, struct view domain)
{
	const struct dkim_entry *entry = dkim_folder_named(folder, domain, view_of(call->operands[1]));
	if (entry == NULL || entry->is_retired)
		return call_refuse(call, ERR_NOT_FOUND,
				   VIEW_FMT " has no key in use with the selector %s; `listctl dkim show` shows them",
				   VIEW_ARG(domain), call->operands[1]);
	if (!can_go(folder, entry->key) && !call_has(call, "force"))
		return call_refuse(call, ERR_REFUSED,
				   "it is the only RSA key of " VIEW_FMT
				   ": without it mail from there is not signed; make "
				   "another first (`listctl dkim new " VIEW_FMT "`), or say --force",
				   VIEW_ARG(domain), VIEW_ARG(domain));
	enum err err = dkim_files_retire(call->settings->dkim_dir, entry->key, call->why);
	if (err == ERR_OK)
		err = audit_key(call, "dkim.retire", entry->key);
	if (err != ERR_OK)
		return err;
	struct view selector = dkim_key_selector(entry->key);
	call_note(call,
		  "key " VIEW_FMT " of " VIEW_FMT
		  " is retired; do so on every host that runs sender (copy %s), then restart "
		  "sender there: until then it goes on signing with it",
		  VIEW_ARG(selector), VIEW_ARG(domain), call->settings->dkim_dir);
	call_note(
	    call,
	    "leave its record in DNS for at least %d days after that, and as long as relays keep trying: what it has "
	    "signed is still on its way. Then revoke it: " VIEW_FMT "._domainkey." VIEW_FMT ". IN TXT \"v=DKIM1; p=\"",
	    KEEP_RECORD_DAYS, VIEW_ARG(selector), VIEW_ARG(domain));
	return ERR_OK;
}

static enum err retire(struct call *call)
{
	AUTO_BUF domain = buf_with_ceiling(LIMIT_DOMAIN);
	struct dkim_folder folder = { 0 };
	enum err err = begin(call, &domain, &folder);
	if (err == ERR_OK)
		err = retire_in(call, &folder, buf_view(&domain));
	dkim_folder_done(&folder);
	return err;
}

static const struct command_option new_options[] = {
	{ "selector", "NAME", "its name in DNS, instead of one after the day" },
	{ "type", "rsa|ed25519|both", "RSA of 2048 bits (unless told), an Ed25519 key beside it, or both" },
	{ NULL, NULL, NULL },
};

static const struct command_option retire_options[] = {
	{ "force", NULL, "even when mail from there goes unsigned then" },
	{ NULL, NULL, NULL },
};

const struct command dkim_commands[] = {
	{
	    .noun = "dkim",
	    .verb = "new",
	    .operands = "DOMAIN",
	    .help = "make a key that signs mail from a domain, and show its DNS record",
	    .details = "The key is a file in the folder dkim.dir. Mail from the domain, and from domains below\n"
		       "it that have no keys of their own, is signed with its oldest RSA key, and its oldest\n"
		       "Ed25519 key beside it: a new key waits until the older one is retired, so that its\n"
		       "record can be published before. With both, the Ed25519 key's selector ends in -ed.\n"
		       "sender reads the keys at its start; each host that runs it has a copy of the folder.\n",
	    .options = new_options,
	    .least = 1,
	    .most = 1,
	    .needs = NEEDS_DATABASE,
	    .run = new_key,
	},
	{
	    .noun = "dkim",
	    .verb = "show",
	    .operands = "[DOMAIN]",
	    .help = "show the keys of DKIM and the DNS records to publish",
	    .details = "States: signing; waiting (an older key of its kind signs); alone (an Ed25519 key of a\n"
		       "domain without an RSA key, which is not used); retired.\n",
	    .most = 1,
	    .needs = NEEDS_SETTINGS,
	    .run = show,
	},
	{
	    .noun = "dkim",
	    .verb = "retire",
	    .operands = "DOMAIN SELECTOR",
	    .help = "stop signing with a key: the next one of its kind takes over",
	    .options = retire_options,
	    .least = 2,
	    .most = 2,
	    .needs = NEEDS_DATABASE,
	    .run = retire,
	},
	{ 0 },
};
