#define _GNU_SOURCE /* O_PATH */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#define ACCESS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define ACCESS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP (1ULL << 0)      /* ABI 4 */
#define SCOPE_SIGNAL (1ULL << 1)      /* ABI 6 */

/* The kernel takes as much of it as it knows. */
struct ruleset {
	uint64_t files, network, scopes;
};

static struct ruleset all_of(long abi)
{
	struct ruleset all = { .files = LANDLOCK_ACCESS_FS_REFER - 1 };
	if (abi >= 2)
		all.files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all.files |= ACCESS_TRUNCATE;
	if (abi >= 4)
		all.network |= NET_BIND_TCP;
	if (abi >= 5)
		all.files |= ACCESS_IOCTL_DEV;
	if (abi >= 6)
		all.scopes |= SCOPE_SIGNAL;
	return all;
}

static size_t size_for(long abi)
{
	return abi < 4 ? sizeof(uint64_t) : abi < 6 ? 2 * sizeof(uint64_t) : sizeof(struct ruleset);
}

static enum err allow_reading(int rules, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat info;
	if (fd < 0)
		return ERR_OK;
	struct landlock_path_beneath_attr beneath = { .parent_fd = fd, .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		beneath.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	long failed = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	close(fd);
	return failed == 0 ? ERR_OK : ERR_IO;
}

enum err sandbox_files(const char *const *paths, size_t count)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return ERR_UNAVAILABLE;
	const struct ruleset all = all_of(abi);
	int rules = (int)syscall(SYS_landlock_create_ruleset, &all, size_for(abi), 0);
	if (rules < 0)
		return ERR_IO;
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++)
		err = allow_reading(rules, paths[i]);
	if (err == ERR_OK &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0))
		err = ERR_IO;
	close(rules);
	return err;
}
