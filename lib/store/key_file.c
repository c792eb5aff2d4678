#include "store/key_file.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"

/* Whoever can read the keys can forge any return path. */
static bool is_open_to_all(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

enum err key_file_load(const char *path, struct keyring *ret_keyring, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	enum err err = file_read(path, &text, why);
	if (err == ERR_OK)
		err = keyring_parse(buf_view(&text), path, ret_keyring, why);
	else if (err == ERR_NOT_FOUND)
		buf_addf(why, "; `listctl key new` makes it");
	else if (err == ERR_DENIED)
		buf_addf(why, "; only root and the daemons may read the keys");
	if (err == ERR_OK && is_open_to_all(path)) {
		keyring_wipe(ret_keyring);
		buf_addf(why, "everybody may read or write the keys in %s; take that right away: chmod o= %s", path,
			 path);
		err = ERR_DENIED;
	}
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	return err;
}
