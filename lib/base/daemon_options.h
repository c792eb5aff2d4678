/* The command line of a daemon. All daemons take the same options. */
#ifndef BASE_DAEMON_OPTIONS_H
#define BASE_DAEMON_OPTIONS_H

#include <stdbool.h>

/* For --help. */
struct daemon_about {
	const char *program;
	const char *purpose; /* one sentence, with its line end */
	const char *signals; /* what signals do, likewise */
};

struct daemon_options {
	const char *settings_path; /* SETTINGS_DEFAULT_PATH, or borrowed from argv */
	bool check_only;           /* --check-config */
	bool unsafe;
};

/* True: the daemon runs. False: all is said and done, and it exits with *ret_status. */
bool daemon_options_read(int argc, char **argv, const struct daemon_about *about, struct daemon_options *ret_options,
			 int *ret_status);

#endif
