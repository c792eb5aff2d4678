/* People as `listctl export --format json` writes them, an object a line, read in pieces with constant memory and given as rows. Pure. */
#ifndef LISTCTL_JSON_LINES_H
#define LISTCTL_JSON_LINES_H

#include "listctl/csv_import.h"

struct json_lines;

/* NULL: no memory. */
struct json_lines *json_lines_new(csv_handler *handler, csv_fault_handler *on_fault, void *context);
void json_lines_free(struct json_lines *lines); /* accepts NULL */
/* The row of names that belongs to the rows: email, name, _attributes (the object's text), _state and so on. */
struct csv_row json_lines_header(void);
/* A line that is no such object is a fault. Errors are the handlers', or ERR_MEMORY. */
enum err json_lines_feed(struct json_lines *lines, struct view bytes, struct buf *why) MUST_USE;
/* Instead of those two: an object by itself, of this line of its file. */
enum err json_lines_take(struct json_lines *lines, uint64_t line, struct view text, struct buf *why) MUST_USE;
enum err json_lines_finish(struct json_lines *lines, struct buf *why) MUST_USE;

#endif
