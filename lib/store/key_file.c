#include "store/key_file.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"

enum err key_file_load(const char *path, struct keyring *ret_keyring, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	enum err err = file_read(path, &text, why);
	if (err == ERR_NOT_FOUND)
		buf_addf(why, "; `listctl key new` makes it");
	else if (err == ERR_DENIED)
		buf_addf(why, "; only root and the daemons may read the keys");
	else if (err == ERR_OK)
		err = keyring_parse(buf_view(&text), path, ret_keyring, why);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	return err;
}
