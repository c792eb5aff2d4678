#include "listctl/arguments.h"

#include <getopt.h>
#include <string.h>

#include "listctl/meant.h"

enum { OWN_OPTION = 1000 }; /* getopt's value for the first option of the verb itself */

const struct common_option common_options[] = {
	{ "config", 'c', "FILE", "read the settings from FILE instead of " SETTINGS_DEFAULT_PATH },
	{ "format", 'f', "table|csv|json", "how data is written; a table unless told (reports: html too)" },
	{ "quiet", 'q', NULL, "say nothing but data and errors" },
	{ "help", 'h', NULL, "show help for the verb, the noun or everything" },
	{ "version", 'V', NULL, "show the version" },
	{ "settings", 'S', NULL, "show every setting, its default and its meaning" },
	{ "manual", 'M', NULL, "show every verb, as the source of listctl(1)" },
	{ "check-config", 'C', NULL, "check the settings and the key file and show what is in force" },
	{ NULL, 0, NULL, NULL },
};
const size_t common_of_verbs = 4;

struct parser {
	struct arguments *arguments;
	struct buf *why;
	const struct command_option *own;
	struct option rows[ARRAY_LEN(common_options) + COMMAND_OPTIONS];
};

static struct option getopt_row(const char *name, const char *argument, int value)
{
	return (
	    struct option){ .name = name, .has_arg = argument == NULL ? no_argument : required_argument, .val = value };
}

/* own NULL: before the verb, where listctl's own options stand too. */
static void fill_rows(struct parser *parser, const struct command *command)
{
	size_t count = 0;
	for (size_t i = 0; i < (command == NULL ? ARRAY_LEN(common_options) - 1 : common_of_verbs); i++)
		parser->rows[count++] =
		    getopt_row(common_options[i].name, common_options[i].argument, common_options[i].letter);
	parser->own = command == NULL ? NULL : command->options;
	for (size_t i = 0; parser->own != NULL && parser->own[i].name != NULL && i < COMMAND_OPTIONS; i++)
		parser->rows[count++] = getopt_row(parser->own[i].name, parser->own[i].argument, OWN_OPTION + (int)i);
	parser->rows[count] = (struct option){ 0 };
}

static enum err take_own(struct parser *parser, size_t option, const char *value)
{
	struct arguments *arguments = parser->arguments;
	if (arguments->given_count == ARGUMENTS_GIVEN_MOST) {
		buf_addf(parser->why, "there are more than %d options", ARGUMENTS_GIVEN_MOST);
		return ERR_INVALID;
	}
	arguments->values[option] = value == NULL ? "" : value;
	arguments->given[arguments->given_count++] = (struct given_option){ option, arguments->values[option] };
	return ERR_OK;
}

static enum err take(struct parser *parser, int letter, const char *value)
{
	struct arguments *arguments = parser->arguments;
	switch (letter) {
	case 'c':
		arguments->config = value;
		return ERR_OK;
	case 'f':
		arguments->has_format = true;
		arguments->is_page = strcmp(value, "html") == 0;
		if (arguments->is_page || output_format_from_name(value, &arguments->format))
			return ERR_OK;
		buf_addf(parser->why, "no such format: %s; there are table, csv and json, and html for reports", value);
		return ERR_INVALID;
	case 'q':
		arguments->quiet = true;
		return ERR_OK;
	case 'h':
		arguments->wish = WISH_HELP;
		return ERR_OK;
	case 'V':
		arguments->wish = WISH_VERSION;
		return ERR_OK;
	case 'S':
		arguments->wish = WISH_SETTINGS;
		return ERR_OK;
	case 'M':
		arguments->wish = WISH_MANUAL;
		return ERR_OK;
	case 'C':
		arguments->wish = WISH_CHECK_CONFIG;
		return ERR_OK;
	default:
		return take_own(parser, (size_t)(letter - OWN_OPTION), value);
	}
}

/* The word names an option of this verb: --dry-run, --dry-run=x, -q. */
static bool is_option(const struct parser *parser, const char *word)
{
	if (word[0] == '-' && word[1] != '\0' && word[1] != '-')
		return word[2] == '\0' && strchr("cfqhV", word[1]) != NULL;
	if (strncmp(word, "--", 2) != 0)
		return false;
	size_t length = strcspn(word + 2, "=");
	for (const struct option *row = parser->rows; row->name != NULL; row++)
		if (strlen(row->name) == length && strncmp(row->name, word + 2, length) == 0)
			return true;
	return length == 0;
}

/* getopt takes the next word, whatever it is: a forgotten value would swallow the option behind it, such as --dry-run, and the deed be done. */
static enum err refuse_swallowed(const struct parser *parser, const char *option, const char *value)
{
	buf_addf(parser->why, "%s needs a value, and %s is an option; if that is the value: %s%s%s", option, value,
		 option, strncmp(option, "--", 2) == 0 ? "=" : "", value);
	return ERR_INVALID;
}

/* Reads the options of argv[1...]; with "+" up to the first word. *ret_next is the index of the first word that is none. */
static enum err read_options(struct parser *parser, const char *letters, int argc, char **argv, int *ret_next)
{
	optind = 0; /* glibc: start anew */
	opterr = 0;
	for (;;) {
		int at = optind == 0 ? 1 : optind;
		int letter = getopt_long(argc, argv, letters, parser->rows, NULL);
		if (letter == -1)
			break;
		if (letter == ':') {
			buf_addf(parser->why, "%s needs a value", argv[optind - 1]);
			return ERR_INVALID;
		}
		if (letter == '?') {
			const char *word = optind > at ? argv[optind - 1] : argv[at];
			buf_addf(parser->why, "no such option here, or not a full one: %s", word);
			meant_option(parser->arguments->command, word, parser->why);
			return ERR_INVALID;
		}
		bool is_apart = optarg != NULL && optarg == argv[optind - 1];
		if (is_apart && is_option(parser, optarg))
			return refuse_swallowed(parser, argv[optind - 2], optarg);
		enum err err = take(parser, letter, optarg);
		if (err != ERR_OK)
			return err;
	}
	*ret_next = optind;
	return ERR_OK;
}

/* next: the word behind it, or NULL. */
static enum err unknown_word(struct parser *parser, const char *noun, const char *word, const char *next)
{
	if (noun == NULL)
		buf_addf(parser->why, "no such command: %s", word);
	else
		buf_addf(parser->why, "%s has no verb %s", noun, word);
	meant_command(noun, word, next, parser->why);
	return ERR_INVALID;
}

/* Finds the row for the words at argv[0...], and how many words name it. */
static enum err find_command(struct parser *parser, int argc, char **argv, int *ret_used)
{
	struct arguments *arguments = parser->arguments;
	const struct command *row = command_find(argv[0], NULL);
	*ret_used = 0;
	if (row == NULL && !command_has_noun(argv[0]))
		return unknown_word(parser, NULL, argv[0], argc > 1 ? argv[1] : NULL);
	arguments->noun = argv[0];
	if (row == NULL) {
		int next;
		enum err err = read_options(parser, "+:c:f:qhVSMC", argc, argv, &next);
		if (err != ERR_OK || arguments->wish > WISH_HELP)
			return err;
		if (next == argc && arguments->wish == WISH_HELP)
			return ERR_OK;
		if (next == argc) {
			buf_addf(parser->why, "%s needs a verb", argv[0]);
			return ERR_INVALID;
		}
		row = command_find(argv[0], argv[next]);
		if (row == NULL)
			return unknown_word(parser, argv[0], argv[next], NULL);
		*ret_used = next;
	}
	arguments->command = row;
	return ERR_OK;
}

static bool has_option(const struct command *row, const char *name)
{
	for (const struct command_option *option = row->options; option != NULL && option->name != NULL; option++) {
		if (strcmp(option->name, name) == 0)
			return true;
	}
	return false;
}

/* An operand too many may be an option without its dashes, or an option's value without the option. */
static enum err refuse_surplus(const struct parser *parser, const char *operand)
{
	const struct command *row = parser->arguments->command;
	bool is_bare =
	    operand[0] != '\0' && strspn(operand, "abcdefghijklmnopqrstuvwxyz0123456789.:=@_-") == strlen(operand);
	const char *mark = is_bare ? "" : "'";
	buf_addf(parser->why, "too many arguments: %s", operand);
	if (has_option(row, operand))
		buf_addf(parser->why, "; did you mean --%s?", operand);
	else if (row->surplus != NULL)
		buf_addf(parser->why, "; an option belongs in front of it: --%s %s%s%s", row->surplus, mark, operand,
			 mark);
	else if (row->operands[0] == '\0')
		buf_addf(parser->why, "; none is taken here");
	else
		buf_addf(parser->why, "; nothing follows %s, and a text with blanks stands between quotation marks",
			 row->operands);
	return ERR_INVALID;
}

/* The word for the operand at that place, brackets and all; empty: there is none. */
static struct view operand_word(const struct command *row, size_t place)
{
	struct view rest = view_of(row->operands), word = { 0 };
	for (size_t i = 0; i <= place; i++) {
		if (!view_cut(&rest, ' ', &word))
			return (struct view){ 0 };
	}
	return word;
}

static enum err refuse_missing(const struct parser *parser)
{
	const struct command *row = parser->arguments->command;
	size_t count = parser->arguments->operand_count;
	struct view missing = operand_word(row, count);
	if (count == 0 || missing.len == 0)
		buf_addf(parser->why, "needs %s", row->operands);
	else
		buf_addf(parser->why, VIEW_FMT " is missing behind " VIEW_FMT, VIEW_ARG(missing),
			 VIEW_ARG(operand_word(row, count - 1)));
	return ERR_INVALID;
}

/* How many words of the row stand in no brackets. */
static size_t count_needed(const struct command *row)
{
	size_t count = 0;
	for (struct view word; (word = operand_word(row, count)).len > 0 && word.data[0] != '[';)
		count++;
	return count;
}

/* What stands where a list belongs and cannot be the name of one is a file, an address, or in another order. */
static enum err check_lists(const struct parser *parser)
{
	const struct arguments *arguments = parser->arguments;
	const struct command *row = arguments->command;
	size_t needed = count_needed(row);
	for (size_t i = 0; i < needed && arguments->operand_count >= needed; i++) {
		const char *operand = arguments->operands[i];
		if (!view_eq(operand_word(row, i), VIEW_LIT("LIST")) || strpbrk(operand, "./@") == NULL)
			continue;
		buf_addf(parser->why, "%s is not the name of a list, which has a-z, 0-9 and - only; the order is %s",
			 operand, row->operands);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err check_operands(const struct parser *parser)
{
	const struct arguments *arguments = parser->arguments;
	const struct command *row = arguments->command;
	if (arguments->operand_count > row->most)
		return refuse_surplus(parser, arguments->operands[row->most]);
	if (arguments->operand_count < row->least)
		return refuse_missing(parser);
	return check_lists(parser);
}

enum err arguments_parse(int argc, char **argv, struct arguments *ret_arguments, struct buf *why)
{
	*ret_arguments = (struct arguments){ .wish = WISH_RUN };
	struct parser parser = { .arguments = ret_arguments, .why = why };
	fill_rows(&parser, NULL);
	int next, used;
	enum err err = read_options(&parser, "+:c:f:qhVSMC", argc, argv, &next);
	if (err != ERR_OK || ret_arguments->wish > WISH_HELP)
		return err;
	if (next == argc) {
		if (ret_arguments->wish == WISH_HELP)
			return ERR_OK;
		buf_addf(why, "needs a command");
		return ERR_INVALID;
	}
	err = find_command(&parser, argc - next, argv + next, &used);
	if (err != ERR_OK || ret_arguments->command == NULL)
		return err;
	fill_rows(&parser, ret_arguments->command);
	argc -= next + used;
	argv += next + used;
	err = read_options(&parser, ":c:f:qh", argc, argv, &next);
	if (err != ERR_OK || ret_arguments->wish != WISH_RUN)
		return err;
	if (ret_arguments->is_page && !ret_arguments->command->writes_pages) {
		buf_addf(why, "only `listctl report` writes html; here there are table, csv and json");
		return ERR_INVALID;
	}
	if (ret_arguments->command->writes_csv && !ret_arguments->has_format)
		ret_arguments->format = FORMAT_CSV;
	ret_arguments->operands = argv + next;
	ret_arguments->operand_count = (size_t)(argc - next);
	return check_operands(&parser);
}
