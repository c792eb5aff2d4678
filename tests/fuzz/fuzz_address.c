/* An address that is accepted fits a command line, parses to itself and has a key of its own. */
#include <stdlib.h>

#include "base/limits.h"
#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF address = buf_with_ceiling(2 * LIMIT_ADDRESS);
	AUTO_BUF again = buf_with_ceiling(2 * LIMIT_ADDRESS);
	AUTO_BUF key = buf_with_ceiling(2 * LIMIT_ADDRESS);
	AUTO_BUF key_again = buf_with_ceiling(2 * LIMIT_ADDRESS);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (address_parse(view_from(data, size), &address, &why) != ERR_OK) {
		demand(why.len > 0 && address.len == 0);
		return 0;
	}
	struct view parsed = buf_view(&address);
	demand(parsed.len <= LIMIT_ADDRESS && view_is_utf8(parsed) && !view_has_control(parsed));
	demand(view_is_ascii(address_domain(parsed)) && view_find_last_byte(parsed, '@') <= LIMIT_LOCAL_PART);
	demand(view_find_byte(parsed, ' ') == VIEW_NONE && view_find_byte(parsed, '>') == VIEW_NONE);
	demand(address_parse(parsed, &again, &why) == ERR_OK && view_eq(parsed, buf_view(&again)));
	demand(address_key(parsed, &key) == ERR_OK && address_key(buf_view(&key), &key_again) == ERR_OK);
	demand(view_eq(buf_view(&key), buf_view(&key_again)));
	return 0;
}
