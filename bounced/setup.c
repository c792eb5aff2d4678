#include "bounced/setup.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/verp.h"
#include "store/key_file.h"

/* Days wrap around at 65536 in a token: beyond this an old one would look young. */
enum { LONGEST_LIFE_DAYS = 20000 };

static const char *const required[] = { "keys.file", "bounce.domain" };

struct range {
	const char *name;
	uint64_t value, least, most;
};

static enum err check_ranges(const struct settings *settings, const char *path, struct buf *why)
{
	const uint64_t day = CLOCK_US_PER_DAY, most_time = LONGEST_LIFE_DAYS * day, most_octets = 64 << 20;
	const struct range ranges[] = {
		{ "bounce.token_life", (uint64_t)settings->bounce_token_life, day, most_time },
		{ "bounce.inside_life", (uint64_t)settings->bounce_inside_life, day, most_time },
		{ "bounce.window", (uint64_t)settings->bounce_window, 0, most_time },
		{ "bounced.max_connections", settings->bounced_max_connections, 1, 100000 },
		{ "bounced.max_per_network", settings->bounced_max_per_network, 1, 100000 },
		{ "bounced.max_recipients", settings->bounced_max_recipients, 1, 10000 },
		{ "bounced.max_message", settings->bounced_max_message, LIMIT_INTAKE_HEAD, most_octets },
		{ "bounced.idle_timeout", (uint64_t)settings->bounced_idle_timeout, 1, most_time },
		{ "bounced.session_timeout", (uint64_t)settings->bounced_session_timeout, 1, most_time },
		{ "bounced.commit_timeout", (uint64_t)settings->bounced_commit_timeout, 1, most_time },
	};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most)
			continue;
		bool low = ranges[i].value < ranges[i].least;
		buf_addf(why, "%s sets %s too %s; `--settings` explains it", path, ranges[i].name,
			 low ? "low" : "high");
		return ERR_INVALID;
	}
	return ERR_OK;
}

static bool is_domain(struct view text)
{
	bool good = text.len > 0 && text.len <= LIMIT_DOMAIN && text.data[0] != '.' && !view_ends(text, VIEW_LIT("."));
	for (size_t i = 0; i < text.len && good; i++) {
		char c = text.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		good = letter || c == '-' || c == '.';
	}
	return good;
}

static enum err check_names(struct setup *setup, struct buf *why)
{
	const struct settings *settings = &setup->settings;
	if (!verp_prefix_is_valid(view_of(settings->bounce_prefix))) {
		buf_addf(why, "%s sets bounce.prefix to \"%s\", which is not 1 to 5 letters and digits", setup->path,
			 settings->bounce_prefix);
		return ERR_INVALID;
	}
	if (!is_domain(view_of(settings->bounce_domain))) {
		buf_addf(why, "%s sets bounce.domain to \"%s\", which is not a domain in its ASCII form", setup->path,
			 settings->bounce_domain);
		return ERR_INVALID;
	}
	if (!is_domain(view_of(setup->hostname))) {
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

static enum err check_all(struct setup *setup, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		enum err err = settings_require(&setup->settings, required[i], setup->path, why);
		if (err != ERR_OK)
			return err;
	}
	enum err err = check_ranges(&setup->settings, setup->path, why);
	if (err == ERR_OK)
		err = take_hostname(setup, why);
	if (err == ERR_OK)
		err = check_names(setup, why);
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
