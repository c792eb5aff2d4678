#include "listctl/csv_guard.h"

#include <string.h>

static bool is_plain_number(struct view text)
{
	size_t digits = 0;
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		if (byte >= '0' && byte <= '9')
			digits++;
		else if (byte != '.' && !(i == 0 && (byte == '+' || byte == '-')))
			return false;
	}
	return digits > 0;
}

bool csv_guard_is_needed(struct view text)
{
	size_t apostrophes = 0;
	while (apostrophes < text.len && text.data[apostrophes] == '\'')
		apostrophes++;
	text = view_skip(text, apostrophes);
	if (text.len == 0 || memchr("=+-@\t\r", text.data[0], 6) == NULL)
		return false;
	return apostrophes > 0 || !is_plain_number(text);
}

struct view csv_guard_removed(struct view text)
{
	if (text.len < 2 || text.data[0] != '\'')
		return text;
	struct view bare = view_skip(text, 1);
	return csv_guard_is_needed(bare) ? bare : text;
}
