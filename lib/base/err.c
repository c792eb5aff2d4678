#include "base/err.h"

#include <assert.h>

static const char *const names[] = {
	[ERR_OK] = "ok",
	[ERR_INVALID] = "invalid",
	[ERR_TOO_BIG] = "too-big",
	[ERR_MEMORY] = "no-memory",
	[ERR_NOT_FOUND] = "not-found",
	[ERR_EXISTS] = "exists",
	[ERR_REFUSED] = "refused",
	[ERR_IO] = "io",
	[ERR_UNAVAILABLE] = "unavailable",
	[ERR_DENIED] = "denied",
};
static_assert(ARRAY_LEN(names) == ERR_COUNT, "one name per outcome");

const char *err_name(enum err err)
{
	return (unsigned)err < ERR_COUNT ? names[err] : "unknown";
}
