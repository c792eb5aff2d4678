/* The rules that a verb classifies by: the built-in ones and those of a file. */
#ifndef LISTCTL_OWN_RULES_H
#define LISTCTL_OWN_RULES_H

#include "listctl/call.h"
#include "mail/classify.h"

/* The file of the settings (bounce.rules), "" when there is none. */
const char *own_rules_path(const struct call *call);

/* Those of the file given, which may be "". Errors as rules_file_load(). */
enum err own_rules_load(struct call *call, const char *path, struct classifier **ret_classifier) MUST_USE;

#endif
