#include "listctl/keys.h"

#include <openssl/crypto.h>

#include "base/file.h"
#include "base/limits.h"

enum err keys_load(const struct settings *settings, const char *settings_path, struct keyring *ret_keyring,
		   struct buf *why)
{
	enum err err = settings_require(settings, "keys.file", settings_path, why);
	if (err != ERR_OK)
		return err;
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	err = file_read(settings->keys_file, &text, why);
	if (err == ERR_NOT_FOUND)
		buf_addf(why, "; `listctl key new` makes it");
	else if (err == ERR_DENIED)
		buf_addf(why, "; only root and the daemons may read the keys");
	else if (err == ERR_OK)
		err = keyring_parse(buf_view(&text), settings->keys_file, ret_keyring, why);
	if (text.data != NULL)
		OPENSSL_cleanse(text.data, text.cap);
	return err;
}

enum err keys_save(const struct settings *settings, const struct keyring *keyring, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	enum err err = keyring_write(keyring, &text);
	if (err == ERR_OK)
		err = file_replace(settings->keys_file, buf_view(&text), 0600, why);
	if (text.data != NULL)
		OPENSSL_cleanse(text.data, text.cap);
	return err;
}
