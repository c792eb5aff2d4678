#include "listctl/help.h"

#include <ctype.h>
#include <string.h>

#include "listctl/arguments.h"

enum { NAME_WIDTH = 24 };

static void name_row(const struct command *row, FILE *out)
{
	char name[64];
	snprintf(name, sizeof(name), "%s%s%s", row->noun == NULL ? "" : row->noun, row->noun == NULL ? "" : " ",
		 row->verb);
	fprintf(out, "  %-*s %s\n", NAME_WIDTH, name, row->help);
}

static void option_row(char letter, const char *name, const char *argument, const char *help, FILE *out)
{
	char text[64];
	snprintf(text, sizeof(text), "--%s%s%s", name, argument == NULL ? "" : " ", argument == NULL ? "" : argument);
	char start[] = { letter == 0 ? ' ' : '-', letter == 0 ? ' ' : letter, letter == 0 ? ' ' : ',', 0 };
	if (strlen(text) > NAME_WIDTH - 4)
		fprintf(out, "  %s %s\n  %*s %s\n", start, text, NAME_WIDTH, "", help);
	else
		fprintf(out, "  %s %-*s %s\n", start, NAME_WIDTH - 4, text, help);
}

static void common_rows(size_t from, size_t to, FILE *out)
{
	for (size_t i = from; i < to; i++)
		option_row(common_options[i].letter, common_options[i].name, common_options[i].argument,
			   common_options[i].help, out);
}

void help_usage(const struct command *command, FILE *out)
{
	fprintf(out, "listctl %s%s%s%s%s [OPTION...]\n", command->noun == NULL ? "" : command->noun,
		command->noun == NULL ? "" : " ", command->verb, command->operands[0] == '\0' ? "" : " ",
		command->operands);
}

void help_command(const struct command *command, FILE *out)
{
	fputs("Usage: ", out);
	help_usage(command, out);
	fprintf(out, "\n%s\n", command->help);
	if (command->details != NULL)
		fprintf(out, "\n%s", command->details);
	fputs("\nOptions:\n", out);
	for (const struct command_option *row = command->options; row != NULL && row->name != NULL; row++)
		option_row(0, row->name, row->argument, row->help, out);
	common_rows(0, common_of_verbs, out);
}

void help_noun(const char *noun, FILE *out)
{
	fprintf(out, "Usage: listctl %s VERB [OPTION...]\n\n", noun);
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++) {
			if (row->noun != NULL && strcmp(row->noun, noun) == 0)
				name_row(row, out);
		}
	}
	fprintf(out, "\n`listctl %s VERB --help` tells more about one.\n", noun);
}

void help_overview(FILE *out)
{
	fputs("Usage: listctl NOUN VERB [OPTION...] [ARGUMENT...]\n\n"
	      "The administrator's tool of verpost.\n\n",
	      out);
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++)
			name_row(row, out);
	}
	fputs("\nOptions of every verb:\n", out);
	common_rows(0, common_of_verbs, out);
	fputs("\nAlone:\n", out);
	for (size_t i = common_of_verbs; common_options[i].name != NULL; i++)
		common_rows(i, i + 1, out);
	fputs(
	    "\nExit status: 0 done, 1 refused or failed, 2 wrong usage. `listctl NOUN VERB --help` and listctl(1) tell "
	    "more.\n",
	    out);
}

/* ---- scdoc source ---- */

/* scdoc takes some characters for markup, at the start of a line or anywhere. */
static void manual_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (strchr("\\*_[]|#-.~<>\t", *text) != NULL)
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void manual_option(const char *name, const char *argument, const char *help, FILE *out)
{
	fputs("*--", out);
	manual_text(name, out);
	fputc('*', out);
	if (argument != NULL) {
		fputs(" _", out);
		manual_text(argument, out);
		fputc('_', out);
	}
	fputs("\n\t", out);
	manual_text(help, out);
	fputs(".\n\n", out);
}

static void manual_command(const struct command *row, FILE *out)
{
	/* A heading is taken as it stands. */
	fprintf(out, "## %s%s%s %s\n\n", row->noun == NULL ? "" : row->noun, row->noun == NULL ? "" : " ", row->verb,
		row->operands);
	fputc(toupper((unsigned char)row->help[0]), out);
	manual_text(row->help + 1, out);
	fputs(".\n\n", out);
	if (row->details != NULL) {
		manual_text(row->details, out);
		fputc('\n', out);
	}
	for (const struct command_option *option = row->options; option != NULL && option->name != NULL; option++)
		manual_option(option->name, option->argument, option->help, out);
}

void help_manual(FILE *out)
{
	for (size_t i = 0; command_tables[i] != NULL; i++) {
		for (const struct command *row = command_tables[i]; row->verb != NULL; row++)
			manual_command(row, out);
	}
	fputs("# OPTIONS OF EVERY VERB\n\n", out);
	for (size_t i = 0; common_options[i].name != NULL; i++) {
		if (i == common_of_verbs)
			fputs("# OPTIONS THAT STAND ALONE\n\n", out);
		manual_option(common_options[i].name, common_options[i].argument, common_options[i].help, out);
	}
}
