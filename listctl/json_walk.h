/* The members of one JSON object, one after the other, without a tree: for millions of objects that PostgreSQL wrote (jsonb as text, RFC
 * 8259). Pure; nothing is allocated. */
#ifndef LISTCTL_JSON_WALK_H
#define LISTCTL_JSON_WALK_H

#include <stdbool.h>

#include "base/buf.h"

enum json_kind {
	JSON_KIND_TEXT,
	JSON_KIND_NUMBER,
	JSON_KIND_BOOLEAN,
	JSON_KIND_NULL,
	JSON_KIND_TREE /* object or array */
};

/* Views borrow from the text. name and a text's value are still as JSON writes them, without their quotation marks. */
struct json_member {
	struct view name;
	enum json_kind kind;
	struct view value;
};

struct json_walk {
	struct view rest;
	bool is_begun, is_done, is_broken;
};

struct json_walk json_walk_of(struct view object);
/* The next member; false at the end and at what is no JSON object: then is_broken is set. */
bool json_walk_next(struct json_walk *walk, struct json_member *ret_member);
/* Appends what a text between quotation marks stands for. False: it is no JSON text; *text is then of no use. */
bool json_walk_text(struct view raw, struct buf *text);

#endif
