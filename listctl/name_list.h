/* An option's list of names, separated by commas or blanks. An empty one between commas is refused: it is what an empty variable of a script
 * leaves behind, and whoever it was to name would be left out without a word. */
#ifndef LISTCTL_NAME_LIST_H
#define LISTCTL_NAME_LIST_H

#include "listctl/call.h"

/* ERR_INVALID, with the option, when there is no name at all, or none before, between or behind commas. */
enum err name_list_check(struct call *call, const char *option, struct view text) MUST_USE;
/* The next name; false when there is none left. */
bool name_list_cut(struct view *text, struct view *ret_name);
bool name_list_names_any(struct view text);

#endif
