#include "bounced/setup.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/verp.h"
#include "store/key_file.h"
#include "store/rules_file.h"
#include "store/storm_terms.h"

static const char *const required[] = { "keys.file", "bounce.domain" };

#define DAY_US ((uint64_t)CLOCK_US_PER_DAY)
/* Far from where an old token would look young: days wrap around at 65536 in it. */
#define LONGEST_LIFE_US ((uint64_t)SETTINGS_DURATION_MOST_US)

static const struct settings_range ranges[] = {
	{ "bounce.token_life", DAY_US, LONGEST_LIFE_US },
	{ "bounce.inside_life", DAY_US, LONGEST_LIFE_US },
	{ "bounce.window", 0, LONGEST_LIFE_US },
	{ "storm.window", STORM_WINDOW_LEAST_US, STORM_WINDOW_MOST_US },
	{ "storm.least", 1, STORM_SAMPLE },
	{ "storm.share", 0, 1000 },
	{ "bounced.max_connections", 1, 100000 },
	{ "bounced.max_per_network", 1, 100000 },
	{ "bounced.max_recipients", 1, 10000 },
	{ "bounced.max_message", LIMIT_INTAKE_HEAD, 64 << 20 },
	{ "bounced.idle_timeout", CLOCK_US_PER_SECOND, LONGEST_LIFE_US },
	{ "bounced.session_timeout", CLOCK_US_PER_SECOND, LONGEST_LIFE_US },
	{ "bounced.commit_timeout", CLOCK_US_PER_SECOND, LONGEST_LIFE_US },
	{ "bounced.parse_timeout", CLOCK_US_PER_SECOND, LONGEST_LIFE_US },
	{ "bounced.parsers", 1, 64 },
};

static enum err check_names(struct setup *setup, struct buf *why)
{
	const struct settings *settings = &setup->settings;
	if (!verp_prefix_is_valid(view_of(settings->bounce_prefix))) {
		buf_addf(why, "%s sets bounce.prefix to \"%s\", which is not 1 to 5 letters and digits", setup->path,
			 settings->bounce_prefix);
		return ERR_INVALID;
	}
	if (!verp_domain_is_valid(view_of(settings->bounce_domain))) {
		buf_addf(why, "%s sets bounce.domain to \"%s\", which is not a domain in its ASCII form", setup->path,
			 settings->bounce_domain);
		return ERR_INVALID;
	}
	if (!verp_domain_is_valid(view_of(setup->hostname))) {
		buf_addf(why, "\"%s\" cannot be greeted with; set bounced.hostname in %s", setup->hostname,
			 setup->path);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err take_hostname(struct setup *setup, struct buf *why)
{
	const char *name = setup->settings.bounced_hostname;
	if (*name == '\0' && gethostname(setup->hostname, sizeof(setup->hostname) - 1) != 0) {
		buf_addf(why, "this host has no name; set bounced.hostname in %s", setup->path);
		return ERR_INVALID;
	}
	if (strlen(name) >= sizeof(setup->hostname)) {
		buf_addf(why, "%s sets bounced.hostname to more than a host name can be", setup->path);
		return ERR_INVALID;
	}
	if (*name != '\0')
		memcpy(setup->hostname, name, strlen(name) + 1);
	return ERR_OK;
}

static bool is_address(struct view word)
{
	size_t at = view_find_last_byte(word, '@');
	return at != VIEW_NONE && at > 0 && word.len <= LIMIT_ADDRESS && view_is_utf8(word) &&
	       !view_has_control(word) && verp_domain_is_valid(view_skip(word, at + 1));
}

static enum err take_networks(const struct setup *setup, const char *name, const char *text,
			      struct networks **ret_networks, struct buf *why)
{
	AUTO_BUF cause = buf_with_ceiling(LIMIT_WHY);
	enum err err = networks_parse(view_of(text), ret_networks, &cause);
	if (err != ERR_OK)
		buf_addf(why, "%s, %s: " VIEW_FMT, setup->path, name, VIEW_ARG(buf_view(&cause)));
	return err;
}

/* Addresses that anybody may write to would let anybody play with tokens. */
static enum err take_report_addresses(struct setup *setup, struct buf *why)
{
	const struct settings *settings = &setup->settings;
	struct view words = view_of(settings->bounced_report_addresses), word;
	enum err err = take_networks(setup, "bounced.report_networks", settings->bounced_report_networks,
				     &setup->report_networks, why);
	if (err != ERR_OK)
		return err;
	while (view_cut(&words, ' ', &word)) {
		if (word.len == 0 || is_address(word))
			continue;
		buf_addf(why, "%s, bounced.report_addresses: \"" VIEW_FMT "\" is no address", setup->path,
			 VIEW_ARG(word));
		return ERR_INVALID;
	}
	if (*settings->bounced_report_addresses != '\0' && networks_are_none(setup->report_networks)) {
		buf_addf(why, "%s sets bounced.report_addresses; set bounced.report_networks too, who may write there",
			 setup->path);
		return ERR_INVALID;
	}
	return ERR_OK;
}

enum err setup_reload_tls(struct setup *setup, struct buf *why)
{
	const struct settings *settings = &setup->settings;
	const struct tls_server_options options = { settings->bounced_tls_certificate, settings->bounced_tls_key };
	struct tls_context *tls;
	if (*options.certificate_file == '\0' && *options.key_file == '\0')
		return ERR_OK;
	if (*options.certificate_file == '\0' || *options.key_file == '\0') {
		buf_addf(why, "%s sets one of bounced.tls_certificate and bounced.tls_key; set both or none",
			 setup->path);
		return ERR_INVALID;
	}
	enum err err = tls_server_new(&options, &tls, why);
	if (err != ERR_OK)
		return err;
	tls_context_done(setup->tls);
	setup->tls = tls;
	return ERR_OK;
}

enum err setup_reload_rules(struct setup *setup, struct buf *why)
{
	const char *path = setup->settings.bounce_rules;
	struct buf text = buf_with_ceiling(LIMIT_RULES_FILE);
	struct classifier *classifier = NULL;
	enum err err = rules_file_read(path, &text, why);
	if (err == ERR_OK)
		err = rules_file_make(buf_view(&text), path, &classifier, why);
	classifier_done(classifier); /* the nurseries make their own of the text */
	if (err != ERR_OK) {
		buf_done(&text);
		return err;
	}
	buf_done(&setup->rules);
	setup->rules = text;
	return ERR_OK;
}

static enum err check_all(struct setup *setup, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		enum err err = settings_require(&setup->settings, required[i], setup->path, why);
		if (err != ERR_OK)
			return err;
	}
	enum err err = settings_check(&setup->settings, ranges, ARRAY_LEN(ranges), setup->path, why);
	if (err == ERR_OK)
		err = take_hostname(setup, why);
	if (err == ERR_OK)
		err = rights_find(&setup->settings, &setup->rights, why);
	if (err == ERR_OK)
		err = check_names(setup, why);
	if (err == ERR_OK)
		err = take_report_addresses(setup, why);
	if (err == ERR_OK)
		err = take_networks(setup, "bounced.proxy_networks", setup->settings.bounced_proxy_networks,
				    &setup->proxy_networks, why);
	if (err == ERR_OK)
		err = setup_reload_tls(setup, why);
	if (err == ERR_OK)
		err = setup_reload_rules(setup, why);
	if (err == ERR_OK)
		err = key_file_load(setup->settings.keys_file, &setup->keyring, why);
	return err;
}

enum err setup_load(struct setup *ret_setup, struct buf *why)
{
	enum err err = settings_load(ret_setup->path, &ret_setup->settings, why);
	if (err != ERR_OK)
		return err;
	err = check_all(ret_setup, why);
	if (err != ERR_OK)
		setup_done(ret_setup);
	return err;
}

void setup_done(struct setup *setup)
{
	keyring_wipe(&setup->keyring);
	networks_done(setup->report_networks);
	networks_done(setup->proxy_networks);
	tls_context_done(setup->tls);
	buf_done(&setup->rules);
	setup->report_networks = setup->proxy_networks = NULL;
	setup->tls = NULL;
	settings_done(&setup->settings);
}

enum err setup_reload_keys(struct setup *setup, struct buf *why)
{
	struct keyring fresh;
	enum err err = key_file_load(setup->settings.keys_file, &fresh, why);
	if (err != ERR_OK)
		return err;
	if (strcmp(fresh.instance, setup->keyring.instance) != 0) {
		buf_addf(why, "%s names another database instance; restart bounced to change it",
			 setup->settings.keys_file);
		keyring_wipe(&fresh);
		return ERR_INVALID;
	}
	setup->keyring = fresh;
	keyring_wipe(&fresh);
	return ERR_OK;
}
