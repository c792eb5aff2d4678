/* bounced: receives what comes back for the return paths of verpost, and nothing else. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "bounced/server.h"

static const char help[] = "Usage: bounced [OPTION]...\n"
			   "Receive bounces, complaints and unsubscribe mail for the return paths of verpost.\n"
			   "\n"
			   "  -c, --config FILE    settings (default " SETTINGS_DEFAULT_PATH ")\n"
			   "      --check-config   check settings and keys, print what is in force, and exit\n"
			   "      --settings       describe every setting, and exit\n"
			   "      --unsafe         work with a PostgreSQL that has fsync=off\n"
			   "      --help           show this text, and exit\n"
			   "      --version        show the version, and exit\n"
			   "\n"
			   "SIGTERM ends it after what is being committed; SIGHUP reads the key file again.\n";

enum option_code {
	OPTION_CONFIG = 'c',
	OPTION_CHECK = 256,
	OPTION_SETTINGS,
	OPTION_UNSAFE,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check-config", no_argument, NULL, OPTION_CHECK },
	{ "settings", no_argument, NULL, OPTION_SETTINGS },
	{ "unsafe", no_argument, NULL, OPTION_UNSAFE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int fail(struct buf *why)
{
	fprintf(stderr, "bounced: %s\n", buf_text(why));
	return EXIT_FAILURE;
}

static int serve(struct setup *setup, bool check_only)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (setup_load(setup, &why) != ERR_OK)
		return fail(&why);
	enum err err = ERR_OK;
	log_open_as_set("bounced", &setup->settings);
	if (check_only)
		settings_print(&setup->settings, stdout);
	else
		err = server_run(setup, &why);
	setup_done(setup);
	return err == ERR_OK ? EXIT_SUCCESS : fail(&why);
}

int main(int argc, char **argv)
{
	struct setup setup = { .path = SETTINGS_DEFAULT_PATH };
	bool check_only = false;
	for (int code; (code = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
		switch (code) {
		case OPTION_CONFIG:
			setup.path = optarg;
			break;
		case OPTION_CHECK:
			check_only = true;
			break;
		case OPTION_UNSAFE:
			setup.unsafe = true;
			break;
		case OPTION_SETTINGS:
			settings_print_manual(stdout);
			return EXIT_SUCCESS;
		case OPTION_HELP:
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			puts("bounced (verpost) " VERPOST_VERSION);
			return EXIT_SUCCESS;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "bounced: unexpected argument \"%s\"; see --help\n", argv[optind]);
		return 2;
	}
	return serve(&setup, check_only);
}
