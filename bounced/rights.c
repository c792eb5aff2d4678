#define _GNU_SOURCE /* setresuid() */
#include "bounced/rights.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static bool find_group(const char *name, gid_t *ret_group, struct buf *why)
{
	const struct group *group = *name == '\0' ? NULL : getgrnam(name);
	if (*name == '\0')
		return true;
	if (group == NULL) {
		buf_addf(why, "bounced.group: there is no group \"%s\"", name);
		return false;
	}
	*ret_group = group->gr_gid;
	return true;
}

enum err rights_find(const struct settings *settings, struct rights *ret_rights, struct buf *why)
{
	const char *name = settings->bounced_user;
	struct rights rights = { 0 };
	if (*name == '\0') {
		if (*settings->bounced_group != '\0') {
			buf_addf(why, "bounced.group is set without bounced.user; set both, or none");
			return ERR_INVALID;
		}
		*ret_rights = rights;
		return ERR_OK;
	}
	const struct passwd *user = getpwnam(name);
	if (user == NULL || strlen(name) >= sizeof(rights.name)) {
		buf_addf(why, "bounced.user: there is no user \"%s\"", name);
		return ERR_INVALID;
	}
	rights.user = user->pw_uid;
	rights.group = user->pw_gid;
	memcpy(rights.name, name, strlen(name) + 1);
	if (!find_group(settings->bounced_group, &rights.group, why))
		return ERR_INVALID;
	rights.changes = geteuid() == 0;
	if (!rights.changes && geteuid() != rights.user) {
		buf_addf(
		    why,
		    "bounced.user is \"%s\", and only root can become somebody; start bounced as root, or as that user",
		    name);
		return ERR_INVALID;
	}
	*ret_rights = rights;
	return ERR_OK;
}

/* Asked afterwards, since half of it would be worse than nothing. */
static enum err become(const struct rights *rights)
{
	if (setresgid(rights->group, rights->group, rights->group) != 0 ||
	    setresuid(rights->user, rights->user, rights->user) != 0)
		return ERR_DENIED;
	return rights->user == 0 || setuid(0) != 0 ? ERR_OK : ERR_DENIED;
}

enum err rights_drop(const struct rights *rights)
{
	if (!rights->changes)
		return ERR_OK;
	return initgroups(rights->name, rights->group) == 0 ? become(rights) : ERR_DENIED;
}

enum err rights_drop_all(const struct rights *rights)
{
	if (!rights->changes)
		return ERR_OK;
	return setgroups(0, NULL) == 0 ? become(rights) : ERR_DENIED;
}
