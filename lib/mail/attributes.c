#include "mail/attributes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/limits.h"

enum { SHORT_DIGITS = 15, ALL_DIGITS = 17 };

enum err attributes_parse(struct attributes *attributes, struct view json, struct buf *why)
{
	json_error_t error;
	if (json.len > LIMIT_ATTRIBUTES) {
		buf_addf(why, "the attributes have %zu octets, more than the %d allowed; shorten them", json.len,
			 LIMIT_ATTRIBUTES);
		return ERR_INVALID;
	}
	json_t *root = json_loadb(json.data == NULL ? "" : json.data, json.len, 0, &error);
	if (root == NULL) /* perhaps an integer of more than 64 bits, which then loses digits */
		root = json_loadb(json.data == NULL ? "" : json.data, json.len, JSON_DECODE_INT_AS_REAL, &error);
	if (root == NULL) {
		buf_addf(why, "the attributes are no JSON: %s", error.text);
		return ERR_INVALID;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		buf_add(why, VIEW_LIT("the attributes are no JSON object; write {\"name\": value}"));
		return ERR_INVALID;
	}
	attributes_done(attributes);
	attributes->root = root;
	return ERR_OK;
}

void attributes_done(struct attributes *attributes)
{
	json_decref(attributes->root);
	attributes->root = NULL;
}

static struct value value_of(const json_t *node)
{
	static const enum value_kind kinds[] = {
		[JSON_OBJECT] = VALUE_OBJECT,  [JSON_ARRAY] = VALUE_LIST,  [JSON_STRING] = VALUE_TEXT,
		[JSON_INTEGER] = VALUE_NUMBER, [JSON_REAL] = VALUE_NUMBER, [JSON_TRUE] = VALUE_TRUE,
		[JSON_FALSE] = VALUE_FALSE,    [JSON_NULL] = VALUE_NONE,
	};
	if (node == NULL)
		return (struct value){ .kind = VALUE_NONE };
	struct value value = { .kind = kinds[json_typeof(node)], .node = node };
	if (value.kind == VALUE_TEXT)
		value.text = view_from(json_string_value(node), json_string_length(node));
	if (value.kind == VALUE_LIST)
		value.count = json_array_size(node);
	return value;
}

struct value attributes_field(const struct attributes *attributes, const void *node, struct view name)
{
	const json_t *object = node == NULL ? attributes->root : node;
	return value_of(json_object_getn(object, name.data, name.len));
}

struct value attributes_item(const struct attributes *attributes, const void *list, size_t index)
{
	(void)attributes;
	return value_of(json_array_get(list, index));
}

/* The shortest digits that give the number back, with a dot in every locale. */
struct view attributes_number(struct attributes *attributes, const void *node)
{
	char *text = attributes->number;
	size_t size = sizeof(attributes->number);
	if (json_is_integer((const json_t *)node)) {
		snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(node));
		return view_of(text);
	}
	double number = json_real_value(node);
	int digits = SHORT_DIGITS;
	do {
		snprintf(text, size, "%.*g", digits, number);
	} while (digits++ < ALL_DIGITS && (strtod(text, NULL) < number || strtod(text, NULL) > number));
	for (char *c = text; *c != '\0'; c++) {
		if (*c == ',')
			*c = '.';
	}
	return view_of(text);
}
