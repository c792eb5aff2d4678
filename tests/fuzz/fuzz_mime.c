/* Any octets as a message: its entities lie one behind the other inside of it, and an end is always reached. */
#include <assert.h>

#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct view part, struct view whole)
{
	return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void walk(struct view text, unsigned depth)
{
	struct mime_entity entity = mime_split(text);
	struct mime_type type = mime_type_of(entity.header);
	assert(is_inside(entity.header, text) && is_inside(entity.body, text));
	assert(entity.header.len + entity.body.len <= text.len);
	assert(is_inside(type.boundary, entity.header) && is_inside(type.charset, entity.header));
	struct view body = entity.body, part;
	const char *behind = body.data;
	while (depth < 8 && mime_next_part(&body, type.boundary, &part)) {
		assert(is_inside(part, entity.body) && part.data > behind);
		behind = part.data + part.len;
		walk(part, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk(view_from(data, size), 0);
	return 0;
}
