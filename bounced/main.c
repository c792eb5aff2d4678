/* bounced: receives what comes back for the return paths of verpost, and nothing else. */
#include <stdio.h>
#include <stdlib.h>

#include "base/daemon_options.h"
#include "base/limits.h"
#include "base/log.h"
#include "bounced/server.h"

static const struct daemon_about about = {
	.program = "bounced",
	.purpose = "Receive bounces, complaints and unsubscribe mail for the return paths of verpost.\n",
	.signals =
	    "SIGTERM ends it after what is being committed; SIGHUP reads the key file and the certificate again.\n",
};

static int fail(struct buf *why)
{
	fprintf(stderr, "bounced: %s\n", buf_text(why));
	return EXIT_FAILURE;
}

static int serve(const struct daemon_options *options)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct setup setup = { .path = options->settings_path, .unsafe = options->unsafe };
	if (setup_load(&setup, &why) != ERR_OK)
		return fail(&why);
	enum err err = ERR_OK;
	log_open_as_set("bounced", &setup.settings);
	if (options->check_only)
		settings_print(&setup.settings, stdout);
	else
		err = server_run(&setup, &why);
	setup_done(&setup);
	return err == ERR_OK ? EXIT_SUCCESS : fail(&why);
}

int main(int argc, char **argv)
{
	struct daemon_options options;
	int status;
	return daemon_options_read(argc, argv, &about, &options, &status) ? serve(&options) : status;
}
