/* The file of an administrator's rules (bounce.rules, mail/rule_text.h). */
#ifndef STORE_RULES_FILE_H
#define STORE_RULES_FILE_H

#include "mail/classify.h"

/* path "": no rules, and nothing is added. Errors as file_read(). */
enum err rules_file_read(const char *path, struct buf *ret_text, struct buf *why) MUST_USE;

/* The built-in rules and those of the text, which came from path. ERR_INVALID: `why` has path, line and what to do. ERR_MEMORY. */
enum err rules_file_make(struct view text, const char *path, struct classifier **ret_classifier,
			 struct buf *why) MUST_USE;

/* Both. */
enum err rules_file_load(const char *path, struct classifier **ret_classifier, struct buf *why) MUST_USE;

#endif
