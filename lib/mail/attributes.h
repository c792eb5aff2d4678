/* A subscriber's attributes: a JSON object as a source of values for templates. The door of Jansson in this room; it
 * allocates for each object that is parsed. */
#ifndef MAIL_ATTRIBUTES_H
#define MAIL_ATTRIBUTES_H

#include "base/buf.h"
#include "mail/template.h"

struct attributes {
	void *root;      /* Jansson's; NULL: none, every field is missing */
	char number[40]; /* of the last attributes_number() */
};

/* ERR_INVALID: no JSON object, with the reason in `why`. Replaces what was there; release with attributes_done(). */
enum err attributes_parse(struct attributes *attributes, struct view json, struct buf *why) MUST_USE;
void attributes_done(struct attributes *attributes);

/* The functions of struct template_source; node NULL is the object itself. */
struct value attributes_field(const struct attributes *attributes, const void *node, struct view name);
struct value attributes_item(const struct attributes *attributes, const void *list, size_t index);
struct view attributes_number(struct attributes *attributes, const void *node);

#endif
