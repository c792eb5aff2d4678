/* Any text as a key file: what is accepted is written and reads back alike. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyring ring, again;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	memset(&ring, 0, sizeof(ring));
	memset(&again, 0, sizeof(again));
	if (keyring_parse(view_from(data, size), "fuzz", &ring, &why) != ERR_OK)
		return 0;
	if (keyring_write(&ring, &text) != ERR_OK)
		abort();
	if (keyring_parse(buf_view(&text), "again", &again, &why) != ERR_OK || again.newest != ring.newest)
		abort();
	return 0;
}
