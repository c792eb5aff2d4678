#include "listctl/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listctl/arguments.h"
#include "listctl/help.h"
#include "listctl/meant.h"
#include "tests/support/unit.h"

/* Every row of every table, with its label for messages. */
static void walk(void (*check)(const struct command *row, const char *label))
{
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++) {
			char label[64];
			snprintf(label, sizeof(label), "%s %s", row->noun == NULL ? "" : row->noun, row->verb);
			check(row, label);
		}
	}
}

static bool is_word(const char *text)
{
	return text != NULL && text[0] != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static void row_is_whole(const struct command *row, const char *label)
{
	ck_row(label, row->noun == NULL || is_word(row->noun));
	ck_row(label, is_word(row->verb));
	ck_row(label, row->operands != NULL);
	ck_row(label, (row->most > 0) == (row->operands[0] != '\0'));
	ck_row(label, row->least <= row->most);
	ck_row(label, row->run != NULL);
	ck_row(label, row->help != NULL && strlen(row->help) > 10 && strlen(row->help) <= 80);
	ck_row(label, row->help[strlen(row->help) - 1] != '.');
	ck_row(label, row->details == NULL || row->details[strlen(row->details) - 1] == '\n');
	ck_row(label,
	       command_find(row->noun == NULL ? row->verb : row->noun, row->noun == NULL ? NULL : row->verb) == row);
}

START_TEST(every_row_is_whole)
	{
		walk(row_is_whole);
	}
END_TEST

static void options_are_whole(const struct command *row, const char *label)
{
	size_t count = 0;
	for (const struct command_option *option = row->options; option != NULL && option->name != NULL; option++) {
		ck_row(label, is_word(option->name));
		ck_row(label, option->help != NULL && strlen(option->help) > 5);
		for (size_t i = 0; common_options[i].name != NULL; i++)
			ck_row(label, strcmp(common_options[i].name, option->name) != 0);
		for (size_t i = 0; i < count; i++)
			ck_row(label, strcmp(row->options[i].name, option->name) != 0);
		count++;
	}
	ck_row(label, count <= COMMAND_OPTIONS);
}

/* What is suggested must be there, and take a value. */
static void surplus_is_an_option(const struct command *row, const char *label)
{
	bool is_there = row->surplus == NULL;
	for (const struct command_option *option = row->options; option != NULL && option->name != NULL; option++)
		is_there = is_there || (strcmp(option->name, row->surplus) == 0 && option->argument != NULL);
	ck_row(label, is_there);
}

START_TEST(operands_too_many_have_an_option)
	{
		walk(surplus_is_an_option);
	}
END_TEST

START_TEST(every_option_has_its_help)
	{
		walk(options_are_whole);
	}
END_TEST

static void help_names_everything(const struct command *row, const char *label)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	help_command(row, out);
	fclose(out);
	ck_row(label, strstr(text, row->help) != NULL);
	ck_row(label, strstr(text, row->verb) != NULL);
	for (const struct command_option *option = row->options; option != NULL && option->name != NULL; option++)
		ck_row(label, strstr(text, option->name) != NULL && strstr(text, option->help) != NULL);
	ck_row(label, strstr(text, "--help") != NULL);
	free(text);
}

START_TEST(help_shows_every_verb_and_option)
	{
		walk(help_names_everything);
	}
END_TEST

static const struct nearest_row {
	const char *label, *noun, *word, *expected;
} nearest_rows[] = {
	{ "one letter lost", NULL, "lst", "list" },
	{ "swapped", NULL, "improt", "import" },
	{ "a verb of the noun", "list", "craete", "create" },
	{ "nothing near", NULL, "frobnicate", NULL },
	{ "nothing near among verbs", "db", "explode", NULL },
	{ "longer than any word", NULL, "listlistlistlistlistlistlistlistlistlist", NULL },
	{ "empty", NULL, "", NULL },
};

START_TEST(nearest_word)
	{
		for (size_t i = 0; i < ARRAY_LEN(nearest_rows); i++) {
			const struct nearest_row *row = &nearest_rows[i];
			const char *found = meant_word(row->noun, row->word);
			if (row->expected == NULL)
				ck_row(row->label, found == NULL);
			else
				ck_row(row->label, found != NULL && strcmp(found, row->expected) == 0);
		}
	}
END_TEST

/* ---- the command line ---- */

static const struct line_row {
	const char *label;
	const char *words[10];
	enum err expected;
	enum arguments_wish wish;
	const char *noun, *verb; /* of the command found; NULL: none */
	size_t operands;
	const char *why; /* a part of it */
} line_rows[] = {
	{ .label = "noun and verb", .words = { "list", "ls" }, .noun = "list", .verb = "ls" },
	{ .label = "one word", .words = { "import", "news", "-" }, .verb = "import", .operands = 2 },
	{ .label = "options anywhere",
	  .words = { "-q", "list", "--format", "json", "show", "news", "--config", "x" },
	  .noun = "list",
	  .verb = "show",
	  .operands = 1 },
	{ .label = "shortened", .words = { "list", "ls", "--form=csv" }, .noun = "list", .verb = "ls" },
	{ .label = "operand behind --",
	  .words = { "suppress", "add", "--", "--odd" },
	  .noun = "suppress",
	  .verb = "add",
	  .operands = 1 },
	{ .label = "help for everything", .words = { "--help" }, .wish = WISH_HELP },
	{ .label = "help for a noun", .words = { "list", "--help" }, .wish = WISH_HELP },
	{ .label = "help for a verb",
	  .words = { "list", "create", "-h" },
	  .wish = WISH_HELP,
	  .noun = "list",
	  .verb = "create" },
	{ .label = "help before the noun",
	  .words = { "--help", "key", "new" },
	  .wish = WISH_HELP,
	  .noun = "key",
	  .verb = "new" },
	{ .label = "version", .words = { "--version" }, .wish = WISH_VERSION },
	{ .label = "settings", .words = { "--settings" }, .wish = WISH_SETTINGS },
	{ .label = "manual", .words = { "--manual" }, .wish = WISH_MANUAL },
	{ .label = "check", .words = { "-c", "x", "--check-config" }, .wish = WISH_CHECK_CONFIG },
	{ .label = "nothing", .expected = ERR_INVALID, .why = "needs a command" },
	{ .label = "noun alone", .words = { "list" }, .expected = ERR_INVALID, .why = "needs a verb" },
	{ .label = "unknown noun", .words = { "lits", "ls" }, .expected = ERR_INVALID, .why = "did you mean list?" },
	{ .label = "unknown verb",
	  .words = { "list", "shwo" },
	  .expected = ERR_INVALID,
	  .why = "did you mean list show?" },
	{ .label = "what others call it",
	  .words = { "campaign", "list" },
	  .expected = ERR_INVALID,
	  .why = "did you mean campaign ls or campaign show?" },
	{ .label = "what others call it, and one thing here",
	  .words = { "segment", "delete", "x" },
	  .expected = ERR_INVALID,
	  .why = "did you mean segment rm?" },
	{ .label = "a verb like no other",
	  .words = { "segment", "frobnicate" },
	  .expected = ERR_INVALID,
	  .why = "segment has no verb frobnicate; it has create, edit, count, show, ls, index, rm" },
	{ .label = "verb and noun",
	  .words = { "create", "list", "news" },
	  .expected = ERR_INVALID,
	  .why = "did you mean list create?" },
	{ .label = "verb and noun, in others' words",
	  .words = { "delete", "segment", "x" },
	  .expected = ERR_INVALID,
	  .why = "did you mean segment rm?" },
	{ .label = "the verb alone",
	  .words = { "unsubscribe", "ann@example.org" },
	  .expected = ERR_INVALID,
	  .why = "did you mean subscriber unsubscribe?" },
	{ .label = "unknown option",
	  .words = { "list", "ls", "--nosuch" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "--nosuch" },
	{ .label = "unknown letter",
	  .words = { "list", "ls", "-x" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "-x" },
	{ .label = "value missing",
	  .words = { "list", "ls", "--format" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "needs a value" },
	{ .label = "value forgotten, an option behind it",
	  .words = { "subscriber", "erase", "a@b.test", "--reason", "--dry-run" },
	  .expected = ERR_INVALID,
	  .noun = "subscriber",
	  .verb = "erase",
	  .why = "--reason needs a value, and --dry-run is an option; if that is the value: --reason=--dry-run" },
	{ .label = "value forgotten, an option with its own behind it",
	  .words = { "subscriber", "erase", "--reason", "--format=json", "a@b.test" },
	  .expected = ERR_INVALID,
	  .noun = "subscriber",
	  .verb = "erase",
	  .why = "--format=json is an option" },
	{ .label = "value forgotten, a letter behind it",
	  .words = { "list", "ls", "-f", "-q" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "-f needs a value, and -q is an option; if that is the value: -f-q" },
	{ .label = "a value that is an option's name, on purpose",
	  .words = { "subscriber", "erase", "a@b.test", "--reason=--dry-run" },
	  .noun = "subscriber",
	  .verb = "erase",
	  .operands = 1 },
	{ .label = "a value that begins with a dash",
	  .words = { "subscriber", "erase", "a@b.test", "--reason", "--they asked" },
	  .noun = "subscriber",
	  .verb = "erase",
	  .operands = 1 },
	{ .label = "no such format",
	  .words = { "list", "ls", "-f", "xml" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "no such format" },
	{ .label = "too few",
	  .words = { "import", "news" },
	  .expected = ERR_INVALID,
	  .verb = "import",
	  .why = "FILE.csv|- is missing behind LIST" },
	{ .label = "none of them",
	  .words = { "import" },
	  .expected = ERR_INVALID,
	  .verb = "import",
	  .why = "needs LIST FILE.csv|-" },
	{ .label = "in another order",
	  .words = { "import", "people.csv", "news" },
	  .expected = ERR_INVALID,
	  .verb = "import",
	  .why = "people.csv is not the name of a list, which has a-z, 0-9 and - only; the order is LIST FILE.csv|-" },
	{ .label = "one left out",
	  .words = { "campaign", "create", "news", "may.md" },
	  .expected = ERR_INVALID,
	  .noun = "campaign",
	  .verb = "create",
	  .why = "may.md is not the name of a list" },
	{ .label = "an address where no list needs to be",
	  .words = { "subscriber", "unsubscribe", "a@b.test", "--all" },
	  .noun = "subscriber",
	  .verb = "unsubscribe",
	  .operands = 1 },
	{ .label = "too many",
	  .words = { "list", "ls", "extra" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "too many arguments: extra; none is taken here" },
	{ .label = "an option's value alone",
	  .words = { "segment", "create", "adults", "$.age >= 18" },
	  .expected = ERR_INVALID,
	  .noun = "segment",
	  .verb = "create",
	  .why = "too many arguments: $.age >= 18; an option belongs in front of it: --where '$.age >= 18'" },
	{ .label = "an option without dashes",
	  .words = { "segment", "create", "adults", "where", "$.age >= 18" },
	  .expected = ERR_INVALID,
	  .noun = "segment",
	  .verb = "create",
	  .why = "did you mean --where?" },
	{ .label = "too many, and no option is near",
	  .words = { "import", "news", "-", "more" },
	  .expected = ERR_INVALID,
	  .verb = "import",
	  .why = "nothing follows LIST FILE.csv|-" },
	{ .label = "an option misspelt",
	  .words = { "segment", "create", "adults", "--were", "x" },
	  .expected = ERR_INVALID,
	  .noun = "segment",
	  .verb = "create",
	  .why = "did you mean --where?" },
	{ .label = "a common option misspelt",
	  .words = { "list", "ls", "--fromat=json" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "did you mean --format?" },
	{ .label = "the beginning of several options",
	  .words = { "segment", "create", "adults", "--joined", "90d" },
	  .expected = ERR_INVALID,
	  .noun = "segment",
	  .verb = "create",
	  .why = "is it --joined-before or --joined-after?" },
	{ .label = "a flag with a value",
	  .words = { "prune", "--apply=yes" },
	  .expected = ERR_INVALID,
	  .verb = "prune",
	  .why = "--apply takes no value" },
	{ .label = "an option like no other",
	  .words = { "list", "ls", "--nosuch" },
	  .expected = ERR_INVALID,
	  .noun = "list",
	  .verb = "ls",
	  .why = "`listctl list ls --help` shows those there are" },
	{ .label = "an option that is an operand",
	  .words = { "prune", "--list", "news" },
	  .expected = ERR_INVALID,
	  .verb = "prune",
	  .why = "--list; that stands without an option here" },
	{ .label = "one word, an option like no other",
	  .words = { "prune", "--nosuch" },
	  .expected = ERR_INVALID,
	  .verb = "prune",
	  .why = "`listctl prune --help`" },
	{ .label = "a verb's option elsewhere",
	  .words = { "--strict", "import" },
	  .expected = ERR_INVALID,
	  .why = "--strict" },
};

START_TEST(command_lines)
	{
		for (size_t i = 0; i < ARRAY_LEN(line_rows); i++) {
			const struct line_row *row = &line_rows[i];
			char words[11][64] = { "listctl" };
			char *argv[12] = { words[0] };
			int argc = 1;
			for (; argc <= 10 && row->words[argc - 1] != NULL; argc++) {
				snprintf(words[argc], sizeof(words[argc]), "%s", row->words[argc - 1]);
				argv[argc] = words[argc];
			}
			AUTO_BUF why = buf_with_ceiling(1024);
			struct arguments arguments;
			enum err err = arguments_parse(argc, argv, &arguments, &why);
			ck_assert_msg(err == row->expected, "%s: %s %s", row->label, err_name(err), buf_text(&why));
			const struct command *found = arguments.command;
			ck_row(row->label, (found == NULL) == (row->verb == NULL));
			ck_row(row->label, found == NULL || strcmp(found->verb, row->verb) == 0);
			ck_row(row->label, found == NULL || (found->noun == NULL) == (row->noun == NULL));
			ck_row(row->label, err != ERR_OK || arguments.wish == row->wish);
			ck_row(row->label, err != ERR_OK || arguments.operand_count == row->operands);
			ck_row(row->label, row->why == NULL || strstr(buf_text(&why), row->why) != NULL);
		}
	}
END_TEST

START_TEST(values_reach_their_options)
	{
		char words[][32] = { "listctl", "import", "--strict", "a", "--rejects=r", "b", "--rejects", "s" };
		char *argv[ARRAY_LEN(words) + 1] = { 0 };
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			argv[i] = words[i];
		AUTO_BUF why = buf_with_ceiling(1024);
		struct arguments arguments;
		ck_assert(arguments_parse((int)ARRAY_LEN(words), argv, &arguments, &why) == ERR_OK);
		const struct call call = { .command = arguments.command, .values = arguments.values };
		ck_assert_msg(strcmp(call_option(&call, "rejects"), "s") == 0, "the last one counts");
		ck_assert(call_has(&call, "strict"));
		ck_assert(!call_has(&call, "dry-run"));
		ck_assert_str_eq(arguments.operands[0], "a");
		ck_assert_str_eq(arguments.operands[1], "b");
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { every_row_is_whole,
				       every_option_has_its_help,
				       operands_too_many_have_an_option,
				       help_shows_every_verb_and_option,
				       nearest_word,
				       command_lines,
				       values_reach_their_options };
	return suite_of("command", tests, ARRAY_LEN(tests));
}
