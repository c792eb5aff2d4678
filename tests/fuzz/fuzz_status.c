/* Enhanced status codes: whatever is found can be written and read again. */
#include <stdlib.h>

#include "mail/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_from(data, size);
	struct status found, parsed;
	if (status_find(text, &found)) {
		AUTO_BUF written = buf_with_ceiling(16);
		if (status_write(found, &written) != ERR_OK || !status_parse(buf_view(&written), &parsed) ||
		    !status_is(parsed, found.class_digit, found.subject, found.detail))
			abort();
	}
	if (status_parse(text, &parsed) && !status_find(text, &found))
		abort();
	return 0;
}
