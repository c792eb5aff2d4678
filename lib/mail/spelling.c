#include "mail/spelling.h"

#include <string.h>

#include "mail/reference.h"

enum { REFERENCE_MOST = 24 };

/* &amp;#123; is the reference whose & is one itself. */
static size_t read_reference(struct view text, uint32_t *ret_character)
{
	uint32_t character = 0;
	size_t total = reference_read(text, &character);
	for (size_t len = total; len > 0 && character == '&';) {
		char again[REFERENCE_MOST] = "&";
		struct view rest = view_head(view_skip(text, total), sizeof(again) - 1);
		if (rest.len > 0)
			memcpy(again + 1, rest.data, rest.len);
		len = reference_read(view_from(again, rest.len + 1), &character);
		total += len > 0 ? len - 1 : 0;
	}
	*ret_character = character;
	return total;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t spelling_read(struct view text, uint32_t *ret_character)
{
	size_t len = read_reference(text, ret_character);
	if (text.len > 0 && len == 0) {
		*ret_character = (unsigned char)text.data[0];
		len = 1;
	}
	while (len > 0 && *ret_character == '%' && len + 2 <= text.len && digit_of(text.data[len]) >= 0 &&
	       digit_of(text.data[len + 1]) >= 0) {
		*ret_character = (uint32_t)(digit_of(text.data[len]) << 4 | digit_of(text.data[len + 1]));
		len += 2;
	}
	return len;
}
