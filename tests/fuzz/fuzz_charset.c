/* The first line is the name of a charset, the rest octets in it: they become UTF-8, or stay what they are. */
#include <assert.h>

#include "mail/parts.h"
#include "mail/parts_charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_open;
	AUTO_BUF out = buf_with_ceiling(1 << 20);
	struct view octets = view_from(data, size), label;
	if (!is_open)
		parts_library_open();
	is_open = true;
	if (!view_cut_line(&octets, &label))
		return 0;
	struct view text = parts_charset_read(label, octets, &out);
	assert(text.len == 0 || text.data == octets.data || view_is_utf8(text));
	assert(text.data != octets.data || text.len == octets.len);
	return 0;
}
