#include "listctl/keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/file.h"
#include "base/limits.h"
#include "store/key_file.h"

enum err keys_load(const struct settings *settings, const char *settings_path, struct keyring *ret_keyring,
		   struct buf *why)
{
	enum err err = settings_require(settings, "keys.file", settings_path, why);
	if (err != ERR_OK)
		return err;
	return key_file_load(settings->keys_file, ret_keyring, why);
}

/* A key file that the administrator has given to the daemons' group stays theirs. */
static enum err keep_owner(const char *path, const struct stat *old, struct buf *why)
{
	if (old->st_uid == geteuid() && old->st_gid == getegid())
		return ERR_OK;
	if (chown(path, old->st_uid, old->st_gid) == 0)
		return ERR_OK;
	buf_addf(why, "%s is replaced, but could not be given back to its owner: run chown on it", path);
	return ERR_DENIED;
}

enum err keys_save(const struct settings *settings, const struct keyring *keyring, struct buf *why)
{
	const char *path = settings->keys_file;
	struct stat old;
	bool existed = stat(path, &old) == 0;
	unsigned mode = existed ? (old.st_mode & 0040) | 0600 : 0600;
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	enum err err = keyring_write(keyring, &text);
	if (err == ERR_OK)
		err = file_replace(path, buf_view(&text), mode, why);
	if (err == ERR_OK && existed)
		err = keep_owner(path, &old, why);
	if (text.data != NULL)
		OPENSSL_cleanse(text.data, text.cap);
	return err;
}

bool keys_random(unsigned char bytes[KEYRING_KEY_SIZE])
{
	return RAND_bytes(bytes, KEYRING_KEY_SIZE) == 1;
}
