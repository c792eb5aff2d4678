/* bounced: receives what comes back for the return paths of verpost, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/daemon_options.h"
#include "base/limits.h"
#include "base/log.h"
#include "bounced/nursery.h"
#include "bounced/server.h"

static const struct daemon_about about = {
	.program = "bounced",
	.purpose = "Receive bounces, complaints and unsubscribe mail for the return paths of verpost.\n",
	.signals = "SIGTERM ends it after what is being committed; SIGHUP reads keys, certificate and rules again.\n",
};

static int fail(struct buf *why)
{
	fprintf(stderr, "bounced: %s\n", buf_text(why));
	return EXIT_FAILURE;
}

static int check(struct setup *setup)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (setup_load(setup, &why) != ERR_OK)
		return fail(&why);
	settings_print(&setup->settings, stdout);
	setup_done(setup);
	return EXIT_SUCCESS;
}

/* The nursery comes first: it is not to hold anything that bounced reads afterwards. */
static int serve(struct setup *setup)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	int nursery;
	if (nursery_fork(&nursery) != ERR_OK) {
		buf_addf(&why, "no process can be forked: %s", strerror(errno));
		return fail(&why);
	}
	enum err err = setup_load(setup, &why);
	if (err != ERR_OK) {
		close(nursery);
		return fail(&why);
	}
	log_open_as_set("bounced", &setup->settings);
	err = server_run(setup, nursery, &why);
	setup_done(setup);
	return err == ERR_OK ? EXIT_SUCCESS : fail(&why);
}

int main(int argc, char **argv)
{
	struct daemon_options options;
	int status;
	if (!daemon_options_read(argc, argv, &about, &options, &status))
		return status;
	struct setup setup = { .path = options.settings_path, .unsafe = options.unsafe };
	return options.check_only ? check(&setup) : serve(&setup);
}
