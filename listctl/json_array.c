#include "listctl/json_array.h"

#include <string.h>

struct json_array json_array_with_ceiling(size_t ceiling)
{
	return (struct json_array){ .held = buf_with_ceiling(ceiling) };
}

void json_array_done(struct json_array *array)
{
	buf_done(&array->held);
}

uint64_t json_array_line(const struct json_array *array)
{
	return array->element_at + 1;
}

static bool is_blank(char octet)
{
	return memchr(" \t\r\n", octet, 4) != NULL;
}

/* Whether an octet outside of strings and brackets ends the element at hand. */
static bool ends(const struct json_array *array, char octet)
{
	return !array->in_string && array->depth == 0 && (octet == ',' || octet == ']');
}

static void follow(struct json_array *array, char octet)
{
	if (array->in_string) {
		array->in_string = array->is_escaped || octet != '"';
		array->is_escaped = !array->is_escaped && octet == '\\';
		return;
	}
	array->in_string = octet == '"';
	array->depth += octet == '{' || octet == '[';
	array->depth -= (octet == '}' || octet == ']') && array->depth > 0;
}

/* True: it is taken, or has ended what is held. */
static bool take(struct json_array *array, char octet)
{
	bool is_end = array->is_opened && !array->is_closed && ends(array, octet);
	if (octet == '\n')
		array->lines++;
	if (!array->is_opened && (is_blank(octet) || octet == '[')) {
		array->is_opened = octet == '[';
		return false;
	}
	if (is_end) {
		array->is_closed = octet == ']';
		return array->held.len > 0;
	}
	if (array->held.len == 0 && is_blank(octet))
		return false;
	if (array->held.len == 0)
		array->element_at = array->lines;
	buf_add_byte(&array->held, octet);
	follow(array, octet);
	return false;
}

enum element_state json_array_next(struct json_array *array, struct view *bytes, struct view *ret_element)
{
	if (array->is_given)
		buf_reset(&array->held);
	array->is_given = false;
	for (size_t i = 0; i < bytes->len; i++) {
		if (!take(array, bytes->data[i])) {
			if (buf_err(&array->held) != ERR_OK)
				return ELEMENT_LONG;
			continue;
		}
		*bytes = view_skip(*bytes, i + 1);
		*ret_element = view_trim(buf_view(&array->held));
		array->is_given = true;
		return ELEMENT_WHOLE;
	}
	*bytes = view_skip(*bytes, bytes->len);
	return ELEMENT_NONE;
}

bool json_array_rest(struct json_array *array, struct view *ret_element)
{
	*ret_element = array->is_given ? (struct view){ 0 } : view_trim(buf_view(&array->held));
	return !array->is_closed || ret_element->len > 0;
}
