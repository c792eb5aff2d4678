#include "sender/setup.h"

#include <string.h>
#include <unistd.h>

#include <netdb.h>

#include "base/clock.h"
#include "mail/verp.h"
#include "sender/files.h"
#include "sender/journal.h"
#include "store/key_file.h"
#include "store/rules_file.h"
#include "store/storm_terms.h"

static const struct settings_range ranges[] = {
	{ "relay.port", 1, 65535 },
	{ "relay.connections", 1, SETUP_CONNECTIONS_MOST },
	{ "relay.messages_per_connection", 1, UINT32_MAX },
	{ "relay.in_flight", 1, LIMIT_IN_FLIGHT },
	{ "relay.connect_timeout", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "relay.reply_timeout", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "relay.data_timeout", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "relay.final_timeout", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "relay.retry", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "storm.window", STORM_WINDOW_LEAST_US, STORM_WINDOW_MOST_US },
	{ "storm.least", 1, STORM_SAMPLE },
	{ "storm.share", 0, 1000 },
	{ "sender.workers", 0, SETUP_WORKERS_MOST },
	{ "sender.window", 1, SETUP_WINDOW_MOST },
	{ "sender.lease", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "sender.poll", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "sender.expire", CLOCK_US_PER_SECOND, UINT64_MAX },
	{ "journal.size", 0, UINT32_MAX },
};

static enum err check_journal(const struct settings *settings, const char *path, struct buf *why)
{
	/* On each connection so many are in flight, and one more is begun. */
	uint64_t least = journal_least_size((settings->relay_in_flight + 1) * settings->relay_connections);
	if (settings->journal_size < least) {
		buf_addf(why,
			 "%s: journal.size must be at least %llu octets for relay.connections = %llu and "
			 "relay.in_flight = %llu",
			 path, (unsigned long long)least, (unsigned long long)settings->relay_connections,
			 (unsigned long long)settings->relay_in_flight);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err check_files(const struct settings *settings, const char *path, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = files_reserve(settings->relay_connections, &cause);
	if (err != ERR_OK)
		buf_addf(why, "%s: relay.connections: " VIEW_FMT, path, VIEW_ARG(buf_view(&cause)));
	return err;
}

static enum err check_names(const struct settings *settings, const char *path, struct buf *why)
{
	if (!verp_prefix_is_valid(view_of(settings->bounce_prefix)))
		buf_addf(why, "%s: bounce.prefix must be 1 to 5 letters and digits, not \"%s\"", path,
			 settings->bounce_prefix);
	else if (!verp_domain_is_valid(view_of(settings->bounce_domain)))
		buf_addf(why, "%s: bounce.domain must be a domain in its ASCII form, not \"%s\"", path,
			 settings->bounce_domain);
	else if (view_find_byte(view_of(settings->relay_helo), ' ') != VIEW_NONE)
		buf_addf(why, "%s: relay.helo must be a domain, not \"%s\"", path, settings->relay_helo);
	else
		return ERR_OK;
	return ERR_INVALID;
}

static enum err check(const struct setup *setup, const char *path, struct buf *why)
{
	static const char *const required[] = { "keys.file", "bounce.domain", "relay.host", "journal.dir" };
	const struct settings *settings = &setup->settings;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(required); i++)
		err = settings_require(settings, required[i], path, why);
	if (err == ERR_OK)
		err = settings_check(settings, ranges, ARRAY_LEN(ranges), path, why);
	if (err == ERR_OK)
		err = check_journal(settings, path, why);
	if (err == ERR_OK)
		err = check_files(settings, path, why);
	if (err == ERR_OK)
		err = check_names(settings, path, why);
	if (err == ERR_OK && access(settings->journal_dir, R_OK | W_OK | X_OK) != 0) {
		buf_addf(why, "%s: journal.dir %s is no folder that sender may write to; make it, or set another", path,
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
	setup->notify_delay = strcmp(settings->relay_notify, "failure,delay") == 0;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	setup->workers = (unsigned)settings->sender_workers;
	if (setup->workers == 0)
		setup->workers = cores < 1 ? 1 : cores > SETUP_WORKERS_MOST ? SETUP_WORKERS_MOST : (unsigned)cores;
	return retry_parse(view_of(settings->sender_retry_after), settings->sender_expire, &setup->retry, why);
}

static enum err load_rules(struct setup *setup, struct buf *why)
{
	const char *path = setup->settings.bounce_rules;
	struct classifier *classifier = NULL;
	setup->rules = buf_with_ceiling(LIMIT_RULES_FILE);
	enum err err = rules_file_read(path, &setup->rules, why);
	if (err == ERR_OK)
		err = rules_file_make(buf_view(&setup->rules), path, &classifier, why);
	classifier_done(classifier); /* each worker makes its own */
	return err;
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
	if (err == ERR_OK)
		err = dkim_folder_load(setup.settings.dkim_dir, &setup.dkim, why);
	if (err == ERR_OK)
		err = load_rules(&setup, why);
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
	dkim_folder_done(&setup->dkim);
	buf_done(&setup->rules);
	settings_done(&setup->settings);
}

const char *setup_conninfo(const struct setup *setup)
{
	const struct settings *settings = &setup->settings;
	return *settings->database_sender == '\0' ? settings->database_conninfo : settings->database_sender;
}
