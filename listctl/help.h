/* --help, written from the rows. */
#ifndef LISTCTL_HELP_H
#define LISTCTL_HELP_H

#include <stdio.h>

#include "listctl/command.h"

void help_overview(FILE *out);
void help_noun(const char *noun, FILE *out);
void help_command(const struct command *command, FILE *out);
/* Every verb with its details and options as scdoc source, for listctl(1). */
void help_manual(FILE *out);
/* "listctl campaign start CAMPAIGN [OPTION...]" */
void help_usage(const struct command *command, FILE *out);

#endif
