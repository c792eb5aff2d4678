/* What one copy offers to the templates of its campaign: the built-in fields and the recipient's attributes. */
#ifndef MAIL_MERGE_H
#define MAIL_MERGE_H

#include "mail/attributes.h"
#include "mail/template.h"

/* Values of the built-in fields; all borrowed. */
struct merge {
	struct view name, email, unsubscribe;
	struct view list_name, list_title;
	struct view campaign_name;
	struct attributes attributes; /* the caller releases them */
};

/* The path of a built-in field, such as "list.name"; the empty view beyond the last. */
struct view merge_builtin(size_t index);
/* A built-in field that holds others and is nothing itself: "list". */
bool merge_is_object(struct view path);
/* What a template writes of it. */
enum slot_value merge_value_of(struct view path, bool as_is);
/* True when the path does not ask the attributes. */
bool merge_is_builtin(struct view path);

/* What templates for readers with these attributes may use: the built-in fields, then those that they do not hide. `names` holds the array, and both
 * borrow the attributes' names. */
enum err merge_known(const struct view *attributes, size_t count, struct buf *names,
		     struct merge_names *ret_known) MUST_USE;

/* Borrows merge. */
struct template_source merge_source(struct merge *merge);

#endif
