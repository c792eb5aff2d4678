#include "sender/setup.h"

#include <string.h>
#include <unistd.h>

#include <netdb.h>

#include "mail/verp.h"
#include "sender/journal.h"
#include "store/key_file.h"

/* Settings that count something, and between which numbers. */
struct range {
	const char *name;
	size_t offset;
	uint64_t least, most;
};

static const struct range ranges[] = {
	{ "relay.port", offsetof(struct settings, relay_port), 1, 65535 },
	{ "relay.connections", offsetof(struct settings, relay_connections), 1, SETUP_CONNECTIONS_MOST },
	{ "relay.messages_per_connection", offsetof(struct settings, relay_messages_per_connection), 1, UINT32_MAX },
	{ "relay.in_flight", offsetof(struct settings, relay_in_flight), 1, 1 },
	{ "sender.workers", offsetof(struct settings, sender_workers), 0, SETUP_WORKERS_MOST },
	{ "sender.window", offsetof(struct settings, sender_window), 1, SETUP_WINDOW_MOST },
};

static enum err check_ranges(const struct settings *settings, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		const struct range *range = &ranges[i];
		uint64_t value;
		memcpy(&value, (const char *)settings + range->offset, sizeof(value));
		if (value >= range->least && value <= range->most)
			continue;
		buf_addf(why, "%s must be between %llu and %llu, not %llu", range->name,
			 (unsigned long long)range->least, (unsigned long long)range->most, (unsigned long long)value);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err check_times(const struct settings *settings, struct buf *why)
{
	const struct {
		const char *name;
		int64_t value;
	} times[] = {
		{ "relay.connect_timeout", settings->relay_connect_timeout },
		{ "relay.reply_timeout", settings->relay_reply_timeout },
		{ "relay.data_timeout", settings->relay_data_timeout },
		{ "relay.final_timeout", settings->relay_final_timeout },
		{ "relay.retry", settings->relay_retry },
		{ "sender.lease", settings->sender_lease },
		{ "sender.poll", settings->sender_poll },
		{ "sender.expire", settings->sender_expire },
	};
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		if (times[i].value == 0) {
			buf_addf(why, "%s must be at least 1s", times[i].name);
			return ERR_INVALID;
		}
	}
	return ERR_OK;
}

static enum err check_journal(const struct settings *settings, struct buf *why)
{
	uint64_t least = journal_least_size(2 * settings->relay_connections);
	if (settings->journal_size < least) {
		buf_addf(why, "journal.size must be at least %llu octets for sender.window = %llu",
			 (unsigned long long)least, (unsigned long long)settings->sender_window);
		return ERR_INVALID;
	}
	if (settings->journal_size > UINT32_MAX) {
		buf_addf(why, "journal.size must be less than 4G");
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err check(const struct setup *setup, const char *path, struct buf *why)
{
	static const char *const required[] = { "keys.file", "bounce.domain", "relay.host", "journal.dir" };
	const struct settings *settings = &setup->settings;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(required); i++)
		err = settings_require(settings, required[i], path, why);
	if (err == ERR_OK)
		err = check_ranges(settings, why);
	if (err == ERR_OK)
		err = check_times(settings, why);
	if (err == ERR_OK)
		err = check_journal(settings, why);
	if (err == ERR_OK && !verp_prefix_is_valid(view_of(settings->bounce_prefix))) {
		buf_addf(why, "bounce.prefix must be 1 to 5 letters or digits");
		err = ERR_INVALID;
	}
	if (err == ERR_OK && access(settings->journal_dir, R_OK | W_OK | X_OK) != 0) {
		buf_addf(why, "journal.dir %s is no folder that sender may write to; make it, or set another",
			 settings->journal_dir);
		err = ERR_DENIED;
	}
	return err;
}

/* The name that the resolver knows this host by, with its domain; else the bare one. */
static void name_host(char ret_name[LIMIT_DOMAIN + 1])
{
	struct addrinfo *found = NULL;
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
	if (gethostname(ret_name, LIMIT_DOMAIN + 1) != 0 || *ret_name == '\0')
		memcpy(ret_name, "localhost", sizeof("localhost"));
	ret_name[LIMIT_DOMAIN] = '\0';
	if (getaddrinfo(ret_name, NULL, &hints, &found) != 0)
		return;
	if (found->ai_canonname != NULL && strlen(found->ai_canonname) <= LIMIT_DOMAIN)
		memcpy(ret_name, found->ai_canonname, strlen(found->ai_canonname) + 1);
	freeaddrinfo(found);
}

static enum err derive(struct setup *setup, struct buf *why)
{
	const struct settings *settings = &setup->settings;
	name_host(setup->host);
	const char *helo = *settings->relay_helo == '\0' ? setup->host : settings->relay_helo;
	snprintf(setup->helo, sizeof(setup->helo), "%s", helo);
	snprintf(setup->relay, sizeof(setup->relay), "%s:%llu", settings->relay_host,
		 (unsigned long long)settings->relay_port);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	setup->workers = (unsigned)settings->sender_workers;
	if (setup->workers == 0)
		setup->workers = cores < 1 ? 1 : cores > SETUP_WORKERS_MOST ? SETUP_WORKERS_MOST : (unsigned)cores;
	return retry_parse(view_of(settings->sender_retry_after), settings->sender_expire, &setup->retry, why);
}

enum err setup_load(const char *path, bool unsafe, struct setup *ret_setup, struct buf *why)
{
	struct setup setup = { .unsafe = unsafe };
	enum err err = settings_load(path, &setup.settings, why);
	if (err == ERR_OK)
		err = check(&setup, path, why);
	if (err == ERR_OK)
		err = derive(&setup, why);
	if (err == ERR_OK)
		err = key_file_load(setup.settings.keys_file, &setup.keyring, why);
	if (err != ERR_OK) {
		setup_done(&setup);
		return err;
	}
	*ret_setup = setup;
	return ERR_OK;
}

void setup_done(struct setup *setup)
{
	keyring_wipe(&setup->keyring);
	settings_done(&setup->settings);
}

const char *setup_conninfo(const struct setup *setup)
{
	const struct settings *settings = &setup->settings;
	return *settings->database_sender == '\0' ? settings->database_conninfo : settings->database_sender;
}
