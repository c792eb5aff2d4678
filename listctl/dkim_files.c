#include "listctl/dkim_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"

static enum err explain(const char *verb, const char *path, struct buf *why)
{
	int code = errno;
	buf_addf(why, "cannot %s %s: %s", verb, path, strerror(code));
	return code == EACCES || code == EPERM ? ERR_DENIED : ERR_IO;
}

static enum err look_at_folder(const char *folder, struct stat *ret_info, struct buf *why)
{
	if (stat(folder, ret_info) == 0)
		return ERR_OK;
	if (errno != ENOENT)
		return explain("read", folder, why);
	buf_addf(why,
		 "there is no folder %s for the keys; make it, readable by root and the daemons only: "
		 "install -d -m 750 -g verpost %s",
		 folder, folder);
	return ERR_NOT_FOUND;
}

/* The folder's group, and the group's rights of mode. Links are not followed, and the owner stays who runs this: the folder may belong to
 * somebody who is less trusted. */
static enum err give(const char *path, const struct stat *like, mode_t mode, struct buf *why)
{
	if (like->st_gid != getegid() && lchown(path, (uid_t)-1, like->st_gid) != 0)
		return explain("give the folder's group to", path, why);
	return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) == 0 ? ERR_OK
									: explain("set the rights of", path, why);
}

static enum err make_domain_folder(const char *folder, struct view domain, const struct stat *like, struct buf *why)
{
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	buf_addf(&path, "%s/" VIEW_FMT, folder, VIEW_ARG(domain));
	if (mkdir(buf_text(&path), 0700) != 0)
		return errno == EEXIST ? ERR_OK : explain("make", buf_text(&path), why);
	return give(buf_text(&path), like, 0700 | (like->st_mode & 0050), why);
}

static enum err write_text(const struct dkim_key *key, int64_t wall_us, struct buf *out)
{
	char second[sizeof("2026-11-26T15:40:00")];
	struct tm parts;
	time_t now = (time_t)(wall_us / CLOCK_US_PER_SECOND);
	gmtime_r(&now, &parts);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &parts);
	/* The age decides which one signs: two may be made within a second. */
	buf_addf(out, "created: %s.%06dZ\n", second, (int)(wall_us % CLOCK_US_PER_SECOND));
	return dkim_key_write(key, out);
}

static enum err find_path(const char *folder, const struct dkim_key *key, bool is_retired, struct buf *out)
{
	return dkim_folder_path(folder, dkim_key_domain(key), dkim_key_selector(key), dkim_key_kind(key), is_retired,
				out);
}

enum err dkim_files_add(const char *folder, const struct dkim_key *key, int64_t wall_us, struct buf *why)
{
	struct stat like;
	AUTO_BUF path = buf_with_ceiling(LIMIT_PATH);
	AUTO_BUF text = buf_with_ceiling(LIMIT_KEY_FILE);
	enum err err = look_at_folder(folder, &like, why);
	if (err == ERR_OK)
		err = make_domain_folder(folder, dkim_key_domain(key), &like, why);
	if (err == ERR_OK)
		err = find_path(folder, key, false, &path);
	if (err == ERR_OK)
		err = write_text(key, wall_us, &text);
	if (err == ERR_OK)
		err = file_replace(buf_text(&path), buf_view(&text), 0600, why);
	if (err == ERR_OK)
		err = give(buf_text(&path), &like, 0600 | (like.st_mode & 0040), why);
	buf_wipe(&text);
	return err;
}

enum err dkim_files_retire(const char *folder, const struct dkim_key *key, struct buf *why)
{
	AUTO_BUF from = buf_with_ceiling(LIMIT_PATH);
	AUTO_BUF to = buf_with_ceiling(LIMIT_PATH);
	enum err err = find_path(folder, key, false, &from);
	if (err == ERR_OK)
		err = find_path(folder, key, true, &to);
	if (err == ERR_OK && rename(buf_text(&from), buf_text(&to)) != 0)
		err = explain("rename", buf_text(&from), why);
	return err;
}
