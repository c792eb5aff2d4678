/* The command line, by the habits of getopt_long(3): options may stand anywhere after the verb, `--` ends them, and long ones
 * may be shortened while they are unambiguous. The options that every verb has may also stand before it. */
#ifndef LISTCTL_ARGUMENTS_H
#define LISTCTL_ARGUMENTS_H

#include "listctl/call.h"

enum { ARGUMENTS_GIVEN_MOST = 100 };

struct arguments {
	enum arguments_wish {
		WISH_RUN,
		WISH_HELP, /* of call's command, else of noun, else of everything */
		WISH_VERSION,
		WISH_SETTINGS,
		WISH_MANUAL,
		WISH_CHECK_CONFIG,
	} wish;
	const char *noun; /* given, though perhaps without a verb */
	const struct command *command;
	const char *config; /* NULL: not given */
	enum output_format format;
	bool has_format, quiet;
	bool is_page; /* --format html */
	const char *values[COMMAND_OPTIONS];
	struct given_option given[ARGUMENTS_GIVEN_MOST];
	size_t given_count;
	char **operands;
	size_t operand_count;
};

/* An option as getopt_long and the help know it. */
struct common_option {
	const char *name;
	char letter;
	const char *argument;
	const char *help;
};
/* The options of every verb, ended by a row without a name. The last ones are listctl's own: they take no verb. */
extern const struct common_option common_options[];
extern const size_t common_of_verbs;

/* ERR_INVALID: `why` has a sentence, and ret_arguments says how far it came (noun, command), for the hint below it. argv is
 * permuted and borrowed. */
enum err arguments_parse(int argc, char **argv, struct arguments *ret_arguments, struct buf *why) MUST_USE;

#endif
