/* What somebody probably meant who wrote a word that listctl does not know: the nearest by spelling, what other programs call the same, or the same
 * words in another order. */
#ifndef LISTCTL_MEANT_H
#define LISTCTL_MEANT_H

#include "listctl/command.h"

/* The known word nearest to a misspelt one: among the nouns and one-word verbs (noun NULL) or the verbs of noun. NULL when
 * nothing is near. */
const char *meant_word(const char *noun, const char *word);
/* Appends "; did you mean ...?" about a word in the place of a verb of noun or, with noun NULL, at the front, where next (or NULL) follows it. When
 * nothing comes to mind the verbs that noun has, or nothing. */
void meant_command(const char *noun, const char *word, const char *next, struct buf *out);
/* Appends the same about an option as it was given, dashes and all, of that verb (NULL: before any), or where those there are can be seen. */
void meant_option(const struct command *command, const char *given, struct buf *out);

#endif
