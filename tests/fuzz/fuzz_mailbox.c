/* The canonical form of a key is an address, the form of itself, and never longer than a command line takes. What a domain was meant to be is a
 * domain, another one, and no slip itself. */
#include <stdlib.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/address_canonical.h"
#include "mail/address_typo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

/* Of any octets: nothing but the promise of the functions themselves. */
static void check(struct view text, bool is_address)
{
	AUTO_BUF form = buf_with_ceiling(2 * LIMIT_ADDRESS_TEXT), again = buf_with_ceiling(2 * LIMIT_ADDRESS_TEXT);
	AUTO_BUF meant = buf_with_ceiling(LIMIT_DOMAIN), why = buf_with_ceiling(LIMIT_WHY);
	struct view domain = address_domain(text);
	if (address_canonical(text, &form)) {
		demand(!view_eq(buf_view(&form), text) && view_find_last_byte(buf_view(&form), '@') > 0);
		demand(!address_canonical(buf_view(&form), &again) && again.len == 0);
		demand(!is_address || form.len <= LIMIT_ADDRESS);
	} else {
		demand(form.len == 0);
	}
	if (!address_typo(domain, &meant)) {
		demand(meant.len == 0);
		return;
	}
	demand(!view_eq(buf_view(&meant), domain) && !address_typo(buf_view(&meant), &again) && again.len == 0);
	demand(address_parse_domain(buf_view(&meant), &again, &why) == ERR_OK &&
	       view_eq(buf_view(&again), buf_view(&meant)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_from(data, size);
	AUTO_BUF address = buf_with_ceiling(LIMIT_ADDRESS), key = buf_with_ceiling(LIMIT_ADDRESS_TEXT);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (size <= LIMIT_ADDRESS_TEXT)
		check(text, false);
	if (address_parse(text, &address, &why) == ERR_OK && address_key(buf_view(&address), &key) == ERR_OK)
		check(buf_view(&key), true);
	return 0;
}
