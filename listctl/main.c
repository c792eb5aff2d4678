#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "listctl/arguments.h"
#include "listctl/help.h"
#include "listctl/keys.h"
#include "listctl/safe_text.h"

enum exit_status { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* Text is UTF-8 everywhere; a terminal library that believes otherwise would show escapes. Numbers stay in the C locale. */
static void choose_locale(void)
{
	if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
		if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
			setlocale(LC_CTYPE, "C");
	}
}

static const char *actor_name(void)
{
	const char *name = getenv("SUDO_USER");
	if (name != NULL && name[0] != '\0' && view_is_ascii(view_of(name)) && !view_has_control(view_of(name)))
		return name;
	const struct passwd *user = getpwuid(getuid());
	return user == NULL ? "unknown" : user->pw_name;
}

static enum exit_status refuse(enum err err, struct buf *why, enum exit_status status)
{
	static const char *const causes[ERR_COUNT] = {
		[ERR_MEMORY] = "no memory",
		[ERR_UNAVAILABLE] = "PostgreSQL is away; try again when it is back",
		[ERR_IO] = "input or output failed",
	};
	const char *cause = causes[err] == NULL ? err_name(err) : causes[err];
	fputs("listctl: ", stderr);
	safe_text_print(why->len == 0 ? view_of(cause) : buf_view(why), stderr);
	return status;
}

static enum exit_status misuse(const struct arguments *arguments, struct buf *why)
{
	const enum exit_status status = refuse(ERR_INVALID, why, EXIT_USAGE);
	if (arguments->command != NULL) {
		fputs("usage: ", stderr);
		help_usage(arguments->command, stderr);
	} else if (arguments->noun != NULL) {
		fprintf(stderr, "`listctl %s --help` shows its verbs\n", arguments->noun);
	} else {
		fputs("`listctl --help` shows what there is\n", stderr);
	}
	return status;
}

static void show_help(const struct arguments *arguments)
{
	if (arguments->command != NULL)
		help_command(arguments->command, stdout);
	else if (arguments->noun != NULL)
		help_noun(arguments->noun, stdout);
	else
		help_overview(stdout);
}

static enum err check_config(const char *path, struct buf *why)
{
	struct settings settings;
	enum err err = settings_load(path, &settings, why);
	if (err != ERR_OK)
		return err;
	settings_print(&settings, stdout);
	struct keyring keyring;
	err = settings_require(&settings, "bounce.domain", path, why);
	if (err == ERR_OK)
		err = keys_load(&settings, path, &keyring, why);
	if (err == ERR_OK)
		keyring_wipe(&keyring);
	settings_done(&settings);
	return err;
}

static enum exit_status check(const char *path, struct buf *why)
{
	enum err err = check_config(path, why);
	return err == ERR_OK ? EXIT_DONE : refuse(err, why, EXIT_REFUSED);
}

static enum command_needs needs_of(const struct call *call)
{
	if (call->command->needs != NEEDS_FOR_OPERAND)
		return call->command->needs;
	return call->operand_count > 0 ? NEEDS_DATABASE : NEEDS_NOTHING;
}

static enum err open_database(struct call *call)
{
	const struct db_options options = {
		.conninfo = call->settings->database_conninfo,
		.program = "listctl",
		.check_version = needs_of(call) == NEEDS_DATABASE,
		.unsafe = true, /* fsync=off endangers what the daemons promise; looking and preparing is allowed */
	};
	enum err err = db_open(&options, &call->db, call->why);
	if (err == ERR_UNAVAILABLE)
		buf_addf(call->why, "; is it running, and is conninfo in [database] of %s right?", call->settings_path);
	return err;
}

/* Nobody has named the file of settings, and there is none that this person may read. */
static bool goes_without_settings(const struct call *call)
{
	return call->command->needs == NEEDS_NO_SETTINGS && strcmp(call->settings_path, SETTINGS_DEFAULT_PATH) == 0 &&
	       access(call->settings_path, R_OK) != 0;
}

static enum err open_and_run(struct call *call)
{
	struct settings settings;
	if (needs_of(call) == NEEDS_NOTHING || goes_without_settings(call))
		return call->command->run(call);
	enum err err = settings_load(call->settings_path, &settings, call->why);
	if (err != ERR_OK)
		return err;
	call->settings = &settings;
	if (needs_of(call) > NEEDS_SETTINGS)
		err = open_database(call);
	if (err == ERR_OK)
		err = call->command->run(call);
	db_rows_done(call->known_fields);
	db_close(call->db);
	settings_done(&settings);
	return err;
}

static enum exit_status run(const struct arguments *arguments, const char *settings_path, struct buf *why)
{
	struct call call = {
		.command = arguments->command,
		.settings_path = settings_path,
		.out = output_new(arguments->format, stdout),
		.operands = arguments->operands,
		.operand_count = arguments->operand_count,
		.values = arguments->values,
		.given = arguments->given,
		.given_count = arguments->given_count,
		.actor = actor_name(),
		.quiet = arguments->quiet,
		.is_page = arguments->is_page,
		.why = why,
	};
	enum err err = call.out == NULL ? ERR_MEMORY : open_and_run(&call);
	output_free(call.out);
	if (err == ERR_OK)
		return EXIT_DONE;
	return call.misused ? misuse(arguments, why) : refuse(err, why, EXIT_REFUSED);
}

static enum exit_status act(const struct arguments *arguments, struct buf *why)
{
	const char *path = arguments->config == NULL ? SETTINGS_DEFAULT_PATH : arguments->config;
	switch (arguments->wish) {
	case WISH_HELP:
		show_help(arguments);
		return EXIT_DONE;
	case WISH_VERSION:
		puts("listctl (verpost) " VERPOST_VERSION);
		return EXIT_DONE;
	case WISH_SETTINGS:
		settings_print_manual(stdout);
		return EXIT_DONE;
	case WISH_MANUAL:
		help_manual(stdout);
		return EXIT_DONE;
	case WISH_CHECK_CONFIG:
		return check(path, why);
	case WISH_RUN:
		break;
	}
	return run(arguments, path, why);
}

int main(int argc, char **argv)
{
	choose_locale();
	log_open("listctl", LOG_WARNING);
	signal(SIGPIPE, SIG_DFL); /* `listctl export news | head` ends quietly */
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct arguments arguments;
	enum exit_status status =
	    arguments_parse(argc, argv, &arguments, &why) == ERR_OK ? act(&arguments, &why) : misuse(&arguments, &why);
	if (fflush(stdout) != 0 && status == EXIT_DONE) {
		perror("listctl: cannot write to standard output");
		status = EXIT_REFUSED;
	}
	return (int)status;
}
