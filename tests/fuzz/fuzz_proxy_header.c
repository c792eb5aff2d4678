/* Any octets as a PROXY header: whole it is read alike however much comes with it, and cut it is never taken for whole. */
#include <assert.h>

#include "net/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint client;
	struct view bytes = view_from(data, size);
	size_t len = 0, again = 0;
	enum proxy_verdict verdict = proxy_header_read(bytes, &len, &client);
	if (verdict != PROXY_CLIENT && verdict != PROXY_ITSELF)
		return 0;
	assert(len <= size && len <= PROXY_HEADER_MOST);
	assert(proxy_header_read(view_head(bytes, len), &again, &client) == verdict && again == len);
	assert(proxy_header_read(view_head(bytes, len - 1), &again, &client) == PROXY_WANTS_MORE);
	return 0;
}
