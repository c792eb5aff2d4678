/* Any text as a settings file: what is accepted prints and reads back. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings, again;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (settings_parse(view_from(data, size), "fuzz", &settings, &why) != ERR_OK)
		return 0;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	settings_print(&settings, out);
	fclose(out);
	if (settings_parse(view_from(text, len), "again", &again, &why) != ERR_OK)
		abort();
	settings_done(&settings);
	settings_done(&again);
	free(text);
	return 0;
}
