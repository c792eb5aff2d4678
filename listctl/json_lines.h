/* What `listctl export --format json` writes, an object a line, or an array of objects as `--format json` writes elsewhere, read in pieces with constant
 * memory and given as rows. Pure. */
#ifndef LISTCTL_JSON_LINES_H
#define LISTCTL_JSON_LINES_H

#include "listctl/csv_import.h"

enum { JSON_LINES_MEMBERS = 12 };

/* What the objects may hold. */
struct json_lines_kind {
	struct json_lines_member {
		const char *name; /* as it stands in the object; NULL ends them */
		const char *
		    column; /* what it is called as a cell of a row; of several members with one, the last that is there */
		bool is_object; /* else a text */
	} members[JSON_LINES_MEMBERS];
	const char *advice; /* about a member that is none of them; NULL: such are left out */
};
/* email, name, _attributes (the object's text), _state and so on. */
extern const struct json_lines_kind json_lines_people;

struct json_lines;

/* NULL: no memory. */
struct json_lines *json_lines_new(const struct json_lines_kind *kind, csv_handler *handler, csv_fault_handler *on_fault,
				  void *context);
/* Before the first octet: it is one array. */
void json_lines_set_array(struct json_lines *lines);
void json_lines_free(struct json_lines *lines); /* accepts NULL */
/* The row of names that belongs to the rows, borrowed from lines. */
struct csv_row json_lines_header(const struct json_lines *lines);
/* A line that is no such object is a fault. Errors are the handlers', or ERR_MEMORY. */
enum err json_lines_feed(struct json_lines *lines, struct view bytes, struct buf *why) MUST_USE;
/* Instead of those two: an object by itself, of this line of its file. */
enum err json_lines_take(struct json_lines *lines, uint64_t line, struct view text, struct buf *why) MUST_USE;
enum err json_lines_finish(struct json_lines *lines, struct buf *why) MUST_USE;

#endif
