/* The elements of a JSON array out of text that comes in pieces, however it is broken into lines: what `--format json` writes. Constant memory. Pure. */
#ifndef LISTCTL_JSON_ARRAY_H
#define LISTCTL_JSON_ARRAY_H

#include "base/buf.h"

/* Zeroed but for the ceiling of held: the longest element. */
struct json_array {
	struct buf held; /* an element whose end has not come, or the last one given */
	bool is_given;   /* the latter */
	bool is_opened;  /* its [ was there */
	bool is_closed;
	bool in_string, is_escaped;
	size_t depth;               /* of brackets inside the element */
	uint64_t lines, element_at; /* ends of lines so far; before the element began */
};
struct json_array json_array_with_ceiling(size_t ceiling);
void json_array_done(struct json_array *array);

enum element_state {
	ELEMENT_NONE, /* all is taken, and none is whole */
	ELEMENT_WHOLE,
	ELEMENT_LONG, /* beyond the ceiling: no more can be read */
};
/* Takes the next element from the front of *bytes, trimmed and perhaps no JSON. *ret_element is borrowed until the next call. */
enum element_state json_array_next(struct json_array *array, struct view *bytes, struct view *ret_element) MUST_USE;
/* At the end: what stands in an array without an end, or behind the end of one; perhaps nothing. False: it is whole. */
bool json_array_rest(struct json_array *array, struct view *ret_element) MUST_USE;
/* Where the last element begins, from 1. */
uint64_t json_array_line(const struct json_array *array);

#endif
