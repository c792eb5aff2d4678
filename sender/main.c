/* sender: sends the campaigns that are due through the relay, and keeps the ledger. */
#include <stdio.h>
#include <stdlib.h>

#include "base/daemon_options.h"
#include "base/log.h"
#include "sender/entry.h"
#include "sender/parent.h"

static const struct daemon_about about = {
	.program = "sender",
	.purpose = "Send the campaigns of verpost through the relay and keep the ledger of every recipient.\n",
	.signals = "SIGTERM begins no further message, waits for those that are being sent, and exits.\n",
};

static int fail(struct buf *why)
{
	fprintf(stderr, "sender: %s\n", buf_text(why));
	return EXIT_FAILURE;
}

static int run(const struct daemon_options *options)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct setup setup;
	if (setup_load(options->settings_path, options->unsafe, &setup, &why) != ERR_OK)
		return fail(&why);
	int status = EXIT_SUCCESS;
	log_open_as_set("sender", &setup.settings);
	if (options->check_only)
		settings_print(&setup.settings, stdout);
	else if (entry_check_database(&setup, &why) != ERR_OK)
		status = fail(&why);
	else
		status = parent_run(&setup);
	setup_done(&setup);
	return status;
}

int main(int argc, char **argv)
{
	struct daemon_options options;
	int status;
	return daemon_options_read(argc, argv, &about, &options, &status) ? run(&options) : status;
}
