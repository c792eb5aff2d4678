#include "base/daemon_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/settings.h"

enum { USAGE = 2 };

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

static const char help[] = "  -c, --config FILE    settings (default " SETTINGS_DEFAULT_PATH ")\n"
			   "      --check-config   check settings and keys, print what is in force, and exit\n"
			   "      --settings       describe every setting, and exit\n"
			   "      --unsafe         work with a PostgreSQL that has fsync=off\n"
			   "      --help           show this text, and exit\n"
			   "      --version        show the version, and exit\n";

static void print_help(const struct daemon_about *about)
{
	printf("Usage: %s [OPTION]...\n%s\n%s\n%s", about->program, about->purpose, help, about->signals);
}

/* Those that only print something. */
static bool answer(int code, const struct daemon_about *about)
{
	if (code == OPTION_SETTINGS)
		settings_print_manual(stdout);
	else if (code == OPTION_HELP)
		print_help(about);
	else if (code == OPTION_VERSION)
		printf("%s (verpost) " VERPOST_VERSION "\n", about->program);
	else
		return false;
	return true;
}

bool daemon_options_read(int argc, char **argv, const struct daemon_about *about, struct daemon_options *ret_options,
			 int *ret_status)
{
	struct daemon_options read = { .settings_path = SETTINGS_DEFAULT_PATH };
	for (int code; (code = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
		if (code == OPTION_CONFIG) {
			read.settings_path = optarg;
		} else if (code == OPTION_CHECK) {
			read.check_only = true;
		} else if (code == OPTION_UNSAFE) {
			read.unsafe = true;
		} else {
			*ret_status = answer(code, about) ? EXIT_SUCCESS : USAGE;
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument \"%s\"; see --help\n", about->program, argv[optind]);
		*ret_status = USAGE;
		return false;
	}
	*ret_options = read;
	return true;
}
